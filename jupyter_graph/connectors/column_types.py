"""The words for types of columns, the same in all sources and targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import SpecError, did_you_mean

WORDS = {
    "bool": ["bool_"],
    "bytes": ["binary"],
    "date": ["date32"],
    "float32": ["float32"],
    "float64": ["float64"],
    "int32": ["int32"],
    "int64": ["int64"],
    "string": ["string"],
    "timestamp": ["timestamp", "us"],
    "timestamp_utc": ["timestamp", "us", "UTC"],
}
"""What ``types={column: word}`` may say: to pyarrow's function and its arguments."""


def arrow_types(types: Any) -> dict[str, Any]:
    """Return column to Arrow type, {} for None.

    Raises:
        SpecError: it is no mapping to words, or holds an unknown one.

    >>> arrow_types({"amount": "float64"})
    {'amount': DataType(double)}
    """
    if types is None:
        return {}
    require(isinstance(types, Mapping), "types must map columns to words", types)
    for column, word in types.items():
        if not isinstance(word, str) or word not in WORDS:
            raise SpecError(
                f"types[{column!r}] is {word!r}, which is no type"
                f"{did_you_mean(str(word), WORDS)} (known: {', '.join(WORDS)})"
            )
    import pyarrow

    calls = {column: WORDS[word] for column, word in types.items()}
    return {
        column: getattr(pyarrow, of)(*args) for column, (of, *args) in calls.items()
    }
