"""Limits of values, and of their lengths."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal, Unpack

from jupyter_graph.argument_checks import one_of, whole
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.field_rules import (
    FieldOptions,
    FieldsValidator,
    Rule,
    Test,
    low_and_high,
)

ValueKind = Literal["int", "number", "str", "datetime"]
Fields = str | Sequence[str] | Mapping[str, Any]


class RangeValidator(FieldsValidator):
    """Let values pass that lie between two limits, and act on others.

    Body in, body out: an object, a list of objects or a DataFrame, unchanged when
    valid.

    Args:
        fields: a dotted path (``user.age``, ``items.*.price``), a list of them, or
            an object of paths to ``[min, max]`` or to own values of the options from
            ``min`` to ``severity``. "" is the body itself.
        min: the least value, None for no limit. A number, a text, or for
            ``type="datetime"`` a datetime or ISO 8601 text.
        max: the greatest value, None for no limit.
        min_inclusive: ``min`` itself is valid.
        max_inclusive: ``max`` itself is valid.
        type: ``int`` (3.0 counts), ``number``, ``str`` or ``datetime`` (a time
            without zone is taken as UTC); by default the type of the limits.
        required: a body without the field is a violation.
        allow_none: None and NaN are valid.
        message: used instead of the standard text.
        severity: ``info``, ``warning`` or ``error``.
        on_violation: ``reject``, ``route``, ``tag``, ``count`` or ``drop``.
        to: for ``route``, the follower of bodies with violations.
        valid_to: for ``route``, the follower of valid bodies.
        tag: the field that lists violations.
        act_on: the lowest severity that is acted on.
        context: given by the engine.

    Raises:
        SpecError: an argument is wrong.
        ViolationError: (from ``do``) 422, with ``on_violation="reject"``.

    State: ``counts``, as ``Validator`` says.

    >>> ages = RangeValidator({"user.age": [18, 120]}, on_violation="tag")
    >>> ages.do({"user": {"age": 7}})["violations"][0]["message"]
    "field 'user.age' is 7, must be from 18 to 120"
    """

    @takes_arguments_of(FieldsValidator)
    def __init__(
        self,
        fields: Fields,
        *,
        min: Any = None,
        max: Any = None,
        min_inclusive: bool = True,
        max_inclusive: bool = True,
        type: ValueKind | None = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        own = {
            "min": min,
            "max": max,
            "min_inclusive": min_inclusive,
            "max_inclusive": max_inclusive,
            "type": type,
        }
        super().__init__(fields, range_rule, low_and_high, own, **options)


def range_rule(
    path: str,
    *,
    min: Any = None,
    max: Any = None,
    min_inclusive: bool = True,
    max_inclusive: bool = True,
    type: str | None = None,
    **options: Any,
) -> Rule:
    """Return the rule that a value lies between two limits.

    Raises:
        SpecError: the limits are no limits, or of a type that is not the rule's.
    """
    kind = type if type is not None else _kind_of(min, max)
    one_of("type", kind, KINDS)
    is_kind, convert, word = KINDS[kind]
    for key, limit in (("min", min), ("max", max)):
        is_limit = is_number(limit) if kind == "int" else _is(is_kind, limit)
        if limit is not None and (not is_limit or limit != limit):
            raise SpecError(f"{key} must be {word}, got {limit!r}")
    low = None if min is None else convert(min)
    high = None if max is None else convert(max)
    if low is not None and high is not None and low > high:
        raise SpecError(f"min must not be above max, got {min!r} and {max!r}")
    between = _between(low, high, min_inclusive, max_inclusive)
    text = limits_text(min, max, min_inclusive, max_inclusive, word)
    if kind == "int" and (low is not None or high is not None):
        text = text.replace("must be", f"must be {word},", 1)
    plain = {"int": (int,), "number": (int, float), "str": (str,)}.get(kind, ())
    return Rule(
        path,
        text,
        holds=lambda value: is_kind(value) and between(convert(value)),
        quick=_quick(plain, low, high, min_inclusive and max_inclusive, between),
        column=_column_test(kind, between),
        **options,
    )


class LengthValidator(FieldsValidator):
    """Let texts, lists and objects pass whose length lies between two limits.

    Body in, body out: an object, a list of objects or a DataFrame, unchanged when
    valid. The length of a text is in characters, of bytes in bytes.

    Args:
        fields: a dotted path, a list of them, or an object of paths to
            ``[min, max]`` or to own values of the options from ``min`` to
            ``severity``. "" is the body itself.
        min: the least length, 0 or more; None for no limit. It is valid itself.
        max: the greatest length; None for no limit. It is valid itself.
        required: a body without the field is a violation.
        allow_none: None and NaN are valid.
        message: used instead of the standard text.
        severity: ``info``, ``warning`` or ``error``.
        on_violation: ``reject``, ``route``, ``tag``, ``count`` or ``drop``.
        to: for ``route``, the follower of bodies with violations.
        valid_to: for ``route``, the follower of valid bodies.
        tag: the field that lists violations.
        act_on: the lowest severity that is acted on.
        context: given by the engine.

    Raises:
        SpecError: an argument is wrong.
        ViolationError: (from ``do``) 422, with ``on_violation="reject"``.

    State: ``counts``, as ``Validator`` says.

    >>> LengthValidator("name", min=1, max=40).do({"name": "Ada"})
    {'name': 'Ada'}
    """

    @takes_arguments_of(FieldsValidator)
    def __init__(
        self,
        fields: Fields,
        *,
        min: int | None = None,
        max: int | None = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        own = {
            "min": min,
            "max": max,
        }
        super().__init__(fields, length_rule, low_and_high, own, **options)


def length_rule(
    path: str, *, min: int | None = None, max: int | None = None, **options: Any
) -> Rule:
    """Return the rule that a length lies between two limits.

    Raises:
        SpecError: the limits are no whole numbers of 0 or more in order.
    """
    for key, limit in (("min", min), ("max", max)):
        if limit is not None:
            whole(key, limit, 0)
    if min is None and max is None:
        raise SpecError("a length needs min or max")
    least, most = min or 0, sys.maxsize if max is None else max
    if least > most:
        raise SpecError(f"min must not be above max, got {min!r} and {max!r}")
    text = limits_text(min, max, True, True, "").replace(
        "must be", "must have a length of", 1
    )
    return Rule(
        path,
        text.replace("of from", "from"),
        holds=lambda value: isinstance(value, Sized) and least <= len(value) <= most,
        quick=lambda value: type(value) is str and least <= len(value) <= most,
        **options,
    )


def _kind_of(low: Any, high: Any) -> str:
    limit = high if low is None else low
    if limit is None:
        raise SpecError("a range needs min, max or type")
    if isinstance(limit, date):
        return "datetime"
    return "str" if isinstance(limit, str) else "number"


def _is(test: Test, value: Any) -> bool:
    try:
        return test(value)
    except (TypeError, ValueError):
        return False


def is_number(value: Any) -> bool:
    """Tell whether a value is a real number; True and False are not.

    >>> is_number(3), is_number(True), is_number("3")
    (True, False, False)
    """
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def is_int(value: Any) -> bool:
    """Tell whether a value is a whole number; 3.0 is.

    >>> is_int(3), is_int(3.0), is_int(3.5), is_int(True)
    (True, True, False, False)
    """
    if isinstance(value, Integral):
        return not isinstance(value, bool)
    return is_number(value) and value == value // 1


def _as_time(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    time: datetime = value
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _is_time(value: Any) -> bool:
    if isinstance(value, str):
        datetime.fromisoformat(value)  # says by ValueError when it is none
        return True
    return isinstance(value, date)


Kind = tuple[Test, Callable[[Any], Any], str]
KINDS: Mapping[str, Kind] = {
    "int": (is_int, lambda value: value, "a whole number"),
    "number": (is_number, lambda value: value, "a number"),
    "str": (lambda value: isinstance(value, str), lambda value: value, "a text"),
    "datetime": (_is_time, _as_time, "a time, such as 2024-05-01T12:00:00Z"),
}
"""Type of a range to: test of a value, conversion, and what the type is called."""


def _between(
    low: Any, high: Any, with_low: bool, with_high: bool
) -> Callable[..., Any]:
    """Return a test for single values, and numpy arrays by element."""

    def both(value: Any) -> Any:
        above = (value >= low) if with_low else (value > low)
        # & and not `and`: the same test works on numpy arrays, by element
        return above & ((value <= high) if with_high else (value < high))

    if low is None and high is None:
        # no limit: whatever is not NaN
        return lambda value: value == value
    if high is None:
        return lambda value: (value >= low) if with_low else (value > low)
    if low is None:
        return lambda value: (value <= high) if with_high else (value < high)
    return both


def _quick(
    kinds: tuple[type, ...], low: Any, high: Any, inclusive: bool, between: Test
) -> Test:
    # of texts there is none below or above all others
    is_open = kinds == (str,) and (low is None or high is None)
    if not inclusive or not kinds or is_open:
        return lambda value: type(value) in kinds and between(value)
    # type() and not isinstance(): bool is an int, and numpy's scalars are slow to
    # compare
    least = float("-inf") if low is None else low
    most = float("inf") if high is None else high
    return lambda value: type(value) in kinds and least <= value <= most


def _column_test(kind: str, between: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def number(column: Any) -> Any:
        import numpy
        from pandas.api.types import is_any_real_numeric_dtype

        dtype = column.dtype
        if not is_any_real_numeric_dtype(dtype):
            return None
        # pandas' own nullable types have no byte order; their NA becomes NaN
        is_plain = dtype.kind in "iuf" and hasattr(dtype, "newbyteorder")
        form = {} if is_plain else {"dtype": "float64", "na_value": float("nan")}
        values = column.to_numpy(**form)
        good = between(values)
        if kind == "int":
            good = good & numpy.isfinite(values) & (values == numpy.floor(values))
        return good

    def time(column: Any) -> Any:
        import pandas

        if column.dtype.kind != "M":
            return None
        times = pandas.to_datetime(column, utc=True)
        return between(times).to_numpy(dtype=bool, na_value=False)

    known = {"int": number, "number": number, "datetime": time}
    return known.get(kind, lambda _: None)


def limits_text(low: Any, high: Any, with_low: bool, with_high: bool, word: str) -> str:
    """Return two limits in words."""
    if low is None and high is None:
        return f"must be {word}"
    first = f"must be {low} or more" if with_low else f"must be above {low}"
    last = f"{high} or less" if with_high else f"below {high}"
    if high is None:
        return first
    if low is None:
        return f"must be {last}"
    both = with_low and with_high
    return f"must be from {low} to {high}" if both else f"{first} and {last}"
