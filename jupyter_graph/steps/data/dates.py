"""The feature step that makes features of the parts of a date.

Source: MLRun's step of this name,
https://docs.mlrun.org/en/stable/feature-store/transformations.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import (
    InvalidArgumentError,
    SpecError,
    UnprocessableError,
    did_you_mean,
)
from jupyter_graph.steps.data.features import features_of
from jupyter_graph.values.dataframe_rows import is_pandas

NAMES: Final = ("day_name", "month_name")
RENAMED: Final = {
    "dayofweek": "day_of_week",
    "dayofyear": "day_of_year",
    "daysinmonth": "days_in_month",
    "weekofyear": "week",
}
"""Older names, which MLRun's graphs have and pandas 3 warns of."""
"""Parts that are methods of a timestamp; all others are its properties."""


class DateExtractor:
    """Add parts of a date and time as features of their own.

    Body in:   ``{"timestamp": "2024-03-01T12:30:00", ...}`` or a DataFrame
    Body out:  the same plus ``{"timestamp_hour": 12, ...}``, one feature for each part

    Args:
        parts: names of parts as pandas calls them: ``year month day hour minute second
            day_of_week (0 = Monday) day_of_year week quarter days_in_month
            is_month_end is_leap_year tz asm8`` and so on, ``day_name`` and
            ``month_name`` too. Of an object, its keys.
        timestamp_col: the feature that holds the date: a text, a datetime, or a number
            of nanoseconds since 1970. Missing (None) gives NaN and, for the ``is_``
            parts, False.

    Raises:
        SpecError: ``parts`` is empty or holds a name that is no part of a date.
        InvalidArgumentError: (from ``do``) the body has no such feature.
        UnprocessableError: (from ``do``) its value is no date.
        BadRequestError: (from ``do``) the body is neither an object nor a DataFrame.

    >>> DateExtractor(["hour", "day_of_week"], "at").do({"at": "2024-03-01T12:30:00"})
    {'at': '2024-03-01T12:30:00', 'at_hour': 12, 'at_day_of_week': 4}
    """

    def __init__(
        self,
        parts: Sequence[str] | Mapping[str, str],
        timestamp_col: str | None = None,
    ) -> None:
        is_name = isinstance(timestamp_col, str | None)
        require(is_name, "DateExtractor: timestamp_col must be a name", timestamp_col)
        self.timestamp_col = timestamp_col or "timestamp"
        self.parts = _checked(parts)
        self._names = {part: f"{self.timestamp_col}_{part}" for part in self.parts}

    def do(self, body: Any) -> Any:
        if is_pandas(body):
            return self._frame(body)
        record = features_of(body, "DateExtractor")
        self._must_have(record)
        stamp = self._stamp(record[self.timestamp_col])
        parts = {name: _part(stamp, part) for part, name in self._names.items()}
        return {**record, **parts}

    def _frame(self, frame: Any) -> Any:
        self._must_have(frame.columns)
        stamps = [self._stamp(value) for value in frame[self.timestamp_col].tolist()]
        parts = {
            name: [_part(stamp, part) for stamp in stamps]
            for part, name in self._names.items()
        }
        return frame.assign(**parts)

    def _must_have(self, names: Any) -> None:
        if self.timestamp_col not in names:
            raise InvalidArgumentError(
                f"{self.timestamp_col} does not exist in the event; "
                f"it has: {', '.join(map(str, names)) or 'nothing'}"
            )

    def _stamp(self, value: Any) -> Any:
        import pandas as pd

        try:
            return pd.Timestamp(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise UnprocessableError(
                f"feature {self.timestamp_col!r}: {value!r} is no date: {error}"
            ) from error


def _checked(parts: Any) -> list[str]:
    is_list = isinstance(parts, list | tuple | Mapping) and len(parts) > 0
    require(
        is_list and all(isinstance(part, str) for part in parts),
        "DateExtractor: parts must be a list of names such as ['hour', 'day_of_week']",
        parts,
    )
    known = _known()
    for part in parts:
        if part not in known:
            raise SpecError(
                f"DateExtractor: {part!r} is no part of a date"
                f"{did_you_mean(part, known)} (parts: {', '.join(known)})"
            )
    return list(dict.fromkeys(parts))


def _known() -> list[str]:
    """Return the names of all parts: what a timestamp says of itself."""
    import pandas as pd

    kind = pd.Timestamp
    properties = [
        name
        for name in dir(kind)
        if not name.startswith("_") and not callable(getattr(kind, name))
    ]
    own = [name for name in properties if name not in ("max", "min")]
    return list(dict.fromkeys([*own, *NAMES, *RENAMED]))


def _part(stamp: Any, part: str) -> Any:
    value = getattr(stamp, RENAMED.get(part, part))
    return value() if part in NAMES else value
