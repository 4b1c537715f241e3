"""One event to a deployed function, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from jupyter_graph.answer.answer import Answer
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.deployment.wire_body import (
    arrived,
    tagged_body,
    wire_body,
    wire_change,
)
from jupyter_graph.errors import (
    DeadlineError,
    HostError,
    RunError,
    StatusError,
    StepError,
)
from jupyter_graph.host.host_options import LOOPBACK

TIMEOUT_S = 60.0
PROBLEM = "application/problem+json"


def invoke(
    url: str,
    body: Any = None,
    *,
    path: str = "/",
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    content_type: str | None = None,
    silent: bool = False,
    timeout_s: float = TIMEOUT_S,
    name: str = "the function",
) -> Answer:
    """Send one event over HTTP and return its answer.

    Args:
        url: where the function answers.
        body: sent as JSON; text and bytes as they are, None as nothing. What JSON has
            not (tuples, times, number keys, NaN) arrives as it is all the same.
        path: below the url.
        method: of HTTP.
        headers: further headers.
        content_type: of the body, where it is not what the body says.
        silent: return the answer of a failed event too, rather than raise.
        timeout_s: seconds until the answer must have begun.
        name: what an error calls the function.

    Raises:
        StepError: a step failed; also DeadlineError and StatusError, unless silent.
        HostError: nothing answers there.
    """
    import requests

    payload, kind = wire_body(body, content_type)
    if content_type is None and wire_change(body, arrived(payload, kind)):
        payload, kind = tagged_body(body) or (payload, kind)
    event_id = uuid4().hex
    sent = {"x-event-id": event_id, **(headers or {})}
    if kind and "content-type" not in {key.lower() for key in sent}:
        sent["Content-Type"] = kind
    with requests.Session() as session:
        # The user's proxy cannot reach this computer's loopback.
        session.trust_env = urlsplit(url).hostname not in LOOPBACK
        try:
            response = session.request(
                method,
                f"{url.rstrip('/')}/{path.lstrip('/')}",
                data=payload,
                headers=sent,
                timeout=timeout_s,
                allow_redirects=False,
            )
        except OSError as error:  # those of requests among them
            raise HostError(
                f"{name} does not answer at {url}: {reason_of(error)}; "
                "status() and logs() tell more"
            ) from None
    answer = _answer(response, event_id)
    if answer.error is not None and not silent:
        raise answer.error
    return answer


def _answer(response: Any, event_id: str) -> Answer:
    kind = response.headers.get("Content-Type", "")
    raw = RawResponse(
        response.content, response.status_code, kind, dict(response.headers)
    )
    answer = Answer(raw, response.headers.get("x-event-id", event_id))
    if response.status_code >= 400 and kind.startswith(PROBLEM):
        answer.error = _error(answer)
    return answer


def _error(answer: Answer) -> BaseException:
    """Return the error that a problem document describes."""
    document = answer.body if isinstance(answer.body, dict) else {}
    detail = str(document.get("detail") or document.get("title") or "")
    kind = {408: DeadlineError, 500: RunError}.get(answer.status_code)
    cause = (
        kind(detail) if kind else StatusError(detail, status_code=answer.status_code)
    )
    step = document.get("step")
    if not step:
        return cause
    failed = StepError(str(step), document.get("event_id") or answer.event_id, cause)
    failed.__cause__ = cause  # as ``raise … from`` would, without a traceback
    return failed


def reason_of(error: BaseException) -> str:
    """Return the shortest true reason: the innermost error's own words."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{error}" or type(error).__name__
