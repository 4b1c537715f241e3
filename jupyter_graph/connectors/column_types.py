"""The words for types of columns, the same in all sources and targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import SpecError, did_you_mean

WORDS = (
    "bool",
    "bytes",
    "date",
    "float32",
    "float64",
    "int32",
    "int64",
    "string",
    "timestamp",
    "timestamp_utc",
)
"""What ``types={column: word}`` may say."""


def checked_types(types: Any) -> dict[str, str]:
    """Return column to word, {} for None.

    Raises:
        SpecError: it is no such mapping, or holds an unknown word.

    >>> checked_types({"amount": "float64"})
    {'amount': 'float64'}
    """
    if types is None:
        return {}
    if not isinstance(types, Mapping):
        raise SpecError(f"types must map columns to words, got {types!r}")
    for column, word in types.items():
        if word not in WORDS:
            raise SpecError(
                f"types[{column!r}] is {word!r}, which is no type"
                f"{did_you_mean(str(word), WORDS)} (known: {', '.join(WORDS)})"
            )
    return dict(types)


def arrow_types(types: Any) -> dict[str, Any]:
    """Return column to Arrow type."""
    words = checked_types(types)
    if not words:
        return {}
    import pyarrow

    by_word = {
        "bool": pyarrow.bool_(),
        "bytes": pyarrow.binary(),
        "date": pyarrow.date32(),
        "float32": pyarrow.float32(),
        "float64": pyarrow.float64(),
        "int32": pyarrow.int32(),
        "int64": pyarrow.int64(),
        "string": pyarrow.string(),
        "timestamp": pyarrow.timestamp("us"),
        "timestamp_utc": pyarrow.timestamp("us", "UTC"),
    }
    return {column: by_word[word] for column, word in words.items()}
