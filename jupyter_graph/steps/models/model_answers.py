"""From a request to what the hooks get, and from what they give to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from jupyter_graph.errors import BadRequestError, StatusError
from jupyter_graph.steps.models import inference_protocol
from jupyter_graph.steps.models.model_lifecycle import ModelLifecycle
from jupyter_graph.steps.models.model_schema import Feature, in_order
from jupyter_graph.steps.models.request_kind import PREDICTIONS, Call


class ModelAnswers(ModelLifecycle):
    """What a model server says, in MLRun's words and in the open inference protocol's.

    Attributes:
        platform: what the metadata call the framework; "" says nothing of it.
        takes_arrays: ``predict`` takes numpy arrays where the caller sent tensors.
        output_names: what the outputs of ``predict`` are called.
    """

    platform: ClassVar[str] = ""
    takes_arrays: ClassVar[bool] = False
    output_names: tuple[str, ...] = ("output_0",)

    def logged_results(
        self, request: dict[str, Any], response: dict[str, Any], op: str
    ) -> tuple[list[Any] | None, list[Any] | None]:
        """Return other inputs and outputs for the records; None keeps both."""
        return None, None

    def input_names(self) -> list[str]:
        """Return the names of the features, in the order the model takes them."""
        return [feature["name"] for feature in self.inputs]

    def describe(self) -> tuple[list[Feature], list[Feature]]:
        """Return inputs and outputs for the metadata."""
        return list(self.inputs), list(self.outputs)

    # -- in and out --------------------------------------------------------------

    def _take(self, call: Call, event: Any) -> None:
        """Fill the call with the request that the hooks get."""
        body = call.request
        if body is None:  # preprocess may make a request of nothing
            call.id = event.id
            return
        if not isinstance(body, (dict, Mapping)):
            raise BadRequestError(
                f"a model takes an object with 'inputs', got {type(body).__name__}"
            )
        call.id = body["id"] if "id" in body else event.id  # noqa: SIM401 - ids are made late
        request = dict(body)
        if call.is_inference:
            inference = inference_protocol.read_inference(body)
            request.pop("outputs", None)
            request["inputs"] = inference.inputs(as_arrays=self.takes_arrays)
            call.inference = inference if call.operation in PREDICTIONS else None
        elif call.operation.endswith("_dict"):
            request["inputs"] = in_order(request.get("inputs"), self._names())
        call.request = request

    def _names(self) -> list[str]:
        names = self.input_names()
        if not names:
            raise BadRequestError(
                "in order to use the operation predict_dict or infer_dict, the model "
                "has to know the names of its inputs: provide `inputs=[...]`, or a "
                "`model_path` with a model_spec.yaml"
            )
        return names

    def _answer(self, call: Call, outputs: Any) -> dict[str, Any]:
        is_prediction = call.operation in PREDICTIONS
        answer = {
            "id": call.id,
            "model_name": self.plain_name if is_prediction else self.name,
            "outputs": outputs,
        }
        if is_prediction:
            answer["timestamp"] = call.start.isoformat(" ", "microseconds")
        if self.model_endpoint_uid:
            answer["model_endpoint_uid"] = self.model_endpoint_uid
        return answer

    def _finished(self, call: Call, answer: Any) -> Any:
        """Record the answer, and return it in the protocol of its request."""
        if self._sink is not None:
            self._sink(self._record(call, **self._logged(call, answer)))
        if call.inference is None:
            return answer
        head = {"model_name": self.plain_name, "id": str(call.id)}
        if self.version:
            head["model_version"] = self.version
        names = [one["name"] for one in self.outputs] or self.output_names
        types = {o["name"]: o["datatype"] for o in self.outputs if "datatype" in o}
        tensors = inference_protocol.tensors_of(answer["outputs"], names, types)
        response = self.context.Response if self.context is not None else None
        return inference_protocol.reply(head, tensors, call.inference, response)

    def _logged(self, call: Call, answer: Any) -> dict[str, Any]:
        inputs, outputs = self.logged_results(call.request, answer, call.operation)
        if inputs is None and outputs is None:
            return {"request": call.request, "resp": answer}
        request = {"id": call.id, "inputs": inputs or []}
        return {"request": request, "resp": {"outputs": outputs or []}}

    def _record(self, call: Call, **parts: Any) -> dict[str, Any]:
        """Return what was asked and answered, for monitoring.

        Args:
            call: what was asked.
            **parts: ``request`` and ``resp``, or ``request`` and ``error``.

        Source: the records of MLRun's model monitoring stream,
        https://docs.mlrun.org/en/stable/model-monitoring/
        """
        record = {
            "class": type(self).__name__,
            "worker": getattr(self.context, "worker_id", None),
            "model": self.name,
            "endpoint_id": self.model_endpoint_uid,
            "op": call.operation,
            "when": call.start.isoformat(sep=" ", timespec="microseconds"),
            "microsec": round((datetime.now(UTC) - call.start).total_seconds() * 1e6),
            **parts,
        }
        if self.labels:
            record["labels"] = dict(self.labels)
        if self.metrics:
            record["metrics"] = dict(self.metrics)
        inputs = (parts.get("request") or {}).get("inputs")
        if isinstance(inputs, list):
            record["effective_sample_count"] = len(inputs)
        return record

    def _failed(self, call: Call, error: Exception) -> Any:
        """Record a failure; return the protocol's own form of one that has a status."""
        if self._sink is not None:
            self._sink(self._record(call, request=call.request, error=f"{error}"))
        is_ours = call.is_inference and isinstance(error, StatusError)
        if not is_ours or self.context is None:
            return None
        status = error.status_code  # type: ignore[attr-defined]
        return self.context.Response(body={"error": f"{error}"}, status_code=status)

    def _metadata(self) -> dict[str, Any]:
        inputs, outputs = self.describe()
        metadata = {
            "name": self.plain_name,
            "model_endpoint_uid": self.model_endpoint_uid or "",
            "inputs": inputs,
            "outputs": outputs,
        }
        if self.platform or inputs or outputs:
            metadata["platform"] = self.platform
            metadata["versions"] = [self.version] if self.version else []
        return metadata

    def _readiness(self, event: Any) -> Any:
        if not self.ready and self.context is None:
            raise StatusError("model not ready", status_code=408)
        if not self.ready:
            return self.context.Response(body=b"model not ready", status_code=408)
        return f"Model {self.name} is ready (event_id = {event.id})".encode()
