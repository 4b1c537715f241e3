"""Parts of the standard library's ``json`` that it does not document.

Making a ``JSONEncoder`` or ``JSONDecoder`` anew for each value costs about a
microsecond, which is as much as a small answer takes in all. Where a Python has no such
parts, or others, the documented classes do the same, slower.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Write = Callable[[Any], str]


def json_writer(*, ascii_only: bool = False, compact: bool = False) -> Write:
    r"""Return the function that writes a value of JSON's own types as text.

    Args:
        ascii_only: write other characters as ``\u`` and four digits.
        compact: leave out the blanks between the parts.

    Raises:
        ValueError: (from the function) a number is NaN or infinite, or too long.

    >>> json_writer()({"é": 1}), json_writer(ascii_only=True, compact=True)({"é": 1})
    ('{"é": 1}', '{"\\u00e9":1}')
    """
    comma, colon = (",", ":") if compact else (", ", ": ")
    encoder = json.JSONEncoder(
        ensure_ascii=ascii_only,
        allow_nan=False,
        check_circular=False,
        separators=(comma, colon),
    )
    suffix = "_ascii" if ascii_only else ""
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, f"encode_basestring{suffix}", None)
    try:
        # CPython 3.11 to 3.14: markers, default, text encoder, indent, separators of
        # keys and items, sort_keys, skipkeys, allow_nan.
        pieces = make(
            None, encoder.default, text, None, colon, comma, False, False, False
        )  # type: ignore[misc]
        pieces({"a": [1]}, 0)
    except TypeError:  # there is none, or it takes other arguments
        return encoder.encode
    return lambda value: "".join(pieces(value, 0))


def json_scanner() -> Callable[[str, int], tuple[Any, int]]:
    """Return the function that reads one JSON value from a place in a text.

    It returns the value and the place behind it; ``StopIteration`` and ``ValueError``
    say that there is none.

    >>> json_scanner()('{"a": 1} ', 0)
    ({'a': 1}, 8)
    """
    decoder = json.JSONDecoder()
    return getattr(decoder, "scan_once", decoder.raw_decode)
