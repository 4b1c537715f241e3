"""How an option of a magic is declared, and how its value is read."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from IPython.core.magic_arguments import argument


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _reader(read: Callable[[str], float], wanted: str) -> Callable[[str], Any]:
    """Return what reads a number, or says which one is wanted.

    >>> _reader(float, "seconds")("0.5")
    0.5
    """

    def number(text: str) -> float:
        try:
            return read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"must be {wanted}, got {text!r}"
            ) from None

    return number


whole = _reader(int, "a whole number")
READERS: dict[str, Callable[[str], Any]] = {
    "S": _reader(_finite, "a number of seconds such as 2.5"),
    "MS": _reader(_finite, "a number of milliseconds such as 20"),
    "N": whole,
}
"""What reads the value of an option of this metavar; others are texts."""


def option(form: str, help: str, **more: Any) -> argument:
    """Declare an option of a magic.

    Args:
        form: as its help shows it: ``--dry-run``, or ``--wait S`` with a value.
        help: what it means.
        **more: what ``argparse`` takes beside.
    """
    flag, _, metavar = form.partition(" ")
    if not metavar:
        return argument(flag, action="store_true", help=help, **more)
    how = {"type": READERS.get(metavar, str), **more}
    return argument(flag, metavar=metavar, help=help, **how)
