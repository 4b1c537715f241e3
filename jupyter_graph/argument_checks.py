"""Checks of arguments: which numbers and words count, and what is wrong with others."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_graph.errors import JupyterGraphError, SpecError, did_you_mean


def at_least(argument: str, value: Any, least: int, *, or_none: bool = False) -> None:
    """Check a whole number, or with ``or_none`` None.

    Raises:
        SpecError: it is none, or smaller than ``least``.
    """
    if not is_count(value, least) and not (or_none and value is None):
        raise SpecError(
            f"{argument} must be a whole number of {least} or more, got {value!r}"
        )


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number.

    >>> is_number(0.5), is_number(True), is_number(float("nan"))
    (True, False, False)
    """
    return is_real(value) and is_finite(value)


def is_finite(value: Any) -> bool:
    """Tell whether a number is neither NaN nor infinite, nor too large for a float.

    >>> is_finite(7), is_finite(float("inf")), is_finite(10**400)
    (True, False, False)
    """
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_real(value: Any) -> bool:
    """Tell whether a value is an int or a float, NaN and infinity among them.

    >>> is_real(float("nan")), is_real(True), is_real("1")
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_positive(value: Any) -> bool:
    """Tell whether a value is a number above 0.

    >>> is_positive(0.5), is_positive(True), is_positive("1")
    (True, False, False)
    """
    return is_real(value) and value > 0


def is_count(value: Any, least: int = 1) -> bool:
    """Tell whether a value is a whole number of ``least`` or more.

    >>> is_count(1), is_count(0), is_count(True)
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def one_of(key: str, value: Any, known: Any) -> None:
    """Check an argument that is one of some words.

    Raises:
        SpecError: it is not; the text lists those that are.
    """
    if not (isinstance(value, str) and value in known):
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise SpecError(f"{key} must be one of {', '.join(known)}, got {value!r}{hint}")


def all_known(what: str, words: Iterable[Any], known: Collection[str]) -> None:
    """Check the keys of an object, or a list of words.

    Raises:
        SpecError: one of them, ``what`` in the text, is not known.
    """
    for word in words:
        if word not in known:
            near = did_you_mean(str(word), known)
            raise SpecError(f"{what} {word!r}{near} (known: {', '.join(known)})")


def found_in(known: Collection[str], word: Any, problem: str) -> None:
    """Check a word that names something else, such as a route of a router.

    Raises:
        SpecError: it is not known; the text is ``problem``, and a word that is near.
    """
    if word not in known:
        raise SpecError(f"{problem}{did_you_mean(str(word), known)}")


def require(is_right: bool, rule: str, value: Any) -> None:
    """Check an argument by a rule such as ``batch must be 1 or more``.

    Raises:
        SpecError: it is not right; the text is the rule, and what was given.
    """
    if not is_right:
        raise SpecError(f"{rule}, got {value!r}")


@contextmanager
def telling(problem: str, *errors: type[Exception]) -> Iterator[None]:
    """Say of what an error is that comes meanwhile.

    Raises:
        SpecError: in place of one of ``errors``; its text begins with ``problem``.

    >>> with telling("field 'age'", ValueError): int("x")
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: field 'age': invalid literal for int() ...
    """
    try:
        yield
    except errors as error:
        # one of ours says no more than the text does
        cause = None if isinstance(error, JupyterGraphError) else error
        raise SpecError(f"{problem}: {error}") from cause


def whole(key: str, value: Any, least: int) -> int:
    """Return an argument that is a whole number.

    Raises:
        SpecError: it is none, or smaller than ``least``.
    """
    if not is_count(value, least):
        raise SpecError(f"{key} must be a whole number, {least} or more, got {value!r}")
    return int(value)
