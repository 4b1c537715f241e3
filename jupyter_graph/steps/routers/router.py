"""Routers: one of several routes gets the event.

Source: MLRun's model router, https://docs.mlrun.org/en/stable/serving/model-api.html
and the Open Inference Protocol, https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.errors import (
    BadRequestError,
    NotFoundError,
    ServiceUnavailableError,
    SpecError,
    did_you_mean,
)
from jupyter_graph.steps.models.inference_protocol import health
from jupyter_graph.steps.models.request_kind import body_of
from jupyter_graph.steps.routers.input_downloads import checked_prefixes, download
from jupyter_graph.steps.routers.router_routes import Call, Route, routes_of
from jupyter_graph.types import NOTHING
from jupyter_graph.values.dotted_path import part_of, with_part

HEALTH = {"/live": "live", "/ready": "ready"}
"""The end of a path to the question of the Open Inference Protocol."""

BY_NAME = ("input_path", "result_path", "data_url_prefixes")
"""Arguments of ``Router`` that those of its subclasses stand before."""


class Router:
    """What routers of models share: their paths, and how a request is read.

    A subclass writes ``choose(event)``, and may override ``parse_event``,
    ``preprocess`` (before the request is read), ``postprocess`` and ``get_metadata``.

    Args:
        context: the surroundings; None outside a graph.
        name: the router's own name, by default that of its class.
        routes: what is called for each route, by the route's name; a version of a
            model stands as ``name:version``.
        protocol: the beginning of the two prefixes by default; ``v1`` also calls the
            inputs ``instances``.
        url_prefix: what the path of a model begins with, by default ``/v2/models``.
        health_prefix: what the path of a health question begins with, by default
            ``/v2/health``.
        input_path: the part of the body that is the request, by dots.
        result_path: where in the body the answer goes, by dots.
        data_url_prefixes: beginnings of the URLs that a request may name as its
            ``data_url``, such as ``["https://images.example.com/"]``; by default it may
            name none.
        **kwargs: kept in ``self.kwargs`` for subclasses.

    Raises:
        SpecError: there are no routes, or an argument has a wrong value.
    """

    def __init__(
        self,
        context: Any = None,
        name: str | None = None,
        routes: Mapping[str, Call] | None = None,
        protocol: str | None = None,
        url_prefix: str | None = None,
        health_prefix: str | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        *,
        data_url_prefixes: Sequence[str] | str = (),
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        if kwargs and type(self).__module__.startswith("jupyter_graph.steps."):
            word = next(iter(kwargs))
            known = [*inspect.signature(type(self)).parameters]
            raise SpecError(f"{kind} takes no {word!r}{did_you_mean(word, known)}")
        self.context = context
        self.name = name or kind
        self.routes: dict[str, Route] = routes_of(routes, kind)
        self.protocol = protocol or "v2"
        self.url_prefix = "/" + (url_prefix or f"{self.protocol}/models").strip("/")
        health_prefix = health_prefix or f"{self.protocol}/health"
        self.health_prefix = "/" + health_prefix.strip("/")
        self.inputs_key = "instances" if self.protocol == "v1" else "inputs"
        self.data_url_prefixes = checked_prefixes(data_url_prefixes)
        self.kwargs = kwargs
        self._input_path = input_path
        self._result_path = result_path

    # -- what a subclass may write ----------------------------------------------

    def preprocess(self, event: Any) -> Any:
        """Change the event before its body is read."""
        return event

    def postprocess(self, event: Any) -> Any:
        """Change the event after its route has run."""
        return event

    def parse_event(self, event: Any) -> Any:
        """Return the request that an event's body holds: an object.

        Raises:
            BadRequestError: the body is neither an object, JSON text of one, nor an
                image.
        """
        body = body_of(event)
        if isinstance(body, str | bytes | bytearray):
            content_type = getattr(event, "content_type", None) or ""
            if content_type.startswith("image/") and not isinstance(body, str):
                from io import BytesIO

                return {self.inputs_key: [BytesIO(body)]}
            body = from_json(body)
        if not isinstance(body, Mapping):
            raise BadRequestError(
                "Unrecognized request format: a router takes an object, "
                f"got {type(body).__name__}"
            )
        if "data_url" in body:
            sample = download(body["data_url"], self.data_url_prefixes)
            return {self.inputs_key: [sample]}
        return body

    def get_metadata(self) -> dict[str, Any]:
        """Return what the router says of itself."""
        return {"name": type(self).__name__, "version": "v2", "extensions": []}

    def choose(self, event: Any) -> Route | None:
        """Return the route that answers, or None after answering the event itself."""
        raise NotImplementedError(f"{type(self).__name__} has no choose(self, event)")

    # -- one event --------------------------------------------------------------

    def do_event(self, event: Any) -> Any:
        came, whole, path = event, event.body, event.path
        try:
            event = self._read(event)
            if not self._is_about_the_router(event):
                event = self._finished(self.handle(event))
        except BaseException:
            came.body, came.path = whole, path  # an error handler gets what came
            raise
        return self._written(event, whole, path)

    async def do_event_async(self, event: Any) -> Any:
        """``do_event`` where a route is a coroutine."""
        came, whole, path = event, event.body, event.path
        try:
            event = self._read(event)
            if not self._is_about_the_router(event):
                event = self._finished(await self.handle_async(event))
        except BaseException:
            came.body, came.path = whole, path
            raise
        return self._written(event, whole, path)

    def handle(self, event: Any) -> Any:
        """Return the event, answered by the route that was chosen."""
        route = self.choose(event)
        return event if route is None else route(event)

    async def handle_async(self, event: Any) -> Any:
        """``handle`` where a route is a coroutine."""
        route = self.choose(event)
        return event if route is None else await route.run_async(event)

    def _read(self, event: Any) -> Any:
        event.body = part_of(event.body, self._input_path)
        event = self.preprocess(event)
        if event.body is not None and event.method != "GET":
            event.body = self.parse_event(event)
        return event

    def _finished(self, event: Any) -> Any:
        return event if event.body is NOTHING else self.postprocess(event)

    def _written(self, event: Any, whole: Any, path: Any) -> Any:
        event.path = path
        # an answer about the router itself is whole, it is not put into the body
        is_about_the_router = getattr(event, "terminated", False)
        if self._result_path and event.body is not NOTHING and not is_about_the_router:
            event.body = with_part(whole, self._result_path, event.body)
        return event

    def _is_about_the_router(self, event: Any) -> bool:
        """Answer a question about the router itself; refuse a path of no route."""
        path = path_of(event)
        if event.method == "GET":
            is_root = path in ("/", f"/{self.protocol}")
            if (question := path.removeprefix(self.health_prefix)) in HEALTH:
                return self._answers(event, self._health(HEALTH[question]))
            if is_root or _is_below(path, self.health_prefix):
                return self._answers(event, self.get_metadata())
        if path == f"/{self.protocol}/repository/index":
            return self._answers(event, [_in_index(name) for name in self.routes])
        if path != "/" and not _is_below(path, self.url_prefix):
            raise BadRequestError(
                f"illegal path prefix {event.path!r}, must start with "
                f"{self.url_prefix} or {self.health_prefix}"
            )
        return False

    def _health(self, question: str) -> dict[str, bool]:
        """Answer ``live`` and ``ready`` of the Open Inference Protocol."""
        models = [getattr(r.call, "instance", None) for r in self.routes.values()]
        status, answer = health(question, models)
        if status != 200:
            raise ServiceUnavailableError(f"router {self.name}: models are loading")
        return answer

    def _answers(self, event: Any, body: Any) -> bool:
        event.body = body
        if hasattr(event, "terminated"):
            event.terminated = True
        return True

    def _split(self, event: Any) -> tuple[str, str]:
        """Return the model and the operation that the path names, "" for none."""
        rest = path_of(event)[len(self.url_prefix) + 1 :]
        return split_path(rest.strip("/"))

    def _no_model(self, model: str, more: str = "") -> NotFoundError:
        return NotFoundError(
            f"model {model} doesnt exist, available models: "
            f"{' | '.join(self.routes)}{more}{did_you_mean(model, self.routes)}"
        )


class ModelRouter(Router):
    """Send an event to the model that its path or its body names.

    Paths (``url_prefix`` before them, by default ``/v2/models``)::

        GET  /  /v2  /v2/health...               the server's name and version
        GET  /v2/health/live  .../ready          whether it is there, and its models
        GET  /v2/models                          the names of all models
        POST /v2/models/<model>[/versions/<v>][/<operation>]
        GET  /v2/models/<model>[/versions/<v>]   the model's metadata, as it gives it
        GET  .../ready                           whether the model is ready
        POST /v2/repository/index                all models, as a list of objects

    With the path ``/`` ``body["model"]`` names the model (by default the first).
    ``body["operation"]`` says what to do with it, and wins over the path.

    Body in: what the model takes, as an object or JSON text; the bytes of an image
    (content type ``image/...``) become ``{"inputs": [BytesIO]}``.
    Body out: what the model gives. The model sees as ``event.path`` what is left of
    the path (``infer``); afterwards the path is again as it came, so that a flow may
    have a second router.

    Args: as of ``Router``.

    Raises:
        SpecError: there are no routes, or an argument has a wrong value.
        NotFoundError: (from ``do_event``) there is no such model.
        BadRequestError: (from ``do_event``) the path is none of these, or the body is
            no request.

    State: none of its own.

    Source: https://docs.mlrun.org/en/stable/serving/model-api.html

    >>> from types import SimpleNamespace as Event
    >>> router = ModelRouter(routes={"m1": lambda event: event})
    >>> router.do_event(Event(path="/v2/models", method="GET", body=None)).body
    {'models': ['m1']}
    """

    def choose(self, event: Any) -> Route | None:
        model, operation = self._split(event)
        if not model and path_of(event) != "/":
            self._answers(event, {"models": list(self.routes)})
            return None
        body = event.body if isinstance(event.body, Mapping) else {}
        model = model or body.get("model") or next(iter(self.routes))
        if not isinstance(model, str):
            raise BadRequestError(f"'model' must be a model's name, got {model!r}")
        if model not in self.routes:
            raise self._no_model(model)
        # the operation of the body wins over that of the path, as in MLRun
        default = operation or ("infer" if path_of(event) == "/" else "")
        event.path = str(body.get("operation") or default)
        return self.routes[model]


def path_of(event: Any) -> str:
    """Return an event's path with one slash at its beginning and none at its end."""
    return "/" + str(event.path or "").strip("/")


def split_path(rest: str) -> tuple[str, str]:
    """Return model (with its version) and operation of the end of a path.

    >>> split_path("m1/versions/2/infer"), split_path("")
    (('m1:2', 'infer'), ('', ''))
    """
    model, *more = rest.split("/")
    if len(more) >= 2 and more[0] == "versions":
        return f"{model}:{more[1]}", "/".join(more[2:])
    return model, "/".join(more).strip("/")


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _in_index(route: str) -> dict[str, str]:
    name, _, version = route.partition(":")
    return {"name": name, "version": version, "state": "READY", "reason": ""}


def from_json(text: str | bytes | bytearray) -> Any:
    """Return what a body in JSON text holds.

    Raises:
        BadRequestError: it is no JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadRequestError(f"Unrecognized request format: {error}") from None
