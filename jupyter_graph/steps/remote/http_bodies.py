"""Bodies of HTTP requests and answers: values to bytes and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from jupyter_graph.errors import StatusError
from jupyter_graph.http_client.client import HttpReply

LONGEST_EXCERPT = 200


def json_payload(body: Any) -> bytes:
    """Return a value as JSON.

    Dates and times become ISO 8601, decimals, UUIDs and paths text, enums their
    value, arrays lists.

    Raises:
        TypeError, ValueError: the value cannot be JSON; NaN cannot.

    >>> json_payload({"z": 1})
    b'{"z": 1}'
    """
    try:
        return json.dumps(body, default=_plain, allow_nan=False).encode()
    except ValueError as error:
        raise ValueError(f"the request's body cannot be JSON: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID | PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if callable(to_list := getattr(value, "tolist", None)):
        return to_list()  # numpy's scalars and arrays, pandas' series
    raise TypeError(
        f"the request's body holds a {type(value).__name__}, which JSON does not know"
    )


def content_of(reply: HttpReply, shown: str, *, as_json: bool) -> Any:
    """Return what an answer holds: JSON where asked for or said, else its bytes.

    Raises:
        StatusError: 502, it should be JSON and is not.

    >>> content_of(HttpReply(200, {}, b"[1]"), "http://models", as_json=True)
    [1]
    """
    kind = content_type(reply.headers)
    if not as_json and kind != "application/json":
        return reply.payload
    if not reply.payload.strip():
        return None
    try:
        return json.loads(reply.payload)
    except ValueError as error:
        raise StatusError(
            f"the answer of {shown} is not JSON ({kind or 'no content type'}): {error}",
            status_code=502,
        ) from None


def content_type(headers: Mapping[str, str]) -> str:
    """Return the bare content type, "" where there is none.

    >>> content_type({"content-type": "application/json; charset=utf-8"})
    'application/json'
    """
    for name, value in headers.items():
        if name.lower() == "content-type":
            return value.partition(";")[0].strip().lower()
    return ""


def excerpt(payload: bytes) -> str:
    """Return the beginning of an answer for a message.

    >>> excerpt(b'{"status": 404}')
    '{"status": 404}'
    """
    text = " ".join(payload[: 4 * LONGEST_EXCERPT].decode("utf-8", "replace").split())
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}…"
