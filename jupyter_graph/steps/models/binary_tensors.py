"""The binary form of the open inference protocol: values follow the JSON as they are.

Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps.models.tensors import DATATYPES, Tensor

LENGTH_HEADER: Final = "Inference-Header-Content-Length"
"""How many bytes of a body are JSON; binary values follow them."""


def parameters_of(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of a request, an input or an output."""
    parameters = holder.get("parameters")
    return parameters if isinstance(parameters, Mapping) else {}


def joined(document: Any, pieces: list[bytes]) -> tuple[bytes, int]:
    """Return the body of a binary answer, and how many bytes of it are JSON."""
    text = json.dumps(document, ensure_ascii=False).encode()
    return b"".join([text, *pieces]), len(text)


def binary_of(tensor: Tensor) -> bytes:
    """Return the values of a tensor, the lowest byte of a number first."""
    if tensor.datatype == "BYTES":
        texts = [v if isinstance(v, bytes) else v.encode() for v in tensor.data]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    import numpy as np

    kind = np.dtype(DATATYPES[tensor.datatype]).newbyteorder("<")
    return np.ascontiguousarray(tensor.data, dtype=kind).tobytes()


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
        size = (
            parameters_of(one).get("binary_data_size")
            if isinstance(one, dict)
            else None
        )
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
