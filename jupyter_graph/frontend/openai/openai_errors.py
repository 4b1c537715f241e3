"""Failures as error objects of OpenAI's API."""

from __future__ import annotations

import json
from typing import Any, Final

from jupyter_graph.answer.problem import problem
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.frontend.body_mappings import MissingFieldError
from jupyter_graph.values.decode import JSON
from jupyter_graph.values.json_form import to_json

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    408: "timeout",
    429: "rate_limit_error",
}
_CODES: Final = {
    404: "not_found",
    405: "method_not_allowed",
    429: "rate_limit_exceeded",
}


def error_object(error: BaseException, event_id: str) -> dict[str, Any]:
    """Return OpenAI's error object of a failure; its status decides the type.

    Source: https://platform.openai.com/docs/guides/error-codes

    >>> from jupyter_graph.errors import NotFoundError
    >>> error_object(NotFoundError("no model 'm9'"), "e1")["code"]
    'not_found'
    """
    return _object(json.loads(problem(error, event_id=event_id).payload), error)


def with_error_object(response: RawResponse, error: BaseException) -> RawResponse:
    """Return a problem document that OpenAI's clients understand too."""
    document = json.loads(response.payload)
    payload = to_json({"error": _object(document, error), **document})
    return RawResponse(payload, response.status_code, JSON, response.headers)


def _object(document: dict[str, Any], error: BaseException) -> dict[str, Any]:
    status = document["status"]
    by_status = "invalid_request_error" if status < 500 else "server_error"
    missing = error.field if isinstance(error, MissingFieldError) else None
    return {
        "message": document["detail"],
        "type": _TYPES.get(status, by_status),
        "param": missing,
        "code": "missing_required_parameter" if missing else _CODES.get(status),
    }
