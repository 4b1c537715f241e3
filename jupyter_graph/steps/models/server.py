"""The base class of model servers: the V2 inference protocol.

Source: MLRun's V2ModelServer,
https://docs.mlrun.org/en/stable/serving/custom-model-serving-class.html
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jupyter_graph.errors import (
    BadRequestError,
    MethodNotAllowedError,
    ServiceUnavailableError,
    SpecError,
)


class V2ModelServer:
    """Serve one model; a subclass writes ``load`` and ``predict``.

    Body in: ``{"inputs": [...], "id": str?}``. Body out: ``{"id": str, "model_name":
    str, "outputs": [...], "timestamp": str}``; ``explain`` gives no timestamp.

    Operations, by the end of the path: ``infer`` and ``predict`` (the default of a
    POST), ``explain``, ``ready`` (GET), and ``op_<name>(event)`` of the subclass; a GET
    without one gives the model's metadata.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name, ``name:version`` where it has a version.
        model_path: where ``load`` finds the model.
        model: a model that is loaded already.
        **class_args: read by ``get_param``.
    """

    def __init__(
        self,
        context: Any = None,
        name: str = "model",
        model_path: str | None = None,
        model: Any = None,
        **class_args: Any,
    ) -> None:
        self.context = context
        self.name, _, self.version = name.partition(":")
        self.model_path = model_path
        self.model = model
        self._params = class_args
        self.ready = False
        self._lock = threading.Lock()

    def post_init(self, mode: str = "sync", **_: Any) -> None:
        """Load the model before the first event."""
        for name in ("load", "predict", "explain"):
            if inspect.iscoroutinefunction(getattr(self, name)):
                raise SpecError(
                    f"{type(self).__name__}.{name} must be a plain function, not a "
                    "coroutine; --blocking keeps it off the loop"
                )
        self._load()

    def _load(self) -> None:
        with self._lock:
            if self.ready:
                return
            if self.model is None:
                try:
                    self.load()
                except Exception as error:
                    raise SpecError(
                        f"failed to load model {self.name}: "
                        f"{type(error).__name__}: {error}"
                    ) from error
            self.ready = True

    def load(self) -> None:
        """Load the model, usually into ``self.model``."""

    def get_param(self, key: str, default: Any = None) -> Any:
        """Give an argument of this step, else a parameter of the graph."""
        if key in self._params:
            return self._params[key]
        return self.context.get_param(key, default) if self.context else default

    # -- what a subclass writes -------------------------------------------------

    def preprocess(self, request: dict[str, Any], operation: str) -> dict[str, Any]:
        """Change the request before it is checked."""
        return request

    def validate(self, request: dict[str, Any], operation: str) -> dict[str, Any]:
        """Refuse a request that the model cannot take."""
        if operation in ("infer", "predict", "explain"):
            if "inputs" not in request:
                raise BadRequestError('Expected key "inputs" in request body')
            if not isinstance(request["inputs"], list):
                raise BadRequestError('Expected "inputs" to be a list')
        return request

    def predict(self, request: dict[str, Any]) -> Any:
        """Give one output for each of ``request["inputs"]``."""
        raise SpecError(f"{type(self).__name__} has no predict(self, request)")

    def explain(self, request: dict[str, Any]) -> Any:
        """Give an explanation for the inputs."""
        raise BadRequestError(f"model {self.name} does not explain")

    def postprocess(self, response: dict[str, Any]) -> dict[str, Any]:
        """Change the answer."""
        return response

    # -- the protocol -----------------------------------------------------------

    def do_event(self, event: Any) -> Any:
        operation = str(event.path or "").strip("/").split("/")[-1]
        body = event.body if event.body is not None else {}
        custom = getattr(self, f"op_{operation}", None)
        if callable(custom):
            event.body = custom(event)
            return event
        if event.method == "GET":
            event.body = self._get(operation)
            return event
        if not isinstance(body, Mapping):
            raise BadRequestError(
                f"a model takes an object with 'inputs', got {type(body).__name__}"
            )
        operation = operation or "infer"
        if operation not in ("infer", "predict", "explain"):
            raise BadRequestError(
                f"illegal model operation {operation}, method={event.method}"
            )
        event.body = self._answer(event, dict(body), operation)
        return event

    def _get(self, operation: str) -> Any:
        if operation == "ready":
            if not self.ready:
                raise ServiceUnavailableError(f"model {self.name} is not ready yet")
            return b""
        if operation:
            raise MethodNotAllowedError(
                f"illegal model operation {operation}, method=GET"
            )
        return {"name": self.name, "version": self.version, "inputs": [], "outputs": []}

    def _answer(
        self, event: Any, body: dict[str, Any], operation: str
    ) -> dict[str, Any]:
        if not self.ready:
            self._load()
        request = self.preprocess(body, operation)
        request.setdefault("id", event.id)
        request = self.validate(request, operation)
        work = self.explain if operation == "explain" else self.predict
        answer = {
            "id": request["id"],
            "model_name": self.name,
            "outputs": work(request),
        }
        if self.version:
            answer["model_version"] = self.version
        if operation != "explain":
            answer["timestamp"] = str(datetime.now(UTC))
        return self.postprocess(answer)
