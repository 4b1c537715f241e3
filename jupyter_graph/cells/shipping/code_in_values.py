"""The notebook's functions and classes that a value holds: a fitted pipeline's, say."""

from __future__ import annotations

import io
import pickle
from types import FunctionType
from typing import Any, Final

_PLAIN: Final = (
    str, bytes, bytearray, int, float, complex, bool, type(None),
)  # fmt: skip
_OTHERS: Final = ("numpy.", "pandas.", "pyarrow.", "polars.")


def code_in(value: Any, own_module: str) -> list[Any]:
    """Return the functions and classes of the notebook that a value refers to.

    Args:
        value: any value.
        own_module: the ``__module__`` of what the cells define.

    >>> def square(x): return x * x
    >>> from functools import partial
    >>> code_in({"f": [partial(square, 2)]}, square.__module__) == [square]
    True
    """
    if isinstance(value, _PLAIN) or f"{type(value).__module__}.".startswith(_OTHERS):
        return []
    finder = _Finder(own_module)
    try:
        finder.dump(value)
    except Exception:  # what cannot be pickled is told by whoever saves it
        return finder.found
    return finder.found


class _Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data)


class _Finder(pickle.Pickler):
    """A pickler that notes what it meets and keeps nothing else."""

    def __init__(self, own_module: str) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=lambda _: None)
        self.own_module = own_module
        self.found: list[Any] = []

    def reducer_override(self, obj: Any) -> Any:
        is_code = isinstance(obj, FunctionType | type)
        if is_code and obj.__module__ == self.own_module:
            if not any(obj is known for known in self.found):
                self.found.append(obj)
            return (int, ())  # as if it were a plain value: its own parts do not ship
        return NotImplemented
