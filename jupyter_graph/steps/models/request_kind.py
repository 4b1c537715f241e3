"""What an event asks of a model: an operation, and the request for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps.models.inference_protocol import (
    LENGTH_HEADER,
    Inference,
    read_body,
)
from jupyter_graph.steps.remote.propagation import header_of

PREDICTIONS: Final = frozenset(("infer", "predict", "infer_dict", "predict_dict"))
OPERATIONS: Final = PREDICTIONS | {"explain"}


@dataclass(slots=True)
class Call:
    """One event's wish, as a model server works on it.

    Attributes:
        operation: what is asked, one of ``OPERATIONS`` or a model's own.
        start: when the work began.
        id: the caller's own id, else the event's.
        request: the body, then what the model's hooks get.
        is_inference: the body is a request of the open inference protocol.
        inference: that request, read.
        custom: the ``op_<name>`` of the model.
    """

    operation: str
    start: datetime = field(default_factory=partial(datetime.now, UTC))
    id: Any = None
    request: Any = None
    is_inference: bool = False
    inference: Inference | None = None
    custom: Callable[[Any], Any] | None = None


def operation_of(event: Any, body: Any) -> str:
    """Return what an event asks for: by the end of its path, else by its body.

    >>> from types import SimpleNamespace
    >>> event = SimpleNamespace(path="/v2/models/m/versions/2/explain", method="POST")
    >>> operation_of(event, None)
    'explain'
    """
    operation = str(event.path or "").strip("/")
    if "/" in operation:
        operation = _after_model(operation)
    if not operation and isinstance(body, Mapping):
        operation = body.get("operation") or ""
        if not isinstance(operation, str):
            raise BadRequestError(f"'operation' must be a text, got {operation!r}")
    if not operation and event.method != "GET":
        return "infer"
    return operation


def _after_model(path: str) -> str:
    """Return the operation of a whole path, such as a model outside a router sees.

    >>> _after_model("v2/models/m/infer"), _after_model("v2/models/m")
    ('infer', '')
    """
    segments = path.split("/")
    if len(segments) < 3 or segments[1] != "models":
        return path
    rest = segments[3:]
    return "/".join(rest[2:] if rest[:1] == ["versions"] else rest)


def body_of(event: Any) -> Any:
    """Return the body, read where its values follow in binary."""
    body = event.body
    is_binary = isinstance(body, bytes)
    return read_body(body, header_of(event, LENGTH_HEADER)) if is_binary else body
