"""Serving Keras models, on whichever of its backends is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.models.frameworks.framework_server import FrameworkServer
from jupyter_graph.steps.models.input_conversion import by_name, cast_input, check_shape
from jupyter_graph.steps.models.model_files import ModelFile
from jupyter_graph.steps.models.model_rows import feature, plain, rows_of
from jupyter_graph.steps.models.model_schema import Feature
from jupyter_graph.steps.models.tensors import NAMES, Columns

MISFIT: Final = "incompatible"
"""What every backend says of an array that a layer cannot take."""

NAMELESS: Final = "keras_tensor"
"""How Keras calls tensors without a name; the number after it is a process's own."""


class KerasModelServer(FrameworkServer):
    """Serve a Keras model.

    Body in: ``{"inputs": rows}`` for a model of one input; for one of several, tensors
    of the open inference protocol, or rows as mappings, by the names of the inputs: the
    keys of a mapping, else the names of the input layers. Texts go into ``string``
    inputs. Body out: as ``V2ModelServer``; a model of several outputs gives a list of
    them, named as the inputs are.

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
        BadRequestError: (from ``predict``) the inputs are not those of the model, have
            another shape, or values that their type cannot hold.

    State: the model, in memory; nothing changes it.

    Source: https://keras.io/api/models/model_saving_apis/model_saving_and_loading/

    >>> KerasModelServer(name="net", model_path="net.keras", custom_objects=["Layer"])
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: custom_objects must be a mapping, got ['Layer'] \
[JG110]
    """

    platform = "keras"
    suffixes = (".keras",)
    package = "keras"
    extra = "tensorflow"
    opens_pickles = False

    @takes_arguments_of(FrameworkServer)
    def __init__(
        self,
        *server: Any,
        custom_objects: Mapping[str, Any] | None = None,
        **class_args: Any,
    ) -> None:
        if custom_objects is not None and not isinstance(custom_objects, Mapping):
            raise SpecError(f"custom_objects must be a mapping, got {custom_objects!r}")
        super().__init__(*server, **class_args)
        self.custom_objects = dict(custom_objects or {})

    def read(self, file: ModelFile) -> Any:
        """Return the model; Keras refuses a file that holds code."""
        keras = self.imported()
        problem = f"Keras cannot open {file.path.name!r}"
        with self.opening(problem, TypeError, ValueError, OSError):
            return keras.saving.load_model(
                str(file.checked()),
                custom_objects=self.custom_objects or None,
                compile=False,
                safe_mode=True,
            )

    def _open(self) -> None:
        super()._open()
        if not hasattr(self.model, "predict_on_batch"):
            raise SpecError(
                f"model must be a keras.Model, got a {type(self.model).__name__}"
            )
        # a subclassed model has no inputs and outputs that it could name
        self.nodes = _named(self.model, "input")
        self.results = _named(self.model, "output")
        self.output_names = tuple(self.results) or self.output_names

    def predict(self, request: dict[str, Any]) -> Any:
        """Return the model's outputs."""
        inputs = request["inputs"]
        result = self._asked(self._fed(inputs))
        if isinstance(result, Mapping):
            names, outputs = tuple(map(str, result)), list(result.values())
        else:
            outputs = list(result) if isinstance(result, list | tuple) else [result]
            names = self._names_of(len(outputs))
        if not isinstance(inputs, list):
            return Columns(zip(names, outputs, strict=True))
        return plain(outputs[0] if len(outputs) == 1 else outputs)

    def _asked(self, fed: Any) -> Any:
        try:
            return self.model.predict_on_batch(fed)
        except Exception as error:  # each backend has its own
            # a model without named tensors has nothing that could be checked before the
            # call
            lines = [line for line in str(error).splitlines() if MISFIT in line]
            if self.nodes or not lines:
                raise
            text = lines[0].replace("\x1b[1m", "").replace("\x1b[0m", "")
            raise BadRequestError(f"model {self.name}: {text}") from error

    def _names_of(self, number: int) -> tuple[str, ...]:
        if len(self.output_names) == number:
            return self.output_names
        return tuple(f"output_{n}" for n in range(number))

    def _fed(self, inputs: Any) -> Any:
        names = list(self.nodes)
        if len(names) > 1:
            columns = by_name(inputs, names, self.name)
            fed = {name: self._fitted(name, one) for name, one in columns.items()}
        else:
            rows = rows_of(inputs, self.input_names())
            if not names:
                return rows
            fed = {name: self._fitted(name, rows) for name in names}
        if isinstance(getattr(self.model, "input", None), Mapping):
            return fed
        return list(fed.values()) if len(fed) > 1 else fed[names[0]]

    def _fitted(self, name: str, value: Any) -> Any:
        """Return an array of the input's type and shape."""
        node = self.nodes[name]
        kind = str(node.dtype)
        array = cast_input(name, value, "object" if kind == "string" else kind)
        check_shape(name, node.shape, array.shape)
        return array

    def describe(self) -> tuple[list[Feature], list[Feature]]:
        """Return the tensors of the model itself."""
        inputs, outputs = super().describe()
        return inputs or _features(self.nodes), outputs or _features(self.results)


def _named(model: Any, side: str) -> dict[str, Any]:
    """Return the model's tensors of a side by name; a subclassed model names none."""
    nodes = list(getattr(model, f"{side}s", None) or ())
    if not nodes:
        return {}
    whole = getattr(model, side, None)  # a Sequential has none before its first call
    if isinstance(whole, Mapping):
        return {str(name): node for name, node in whole.items()}
    names = [node.name for node in nodes]
    if side == "output":  # what these tensors are called says nothing, their layers do
        names = [str(name) for name in getattr(model, "output_names", None) or ()]
    names = [] if any(name.startswith(NAMELESS) for name in names) else names
    if len(set(names)) != len(nodes):
        names = [f"{side}_{number}" for number in range(len(nodes))]
    return dict(zip(names, nodes, strict=True))


def _features(nodes: Mapping[str, Any]) -> list[Feature]:
    return [
        feature(name, NAMES.get(str(node.dtype), "BYTES"), node.shape)
        for name, node in nodes.items()
    ]
