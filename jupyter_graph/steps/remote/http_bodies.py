"""Bodies of HTTP requests and answers: values to bytes and back."""

from __future__ import annotations

import json
from typing import Any

from jupyter_graph.errors import StatusError
from jupyter_graph.http_client.client import HttpReply
from jupyter_graph.steps.remote.propagation import header_in
from jupyter_graph.values.decode import JSON, media_type
from jupyter_graph.values.json_form import to_json
from jupyter_graph.values.json_rules import REQUEST

LONGEST_EXCERPT = 200


def json_payload(body: Any) -> bytes:
    """Return a value as JSON, by the value table of docs/answers.md.

    Raises:
        TypeError: a value has no form in JSON; the text names the key that holds it.

    >>> json_payload({"z": 1})
    b'{"z": 1}'
    """
    return to_json(body, "the request's body", REQUEST)


def content_of(reply: HttpReply, shown: str, *, as_json: bool) -> Any:
    """Return what an answer holds: JSON where asked for or declared, else its bytes.

    Raises:
        StatusError: 502, it should be JSON and is not.

    >>> content_of(HttpReply(200, {}, b"[1]"), "http://models", as_json=True)
    [1]
    """
    kind = media_type(header_in(reply.headers, "Content-Type") or "")
    if not as_json and kind != JSON:
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


def excerpt(payload: bytes) -> str:
    """Return the beginning of an answer for a message.

    >>> excerpt(b'{"status": 404}')
    '{"status": 404}'
    """
    text = " ".join(payload[: 4 * LONGEST_EXCERPT].decode("utf-8", "replace").split())
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}…"
