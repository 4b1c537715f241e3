"""Whether a callable is a coroutine or a generator, behind its wrappers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple


class CallKind(NamedTuple):
    """How a call returns its result.

    Attributes:
        is_async: it must be awaited, or read by ``async for``.
        is_stream: it yields its results one by one.
        either: only what it returns tells: it is a plain wrapper around a function that
            is so, and may hand on what that returns, or something made of it.
    """

    is_async: bool
    is_stream: bool
    either: bool = False


PLAIN = CallKind(is_async=False, is_stream=False)

RUNS: Final = frozenset(("run", "run_until_complete", "run_coroutine_threadsafe"))
"""Names in a wrapper that say that it runs a coroutine to its end by itself."""

DEEPEST: Final = 8


def call_kind(call: Any) -> CallKind:
    """Return the kind of a function, a method or an object with ``__call__``.

    >>> async def later(body): ...
    >>> call_kind(later).is_async, call_kind(len).is_async
    (True, False)
    >>> def timed(function):
    ...     return lambda body: function(body)
    >>> call_kind(timed(later))
    CallKind(is_async=True, is_stream=False, either=True)
    """
    return _kind(call, DEEPEST)


def _kind(call: Any, depth: int) -> CallKind:
    function = _called(call)
    is_async_stream = inspect.isasyncgenfunction(function)
    if is_async_stream or inspect.isgeneratorfunction(function):
        return CallKind(is_async_stream, is_stream=True)
    if inspect.iscoroutinefunction(function):
        return CallKind(is_async=True, is_stream=False)
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    for inner in _wrapped_in(call, function) if depth else ():
        kind = _kind(inner, depth - 1)
        is_run = kind.is_async and not RUNS.isdisjoint(names)
        if kind != PLAIN and not is_run:
            return kind._replace(either=True)
    return PLAIN


def _called(call: Any) -> Any:
    """Return the function whose code runs first when an object is called."""
    while isinstance(call, functools.partial):
        call = call.func
    if inspect.isroutine(call) or inspect.isclass(call):
        return getattr(call, "__func__", call)
    return getattr(type(call).__call__, "__func__", type(call).__call__)


def _wrapped_in(call: Any, function: Any) -> Iterator[Any]:
    """Yield the functions that a wrapper may call: it names, encloses or keeps them."""
    while isinstance(call, functools.partial):
        call = call.func
    if inspect.isclass(call):
        return
    if (wrapped := getattr(call, "__wrapped__", None)) is not None:
        yield wrapped
    kept = (
        [] if inspect.isroutine(call) else list(getattr(call, "__dict__", {}).values())
    )
    for cell in getattr(function, "__closure__", None) or ():
        try:
            kept.append(cell.cell_contents)
        except ValueError:  # a name that has no value yet
            continue
    for one in kept:
        if inspect.isroutine(one) or isinstance(one, functools.partial):
            yield one


def awaiting(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine function for a call that may return a coroutine."""

    async def awaiting_it(*args: Any) -> Any:
        result = call(*args)
        return await result if inspect.isawaitable(result) else result

    return awaiting_it
