"""Nuclio's context and response objects, for the embedded host."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jupyter_graph.event import Trigger


class HostResponse:
    """Nuclio's Response: the same arguments, names and defaults.

    Source: nuclio-sdk 0.6.3, ``nuclio_sdk/response.py``.
    """

    __slots__ = ("body", "content_type", "event_id", "headers", "status_code")

    def __init__(
        self,
        headers: dict[str, Any] | None = None,
        body: Any = None,
        content_type: str | None = None,
        status_code: int = 200,
        event_id: str | None = None,
    ) -> None:
        self.headers = headers or {}
        self.body = body
        self.content_type = content_type or "text/plain"
        self.status_code = status_code
        self.event_id = event_id


class HostPlatform:
    """The part of Nuclio's platform object that has a meaning in one process."""

    kind = namespace = "local"

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[[], Any]] = {}

    def set_termination_callback(self, callback: Callable[[], Any]) -> None:
        """Call this once the last event is answered, before the worker ends."""
        self.callbacks["termination"] = callback

    def set_drain_callback(self, callback: Callable[[], Any]) -> None:
        """Accepted as Nuclio does; only streams drain, and there are none here."""
        self.callbacks["drain"] = callback


class HostContext:
    """What ``init_context`` and ``handler`` get as their first argument.

    Attributes:
        logger: has ``info``, ``info_with(message, key=value)`` and the like.
        user_data: where ``init_context`` keeps what ``handler`` needs.
        streams: this server sends generators piece by piece.
    """

    Response = HostResponse
    streams = True

    def __init__(self, logger: Any, *, worker_id: str, name: str) -> None:
        self.logger = logger
        self.platform = HostPlatform()
        self.user_data = SimpleNamespace()
        self.worker_id = worker_id
        self.name = name
        self.trigger = Trigger("http", "default-http")
        self.trigger_name = self.trigger.name
