"""Functions that are given to steps: checked when built, called with a body.

A step that was given a coroutine function has ``do`` for callers that cannot wait,
and ``do_async`` for those that can.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeAlias

from jupyter_graph.errors import SpecError
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.module_lock import module_lock
from jupyter_graph.threads.start import start_thread

if TYPE_CHECKING:
    import asyncio

Function: TypeAlias = Callable[[Any], Any]
"""Takes a body; may be a coroutine function."""


def checked(fn: Any, what: str) -> Function:
    """Return the function back, or say why it is none.

    Raises:
        SpecError: it cannot be called.

    >>> checked("double", "Map: fn")
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: Map: fn must be a function, got 'double'; \
a document names one as "_fn": "double", a magic as fn=$double [JG110]
    """
    if callable(fn):
        return fn  # type: ignore[no-any-return]  # any callable may take a body
    word = what.rpartition(" ")[2]
    name = fn if isinstance(fn, str) and fn.isidentifier() else "NAME"
    raise SpecError(
        f"{what} must be a function, got {fn!r}; a document names one as "
        f'"_{word}": "{name}", a magic as {word}=${name}'
    )


def name_of(fn: Function) -> str:
    """Return the name by which messages call a function."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return str(getattr(fn, "__name__", type(fn).__name__))


def gives_many(fn: Function) -> bool:
    """Tell whether a function is a generator, asynchronous or not."""
    plain = _plain(fn)
    return inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain)


def must_wait(fn: Function) -> bool:
    """Tell whether what a function gives must be awaited."""
    plain = _plain(fn)
    return inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain)


def _plain(fn: Function) -> Any:
    """Return the function behind a partial one, or behind an object's call."""
    plain = fn.func if isinstance(fn, functools.partial) else fn
    return plain if inspect.isroutine(plain) else type(plain).__call__


def called(fn: Function, body: Any) -> Any:
    """Return what a function makes of a body, a coroutine's result included."""
    result = fn(body)
    return finished(result) if isinstance(result, CoroutineType) else result


async def awaited(fn: Function, body: Any) -> Any:
    """Return what ``called`` does, for callers that can wait."""
    result = fn(body)
    return await result if inspect.isawaitable(result) else result


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on a loop of its own and give its result.

    The loop is the same for all, so that a client which was opened in one event
    serves the next.
    """
    from jupyter_graph.threads.on_loop import OnLoop

    # asyncio.run would close the loop, and with it the connections of a client that a
    # step keeps between events
    begun = OnLoop(_loop(), coroutine)
    try:
        begun.start()
        return begun.result()
    except BaseException:  # also an interrupt: its waiter is gone
        begun.cancel()
        raise


_lock = module_lock()


def _loop() -> asyncio.AbstractEventLoop:
    with uninterrupted(), _lock:
        return _started_loop()


@functools.cache
def _started_loop() -> asyncio.AbstractEventLoop:
    import asyncio

    loop = asyncio.new_event_loop()
    start_thread(loop.run_forever, "jupyter_graph functions")
    return loop


if hasattr(os, "register_at_fork"):  # a forked process has the loop but no thread
    os.register_at_fork(after_in_child=_started_loop.cache_clear)
