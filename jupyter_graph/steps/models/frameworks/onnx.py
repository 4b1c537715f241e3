"""Serving ONNX models with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.models.frameworks.framework_server import FrameworkServer
from jupyter_graph.steps.models.input_conversion import cast_input, check_shape
from jupyter_graph.steps.models.model_files import ModelFile
from jupyter_graph.steps.models.model_rows import feature, plain, rows_of
from jupyter_graph.steps.models.model_schema import Feature
from jupyter_graph.steps.models.tensors import DATATYPES, NAMES, Columns

TYPES: Final = {
    # most have numpy's names
    **{f"tensor({kind})": datatype for kind, datatype in NAMES.items()},
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}
"""ONNX Runtime's types, and the open inference protocol's."""

PREFERRED: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")


class ONNXModelServer(FrameworkServer):
    """Serve an ONNX model.

    Body in: ``{"inputs": rows}`` for a model of one input; ``{"inputs": [one value for
    each input]}`` in the order of the inputs; rows as mappings of an input to its
    value; or tensors of the open inference protocol by the names of the inputs.
    Body out: as ``V2ModelServer``. A model of one output gives its rows; one of
    several, and one that was asked input by input, a list with one entry an output.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: an ``.onnx`` or ``.ort`` file, or a folder with one, as path or URL.
        model: an ``onnx.ModelProto``, its bytes, or an ``InferenceSession``.
        protocol: see ``V2ModelServer``.
        execution_providers: ONNX Runtime's providers, the best one first; by default
            CUDA where it is there, then the CPU.
        output_names: the outputs that are wanted, in this order; by default all.
        threads: how many threads one prediction takes, at least 1.
        **class_args: those of ``FrameworkServer``.

    Raises:
        SpecError: ``threads`` below 1; at the start, the file is no ONNX model, or it
            has no such output.
        BadRequestError: (from ``predict``) the inputs are not those of the model.

    State: the session, in memory; nothing changes it.

    Source: https://onnxruntime.ai/docs/api/python/api_summary.html

    >>> server = ONNXModelServer(name="net", model_path="net.onnx", output_names=["y"])
    >>> server.output_names, server.threads
    (('y',), 1)
    """

    platform = "onnx_onnxruntime"
    suffixes = (".onnx", ".ort")
    package = "onnxruntime"
    extra = "onnx"
    opens_pickles = False

    @takes_arguments_of(FrameworkServer)
    def __init__(
        self,
        *server: Any,
        execution_providers: Sequence[Any] | None = None,
        output_names: Sequence[str] | None = None,
        threads: int = 1,
        **class_args: Any,
    ) -> None:
        require(is_count(threads), "threads must be a number of at least 1", threads)
        is_list = not isinstance(output_names, str)
        require(is_list, "output_names must be a list", output_names)
        super().__init__(*server, **class_args)
        self.execution_providers = execution_providers
        self.output_names = tuple(output_names or ())
        self.threads = threads

    def read(self, file: ModelFile) -> Any:
        """Return the file's path; the session opens it, with the files beside it."""
        return str(file.checked())

    def _open(self) -> None:
        super()._open()
        runtime = self.imported()
        is_open = isinstance(self.model, runtime.InferenceSession)
        self.session = self.model if is_open else self._session(runtime)
        self.nodes = self.session.get_inputs()
        names = [one.name for one in self.session.get_outputs()]
        missing = [one for one in self.output_names if one not in names]
        if missing:
            raise SpecError(f"there is no output {missing}; the outputs are {names}")
        self.output_names = self.output_names or tuple(names)

    def _session(self, runtime: Any) -> Any:
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        there = runtime.get_available_providers()
        wanted = self.execution_providers or [one for one in PREFERRED if one in there]
        serialize = getattr(self.model, "SerializeToString", None)
        source = serialize() if serialize else self.model
        # its errors share no class of their own
        with self.opening("ONNX Runtime cannot open the model", Exception):
            return runtime.InferenceSession(source, options, providers=list(wanted))

    def predict(self, request: dict[str, Any]) -> Any:
        """Return the model's outputs."""
        inputs = request["inputs"]
        feed, by_input = self._feed(inputs)
        outputs = self.session.run(list(self.output_names), feed)
        if not isinstance(inputs, list):
            return Columns(zip(self.output_names, outputs, strict=True))
        if len(outputs) == 1 and not by_input:
            return plain(outputs[0])
        return [plain(one) for one in outputs]

    def _feed(self, inputs: Any) -> tuple[dict[str, Any], bool]:
        """Return the arrays by the names of the inputs, and whether they came so."""
        if isinstance(inputs, list) and inputs and isinstance(inputs[0], Mapping):
            return self._by_name(inputs), False
        if isinstance(inputs, Columns) and len(self.nodes) > 1:
            return self._named(inputs), False
        if not isinstance(inputs, list):
            return self._only(rows_of(inputs, self.input_names())), False
        if len(self.nodes) > 1:
            if len(inputs) != len(self.nodes):
                raise self._misfit(f"{len(inputs)} values")
            return self._named(dict(zip(self._names_of(), inputs, strict=True))), True
        rows = rows_of(inputs)
        rank = len(self.nodes[0].shape or ())
        if rank and rows.ndim == rank + 1 and len(rows) == 1:
            return self._only(rows[0]), True
        return self._only(rows), False

    def _by_name(self, rows: list[Any]) -> dict[str, Any]:
        if len(self.nodes) == 1:
            return self._only(rows_of(rows, self.input_names()))
        names = self._names_of()
        missing = [name for name in names if any(name not in row for row in rows)]
        if missing:
            raise BadRequestError(
                f"an input lacks {missing}; model {self.name} takes the inputs {names}"
            )
        return self._named({name: [row[name] for row in rows] for name in names})

    def _only(self, rows: Any) -> dict[str, Any]:
        if len(self.nodes) != 1:
            raise self._misfit("one value")
        return self._named({self.nodes[0].name: rows})

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if set(values) != set(self._names_of()):
            raise self._misfit(f"{list(values)}")
        return {node.name: self._fitted(node, values[node.name]) for node in self.nodes}

    def _fitted(self, node: Any, value: Any) -> Any:
        """Return an array of the input's type and rank."""
        kind = TYPES.get(node.type)
        if kind is None:
            raise BadRequestError(f"input {node.name!r} is a {node.type}, no tensor")
        array = cast_input(node.name, value, DATATYPES[kind])
        shape = node.shape or array.shape
        if len(shape) == array.ndim + 1 and shape[-1] in (1, None):
            array = array[..., None]  # a column of values for an input of one feature
        check_shape(node.name, shape, array.shape)
        return array

    def _names_of(self) -> list[str]:
        return [node.name for node in self.nodes]

    def _misfit(self, got: str) -> BadRequestError:
        wanted = self._names_of()
        return BadRequestError(
            f"model {self.name} takes the inputs {wanted}, got {got}"
        )

    def describe(self) -> tuple[list[Feature], list[Feature]]:
        """Return the tensors of the model itself."""
        inputs, outputs = super().describe()
        nodes = [
            one for one in self.session.get_outputs() if one.name in self.output_names
        ]
        return inputs or _features(self.nodes), outputs or _features(nodes)


def _features(nodes: Sequence[Any]) -> list[Feature]:
    return [
        feature(node.name, TYPES.get(node.type, "BYTES"), node.shape or ())
        for node in nodes
    ]
