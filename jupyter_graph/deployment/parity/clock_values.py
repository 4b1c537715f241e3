"""What of an answer is the clock: the hour or the day of the event, and of now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

_TEXTS = ("%Y-%m-%d", "%H:%M", "%H", "%d.%m.%Y", "%m/%d/%Y", "%A", "%a", "%B", "%b")


def is_clock(before: Any, now: Any, moments: tuple[datetime, datetime]) -> bool:
    """Tell whether two values are the same part of two moments.

    Two runs of a function that follow each other are within one hour, as a rule, so
    what they give for it does not differ; what the notebook gave an hour ago does.

    Args:
        before: the recorded value.
        now: the value of a run now.
        moments: when the event ran, and now; both with a zone.

    >>> noon, one = (datetime(2026, 5, 1, hour, tzinfo=UTC) for hour in (12, 13))
    >>> is_clock(12, 13, (noon, one)), is_clock(11, 13, (noon, one))
    (True, False)
    """
    if type(before) is not type(now) or not isinstance(before, int | float | str):
        return False
    pairs = zip(_parts(moments[0]), _parts(moments[1]), strict=True)
    return any(
        type(one) is type(before) and (one, other) == (before, now)
        for one, other in pairs
    )


def _parts(moment: datetime) -> Iterator[int | str]:
    """Yield the parts of a moment, in the zone of this computer and in UTC."""
    for at in (moment.astimezone(), moment.astimezone(UTC)):
        yield from (at.year, at.month, at.day, at.hour, at.minute)
        yield from (at.weekday(), at.isoweekday(), at.timetuple().tm_yday)
        yield from at.isocalendar()
        yield from (at.strftime(form) for form in _TEXTS)
        yield at.toordinal()
