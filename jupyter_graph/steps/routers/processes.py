"""Worker processes that a step keeps, each with the same objects in it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import ClosedError, SpecError, said

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

Target = Callable[..., Any]


class Processes:
    """At most so many fresh (spawned) processes, started when first needed.

    Each gets the targets once, when it starts; what a target remembers is its
    process's own. Arguments and results travel between the processes, so they must be
    able to. Processes that died are replaced with the next call.

    Args:
        targets: what can be called, by name.
        most: how many processes, 1 or more.
        what: what the targets are, for messages.

    Raises:
        SpecError: a target cannot travel: it stands in no module that another process
            can import.
    """

    def __init__(self, targets: Mapping[str, Target], most: int, what: str) -> None:
        for name, target in targets.items():
            _can_travel(target, f"{what} {name!r}")
        self._targets = dict(targets)
        self._most = most
        self._pool: ProcessPoolExecutor | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def submit(self, name: str, *args: Any) -> Future[Any]:
        """Call a target in one of the processes.

        Raises:
            ClosedError: the processes are closed.
        """
        from concurrent.futures.process import BrokenProcessPool

        with self._lock:
            if self._is_closed:
                raise ClosedError("the processes of this step are closed")
            try:
                return self._started().submit(_call, name, args)
            except BrokenProcessPool:
                self._pool = None
                return self._started().submit(_call, name, args)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            self._pool = ProcessPoolExecutor(
                self._most,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_take,
                initargs=(self._targets,),
            )
        return self._pool

    def close(self) -> None:
        """End the processes after what they are at; what waits is cancelled."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def _can_travel(target: Any, what: str) -> None:
    from multiprocessing.reduction import ForkingPickler

    try:
        data = bytes(ForkingPickler.dumps(target))
    except Exception as error:
        reason = said(error)
    else:
        main = sys.modules["__main__"]
        if b"__main__" not in data or getattr(main, "__file__", None):
            return
        reason = "it is defined in this notebook"
    raise SpecError(
        f"{what} cannot run in another process, which must import it from a module: "
        f"{reason}; move it to a module, or use threads"
    )


# -- in the other process -------------------------------------------------------

_here: dict[str, Target] = {}


def _take(targets: Mapping[str, Target]) -> None:
    _here.update(targets)


def _call(name: str, args: tuple[Any, ...]) -> Any:
    return _here[name](*args)
