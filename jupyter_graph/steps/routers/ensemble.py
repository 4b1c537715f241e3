"""A router whose routes are models that vote.

Source: MLRun's VotingEnsemble,
https://docs.mlrun.org/en/stable/serving/model-api.html
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import BadRequestError, MethodNotAllowedError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.routers.fan_out import Replies
from jupyter_graph.steps.routers.parallel_run import EVERY, ParallelRun
from jupyter_graph.steps.routers.router import BY_NAME, Router, path_of
from jupyter_graph.steps.routers.router_routes import Route
from jupyter_graph.steps.routers.votes import are_classes, majority, mean, weights_of

OPERATIONS = ("infer", "predict", "explain")
VOTE_TYPES = ("classification", "regression")


class VotingEnsemble(ParallelRun):
    """Ask all models at once and give what they vote for, or ask a single one.

    Paths (``url_prefix`` before them, by default ``/v2/models``)::

        GET  /  /v2  /v2/health...             the server's name and version
        GET  /v2/models                        the names of all models, and the weights
        POST /  /v2/models/<operation>         all models: infer, predict or explain
        POST /v2/models/<ensemble>[/<operation>]                  all models
        GET  /v2/models/<ensemble>             inputs and outputs, as the models say
        POST /v2/models/<model>[/versions/<v>][/<operation>]      that model alone

    Body in: ``{"inputs": [...], "operation": str}``; the operation wins over the path.
    Body out: ``{"id": str, "model_name": str, "outputs": [...]}``, one output for each
    input; where the models give their outputs so, ``outputs`` is
    ``{prediction_col_name: [...]}``.

    Args:
        context: the surroundings; None outside a graph.
        name: the ensemble's name.
        routes: what is called for each model, by its name.
        protocol: as of ``Router``.
        url_prefix: as of ``Router``.
        health_prefix: as of ``Router``.
        vote_type: ``classification``: the class that weighs most, the lowest of
            several. ``regression``: the sum of the predictions times their weights. By
            default the first answer decides, for good: classification when all its
            predictions are whole numbers or texts.
        weights: numbers by model, a model that is not named weighs 0; by default all
            weigh alike. A sum below 1 is scaled up to 1; one above is taken as it is.
        executor_type: as of ``ParallelRun``.
        format_response_with_col_name_flag: the outputs of the models must be
            ``{prediction_col_name: [...]}``, those of the ensemble are, too.
        prediction_col_name: the key of the predictions, where outputs are an object.
        shard_by_endpoint: kept for MLRun's documents; there is no endpoint here.
        model_endpoint_uid: kept for MLRun's documents; stands in the answers.
        **kwargs: further arguments of ``ParallelRun``. Where a failing model is left
            out, the weights of the others take its part.

    Raises:
        SpecError: an argument has a wrong value.
        BadRequestError: (from ``do_event``) the body has no list of inputs.
        NotFoundError: (from ``do_event``) there is no such model.
        ValueError: (from ``do_event``) the models gave different numbers of outputs.

    State: as of ``ParallelRun``; and what kind of vote it is, once an answer decided
    that, for each process. Say ``vote_type`` where it must not depend on the first
    event.

    Source: https://docs.mlrun.org/en/stable/serving/model-api.html

    >>> from types import SimpleNamespace as Event
    >>> def says(*outputs):
    ...     return lambda event: Event(body={"outputs": list(outputs)})
    >>> routes = {"a": says(1, 2), "b": says(1, 3), "c": says(2, 3)}
    >>> ensemble = VotingEnsemble(routes=routes, executor_type="array")
    >>> event = Event(id="7", path="/", method="POST", body={"inputs": [0, 0]})
    >>> ensemble.do_event(event).body
    {'id': '7', 'model_name': 'VotingEnsemble', 'outputs': [1, 3]}
    """

    @takes_arguments_of(Router, without=BY_NAME, positional=6)
    def __init__(
        self,
        *router: Any,
        vote_type: str | None = None,
        weights: Mapping[str, float] | None = None,
        executor_type: str = "thread",
        format_response_with_col_name_flag: bool = False,
        prediction_col_name: str | None = "prediction",
        shard_by_endpoint: bool | None = None,
        model_endpoint_uid: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*router, executor_type=executor_type, **kwargs)
        is_known = vote_type in (None, *VOTE_TYPES)
        require(is_known, f"vote_type must be {' or '.join(VOTE_TYPES)}", vote_type)
        self.vote_type = vote_type
        self.format_response_with_col_name_flag = format_response_with_col_name_flag
        self.prediction_col_name = prediction_col_name or "prediction"
        self.model_endpoint_uid = model_endpoint_uid
        self._weights = weights_of(weights, self.routes)
        weightless = {name: 0 for name in self.routes if name not in (weights or {})}
        self.weights = None if weights is None else {**weights, **weightless}
        self._lock = threading.Lock()

    # -- what a subclass may write ----------------------------------------------

    def logic(self, predictions: Any, weights: Any) -> list[Any]:
        """Return the vote for each sample; a subclass may override it.

        Args:
            predictions: ``(samples, models)``; numpy arrays for a subclass where numpy
                is installed, else lists.
            weights: ``(models,)``, in the same order.
        """
        predictions, weights = _as_list(predictions), _as_list(weights)
        with self._lock:
            # decided once, by the first answers; under the lock, so that two events
            # agree
            if self.vote_type is None:
                is_classes = are_classes(predictions)
                self.vote_type = VOTE_TYPES[0] if is_classes else VOTE_TYPES[1]
        vote = majority if self.vote_type == "classification" else mean
        return vote(predictions, weights)

    def validate(self, request: Any, method: str) -> Any:
        """Refuse a request that no model can take."""
        if self.protocol == "v2" and method != "GET":
            if not isinstance(request, Mapping):
                raise BadRequestError(
                    'Expected key "inputs" in request body; argument of type '
                    f"{type(request).__name__!r} is not an object"
                )
            if "inputs" not in request:
                raise BadRequestError('Expected key "inputs" in request body')
            if not isinstance(request["inputs"], list):
                raise BadRequestError('Expected "inputs" to be a list')
        return request

    def extract_results_from_response(self, response: Any) -> Any:
        """Return the predictions that a model's ``outputs`` hold."""
        if not isinstance(response, Mapping):
            if self.format_response_with_col_name_flag:
                raise TypeError(
                    "list indices must be integers or slices, not str: with "
                    "format_response_with_col_name_flag models give their outputs as "
                    f"{{{self.prediction_col_name!r}: [...]}}, "
                    f"got {type(response).__name__}"
                )
            return response
        if self.prediction_col_name not in response:
            raise ValueError(
                f"the outputs have no {self.prediction_col_name!r}, which "
                f"prediction_col_name names; they have {', '.join(response)}"
            )
        return response[self.prediction_col_name]

    # -- one event --------------------------------------------------------------

    def choose(self, event: Any) -> Route | None:
        model, operation = self._asked_for(event)
        if not model:
            listed = {"models": [*self.routes, self.name], "weights": self.weights}
            self._answers(event, listed)
            return None
        event.body = self.validate(event.body, event.method)
        event.path = operation
        if model in self.routes:
            return self.routes[model]
        if model != self.name:
            raise self._no_model(
                model,
                f" | {self.name} or an operation alone for ensemble operation",
            )
        return EVERY if event.method != "GET" else self._about_all(event)

    def _asked_for(self, event: Any) -> tuple[str, str]:
        """Return model and operation; without a model the models are to be listed."""
        model, operation = self._split(event)
        is_root = path_of(event) == "/"
        if not model and not is_root:
            return "", ""
        if model in OPERATIONS and not operation:
            return self.name, model
        body = event.body if isinstance(event.body, Mapping) else {}
        default = "infer" if is_root else operation
        return model or self.name, str(body.get("operation") or default)

    def _about_all(self, event: Any) -> Route | None:
        if event.path == "ready":  # the models were loaded before the first event
            event.body = b""
            return None
        if event.path:
            raise MethodNotAllowedError(
                f"illegal model operation {event.path}, method=GET"
            )
        return EVERY

    def merge(self, event: Any, replies: Replies) -> Any:
        """Return the event, answered with the vote, or with what the models say."""
        if event.method == "GET":
            event.body = self._metadata(replies)
            return event
        results = self.results_of(event, replies)
        outputs = {name: _outputs(name, body) for name, body in results.items()}
        votes: Any = self._vote(outputs)
        has_names = any(isinstance(output, Mapping) for output in outputs.values())
        if self.format_response_with_col_name_flag or has_names:
            votes = {self.prediction_col_name: votes}
        body = {"id": event.id, "model_name": self.name, "outputs": votes}
        if self.model_endpoint_uid:
            body["model_endpoint_uid"] = self.model_endpoint_uid
        event.body = body
        return event

    def _vote(self, outputs: Mapping[str, Any]) -> list[Any]:
        by_model = {
            name: _as_list(self.extract_results_from_response(given))
            for name, given in outputs.items()
        }
        sizes = {name: len(predictions) for name, predictions in by_model.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(
                f"the models of {self.name!r} gave different numbers of outputs: "
                f"{sizes}"
            )
        predictions: Any = [list(row) for row in zip(*by_model.values(), strict=True)]
        weights: Any = self._weights_among(by_model)
        if type(self).logic is not VotingEnsemble.logic:
            predictions, weights = _as_arrays(predictions, weights)
        return _as_list(self.logic(predictions, weights))

    def _weights_among(self, answered: Mapping[str, Any]) -> list[float]:
        """Return the weights of those that answered, scaled to the sum of all."""
        weights = [self._weights[name] for name in answered]
        if len(weights) == len(self._weights):
            return weights
        total = sum(weights)
        if total <= 0:
            raise ValueError(
                f"only models without weight answered in {self.name!r}: "
                f"{', '.join(answered)}"
            )
        # the sum of the weights stays, so a regression keeps its scale when a model
        # fails
        scale = sum(self._weights.values()) / total
        return [weight * scale for weight in weights]

    def _metadata(self, replies: Replies) -> dict[str, Any]:
        bodies = [r.body for r in replies.values() if isinstance(r.body, Mapping)]
        metadata: dict[str, Any] = {
            "name": self.name,
            "model_endpoint_uid": self.model_endpoint_uid or "",
        }
        for key in ("inputs", "outputs"):
            metadata[key] = next((body[key] for body in bodies if body.get(key)), [])
        return metadata


def _outputs(name: str, body: Any) -> Any:
    if isinstance(body, Mapping) and "outputs" in body:
        return body["outputs"]
    raise TypeError(
        f"model {name!r} must answer with an object that has 'outputs', "
        f"got {type(body).__name__}"
    )


def _as_list(values: Any) -> list[Any]:
    listed = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(listed, list | tuple):
        raise TypeError(f"outputs must be a list, got {type(values).__name__}")
    return list(listed)


def _as_arrays(predictions: Any, weights: Any) -> tuple[Any, Any]:
    try:
        import numpy
    except ImportError:
        return predictions, weights
    return numpy.array(predictions), numpy.array(weights)
