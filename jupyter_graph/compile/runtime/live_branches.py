"""Who may still come to a join: how many branches of an event go on by themselves."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["counting"]

LIVE: Final = "\0live"


class LiveBranches:
    """Counts the branches of one event that do not wait at a join.

    When none is left, nobody comes any more: the first join in the flow goes on without
    those that it waits for, whatever time it has left.

    Args:
        joins: the joins of the graph, in the order of the flow.
    """

    __slots__ = ("_count", "_joins", "_waiting")

    def __init__(self, joins: tuple[str, ...]) -> None:
        self._joins = joins
        self._count = 1
        self._waiting: dict[str, Any] = {}

    def part(self, count: int) -> None:
        """A branch goes on as so many, and waits for them."""
        self._count += count - 1

    def meet(self) -> None:
        """A branch has waited for those that it was parted into, and goes on."""
        self._count += 1

    def end(self) -> None:
        """A branch has ended."""
        self._count -= 1
        self._look()

    def wait(self, join: str, come: Any) -> None:
        """A branch waits at a join; ``come`` is set when it need not any more."""
        self._waiting[join] = come
        self.end()

    def go_on(self, join: str) -> None:
        """A branch waits there no more."""
        self._waiting.pop(join, None)
        self._count += 1

    def _look(self) -> None:
        if self._count > 0:
            return
        first = next((name for name in self._joins if name in self._waiting), None)
        if first is not None:
            self._waiting[first].set()


def counting(joins: tuple[str, ...]) -> dict[Any, Any]:
    """Return the parts of an event whose joins have a limit of time."""
    return {LIVE: LiveBranches(joins)}
