"""Serving PyTorch models."""

from __future__ import annotations

import inspect
import io
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from jupyter_graph.argument_checks import require, telling
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.models.frameworks.framework_server import FrameworkServer
from jupyter_graph.steps.models.input_conversion import by_name, cast, check_shape
from jupyter_graph.steps.models.model_files import ModelFile
from jupyter_graph.steps.models.model_rows import like, plain, rows_of
from jupyter_graph.steps.models.tensors import Columns

MISFIT: Final = re.compile(
    r"\b(shapes?|sizes?|dim(ension)?s?|channels|out of range)\b", re.IGNORECASE
)
"""What a module says of tensors that it cannot take."""

ANY: Final = "inputs"
"""What the tensor is called of a module whose ``forward`` takes ``*args`` only."""


class PyTorchModelServer(FrameworkServer):
    """Serve a PyTorch module: TorchScript, or a class and its weights.

    Body in: ``{"inputs": rows}`` for a module of one tensor; for one of several,
    tensors of the open inference protocol, or rows as mappings, by the names of
    ``forward``'s arguments. Body out: as ``V2ModelServer``.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: weights (``.safetensors``, or ``.pt``, ``.pth`` and ``.bin`` of a
            state dict) for ``model_class``; or TorchScript (``.ts``, or ``.pt`` and
            ``.pth`` without ``model_class``), which PyTorch itself gives up; as path
            or URL.
        model: a module; it is put into evaluation mode.
        protocol: see ``V2ModelServer``.
        model_class: the class of the module, or a function that makes one.
        model_args: keyword arguments for ``model_class``.
        dtype: the name of the type of the inputs, such as ``float32`` or ``int64``; or
            such names by the arguments of ``forward``.
        use_cuda: run on the GPU where there is one.
        **class_args: those of ``FrameworkServer``; where ``inputs`` says a ``shape``,
            it is checked.

    Raises:
        SpecError: ``model_class``, ``model_args`` or ``dtype`` are none; at the start,
            the file is none of these, or its weights do not fit the module.
        BadRequestError: (from ``predict``) the inputs are no tensor of ``dtype``, have
            other names than ``forward``'s, or a shape that the module cannot take.

    State: the module in evaluation mode, in memory; nothing changes it.

    Source: https://pytorch.org/docs/stable/generated/torch.load.html (``weights_only``)

    >>> PyTorchModelServer(name="net", model_path="net.safetensors", model_class="Net")
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: model_class must be a class or a function, got \
'Net' [JG110]
    """

    platform = "pytorch"
    suffixes = (".ts", ".safetensors", ".pt", ".pth", ".bin")
    package = "torch"
    extra = "torch"
    opens_pickles = False

    @takes_arguments_of(FrameworkServer)
    def __init__(
        self,
        *server: Any,
        model_class: Callable[..., Any] | None = None,
        model_args: Mapping[str, Any] | None = None,
        dtype: str | Mapping[str, str] = "float32",
        use_cuda: bool = True,
        **class_args: Any,
    ) -> None:
        is_class = model_class is None or callable(model_class)
        require(is_class, "model_class must be a class or a function", model_class)
        is_mapping = isinstance(model_args, Mapping | None)
        require(is_mapping, "model_args must be a mapping", model_args)
        is_name = isinstance(dtype, str | Mapping)
        require(is_name, "dtype must be the name of a type", dtype)
        super().__init__(*server, **class_args)
        self.model_class = model_class
        self.model_args = dict(model_args or {})
        self.dtype = dtype
        self.use_cuda = use_cuda

    def read(self, file: ModelFile) -> Any:
        """Return the module; nothing but weights and TorchScript is ever read."""
        torch = self.imported()
        if self.model_class is None:
            return self._script(torch, file)
        module = self._checked(torch, self.model_class(**self.model_args))
        with telling(f"{file.path.name!r} does not fit", RuntimeError, TypeError):
            module.load_state_dict(self._weights(torch, file))
        return module

    def _script(self, torch: Any, file: ModelFile) -> Any:
        if file.path.suffix in (".safetensors", ".bin"):
            raise SpecError(f"{file.path.name!r} holds weights; give model_class= too")
        try:
            return torch.jit.load(io.BytesIO(file.read()), map_location="cpu")
        except RuntimeError as error:
            message = str(error).partition("\n")[0]
            raise SpecError(
                f"{file.path.name!r} is no TorchScript ({message}); weights need "
                "model_class= too"
            ) from error

    def _weights(self, torch: Any, file: ModelFile) -> Any:
        if file.path.suffix == ".safetensors":
            return self.imported("safetensors.torch").load(file.read())
        data = io.BytesIO(file.read())
        problem = f"{file.path.name!r} is no state dict"
        with self.opening(problem, Exception):  # pickle's, zip's and torch's own
            return torch.load(data, map_location="cpu", weights_only=True)

    def _open(self) -> None:
        super()._open()
        torch = self.imported()
        self._checked(torch, self.model)
        names = self.dtype if isinstance(self.dtype, Mapping) else {"": self.dtype}
        self.kinds = {key: _kind_of(torch, one) for key, one in names.items()}
        has_gpu = self.use_cuda and torch.cuda.is_available()
        self.device = torch.device("cuda" if has_gpu else "cpu")
        # eval() turns dropout off, and makes batch norm use its stored figures
        self.model = self.model.to(self.device).eval()
        self.taken, self.needed = _arguments_of(self.model.forward)
        self.shapes = {o["name"]: o["shape"] for o in self.inputs if "shape" in o}

    def _checked(self, torch: Any, module: Any) -> Any:
        if not isinstance(module, torch.nn.Module):
            raise SpecError(
                f"the model must be a torch.nn.Module, got a {type(module).__name__}"
            )
        return module

    def predict(self, request: dict[str, Any]) -> Any:
        """Return what the module gives."""
        torch = self.imported()
        inputs = request["inputs"]
        tensors = {key: self._tensor(key, v) for key, v in self._named(inputs).items()}
        unnamed = [tensors[ANY]] if ANY not in self.taken and ANY in tensors else []
        named = {} if unnamed else tensors
        with torch.inference_mode():
            try:
                result = self.model(*unnamed, **named)
            except (RuntimeError, IndexError, ValueError) as error:
                message = str(error).strip().rpartition("\n")[2]
                # torch raises RuntimeError for almost everything; only a shape that
                # does not fit is the caller's fault
                is_full = isinstance(error, torch.OutOfMemoryError)
                if is_full or not MISFIT.search(message):
                    raise
                shapes = {key: list(one.shape) for key, one in tensors.items()}
                raise BadRequestError(
                    f"model {self.name} cannot take inputs of the shapes {shapes}: "
                    f"{message}"
                ) from error
        return self._given(torch, inputs, result)

    def _named(self, inputs: Any) -> Mapping[str, Any]:
        """Return the values by the names of ``forward``'s arguments."""
        if isinstance(inputs, Columns) and {*self.needed} <= {*inputs} <= {*self.taken}:
            return inputs
        if len(self.needed) > 1:
            return by_name(inputs, self.needed, self.name)
        name = (self.needed or self.taken or [ANY])[0]
        return {name: rows_of(inputs, self.input_names())}

    def _tensor(self, name: str, value: Any) -> Any:
        torch = self.imported()
        kind = self.kinds.get(name) or self.kinds.get("", torch.float32)
        try:
            # a copy: an array of a request may not be written to
            tensor = torch.tensor(_fitted(value, kind), dtype=kind, device=self.device)
        except (TypeError, ValueError) as error:
            message = str(kind).removeprefix("torch.")
            raise BadRequestError(f"input {name!r} is {message}: {error}") from None
        shape = self.shapes.get(name)
        if shape is None and len(self.needed) < 2 and len(self.shapes) == 1:
            [shape] = self.shapes.values()
        if shape is not None:
            check_shape(name, shape, tensor.shape)
        return tensor

    def _given(self, torch: Any, inputs: Any, result: Any) -> Any:
        """Return arrays for tensors, by name where there are several."""
        if isinstance(result, torch.Tensor):
            return like(inputs, _array_of(torch, result))
        if isinstance(result, Mapping):
            named = {str(key): _array_of(torch, one) for key, one in result.items()}
            return like(inputs, Columns(named))
        if not isinstance(result, tuple | list):
            raise TypeError(f"the module gave a {type(result).__name__}, no tensor")
        several = [_array_of(torch, one) for one in result]
        if isinstance(inputs, list):
            return plain(several)
        return Columns({f"output_{n}": one for n, one in enumerate(several)})


def _array_of(torch: Any, tensor: Any) -> Any:
    """Return the numpy array of a tensor.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"the module gave a {type(tensor).__name__} among its tensors")
    if tensor.dtype == torch.bfloat16:  # numpy has no such type
        tensor = tensor.float()
    return tensor.detach().cpu().numpy()


def _fitted(value: Any, kind: Any) -> Any:
    """Return an array that a tensor of this kind can be made of.

    Raises:
        ValueError: a value is no number, or the kind cannot hold it.
        TypeError: the same.
    """
    import numpy as np

    array = np.asarray(value)
    if not kind.is_floating_point and not kind.is_complex:
        return cast(array, str(kind).removeprefix("torch."))
    return array if array.dtype.kind in "fciub" else cast(array, "float64")


def _kind_of(torch: Any, name: Any) -> Any:
    """Return torch's type of this name.

    Raises:
        SpecError: there is none.
    """
    kind = getattr(torch, name, None) if isinstance(name, str) else None
    require(isinstance(kind, torch.dtype), "dtype must be the name of a type", name)
    return kind


def _arguments_of(forward: Any) -> tuple[list[str], list[str]]:
    """Return the names of a module's arguments, and of those that it cannot do without.

    >>> _arguments_of(lambda ids, mask=None: ids)
    (['ids', 'mask'], ['ids'])
    """
    schema = getattr(forward, "schema", None)
    if schema is not None:  # TorchScript
        arguments = [(a.name, a.has_default_value()) for a in schema.arguments][1:]
    else:
        arguments = [
            (name, one.default is not one.empty)
            for name, one in inspect.signature(forward).parameters.items()
            if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        ]
    names = [name for name, _ in arguments]
    return names, [name for name, is_free in arguments if not is_free]
