"""Rows of the value table for Python's own types, dataclasses and pydantic models."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from jupyter_graph.values.iso_duration import duration
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


def _list(value: Iterable[Any], depth: int, form: Form) -> list[Any]:
    return form.items(value, depth)


def _set(value: Iterable[Any], depth: int, form: Form) -> list[Any]:
    items = form.items(value, depth)
    try:
        return sorted(items)
    except TypeError:  # kinds that cannot be compared: the order of their JSON text
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _mapping(value: Mapping[Any, Any], depth: int, form: Form) -> dict[str, Any]:
    return form.record(value.items(), depth)


def fields(value: Any, depth: int, form: Form) -> dict[str, Any]:
    """Return the fields of a dataclass as an object."""
    names = type(value).__dataclass_fields__
    return form.record(((name, getattr(value, name)) for name in names), depth)


def unknown(value: Any, depth: int, form: Form) -> Any:
    """Raise NotJSON: no row stands for the type of this value."""
    kind = type(value)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__", "steps"):
        name = f"{kind.__module__}.{name}"
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        raise NotJSON(
            f"a {name} inside {form.policy.whole} cannot stream; give a list of it"
        )
    raise NotJSON(f"object of type {name} has no JSON form; {form.policy.advice}")


def _model(value: Any, depth: int, form: Form) -> Any:
    dump = getattr(value, "model_dump", None)
    return form.convert(dump() if dump else dict(value), depth + 1)


def _decimal(value: Any, depth: int, form: Form) -> str | None:
    return str(value) if value.is_finite() else None


def _bytes(value: Any, depth: int, form: Form) -> str:
    return b64encode(value).decode("ascii")


def _timedelta(value: Any, depth: int, form: Form) -> str:
    whole = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    return duration(whole * 1000)


def _iso(value: Any, depth: int, form: Form) -> str:
    text: str = value.isoformat()
    return text


def _itself(value: Any, depth: int, form: Form) -> Any:
    return value


def _text(value: Any, depth: int, form: Form) -> str:
    return str(value)


ROWS: Final[dict[str, Row]] = {
    "builtins.NoneType": _itself,
    "builtins.bool": _itself,
    "builtins.str": lambda value, depth, form: str.__str__(value),
    "builtins.int": _int,
    "builtins.float": _float,
    "builtins.dict": _mapping,
    "builtins.mappingproxy": _mapping,
    "collections.Mapping": _mapping,
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.range": _list,
    "builtins.dict_keys": _list,
    "builtins.dict_values": _list,
    "builtins.dict_items": _list,
    "collections.deque": _list,
    "collections.UserList": _list,
    "array.array": _list,
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.memoryview": _bytes,
    "datetime.datetime": _iso,
    "datetime.date": _iso,
    "datetime.time": _iso,
    "datetime.timedelta": _timedelta,
    "decimal.Decimal": _decimal,
    "enum.Enum": lambda value, depth, form: form.convert(value.value, depth + 1),
    "uuid.UUID": _text,
    "pathlib.PurePath": _text,
    "pydantic.BaseModel": _model,
}
"""``package.Class`` to its row; a subclass takes the row of its nearest base."""
