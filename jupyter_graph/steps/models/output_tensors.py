"""Tensors of what a model gave: their shape and type are read off the values."""

from __future__ import annotations

import json
import math
from typing import Any

from jupyter_graph.steps.models.tensors import DATATYPES, NAMES, TYPES, Tensor


def tensor_of(name: str, value: Any, datatype: str | None = None) -> Tensor:
    """Return the tensor of a value that a model gave.

    Numbers, texts and truth values keep their type; anything else (a mapping, rows of
    different length) becomes text, as JSON.

    Args:
        name: the tensor's name.
        value: a list, nested lists, an array, or one value.
        datatype: the type it has to have; by default that of its values.

    >>> tensor_of("y", [[1, 2], [3, 4]])
    Tensor(name='y', datatype='INT64', shape=(2, 2), data=[1, 2, 3, 4])
    >>> tensor_of("y", [{"label": "cat"}]).data
    ['{"label": "cat"}']
    """
    if hasattr(value, "__array__"):
        return _of_array(name, value, datatype)
    if not isinstance(value, list | tuple):
        value = [value]
    shape, values = _measured(value)
    natural = _type_of(values)
    # a list of numpy's numbers: its types are numpy's, so numpy makes one array of it
    if natural is None and values and any(hasattr(one, "dtype") for one in values):
        return _of_array(name, value, datatype)
    if datatype not in (None, natural, "BYTES"):
        return _of_array(name, value, datatype)
    if natural is None:
        shape, values = (len(value),), [_json(one) for one in value]
    elif datatype == "BYTES" != natural:
        values = [str(one) for one in values]
    return Tensor(name, datatype or natural or "BYTES", shape, values)


def _of_array(name: str, value: Any, datatype: str | None) -> Tensor:
    import numpy as np

    array = np.asarray(value)
    if datatype and datatype != "BYTES":
        array = array.astype(DATATYPES[datatype], copy=False)
    natural = NAMES.get(array.dtype.name, "BYTES")
    array = array.reshape(1) if not array.shape else array
    if natural == "BYTES" or datatype == "BYTES":
        values = [_text(one) for one in array.ravel().tolist()]
        return Tensor(name, "BYTES", array.shape, values)
    return Tensor(name, natural, array.shape, array)


def _measured(values: Any) -> tuple[tuple[int, ...], list[Any]]:
    """Return shape and all values of nested lists; ragged ones count as one value."""
    shape: list[int] = []
    while True:
        # ``values`` are flattened level by level, so a level's size is its count per
        # row before
        shape.append(len(values) if not shape else len(values) // math.prod(shape))
        sizes = {len(v) if isinstance(v, list | tuple) else -1 for v in values}
        if len(sizes) != 1 or sizes == {-1}:
            return tuple(shape), list(values)
        values = [value for row in values for value in row]
        if not values:
            return (*shape, 0), []


def _type_of(values: list[Any]) -> str | None:
    kinds = set(map(type, values))
    # by exact type, since bool is an int; no values at all fall through to FP64
    if kinds <= {bool} and kinds:
        return "BOOL"
    if kinds <= {int} and kinds:
        return _integer_of(min(values), max(values))
    if kinds <= TYPES["FP"]:
        return "FP64"
    return "BYTES" if kinds <= TYPES["BYTES"] else None


def _integer_of(least: int, greatest: int) -> str | None:
    """Return the type that holds both; None when none does."""
    if least >= -(2**63) and greatest < 2**63:
        return "INT64"
    return "UINT64" if least >= 0 and greatest < 2**64 else None


def _text(value: Any) -> str | bytes:
    return value if isinstance(value, str | bytes) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=lambda one: one.tolist())
