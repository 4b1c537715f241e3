"""Rows of the value table for Python's own types, dataclasses and pydantic models."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final

from jupyter_graph.values.json_rules import Form, NotJSON, Row

_MAX_DIGITS: Final = 4300  # what a reader in Python takes by default
_MAX_INT: Final = 10**_MAX_DIGITS


def _int(value: int, depth: int, form: Form) -> int:
    exact = int.__int__(value)
    if exact.bit_length() > 14_000 and abs(exact) >= _MAX_INT:
        raise NotJSON(f"an integer of more than {_MAX_DIGITS} digits; give it as text")
    return exact


def _float(value: float, depth: int, form: Form) -> float | None:
    exact = float.__float__(value)
    return exact if math.isfinite(exact) else None


def _set(value: Iterable[Any], depth: int, form: Form) -> list[Any]:
    items = form.items(value, depth)
    try:
        return sorted(items)
    except TypeError:  # kinds that cannot be compared: the order of their JSON text
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def fields(value: Any, depth: int, form: Form) -> dict[str, Any]:
    """Return the fields of a dataclass as an object."""
    names = type(value).__dataclass_fields__
    return form.record(((name, getattr(value, name)) for name in names), depth)


def unknown(value: Any, depth: int, form: Form) -> Any:
    """Raise NotJSON: no row stands for the type of this value."""
    kind = type(value)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__", "_graph_steps"):
        name = f"{kind.__module__}.{name}"
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        raise NotJSON(
            f"a {name} inside {form.policy.whole} cannot stream; give a list of it"
        )
    raise NotJSON(f"object of type {name} has no JSON form; {form.policy.advice}")


def enum_value(value: Any, depth: int, form: Form) -> Any:
    """Return the form of an Enum's value."""
    return form.convert(value.value, depth + 1)


def _model(value: Any, depth: int, form: Form) -> Any:
    dump = getattr(value, "model_dump", None)
    return form.convert(dump() if dump else dict(value), depth + 1)


def duration(nanoseconds: int) -> str:
    """Return an ISO 8601 duration in days, hours, minutes and seconds.

    >>> duration(90_061_500_000_000), duration(-60_000_000_000), duration(0)
    ('P1DT1H1M1.5S', '-PT1M', 'PT0S')
    """
    seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    clock = (f"{hour}H" if hour else "") + (f"{minute}M" if minute else "")
    clock += f"{second}{tail}S" if second or tail else ""
    text = (f"{day}D" if day else "") + (f"T{clock}" if clock else "")
    return ("-P" if nanoseconds < 0 else "P") + (text or "T0S")


def _timedelta(value: Any, depth: int, form: Form) -> str:
    whole = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    return duration(whole * 1000 + getattr(value, "nanoseconds", 0))  # pandas has them


def _each(row: Row, names: str) -> dict[str, Row]:
    return dict.fromkeys(names.split(), row)


ROWS: Final[dict[str, Row]] = {
    **_each(lambda value, depth, form: value, "builtins.NoneType builtins.bool"),
    **_each(
        lambda value, depth, form: form.record(value.items(), depth),
        "builtins.dict builtins.mappingproxy collections.Mapping",
    ),
    **_each(
        lambda value, depth, form: form.items(value, depth),
        "builtins.list builtins.tuple builtins.range builtins.dict_keys "
        "builtins.dict_values builtins.dict_items collections.deque "
        "collections.UserList array.array",
    ),
    **_each(_set, "builtins.set builtins.frozenset"),
    **_each(
        lambda value, depth, form: b64encode(value).decode("ascii"),
        "builtins.bytes builtins.bytearray builtins.memoryview",
    ),
    **_each(
        lambda value, depth, form: value.isoformat(),
        "datetime.datetime datetime.date datetime.time",
    ),
    **_each(lambda value, depth, form: str(value), "uuid.UUID pathlib.PurePath"),
    "builtins.str": lambda value, depth, form: str.__str__(value),
    "builtins.int": _int,
    "builtins.float": _float,
    "datetime.timedelta": _timedelta,
    "decimal.Decimal": lambda value, depth, form: (
        str(value) if value.is_finite() else None
    ),
    "pydantic.BaseModel": _model,
}
"""``package.Class`` to its row; a subclass takes the row of its nearest base."""
