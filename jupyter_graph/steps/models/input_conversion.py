"""Making what came in fit a model: inputs by name, values of a type, shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps.models.tensors import Columns


def by_name(inputs: Any, names: Sequence[str], model: str) -> Columns:
    """Return the values of each input of a model that has several.

    Args:
        inputs: columns by name, or rows as mappings of an input to its value.
        names: what the model takes.
        model: the model's name.

    Raises:
        BadRequestError: inputs are missing, are too many, or came without names.

    >>> by_name([{"b": 3, "a": 2}, {"b": 4, "a": 1}], ["a", "b"], "net")
    {'a': [2, 1], 'b': [3, 4]}
    """
    got: Any = "inputs without names"
    if isinstance(inputs, Columns):
        got = list(inputs)
        if set(inputs) == set(names):
            return Columns({name: inputs[name] for name in names})
    elif isinstance(inputs, list) and all(isinstance(row, Mapping) for row in inputs):
        odd = next((row for row in inputs if set(row) != set(names)), None)
        if inputs and odd is None:
            return Columns({name: [row[name] for row in inputs] for name in names})
        got = "nothing" if odd is None else list(odd)
    raise BadRequestError(
        f"model {model} takes the inputs {list(names)} by name, got {got}"
    )


def cast(value: Any, kind: str) -> Any:
    """Return an array of numpy's type ``kind``; no number loses its value.

    Raises:
        ValueError: a value is no number, or ``kind`` cannot hold it.
        TypeError: the same.

    >>> cast([1.0, 2.0], "int64"), cast([0, 1], "bool")
    (array([1, 2]), array([False,  True]))
    >>> cast([1, 300], "uint8")
    Traceback (most recent call last):
    ...
    ValueError: 300 is no uint8
    """
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind in "SU" and kind != "object":
        raise ValueError(f"{array.ravel()[0].item()!r} is a text, no number")
    with np.errstate(invalid="ignore", over="ignore"):
        converted = array.astype(kind, copy=False)
        if converted.dtype.kind not in "iub" or array.dtype == converted.dtype:
            return converted
        # cast back and compare; -1 as uint8 is 255 and back again -1, so the sign is
        # compared too
        lost = converted.astype(array.dtype) != array
        lost |= (converted < 0) != (array < 0)
    if np.any(lost):
        raise ValueError(f"{array[lost].ravel()[0].item()!r} is no {kind}")
    return converted


def cast_input(name: str, value: Any, kind: str) -> Any:
    """Return an input as ``cast`` does; what cannot be cast is the caller's fault.

    Raises:
        BadRequestError: names the input.
    """
    try:
        return cast(value, kind)
    except (TypeError, ValueError) as error:
        raise BadRequestError(f"input {name!r}: {error}") from None


def check_shape(name: str, want: Sequence[Any], have: Sequence[int]) -> None:
    """Refuse an array of another shape; None, -1 or a name stand for any size.

    Raises:
        BadRequestError: says both shapes.

    >>> check_shape("x", [None, 4], (7, 4))
    """
    fits = len(want) == len(have) and all(
        size in (None, -1, actual) or isinstance(size, str)
        for size, actual in zip(want, have, strict=True)
    )
    if not fits:
        raise BadRequestError(
            f"input {name!r} has the shape {list(want)}, got {list(have)}"
        )
