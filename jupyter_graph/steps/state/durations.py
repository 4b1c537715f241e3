"""Lengths of time and the times of events, as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from jupyter_graph.argument_checks import is_real, require
from jupyter_graph.connectors.event_key import is_event
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.types import Clock

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

TimeSpec: TypeAlias = str | Callable[[Any], Any] | None

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_TIME_UNITS_MS = {"s": 1000.0, "ms": 1.0}
_YEAR_5000_S = 1e11


class Duration(NamedTuple):
    """A length of time: what it is called, and how many milliseconds it has."""

    label: str
    ms: int
    unit_ms: int


def duration(value: Any, argument: str) -> Duration:
    """Read a length of time: ``"30s"``, ``"10m"``, ``"1h"``, ``"7d"``, or seconds.

    Raises:
        SpecError: it is none of these, or not above 0.

    >>> duration("10m", "window").ms, duration(90, "window").label
    (600000, '90s')
    """
    made = Duration("", 0, 0)
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+)([smhd])", value)):
        unit = _UNITS_MS[match[2]]
        made = Duration(value, int(match[1]) * unit, unit)
    elif is_real(value) and abs(value) < _YEAR_5000_S:
        ms = round(value * 1000)
        unit = next((unit for unit in _UNITS_MS.values() if ms % unit == 0), 1)
        made = Duration(f"{value:g}s", ms, unit)
    words = "a length of time such as '30s', '10m', '1h', '7d' or seconds above 0"
    require(made.ms >= 1, f"{argument} must be {words}", value)
    return made


def wall_ms(time_ms: float, zone: tzinfo | None) -> float:
    """Return what a clock in a zone shows at a time, as milliseconds since 1970.

    Days and whole parts of them begin there when that is a multiple of their length.

    >>> from zoneinfo import ZoneInfo
    >>> wall_ms(1_704_067_200_000, ZoneInfo("Asia/Tokyo")) / 3_600_000 % 24
    9.0
    """
    if zone is None:
        return time_ms
    offset = datetime.fromtimestamp(time_ms / 1000, zone).utcoffset()
    return time_ms + (offset.total_seconds() * 1000 if offset else 0.0)


def time_zone(name: Any) -> ZoneInfo:
    """Return a time zone by its name in the time zone database.

    Raises:
        SpecError: there is none of this name here.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    rule = "zone must be the name of a time zone, such as 'Europe/Berlin'"
    require(isinstance(name, str), rule, name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SpecError(f"{rule}, got {name!r}") from None


def time_reader(
    time_field: TimeSpec, time_format: str | None, time_unit: str, clock: Clock
) -> Callable[[Any, Any], float]:
    """Return the function that reads the time of an event, in milliseconds since 1970.

    Args:
        time_field: the field that holds it, or a function of what the step is given;
            without one it is the time of the event where the step takes events, else
            the clock's.
        time_format: how ``datetime.strptime`` reads text; by default as ISO 8601.
        time_unit: of numbers, ``s`` or ``ms``. Times without a zone are UTC.
        clock: gives seconds since 1970.

    Raises:
        SpecError: an argument is wrong.
        BadRequestError: (from the function) there is no time, or it cannot be read.
    """
    require(time_unit in _TIME_UNITS_MS, "time_unit must be 's' or 'ms'", time_unit)
    if time_field is None:
        return lambda item, body: _own_time(item, clock)
    is_name = isinstance(time_field, str) and time_field != ""
    rule = "time_field must be a field's name or a function"
    require(is_name or callable(time_field), rule, time_field)
    per_unit = _TIME_UNITS_MS[time_unit]
    most = _YEAR_5000_S * 1000 / per_unit
    hint = "; for milliseconds, time_unit='ms'" if time_unit == "s" else ""

    def read(item: Any, body: Mapping[str, Any]) -> float:
        value: Any = time_field(item) if callable(time_field) else body.get(time_field)
        is_number = type(value) is float or type(value) is int
        if is_number or (isinstance(value, Real) and not isinstance(value, bool)):
            if not -most < value < most:
                raise _no_time(time_field, value, hint)
            return float(value) * per_unit
        try:
            return _milliseconds(value, time_format)
        except (TypeError, ValueError):
            raise _no_time(time_field, value) from None

    return read


def _own_time(item: Any, clock: Clock) -> float:
    if is_event(item):
        stamp = getattr(item, "time", None) or getattr(item, "processing_time", None)
        if stamp is not None:
            return _milliseconds(stamp, None)
    return clock() * 1000.0


def _milliseconds(value: Any, time_format: str | None) -> float:
    if isinstance(value, str):
        if time_format is None:
            value = datetime.fromisoformat(value)
        else:
            value = datetime.strptime(value, time_format)
    if not isinstance(value, datetime):
        raise TypeError
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.timestamp() * 1000.0


def _no_time(field: Any, value: Any, hint: str = "") -> BadRequestError:
    where = f"field {field!r}" if isinstance(field, str) else "time_field"
    return BadRequestError(
        f"{where} must hold a time (ISO 8601 text, a datetime or a number), "
        f"got {value!r}{hint}"
    )
