"""Whether a callable is a coroutine or a generator, behind its wrappers."""

from __future__ import annotations

import functools
import inspect
from typing import Any, NamedTuple


class CallKind(NamedTuple):
    """How a call returns its result.

    Attributes:
        is_async: it must be awaited, or read by ``async for``.
        is_stream: it yields its results one by one.
    """

    is_async: bool
    is_stream: bool


PLAIN = CallKind(is_async=False, is_stream=False)


def call_kind(call: Any) -> CallKind:
    """Return the kind of a function, a method or an object with ``__call__``.

    >>> async def later(body): ...
    >>> call_kind(later).is_async, call_kind(len).is_async
    (True, False)
    """
    plain = inspect.unwrap(call) if callable(call) else call
    while isinstance(plain, functools.partial):
        plain = plain.func
    if not inspect.isroutine(plain) and not inspect.isclass(plain):
        plain = type(plain).__call__
    outer = call.func if isinstance(call, functools.partial) else call
    for function in (outer, plain):
        is_async_stream = inspect.isasyncgenfunction(function)
        if is_async_stream or inspect.isgeneratorfunction(function):
            return CallKind(is_async_stream, is_stream=True)
        if inspect.iscoroutinefunction(function):
            return CallKind(is_async=True, is_stream=False)
        if inspect.isfunction(function) and function is outer:
            # A plain wrapper may collect what a generator gives, but a coroutine
            # function's result it nearly always hands on.
            return CallKind(inspect.iscoroutinefunction(plain), is_stream=False)
    return PLAIN
