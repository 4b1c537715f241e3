"""How a table's values rest and travel: JSON that gives back equal values."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from jupyter_graph.errors import InternalServerError, ValueShipError
from jupyter_graph.spec.argument_values import ITEMS_KEY, TUPLE_KEY, untagged
from jupyter_graph.values import file_formats, tagged_pandas
from jupyter_graph.values.json_form import is_plain
from jupyter_graph.values.json_private_api import json_writer
from jupyter_graph.values.tagged_json import TAG, NotTaggable

EXACT: Final = "exact"
"""The tag around a whole value that JSON alone would not give back equal."""

_FORMATS: Final = frozenset(("npy", "parquet"))
"""Formats of files that may stand inside a value: reading them runs nothing."""

_LOOKS_TAGGED: Final = re.compile(r'"\$(tuple|items|float)?":')
"""A key of the value's own that a reader, also an older one, would take for a tag."""

_BASES: Final[dict[type[Any], Callable[[Any], Any]]] = {
    str: str.__str__,  # str(value) is what a subclass shows, such as "Status.OPEN"
    int: int.__int__,
    float: float.__float__,
    tuple: tuple,
    list: list,
}
"""Types whose subclasses are kept as these types, and what makes them so."""

_write = json_writer(ascii_only=True, compact=True)


def encode(value: Any, where: str) -> str:
    """Return the JSON of a value; ``decode`` gives back an equal one.

    What JSON's own types say is written plainly. Anything else is written in the
    tagged form of ``values``: tuples, sets, keys that are no text, NaN, times,
    decimals, bytes, numpy's numbers and arrays, frames.

    Raises:
        TypeError: it holds something else, or itself; the text says where.

    >>> encode({"n": 1}, "table 'x'"), encode((1, 2), "table 'x'")
    ('{"n":1}', '{"$":"exact","of":{"$":"tuple","of":[1,2]}}')
    """
    if is_plain(value, tuples=False):
        try:
            text = _write(value)
        except (ValueError, RecursionError):  # NaN, or a number that is too long
            pass
        else:
            if not _looks_tagged(text):
                return text
    exact = _tagged(value, where)
    text = _write(exact)
    # Of subclasses only: nothing is tagged, so that older versions read it, too.
    return _write({TAG: EXACT, "of": exact}) if _looks_tagged(text) else text


def _looks_tagged(text: str) -> bool:
    return '"$' in text and _LOOKS_TAGGED.search(text) is not None


def _tagged(value: Any, where: str) -> Any:
    try:
        return _Writer(_file).encode(value)
    except NotTaggable as error:
        raise TypeError(f"{where}: it {error}") from None
    except ValueShipError as error:
        refused = getattr(error, "kind", type(value)).__name__
        at = f" at {error.where}" if hasattr(error, "where") else ""
        raise TypeError(
            f"{where}: a {refused}{at} cannot be kept there, use texts, numbers, "
            "lists and objects"
        ) from None


class _Writer(tagged_pandas.Writer):
    """Encodes a value; subclasses of JSON's own types are kept as those types."""

    def part(self, value: Any, where: str) -> Any:
        """Return tagged JSON for what is not a plain Python value."""
        if not hasattr(value, "dtype"):  # numpy's numbers are subclasses of float, too
            for kind, exact in _BASES.items():
                if isinstance(value, kind):
                    return self.encode(exact(value), where)
            if isinstance(value, Mapping):
                return self.encode(dict(value), where)
        return super().part(value, where)


def _file(content: file_formats.Content) -> Any:
    if content.format not in _FORMATS:
        raise ValueShipError("models are files of their own")
    return [content.format, b64encode(content.data).decode("ascii")]


def decode(text: str) -> Any:
    """Return the value that ``encode`` made a text of, in this version or before.

    Raises:
        ValueError: it is no JSON.

    >>> decode('{"$":"exact","of":{"$":"tuple","of":[1,2]}}'), decode('{"$tuple":[1]}')
    ((1, 2), (1,))
    """
    value = json.loads(text)
    if '"$' not in text:
        return value
    if isinstance(value, dict) and value.get(TAG) == EXACT and len(value) == 2:
        return tagged_pandas.decode(value["of"], _read_file)
    # Until December 2026 tables held tuples and keys as graph documents do.
    # As a key only: no text of a value's own is one, and those may be nested deeper.
    is_tagged = f'"{TUPLE_KEY}":' in text or f'"{ITEMS_KEY}":' in text
    return untagged(value) if is_tagged else value


def _read_file(content: Any) -> Any:
    kind, data = content
    if kind not in _FORMATS:
        raise ValueError(f"a file of the format {kind!r} is never kept in a table")
    return file_formats.read(kind, b64decode(data), ())


def kept(text: str, table: str, key: str) -> Any:
    """Return the value that a table keeps under a key as this text.

    Raises:
        InternalServerError: it is none that ``encode`` could have written.
    """
    try:
        return decode(text)
    except (ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        raise InternalServerError(
            f"table {table!r}, key {key!r}: what is kept there is no JSON"
        ) from error
