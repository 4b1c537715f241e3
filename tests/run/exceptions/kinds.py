"""Every kind of exception that a step may end in, and the one that never ends."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph.errors import BadRequestError, DeadlineError

LIMIT_S = 0.3
"""Seconds an event may take where a step hangs."""


class OwnBase(BaseException):
    """What nobody else knows."""


class Mute(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Hidden(Exception):
    """An error that does not even show itself."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


class Slotted(Exception):
    """An error that takes no notes."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class Unequal(Exception):
    """An error that cannot be compared or hashed, and is false."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")


class Picky(Exception):
    """An error that cannot be made from its arguments."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


SAME = ValueError("the same object each time")


def dig(depth: int = 0) -> Any:
    return dig(depth + 1)


def itself() -> None:
    error = ValueError("caused by itself")
    error.__cause__ = error.__context__ = error
    raise error


def without_traceback() -> None:
    try:
        raise KeyError("gone")
    except KeyError as error:
        raise LookupError("no way there").with_traceback(None) from error


over = threading.Event()
"""Set when a test is over: a thread that still hangs ends."""


def hang() -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and not over.is_set():
        time.sleep(0.005)


async def hang_async() -> None:
    await asyncio.sleep(20)


@dataclass(frozen=True)
class Kind:
    """One way to fail: what is raised, and what the caller gets as the cause."""

    name: str
    throw: Callable[[], Any]
    cause: type[BaseException]
    throw_async: Callable[[], Any] | None = None

    @property
    def hangs(self) -> bool:
        return self.cause is DeadlineError

    async def throw_on_loop(self) -> None:
        if self.throw_async is not None:
            await self.throw_async()
        self.throw()


def raising(
    name: str, error: Callable[..., BaseException], *args: Any, cause: Any = None
) -> Kind:
    """Give the kind that raises a new error of a class, or what a function gives."""

    def throw() -> None:
        raise error(*args)

    return Kind(name, throw, cause or error)


KINDS = [
    raising("ValueError", ValueError, "boom"),
    raising("an error without text", ValueError),
    raising("AssertionError", AssertionError, "not so"),
    raising("own BaseException", OwnBase, "boom"),
    raising("SystemExit", SystemExit, 3),
    Kind("sys.exit", sys.exit, SystemExit),
    raising("KeyboardInterrupt", KeyboardInterrupt, "raised"),
    Kind("RecursionError", dig, RecursionError),
    raising("StopIteration", StopIteration, 1),
    raising("StopAsyncIteration", StopAsyncIteration, 1),
    raising("GeneratorExit", GeneratorExit, "boom"),
    raising("CancelledError", asyncio.CancelledError, "boom"),
    raising("TimeoutError", TimeoutError, "a step's own"),
    raising("MemoryError", MemoryError, "boom"),
    raising("OSError", FileNotFoundError, 2, "no such file", "x"),
    raising("UnicodeDecodeError", UnicodeDecodeError, "utf-8", b"\xff", 0, 1, "bad"),
    raising("surrogates in its text", ValueError, "\ud800 boom"),
    raising("BadRequestError", BadRequestError, "your fault"),
    raising("no text", Mute),
    raising("no repr", Hidden),
    raising("refuses attributes", Slotted, "boom"),
    raising("no comparison", Unequal, "boom"),
    raising("picky", Picky, "first", "second"),
    raising("the same object", lambda: SAME, cause=ValueError),
    Kind("caused by itself", itself, ValueError),
    Kind("without traceback", without_traceback, LookupError),
    raising("ExceptionGroup", ExceptionGroup, "two", [ValueError(1), KeyError(2)]),
    raising(
        "BaseExceptionGroup", BaseExceptionGroup, "two", [SystemExit(1), OwnBase()]
    ),
    Kind("hang", hang, DeadlineError, hang_async),
    Kind("spin on the loop", hang, DeadlineError),
]
