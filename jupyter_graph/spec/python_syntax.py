"""Reading Python's syntax in several threads at once."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeVar

Read = TypeVar("Read")
ATTEMPTS = 20


def parse(text: str, mode: str = "exec") -> Any:
    """Return what ``ast.parse`` does, in any number of threads.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it cannot be read.
    """
    return steadily(lambda: ast.parse(text, mode=mode))


def steadily(call: Callable[[], Read]) -> Read:
    """Call something that parses again when another thread came in between.

    CPython before 3.12.4 counts the depth of all trees that are being made in one
    place, and says SystemError when two threads take turns there (gh-106905); that
    happens when the garbage collector runs in the one and lets the other one go on.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return call()
        except SystemError:
            continue
    return call()
