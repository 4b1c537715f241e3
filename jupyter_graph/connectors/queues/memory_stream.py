"""Streams inside this process, and the end of a flow that writes to one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.threads.module_lock import module_lock
from jupyter_graph.types import NOTHING

SCHEMES = ("memory", "dummy")


class MemoryStream:
    """What was written to a stream of this process, oldest first.

    At most once: it is lost with the process. Safe from several threads.

    State: in memory, shared by all graphs that name the same path.

    >>> stream = MemoryStream()
    >>> stream.push({"n": 1})
    >>> list(stream)
    [{'n': 1}]
    """

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self._bodies: list[Any] = []
        self._lock = threading.Lock()

    def push(self, body: Any) -> None:
        """Add a body.

        Raises:
            OverflowError: the stream is full; nothing is dropped in silence.
        """
        with self._lock:
            if len(self._bodies) >= self.limit:
                raise OverflowError(
                    f"the stream holds {self.limit} bodies and takes no more; "
                    "read it with take()"
                )
            self._bodies.append(body)

    def take(self) -> list[Any]:
        """Return all bodies and forget them."""
        with self._lock:
            taken, self._bodies = self._bodies, []
            return taken

    def __iter__(self) -> Iterator[Any]:
        with self._lock:
            return iter(list(self._bodies))

    def __len__(self) -> int:
        return len(self._bodies)


_streams: dict[str, MemoryStream] = {}
_lock = module_lock()


def memory_stream(path: str) -> MemoryStream:
    """Return the stream of this process at a path such as ``memory://orders``.

    Raises:
        SpecError: the path has another scheme.
    """
    scheme, separator, name = path.partition("://")
    if scheme not in SCHEMES or not separator or not name:
        raise SpecError(
            f"a stream at {path!r} cannot be written from here; available are "
            f"{' and '.join(f'{known}://NAME' for known in SCHEMES)}"
        )
    with _lock:
        return _streams.setdefault(path, MemoryStream())


class QueueEnd:
    """A queue with nothing after it: what comes is written to its stream.

    Body in: anything. Body out: nothing; the flow ends here.

    Args:
        path: the URL of the stream.

    Raises:
        SpecError: there is no such kind of stream.

    >>> QueueEnd("memory://doctest").do({"n": 1})
    NOTHING
    >>> memory_stream("memory://doctest").take()
    [{'n': 1}]
    """

    may_drop = True

    def __init__(self, path: str) -> None:
        self.stream = memory_stream(path)

    def do(self, body: Any) -> Any:
        self.stream.push(body)
        return NOTHING
