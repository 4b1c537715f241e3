"""What travels with every request to another function, beside the body."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from typing import Any, Final

from jupyter_graph.event import header_in
from jupyter_graph.http_client.retry import left_s

EVENT_ID: Final = "MLRUN-EVENT-ID"
EVENT_PATH: Final = "MLRUN-EVENT-PATH"
ATTEMPT: Final = "X-Event-Attempt"
TIME_LEFT_MS: Final = "X-Event-Time-Left-Ms"
TRACE: Final = "traceparent"
TRACE_STATE: Final = "tracestate"

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_ID = re.compile(r"[0-9a-f]{32}")
_ZEROS = "0" * 32


def hop_headers(event: Any) -> dict[str, str]:
    """Return the headers that an event takes along to another function.

    Its id (``MLRUN-EVENT-ID``), and the W3C trace context: the trace that the event
    came with goes on, else one begins that has the event's id.

    Source: https://www.w3.org/TR/trace-context/
    """
    headers = {TRACE: _trace_of(event)}
    if (state := header_of(event, TRACE_STATE)) and header_of(event, TRACE):
        headers[TRACE_STATE] = state
    if event_id := getattr(event, "id", None):
        headers[EVENT_ID] = str(event_id)
    return headers


def path_header(event: Any) -> dict[str, str]:
    """Return the header with the event's path, none for the root."""
    path = str(getattr(event, "path", "") or "")
    return {EVENT_PATH: path} if path.strip("/") else {}


def attempt_headers(number: int, deadline: float | None) -> dict[str, str]:
    """Return the headers of one attempt: its number, and the event's time left.

    >>> attempt_headers(2, None)
    {'X-Event-Attempt': '2'}
    """
    headers = {ATTEMPT: str(number)}
    if not math.isinf(left := left_s(deadline)):
        headers[TIME_LEFT_MS] = str(max(0, int(left * 1000)))
    return headers


def forwarded(event: Any, names: Iterable[str]) -> dict[str, str]:
    """Return those of the event's own headers that go on."""
    headers = ((name, header_of(event, name)) for name in names)
    return {name: value for name, value in headers if value is not None}


def header_of(event: Any, name: str) -> str | None:
    """Return a header of an event by its name in any case."""
    return header_in(getattr(event, "headers", None) or {}, name.lower())


def _trace_of(event: Any) -> str:
    span = os.urandom(8).hex()
    known = _TRACE.fullmatch((header_of(event, TRACE) or "").strip().lower())
    if known and known[1] != _ZEROS:
        return f"00-{known[1]}-{span}-{known[3]}"
    event_id = str(getattr(event, "id", None) or "")
    is_fit = _ID.fullmatch(event_id) and event_id != _ZEROS
    return f"00-{event_id if is_fit else os.urandom(16).hex()}-{span}-01"
