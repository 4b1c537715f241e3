"""Whoever shows graphs, and is called when one of them changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic

PAUSE_S = 0.2
Watcher = Callable[[str], None]


class Watchers(list[Watcher]):
    """Functions that are called with the name of a graph that changed."""

    def __init__(self) -> None:
        super().__init__()
        self._called_at = 0.0
        self._pause_s = 0.0
        self._waiting: dict[str, None] = {}

    def tell(self, graphs: Iterable[str]) -> None:
        """Call every watcher for each of these graphs, or later inside ``seldom``."""
        # A picture is drawn again for each call: many events in a row, a few pictures.
        if monotonic() - self._called_at < self._pause_s:
            self._waiting |= dict.fromkeys(graphs)
            return
        self._called_at = monotonic()
        for name in graphs:
            for watcher in list(self):
                watcher(name)

    @contextmanager
    def seldom(self) -> Iterator[None]:
        """Call watchers at most a few times a second inside, and once at the end."""
        self._pause_s = PAUSE_S
        try:
            yield
        finally:
            self._pause_s = 0.0
            waiting, self._waiting = self._waiting, {}
            self.tell(waiting)
