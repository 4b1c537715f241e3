"""A Python body as bytes that a caller sends, and what of it arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jupyter_graph.answer.response import encode
from jupyter_graph.values import tagged_json
from jupyter_graph.values.decode import TAGGED, decode_payload
from jupyter_graph.values.equal import same


def wire_body(body: Any, content_type: str | None = None) -> tuple[bytes, str]:
    """Return a body's bytes and content type as a caller would send them.

    >>> wire_body({"a": 1})
    (b'{"a": 1}', 'application/json')
    >>> wire_body("hi"), wire_body(None)
    ((b'hi', 'text/plain; charset=utf-8'), (b'', ''))
    """
    if body is None:
        return b"", content_type or ""
    if isinstance(body, bytes):
        return body, content_type or ""  # as they are; read by the function
    if content_type and isinstance(body, str):
        return body.encode(), content_type
    raw = encode(body)
    return raw.payload, content_type or raw.content_type


def tagged_body(body: Any) -> tuple[bytes, str] | None:
    """Return the bytes of a body that JSON has no word for, None where they have none.

    >>> tagged_body((1, 2))
    (b'{"$": "tuple", "of": [1, 2]}', 'application/vnd.jupyter-graph+json')
    """
    try:
        form = tagged_json.encode_plain(body)
    except tagged_json.NotTaggable:
        return None
    return json.dumps(form).encode(), TAGGED


def arrived(payload: bytes, content_type: str) -> Any:
    """Return what a step gets of a body that was sent."""
    return decode_payload(payload, content_type) if payload else None


def wire_change(body: Any, arrived: Any) -> str:
    """Return what of a body does not arrive as it is, in words; empty when all does.

    >>> wire_change({"at": (1, 2), "n": 1}, {"at": [1, 2], "n": 1})
    "body['at'] is a tuple, and arrives as a list"
    >>> wire_change({1: "x"}, {"1": "x"})
    'a key of body is a number (int), and arrives as a text'
    """
    return next(_changes(body, arrived, "body"), "")


def _changes(one: Any, other: Any, place: str) -> Iterator[str]:
    if type(one) is dict and isinstance(other, dict):
        if odd := next((key for key in one if type(key) is not str), None):
            kind = type(odd).__name__
            what = f"a number ({kind})" if isinstance(odd, int | float) else f"a {kind}"
            yield f"a key of {place} is {what}, and arrives as a text"
            return
        if list(one) == list(other):
            for key in one:
                yield from _changes(one[key], other[key], f"{place}[{key!r}]")
            return
    if type(one) is list and isinstance(other, list) and len(one) == len(other):
        for at, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _changes(left, right, f"{place}[{at}]")
        return
    try:
        is_same = same(one, other)
    except Exception:  # a comparison of the user's own
        is_same = False
    if not is_same:
        yield f"{place} is {_kind(one)}, and arrives as {_kind(other)}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and value != value:
        return "not a number (NaN)"
    if isinstance(value, str):
        return f"the text {value!r:.40}"
    name = type(value).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
