"""Serving Keras models, on whichever of its backends is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.models.framework import FrameworkServer, plain, rows_of
from jupyter_graph.steps.models.loading import ModelFile
from jupyter_graph.steps.models.schema import Feature
from jupyter_graph.steps.models.tensors import DATATYPES, Columns


class KerasModelServer(FrameworkServer):
    """Serve a Keras model.

    Body in: ``{"inputs": rows}`` for a model of one input; for one of several, tensors
    of the open inference protocol, or rows as mappings, by the names of the inputs.
    Body out: as ``V2ModelServer``; a model of several outputs gives a list of them.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: a ``.keras`` file, or a folder with one, as path or URL. HDF5 files
            and SavedModel folders may hold code, so they are refused; save the model
            again as ``.keras``.
        model: a ``keras.Model``.
        protocol: see ``V2ModelServer``.
        custom_objects: classes and functions of the model by their names.
        **class_args: those of ``FrameworkServer``.

    Raises:
        SpecError: ``custom_objects`` is no mapping; at the start, the file is no
            ``.keras`` file, or holds code.
        BadRequestError: (from ``predict``) the inputs are not those of the model.

    State: the model, in memory; nothing changes it.

    Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/

    >>> KerasModelServer(name="net", model_path="net.keras", custom_objects=["Layer"])
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: custom_objects must be a mapping, got ['Layer']
    """

    platform = "keras"
    suffixes = (".keras",)
    package = "keras"
    extra = "tensorflow"

    def __init__(
        self,
        context: Any = None,
        name: str | None = "model",
        model_path: str | None = None,
        model: Any = None,
        protocol: str | None = None,
        *,
        custom_objects: Mapping[str, Any] | None = None,
        **class_args: Any,
    ) -> None:
        if custom_objects is not None and not isinstance(custom_objects, Mapping):
            raise SpecError(f"custom_objects must be a mapping, got {custom_objects!r}")
        super().__init__(context, name, model_path, model, protocol, **class_args)
        self.custom_objects = dict(custom_objects or {})

    def read(self, file: ModelFile) -> Any:
        """Give the model; Keras refuses a file that holds code."""
        keras = self.imported()
        try:
            return keras.saving.load_model(
                str(file.checked()),
                custom_objects=self.custom_objects or None,
                compile=False,
                safe_mode=True,
            )
        except (TypeError, ValueError, OSError) as error:
            said = str(error).partition("\n")[0]
            raise SpecError(f"Keras cannot open {file.path.name!r}: {said}") from error

    def _open(self) -> None:
        super()._open()
        # a subclassed model has no inputs and outputs that it could name
        self.nodes = list(getattr(self.model, "inputs", None) or ())
        names = getattr(self.model, "output_names", None)
        self.output_names = tuple(map(str, names or self.output_names))

    def predict(self, request: dict[str, Any]) -> Any:
        """Give the model's outputs."""
        inputs = request["inputs"]
        found = self.model.predict_on_batch(self._fed(inputs))
        outputs = found if isinstance(found, list | tuple) else [found]
        if isinstance(found, Mapping):
            outputs = [found[name] for name in self.output_names]
        if not isinstance(inputs, list):
            return Columns(zip(self.output_names, outputs, strict=True))
        return plain(outputs[0] if len(outputs) == 1 else outputs)

    def _fed(self, inputs: Any) -> Any:
        if not self.nodes:
            return rows_of(inputs, self.input_names())
        if len(self.nodes) == 1:
            return self._fitted(self.nodes[0], rows_of(inputs, self.input_names()))
        if isinstance(inputs, list) and all(isinstance(row, Mapping) for row in inputs):
            keys = {key for row in inputs for key in row}
            inputs = Columns({key: [row.get(key) for row in inputs] for key in keys})
        names = [node.name for node in self.nodes]
        if not isinstance(inputs, Columns) or set(inputs) != set(names):
            got = list(inputs) if isinstance(inputs, Columns) else "one value"
            raise BadRequestError(
                f"model {self.name} takes the inputs {names} by name, got {got}"
            )
        return [self._fitted(node, inputs[node.name]) for node in self.nodes]

    def _fitted(self, node: Any, value: Any) -> Any:
        """Give an array of the input's type and rank."""
        import numpy as np

        try:
            array = np.asarray(value).astype(node.dtype, copy=False)
        except (TypeError, ValueError) as error:
            raise BadRequestError(f"input {node.name!r}: {error}") from None
        shape = tuple(node.shape)
        fits = len(shape) == array.ndim and all(
            want is None or want == have
            for want, have in zip(shape, array.shape, strict=True)
        )
        if not fits:
            raise BadRequestError(
                f"input {node.name!r} has the shape {list(shape)}, got "
                f"{list(array.shape)}"
            )
        return array

    def describe(self) -> tuple[list[Feature], list[Feature]]:
        """Give the tensors of the model itself."""
        inputs, outputs = super().describe()
        nodes = getattr(self.model, "outputs", None) or ()
        found = [_feature(*one) for one in zip(self.output_names, nodes, strict=False)]
        return inputs or [_feature(n.name, n) for n in self.nodes], outputs or found


def _feature(name: str, node: Any) -> Feature:
    types = {numpy: datatype for datatype, numpy in DATATYPES.items()}
    return {
        "name": name,
        "datatype": types.get(str(node.dtype), "BYTES"),
        "shape": [-1 if size is None else int(size) for size in node.shape],
    }
