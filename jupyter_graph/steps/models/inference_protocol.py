"""The open inference protocol: requests and answers of KServe, Triton and others.

A request is known by its shape: each of its inputs says ``name`` and ``datatype``.
Values may follow the JSON as they are, in binary.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
and https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps.models.tensors import DATATYPES, Columns, Tensor, tensor_of

LENGTH_HEADER: Final = "Inference-Header-Content-Length"
"""How many bytes of a body are JSON; binary values follow them."""


@dataclass(frozen=True, slots=True)
class Inference:
    """A request of the protocol.

    Attributes:
        tensors: its inputs.
        wanted: the names of the outputs that it asks for, all when empty.
        binary: whether an output's values are wanted in binary, by its name; "" stands
            for all others.
    """

    tensors: tuple[Tensor, ...]
    wanted: tuple[str, ...]
    binary: Mapping[str, bool]

    def inputs(self, *, as_arrays: bool) -> Any:
        """Return what a model takes: rows; by name where there are several tensors."""
        sizes = {tensor.shape[:1] for tensor in self.tensors}
        if not as_arrays and len(sizes) != 1:
            raise BadRequestError(
                "all inputs must have the same number of rows, got the shapes "
                f"{[list(tensor.shape) for tensor in self.tensors]}"
            )
        named = {t.name: t.array() if as_arrays else t.rows() for t in self.tensors}
        if len(named) == 1:
            return named[self.tensors[0].name]
        if as_arrays:
            return Columns(named)
        columns = zip(*named.values(), strict=True)
        return [dict(zip(named, row, strict=True)) for row in columns]


def read_body(body: Any, header: str | None) -> Any:
    """Return the request of a body whose values follow in binary, else the body.

    Args:
        body: what came.
        header: the value of ``LENGTH_HEADER``, None when it did not come.

    Raises:
        BadRequestError: the header is no length, or the body is not what it says.

    >>> text = b'{"inputs": [{"name": "x", "parameters": {"binary_data_size": 2}}]}'
    >>> read_body(text + b"ab", str(len(text)))["inputs"][0]["data"]
    b'ab'
    """
    if header is None or not isinstance(body, bytes):
        return body
    if not header.isdecimal() or int(header) > len(body):
        raise BadRequestError(
            f"{LENGTH_HEADER} must be the length of the JSON part, got {header!r}"
        )
    at = int(header)
    try:
        document = json.loads(body[:at])
    except ValueError as error:
        raise BadRequestError(f"the JSON part of the body: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("inputs"), list):
        raise BadRequestError('Expected key "inputs" in request body')
    for one in document["inputs"]:
        size = _parameters_of(one).get("binary_data_size")
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(body) - at:
            raise BadRequestError(
                f"binary_data_size of input {one.get('name')!r} is {size!r}, but "
                f"{len(body) - at} bytes are left"
            )
        one["data"] = body[at : at + size]
        at += size
    return document


def is_inference(body: Any) -> bool:
    """Tell whether a body is a request of this protocol.

    >>> is_inference({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1]}]})
    True
    >>> is_inference({"inputs": [{"name": "ann", "age": 30}]})
    False
    """
    inputs = body.get("inputs") if isinstance(body, dict) else None
    first = inputs[0] if isinstance(inputs, list) and inputs else None
    if not isinstance(first, dict) or "datatype" not in first or "name" not in first:
        return False
    return "shape" in first or "data" in first


def read_inference(body: Mapping[str, Any]) -> Inference:
    """Return the request in a body.

    Raises:
        BadRequestError: a tensor lacks a part, or its values do not fit its shape.
    """
    tensors = tuple(_tensor(number, one) for number, one in enumerate(body["inputs"]))
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        raise BadRequestError(f"two inputs have the same name: {names}")
    wanted = body.get("outputs") or []
    if not isinstance(wanted, list) or not all(
        isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in wanted
    ):
        raise BadRequestError(
            f"'outputs' must be a list of objects with a name, got {wanted!r}"
        )
    # the request's own word is the default, each output may say otherwise
    binary = {"": bool(_parameters_of(body).get("binary_data_output"))}
    for one in wanted:
        if "binary_data" in (parameters := _parameters_of(one)):
            binary[one["name"]] = bool(parameters["binary_data"])
    return Inference(tensors, tuple(one["name"] for one in wanted), binary)


def _parameters_of(holder: Any) -> Mapping[str, Any]:
    """Return the parameters of a request, an input or an output."""
    parameters = holder.get("parameters") if isinstance(holder, Mapping) else None
    return parameters if isinstance(parameters, Mapping) else {}


def _tensor(number: int, one: Any) -> Tensor:
    if not isinstance(one, Mapping):
        raise BadRequestError(f"inputs[{number}] must be an object, got {one!r}")
    missing = [key for key in ("name", "shape", "datatype", "data") if key not in one]
    if missing:
        raise BadRequestError(f"inputs[{number}] has no {missing[0]!r}")
    name, shape, datatype = one["name"], one["shape"], one["datatype"]
    if datatype not in DATATYPES:
        raise BadRequestError(
            f"input {name!r} has the datatype {datatype!r}, known are "
            f"{', '.join(DATATYPES)}"
        )
    if not isinstance(shape, list) or not all(
        type(size) is int and size >= 0 for size in shape
    ):
        raise BadRequestError(
            f"input {name!r}: 'shape' must be a list of sizes, got {shape!r}"
        )
    return Tensor(str(name), datatype, tuple(shape), one["data"])


def tensors_of(
    outputs: Any, names: Iterable[str], types: Mapping[str, str]
) -> list[Tensor]:
    """Return the tensors of what a model gave.

    Args:
        outputs: ``Columns``, or the values of one tensor.
        names: what the tensors are called where ``outputs`` does not say it.
        types: datatypes that tensors must have, by name.
    """
    if isinstance(outputs, Columns):
        return [tensor_of(key, one, types.get(key)) for key, one in outputs.items()]
    name = next(iter(names), "output_0")
    return [tensor_of(name, outputs, types.get(name))]


def _chosen(tensors: list[Tensor], wanted: tuple[str, ...], model: str) -> list[Tensor]:
    """Return the tensors that a request asks for.

    Raises:
        BadRequestError: the model gives no such output.
    """
    if not wanted:
        return tensors
    by_name = {tensor.name: tensor for tensor in tensors}
    for name in wanted:
        if name not in by_name:
            raise BadRequestError(
                f"model {model} gives no output {name!r}, but {', '.join(by_name)}"
            )
    return [by_name[name] for name in wanted]


def reply(
    head: dict[str, Any],
    tensors: list[Tensor],
    inference: Inference,
    response: Callable[..., Any] | None,
) -> Any:
    """Return the answer to a request: a document, or a response with binary values.

    Args:
        head: what stands beside the outputs.
        tensors: all outputs of the model.
        inference: the request.
        response: makes an answer with headers; without it, values stay in the document.

    Raises:
        BadRequestError: the request wants an output that there is not.
    """
    binary = inference.binary if response is not None else {"": False}
    outputs: list[dict[str, Any]] = []
    pieces: list[bytes] = []
    for tensor in _chosen(tensors, inference.wanted, head["model_name"]):
        one: dict[str, Any] = {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        if binary.get(tensor.name, binary[""]):
            pieces.append(tensor.binary())
            one["parameters"] = {"binary_data_size": len(pieces[-1])}
        elif isinstance(tensor.data, list):
            one["data"] = [_readable(value) for value in tensor.data]
        else:
            one["data"] = tensor.data.ravel().tolist()
        outputs.append(one)
    document = {**head, "outputs": outputs}
    if not pieces or response is None:
        return document
    text = json.dumps(document, ensure_ascii=False).encode()
    return response(
        body=b"".join([text, *pieces]),
        headers={LENGTH_HEADER: str(len(text))},
        content_type="application/octet-stream",
    )


def _readable(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


# -- what a server says of itself ---------------------------------------------------


def health(question: str, models: Iterable[Any]) -> tuple[int, dict[str, bool]]:
    """Return status and answer of ``GET /v2/health/live`` and ``/ready``.

    Args:
        question: ``live`` or ``ready``.
        models: the model servers; what does not say ``ready`` counts as ready.

    >>> health("live", [])
    (200, {'live': True})
    """
    fine = question == "live" or all(getattr(one, "ready", True) for one in models)
    return (200 if fine else 503), {question: fine}
