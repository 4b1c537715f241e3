"""Records of what models were asked and what they answered, for monitoring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

Sink: TypeAlias = Callable[[dict[str, Any]], None]
"""Takes one record; the ``push_prediction`` of a context."""


def sink_of(context: Any) -> Sink | None:
    """Return where the records of a context go, None where there is no place."""
    push = getattr(context, "push_prediction", None)
    return push if callable(push) else None


def record_of(
    server: Any, start: datetime, operation: str, **parts: Any
) -> dict[str, Any]:
    """Return one record.

    Args:
        server: the model server that worked.
        start: when it began.
        operation: what it was asked to do.
        **parts: ``request`` and ``resp``, or ``request`` and ``error``.

    Source: the records of MLRun's model monitoring stream,
    https://docs.mlrun.org/en/stable/model-monitoring/
    """
    record = {
        "class": type(server).__name__,
        "worker": getattr(server.context, "worker_id", None),
        "model": server.name,
        "endpoint_id": server.model_endpoint_uid,
        "op": operation,
        "when": start.isoformat(sep=" ", timespec="microseconds"),
        "microsec": round((datetime.now(UTC) - start).total_seconds() * 1e6),
        **parts,
    }
    for name in ("labels", "metrics"):
        if getattr(server, name):
            record[name] = dict(getattr(server, name))
    inputs = (parts.get("request") or {}).get("inputs")
    if isinstance(inputs, list):
        record["effective_sample_count"] = len(inputs)
    return record
