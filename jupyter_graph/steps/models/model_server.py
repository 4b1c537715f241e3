"""The base class of model servers: MLRun's protocol, and the open inference protocol.

Source: MLRun's V2ModelServer,
https://docs.mlrun.org/en/stable/serving/custom-model-serving-class.html
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from jupyter_graph.errors import BadRequestError, MethodNotAllowedError, SpecError
from jupyter_graph.steps.models import inference_protocol
from jupyter_graph.steps.models.model_answers import ModelAnswers
from jupyter_graph.steps.models.request_kind import (
    OPERATIONS,
    Call,
    body_of,
    operation_of,
)
from jupyter_graph.steps.models.tensors import Columns
from jupyter_graph.values.dotted_path import part_of, with_part

HOOKS: Final = ("preprocess", "validate", "predict", "explain", "postprocess")


class V2ModelServer(ModelAnswers):
    """Serve one model; a subclass writes ``load`` and ``predict``.

    Body in: ``{"inputs": [...], "id": str?}``. Body out: ``{"id": str, "model_name":
    str, "outputs": [...], "timestamp": str}``; ``explain`` gives no timestamp. A
    request of the open inference protocol gets an answer of that protocol.

    Operations, by the path or by its end: ``infer`` and ``predict`` (the default of
    a POST), ``infer_dict`` and ``predict_dict`` (inputs by name), ``explain``,
    ``ready`` (GET), and ``op_<name>(event)`` of the subclass; a GET without one gives
    the model's metadata. Each hook may be a coroutine; ``do_event`` is one then.

    State: the loaded model and what a subclass keeps, in memory; gone at a restart,
    kept by a hot swap of other steps, one for each worker.

    >>> class Times(V2ModelServer):
    ...     def predict(self, request):
    ...         return [x * self.model for x in request["inputs"]]
    >>> Times(name="twice", model=2).predict({"inputs": [1, 2]})
    [2, 4]
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Choose ``do_event``: what is called is a coroutine where a hook is one."""
        super().__init_subclass__(**kwargs)
        ours = (V2ModelServer.do_event, V2ModelServer.do_event_async)
        # only where the subclass did not write a do_event of its own
        if cls.do_event in ours:
            cls.do_event = ours[is_async(cls)]  # type: ignore[method-assign]

    def post_init(self, mode: str = "sync", **_: Any) -> None:
        """Load the model before the first event, or begin to."""
        own = type(self)
        if is_async(own) and not inspect.iscoroutinefunction(own.do_event):
            raise SpecError(
                f"{own.__name__} has coroutines, so its do_event must be one: "
                "async def do_event(self, event), with await self.do_event_async(event)"
            )
        super().post_init(mode)

    # -- what a subclass writes -------------------------------------------------

    def preprocess(self, request: Any, operation: str) -> Any:
        """Change the request before it is checked; it is None without a body."""
        return request

    def validate(self, request: Any, operation: str) -> Any:
        """Refuse a request that the model cannot take."""
        if request is None:
            raise BadRequestError(
                'Expected key "inputs" in request body; the body is of type NoneType, '
                "not an object"
            )
        if self.protocol == "v2":
            if "inputs" not in request:
                raise BadRequestError('Expected key "inputs" in request body')
            inputs = request["inputs"]
            is_list = isinstance(inputs, list | Columns)
            if not is_list and not hasattr(inputs, "__array__"):
                raise BadRequestError('Expected "inputs" to be a list')
        return request

    def predict(self, request: dict[str, Any]) -> Any:
        """Return one output for each of ``request["inputs"]``."""
        raise NotImplementedError(
            f"{type(self).__name__} has no predict(self, request)"
        )

    def explain(self, request: dict[str, Any]) -> Any:
        """Return an explanation for the inputs."""
        raise BadRequestError(
            f"model {self.name} does not explain (NotImplementedError: "
            f"{type(self).__name__} has no explain(self, request))"
        )

    def postprocess(self, response: dict[str, Any]) -> Any:
        """Change the answer."""
        return response

    # -- the protocol -----------------------------------------------------------

    def do_event(self, event: Any) -> Any:
        """Answer an event."""
        call = self._call_of(event)
        if call is None:
            return event
        if call.custom is not None:
            event.body = self._placed(event, call.custom(event))
            return event
        try:
            self._check_readiness(event)
            self._take(call, event)
            request = self.preprocess(call.request, call.operation)
            call.request = request = self.validate(request, call.operation)
            work = self.explain if call.operation == "explain" else self.predict
            answer = self.postprocess(self._answer(call, work(request)))
            event.body = self._placed(event, self._finished(call, answer))
        except Exception as error:
            if (refusal := self._failed(call, error)) is None:
                raise
            event.body = refusal
        return event

    async def do_event_async(self, event: Any) -> Any:
        """``do_event`` where a hook is a coroutine."""
        call = self._call_of(event)
        if call is None:
            return event
        if call.custom is not None:
            event.body = self._placed(event, await _now(call.custom(event)))
            return event
        try:
            await self._check_readiness_async(event)
            self._take(call, event)
            request = await _now(self.preprocess(call.request, call.operation))
            request = await _now(self.validate(request, call.operation))
            call.request = request
            work = self.explain if call.operation == "explain" else self.predict
            answer = self._answer(call, await _now(work(request)))
            answer = await _now(self.postprocess(answer))
            event.body = self._placed(event, self._finished(call, answer))
        except Exception as error:
            if (refusal := self._failed(call, error)) is None:
                raise
            event.body = refusal
        return event

    def _call_of(self, event: Any) -> Call | None:
        """Return what is asked; None when the event already holds the answer."""
        body = part_of(body_of(event), self._input_path)
        operation = operation_of(event, body)
        if operation in OPERATIONS and not (event.method == "GET" and body is None):
            is_inference = inference_protocol.is_inference(body)
            return Call(operation, request=body, is_inference=is_inference)
        if event.method == "GET" and operation == "ready":
            event.body = self._readiness(event)
            return None
        if event.method == "GET" and not operation:
            event.body = self._placed(event, self._metadata())
            return None
        custom = getattr(self, f"op_{operation}", None)
        if callable(custom):
            return Call(operation, custom=custom)
        refuse = MethodNotAllowedError if event.method == "GET" else BadRequestError
        without = "; without a body, an argument of type 'NoneType' is not a request"
        more = without if operation in OPERATIONS else ""
        raise refuse(
            f"illegal model operation {operation}, method={event.method}{more}"
        )

    def _placed(self, event: Any, answer: Any) -> Any:
        """Return the body that the event has from now on."""
        return with_part(event.body, self._result_path, answer)


def is_async(cls: type) -> bool:
    """Tell whether a hook, or an operation of its own, is a coroutine."""
    own = [name for name in dir(cls) if name.startswith("op_")]
    return any(_is_coroutine(getattr(cls, name)) for name in (*HOOKS, *own))


def _is_coroutine(hook: Any) -> bool:
    # a decorator may hide a coroutine function behind a plain wrapper
    inner = inspect.unwrap(hook) if callable(hook) else hook
    return inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(inner)


async def _now(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result
