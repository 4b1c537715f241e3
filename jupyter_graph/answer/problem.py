"""The answer of a failed event: a status and a problem document."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.errors import (
    ClosedError,
    DeadlineError,
    OverloadError,
    StatusError,
    StepError,
    said,
)
from jupyter_graph.values.json_form import to_json

PROBLEM: Final = "application/problem+json"

OVERLOADED = 429
"""The status of an event that finds the graph full; counted by the host's metrics."""

_STATUSES: Final = {OverloadError: OVERLOADED, DeadlineError: 408, ClosedError: 503}
"""Of errors of the graph, not of a step."""


def status_of(error: BaseException) -> int:
    """Return the HTTP status of a failure; only what says so is the caller's fault.

    >>> from jupyter_graph.errors import NotFoundError
    >>> status_of(NotFoundError("no model 'm9'")), status_of(ValueError("bad"))
    (404, 500)
    >>> status_of(StepError("parse", None, NotFoundError("no user 7")))
    404
    """
    cause = _cause(error)
    if isinstance(cause, StatusError):
        return cause.status_code
    for kind, status in _STATUSES.items():
        if isinstance(cause, kind):
            return status
    if _is_validation_error(cause):
        return 422
    foreign = _attribute(cause, "error_status_code", None)  # MLRun's errors say so
    return foreign if isinstance(foreign, int) and 400 <= foreign < 600 else 500


def problem(
    error: BaseException,
    *,
    event_id: str | None,
    step: str | None = None,
    mlrun_status: bool = False,
    says_error: bool = False,
) -> RawResponse:
    """Return the ``application/problem+json`` answer of a failed event.

    Args:
        error: what ended the event.
        event_id: whose failure it is.
        step: where it failed; a StepError knows for itself.
        mlrun_status: answer 400 where a step failed, as MLRun does, rather than 500;
            an error's own ``mlrun_status_code`` says where MLRun answers otherwise.
        says_error: repeat the detail as ``error``, where inference clients look for it.

    >>> problem(StepError("parse", "e1", ValueError("no")), event_id="e1").payload
    b'{"title": "Internal Server Error", "status": 500, "detail": "ValueError: no", \
"step": "parse", "event_id": "e1"}'
    """
    status = status_of(error)
    says_so = isinstance(_cause(error), StatusError)
    if mlrun_status and status == 500 and isinstance(error, StepError) and not says_so:
        status = 400
    if mlrun_status:
        status = _attribute(_cause(error), "mlrun_status_code", status)
    document = {
        "title": _title(status),
        "status": status,
        "detail": _detail(_cause(error)),
        "step": error.step if isinstance(error, StepError) else step,
        "event_id": event_id,
    }
    if says_error:
        document["error"] = document["detail"]
    headers = {"Retry-After": "1"} if status in (OVERLOADED, 503) else {}
    return RawResponse(to_json(document), status, PROBLEM, headers)


def _cause(error: BaseException) -> BaseException:
    """Return what the innermost step raised."""
    while isinstance(error, StepError):  # a graph inside a graph wraps it twice
        error = error.cause
    return error


def _attribute(error: BaseException, name: str, default: Any) -> Any:
    try:
        return getattr(error, name, default)
    except Exception:
        return default  # an error of a class that raises others itself


def _is_validation_error(error: BaseException) -> bool:
    kind = type(error)
    root = kind.__module__.partition(".")[0]
    return kind.__name__ == "ValidationError" and root in ("pydantic", "pydantic_core")


def _detail(error: BaseException) -> str:
    if isinstance(error, (StatusError, *_STATUSES)):
        return f"{error}" or _title(status_of(error))
    if _is_validation_error(error):
        return "; ".join(map(_field, error.errors()))  # type: ignore[attr-defined]
    return said(error)


def _field(error: Any) -> str:
    place = ".".join(map(str, error["loc"]))
    return f"field {place!r}: {error['msg']}" if place else str(error["msg"])


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
