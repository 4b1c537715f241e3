"""Constructor arguments: those that stand for a variable, and how JSON holds them."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import GraphSpec, StepSpec

VALUE_KEY = "$value"
TUPLE_KEY = "$tuple"
ITEMS_KEY = "$items"
FLOAT_KEY = "$float"
NOT_FINITE = ("nan", "inf", "-inf")
TAGS = frozenset({TUPLE_KEY, ITEMS_KEY, FLOAT_KEY})
DEEPEST = 100


def value_of(name: str) -> dict[str, str]:
    """Return the argument that stands for the notebook's variable ``name``.

    >>> value_of("clf")
    {'$value': 'clf'}
    """
    return {VALUE_KEY: name}


def named_value(argument: Any) -> str | None:
    """Return the variable's name when an argument stands for one, else None."""
    if isinstance(argument, Mapping) and set(argument) == {VALUE_KEY}:
        return str(argument[VALUE_KEY])
    return None


def function_argument(step: StepSpec, key: str, value: Any) -> str | None:
    """Return the plain name of an argument that names a function, None for others.

    Source: MLRun, ``{"class_name": "storey.Map", "class_args": {"_fn": "double"}}``.

    >>> function_argument(StepSpec(name="m", class_name="storey.Map"), "_fn", "double")
    'fn'
    """
    is_name = isinstance(value, str) and key.startswith("_") and len(key) > 1
    return key[1:] if step.class_name and is_name else None


def value_names(of: StepSpec | GraphSpec) -> tuple[str, ...]:
    """Return the names of all variables that the arguments stand for."""
    steps = of.all_steps() if isinstance(of, GraphSpec) else of.inside()
    named = [named_value(v) for step in steps for v in step.class_args.values()]
    return tuple(dict.fromkeys(name for name in named if name))


def tagged(value: Any, where: str = "value", depth: int = 0) -> Any:
    """Return an argument as JSON can hold it.

    Tuples, keys that are no text, and numbers that are not finite survive.

    Raises:
        SpecError: it holds something else; the text says where and what to do.

    >>> tagged({12: "dozen", "size": (1, 2)})
    {'$items': [[12, 'dozen'], ['size', {'$tuple': [1, 2]}]]}
    """
    if depth > DEEPEST:
        raise SpecError(f"{where} holds itself, or more than {DEEPEST} levels")
    if isinstance(value, float) and not math.isfinite(value):
        return {FLOAT_KEY: repr(float(value))}
    if isinstance(value, str) and not value.isascii():
        return _encodable(value, where)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [tagged(item, where, depth + 1) for item in value]
    if isinstance(value, tuple):
        return {TUPLE_KEY: tagged(list(value), where, depth + 1)}
    if isinstance(value, Mapping):
        pairs = [(key, tagged(item, where, depth + 1)) for key, item in value.items()]
        is_plain = all(
            isinstance(key, str) and _encodable(key, where) is key for key, _ in pairs
        )
        if is_plain and not set(value) & TAGS:
            return dict(pairs)
        keys = [tagged(key, where, depth + 1) for key, _ in pairs]
        return {ITEMS_KEY: [[k, v] for k, (_, v) in zip(keys, pairs, strict=True)]}
    raise SpecError(
        f"{where} is of type {type(value).__name__}, which a graph document cannot "
        "hold; use numbers, texts, lists and objects, or a variable: $NAME"
    )


def _encodable(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SpecError(f"{where} is no text that can be written: {error}") from None
    return text


def untagged(value: Any, where: str = "value", depth: int = 0) -> Any:
    """Return back what ``tagged`` made of an argument; other values as a copy.

    Raises:
        SpecError: a tag has a wrong shape, or the value holds itself.

    >>> untagged({"$items": [[12, "dozen"], ["size", {"$tuple": [1, 2]}]]})
    {12: 'dozen', 'size': (1, 2)}
    """
    if depth > DEEPEST:
        raise SpecError(f"{where} holds itself, or more than {DEEPEST} levels")
    if isinstance(value, list):
        return [untagged(item, where, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return _copy(value, where)
    plain = {key: untagged(item, where, depth + 1) for key, item in value.items()}
    [tag] = plain if len(plain) == 1 else [None]
    if tag not in TAGS:
        return plain
    try:
        return _read_tag(tag, plain[tag])
    except (TypeError, ValueError):
        raise SpecError(
            f'{where} is tagged wrongly; {{"{TUPLE_KEY}": [1, 2]}}, '
            f'{{"{ITEMS_KEY}": [[1, 2]]}} and {{"{FLOAT_KEY}": "nan"}} are right, '
            f"got {reprlib.repr(value)}"
        ) from None


def _read_tag(tag: str, value: Any) -> Any:
    if tag == FLOAT_KEY:
        if value not in NOT_FINITE:
            raise ValueError
        return float(value)
    if not isinstance(value, list):
        raise TypeError
    if tag == TUPLE_KEY:
        return tuple(value)
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise TypeError
    items = dict(value)
    if len(items) < len(value):
        raise ValueError
    return items


def _copy(value: Any, where: str) -> Any:
    try:
        return deepcopy(value)
    except Exception as error:  # a lock, a socket, a generator
        raise SpecError(
            f"{where} holds a {type(value).__name__}, which cannot be copied: {error}"
        ) from None
