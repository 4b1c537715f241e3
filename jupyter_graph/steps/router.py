"""Routers: one of several routes gets the event.

Source: MLRun's model router, https://docs.mlrun.org/en/stable/serving/model-api.html
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.errors import BadRequestError, NotFoundError, did_you_mean

Route = Callable[[Any], Any]


class ModelRouter:
    """Send an event to the model that its path or its body names.

    Paths (``url_prefix`` before them, by default ``/v2/models``)::

        GET  /v2/models                          the names of all models
        GET  /  and  /v2/health                  the server's name and version
        POST /v2/models/<model>[/versions/<v>][/<operation>]

    With any other path than these, or with ``/``, ``body["model"]`` names the model
    (by default the first) and ``body["operation"]`` what to do with it.

    Args:
        routes: the routes by name; a version stands as ``name:version``.
        url_prefix: what the path of a model begins with.
        health_prefix: what the path of a health question begins with.
        protocol: the version at the beginning of these prefixes by default.
        name: the router's own name.

    Raises:
        NotFoundError: (from ``do_event``) there is no such model.
        BadRequestError: (from ``do_event``) the path is none of these.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        *,
        url_prefix: str | None = None,
        health_prefix: str | None = None,
        protocol: str = "v2",
        name: str = "router",
    ) -> None:
        self.routes = dict(routes)
        self.protocol = protocol
        self.url_prefix = "/" + (url_prefix or f"{protocol}/models").strip("/")
        self.health_prefix = "/" + (health_prefix or f"{protocol}/health").strip("/")
        self.name = name

    def preprocess(self, event: Any) -> Any:
        """Change the event before its route is chosen; a subclass may override it."""
        return event

    def postprocess(self, event: Any) -> Any:
        """Change the event after its route has run; a subclass may override it."""
        return event

    def do_event(self, event: Any) -> Any:
        event = self.preprocess(event)
        if self._answers_itself(event):
            return event
        path = event.path
        event.body = _read(event.body)
        try:
            event = self._route_of(event)(event)
        finally:
            event.path = path
        return self.postprocess(event)

    async def do_event_async(self, event: Any) -> Any:
        """``do_event`` where a route is a coroutine."""
        event = self.preprocess(event)
        if self._answers_itself(event):
            return event
        path = event.path
        event.body = _read(event.body)
        try:
            found = self._route_of(event)(event)
            event = await found if inspect.isawaitable(found) else found
        finally:
            event.path = path
        return self.postprocess(event)

    def _answers_itself(self, event: Any) -> bool:
        path = "/" + str(event.path or "").strip("/")
        is_get = event.method == "GET"
        if path.startswith(self.health_prefix) or (is_get and path == "/"):
            event.body = {
                "name": type(self).__name__,
                "version": self.protocol,
                "extensions": [],
            }
            return True
        if path == self.url_prefix and (is_get or not _names_a_model(event.body)):
            event.body = {"models": list(self.routes)}
            return True
        return False

    def _route_of(self, event: Any) -> Route:
        """Choose the route; what is left of the path is what the model does."""
        path = "/" + str(event.path or "").strip("/")
        body = event.body if isinstance(event.body, Mapping) else {}
        if path == "/" or path == self.url_prefix:
            model = body.get("model") or next(iter(self.routes))
            operation = ""
        elif path.startswith(f"{self.url_prefix}/"):
            model, operation = _split(path[len(self.url_prefix) + 1 :])
        else:
            raise BadRequestError(
                f"illegal path prefix {event.path!r}, must start with "
                f"{self.url_prefix} or {self.health_prefix}"
            )
        if not isinstance(model, str):
            raise BadRequestError(f"'model' must be a model's name, got {model!r}")
        if model not in self.routes:
            raise NotFoundError(
                f"model {model} doesnt exist, available models: "
                f"{' | '.join(self.routes)}{did_you_mean(model, self.routes)}"
            )
        event.path = "/" + str(body.get("operation") or operation)
        return self.routes[model]


def _read(body: Any) -> Any:
    """Give the request: an object, or JSON text of one; None stays None."""
    if isinstance(body, str | bytes | bytearray):
        try:
            body = json.loads(body)
        except ValueError as error:
            raise BadRequestError(f"Unrecognized request format: {error}") from None
    if body is None or isinstance(body, Mapping):
        return body
    raise BadRequestError(
        f"Unrecognized request format: a router takes an object, "
        f"got {type(body).__name__}"
    )


def _names_a_model(body: Any) -> bool:
    return isinstance(body, Mapping) and "model" in body


def _split(rest: str) -> tuple[str, str]:
    """Give model (with its version) and operation of the end of a path.

    >>> _split("m1/versions/2/infer")
    ('m1:2', 'infer')
    """
    model, *more = rest.split("/")
    if len(more) >= 2 and more[0] == "versions":
        return f"{model}:{more[1]}", "/".join(more[2:])
    return model, "/".join(more)
