"""Named, typed, shaped values, as the open inference protocol has them.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jupyter_graph.errors import BadRequestError

DATATYPES: Final = {
    "BOOL": "bool",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
}
"""The protocol's names of types, and numpy's."""

NAMES: Final = {numpy: datatype for datatype, numpy in DATATYPES.items()}
"""The same the other way."""

TYPES: Final[dict[str, frozenset[type]]] = {
    "BOOL": frozenset({bool}),
    "INT": frozenset({int}),
    "FP": frozenset({int, float, type(None)}),
    "BYTES": frozenset({str, bytes}),
}
"""Python's types of values, by the first letters of a datatype."""


class Columns(dict[str, Any]):
    """Values by the name of their tensor; what a JSON body cannot be mistaken for."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a request or an answer.

    Attributes:
        name: its name.
        datatype: one of ``DATATYPES``.
        shape: its size in each dimension.
        data: the values, flat or nested, row by row; bytes are the binary form.

    >>> Tensor("x", "INT32", (2, 2), [1, 2, 3, 4]).rows()
    [[1, 2], [3, 4]]
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Any

    def rows(self) -> list[Any]:
        """Return nested lists of plain Python values."""
        return _nested(self._flat(), self.shape)

    def array(self) -> Any:
        """Return a numpy array."""
        import numpy as np

        if isinstance(self.data, bytes) and self.datatype != "BYTES":
            return self._from_binary()
        values = self._flat()
        with np.errstate(over="ignore"):  # too large for FP16 is infinite
            flat = np.array(values, dtype=DATATYPES[self.datatype])
        return flat.reshape(self.shape)

    def binary(self) -> bytes:
        """Return the values in binary, the lowest byte of a number first."""
        if self.datatype == "BYTES":
            texts = [v if isinstance(v, bytes) else v.encode() for v in self.data]
            return b"".join(struct.pack("<I", len(text)) + text for text in texts)
        import numpy as np

        kind = np.dtype(DATATYPES[self.datatype]).newbyteorder("<")
        return np.ascontiguousarray(self.data, dtype=kind).tobytes()

    def _from_binary(self) -> Any:
        import numpy as np

        kind = np.dtype(DATATYPES[self.datatype]).newbyteorder("<")
        wanted = kind.itemsize * math.prod(self.shape)
        if len(self.data) != wanted:
            raise BadRequestError(
                f"input {self.name!r} of {self.datatype} {list(self.shape)} needs "
                f"{wanted} bytes, got {len(self.data)}"
            )
        # not copied: the array is read-only, and keeps the body alive
        return np.frombuffer(self.data, kind).reshape(self.shape)

    def _flat(self) -> list[Any]:
        """Return the values in one list, their number and their types checked."""
        if isinstance(self.data, bytes):
            if self.datatype != "BYTES":
                return list(self._from_binary().ravel().tolist())
            values = list(_texts(self.name, self.data))
        else:
            values = flat(self.data)
        if len(values) != math.prod(self.shape):
            raise BadRequestError(
                f"input {self.name!r} has {len(values)} values, but its shape "
                f"{list(self.shape)} takes {math.prod(self.shape)}"
            )
        return self._typed(values)

    def _typed(self, values: list[Any]) -> list[Any]:
        kind = self.datatype.lstrip("U").rstrip("0123456789")
        # by exact type: True is no number here; a set of types is made in C
        wrong = set(map(type, values)) - TYPES[kind]
        if wrong:
            misfit = next(value for value in values if type(value) in wrong)
            raise BadRequestError(
                f"input {self.name!r} is {self.datatype}, got the value {misfit!r}"
            )
        if kind == "INT" and values:
            low, high = limits(self.datatype)
            if min(values) < low or max(values) > high:
                raise BadRequestError(
                    f"input {self.name!r} is {self.datatype} ({low} to {high}), got "
                    f"{min(values) if min(values) < low else max(values)}"
                )
        return self._floats(values) if kind == "FP" else values

    def _floats(self, values: list[Any]) -> list[Any]:
        try:
            return [math.nan if value is None else float(value) for value in values]
        except OverflowError:
            raise BadRequestError(
                f"input {self.name!r} is {self.datatype}, an integer is too large"
            ) from None


def limits(datatype: str) -> tuple[int, int]:
    """Return the least and the greatest number of an integer type.

    >>> limits("INT8"), limits("UINT16")
    ((-128, 127), (0, 65535))
    """
    bits = int(datatype.lstrip("UINT"))
    if datatype.startswith("U"):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def flat(values: Any) -> list[Any]:
    """Return all values of nested lists in one list, row by row."""
    if not isinstance(values, list | tuple):
        raise BadRequestError(
            f"'data' must be a list of values, got {type(values).__name__}"
        )
    while any(isinstance(value, list | tuple) for value in values):
        if not all(isinstance(value, list | tuple) for value in values):
            raise BadRequestError("'data' mixes values and lists")
        values = [value for row in values for value in row]
    return list(values)


def _nested(values: list[Any], shape: Sequence[int]) -> list[Any]:
    """Return the values in lists of lists; no values at all are one empty list."""
    if not values:
        return []
    # from the innermost dimension outwards, each round makes the lists of the next
    for size in reversed(shape[1:]):
        values = [values[at : at + size] for at in range(0, len(values), size)]
    return values


def _texts(name: str, data: bytes) -> Iterator[str | bytes]:
    """Yield the texts of a binary tensor: each has its length in four bytes before."""
    at = 0
    while at < len(data):
        try:
            (size,) = struct.unpack_from("<I", data, at)
        except struct.error:
            size = len(data)
        piece = data[at + 4 : at + 4 + size]
        if len(piece) != size:
            raise BadRequestError(f"the binary data of input {name!r} ends too early")
        at += 4 + size
        try:
            yield piece.decode()
        except UnicodeDecodeError:
            yield piece


# -- of what a model gave ------------------------------------------------------------


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
