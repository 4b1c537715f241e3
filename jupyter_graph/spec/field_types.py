"""The types of fields: what fits, the words for it, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

LONGEST_S = 365 * 24 * 3600.0

Schema = dict[str, Any]


class FieldType(NamedTuple):
    """What a field may hold.

    Attributes:
        title: what the reference page calls it.
        must: what a value must be, after the words ``must be``.
        fits: whether a spec may hold a value; None is asked for before.
        schema: the JSON Schema of what a document may hold, null and ``empty`` apart.
        empty: what counts as absent in a document, beside null.
        typed: of a number typed after an option: what it must be.
        known: the words there are, of a field that holds one of a few.
    """

    title: str
    must: str
    fits: Callable[[Any], bool]
    schema: Schema
    empty: tuple[Any, ...] = ()
    typed: str = ""
    known: tuple[str, ...] = ()

    def is_empty(self, value: object) -> bool:
        """Tell whether a document leaves the field out by this value.

        An empty value of another type does not: an empty list is no text.
        """
        # By type first: False == 0, and 0 is a value that rules speak of.
        return value is None or any(
            type(value) is type(empty) and value == empty for empty in self.empty
        )


def text(title: str = "text") -> FieldType:
    return FieldType(
        title=title,
        must="a text",
        fits=lambda value: isinstance(value, str),
        schema={"type": "string"},
        empty=("",),
    )


TEXT = text()
FLAG = FieldType(
    title="bool",
    must="true or false",
    fits=lambda value: isinstance(value, bool),
    schema={"type": "boolean"},
)


def count(least: int = 1) -> FieldType:
    """Return the type of whole numbers that are not below ``least``."""

    def fits(value: object) -> bool:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and value >= least  # type: ignore[operator]

    return FieldType(
        title=f"whole number ≥ {least}",
        must=f"a whole number of {least} or more",
        fits=fits,
        schema={"type": "integer", "minimum": least},
        typed=f"{least} or more",
    )


def amount(unit: str, *, above_0: bool = False, ends: str = "") -> FieldType:
    """Return the type of numbers of seconds or milliseconds, within a year."""

    def fits(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (value > 0 if above_0 else value >= 0) and value <= LONGEST_S

    low = "exclusiveMinimum" if above_0 else "minimum"
    more = f"0 or more {unit}"
    return FieldType(
        title=f"{unit} > 0, a year at most" if above_0 else f"{unit} ≥ 0",
        must=(f"a number of {unit} above 0" if above_0 else more) + ends,
        fits=fits,
        schema={"type": "number", low: 0, "maximum": LONGEST_S},
        typed=f"{unit} above 0" if above_0 else more,
    )


def words(*known: str, must: str | None = None) -> FieldType:
    """Return the type of a field that holds one of these words."""
    *first, last = (f"`{word}`" for word in known)
    return FieldType(
        title=f"{', '.join(first)} or {last}",
        must=must or f"one of {', '.join(map(repr, known))}",
        fits=lambda value: isinstance(value, str) and value in known,
        schema={"enum": [*known, ""]},
        empty=("",),
        known=known,
    )


def _are_names(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(name, str) for name in value)


def _names_a_key(value: object) -> bool:
    names = value if isinstance(value, tuple) else (value,)
    return bool(names) and all(isinstance(name, str) and name for name in names)


NAMES_SCHEMA: Schema = {"type": ["string", "array"], "items": {"type": "string"}}


def names(title: str = "name or names") -> FieldType:
    """Return the type of names of steps; a document may write one as a text."""
    return FieldType(
        title=title,
        must="names of steps",
        fits=_are_names,
        schema=NAMES_SCHEMA,
        empty=("", [], ()),
    )


EVENT_KEY = FieldType(
    title='a field\'s name, a list of them, or `"$key"` and the like',
    must="a field's name, '$' and an attribute of the event, or several of them",
    fits=_names_a_key,
    schema=NAMES_SCHEMA,
    empty=("", [], ()),
)


def mapping(must: str = "an object") -> FieldType:
    return FieldType(
        title="object",
        must=must,
        fits=lambda value: isinstance(value, Mapping),
        schema={"type": "object"},
        empty=({},),
    )


STEPS = FieldType(
    title="object of names and steps",
    must="an object of names and steps",
    fits=lambda value: isinstance(value, tuple),
    schema={"type": "object", "additionalProperties": {"$ref": "#/$defs/step"}},
    empty=({},),
)
