"""Serving PyTorch models."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.models.framework import FrameworkServer, like, plain, rows_of
from jupyter_graph.steps.models.loading import ModelFile
from jupyter_graph.steps.models.tensors import Columns


class PyTorchModelServer(FrameworkServer):
    """Serve a PyTorch module: TorchScript, or a class and its weights.

    Body in: ``{"inputs": rows}`` for a module of one tensor; tensors of the open
    inference protocol go in by the names of ``forward``'s arguments where there are
    several. Body out: as ``V2ModelServer``.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: TorchScript (``.ts``, or ``.pt`` and ``.pth`` without
            ``model_class``), or weights (``.safetensors``, or ``.pt``, ``.pth`` and
            ``.bin`` of a state dict) for ``model_class``; as path or URL.
        model: a module.
        protocol: see ``V2ModelServer``.
        model_class: the class of the module, or a function that makes one.
        model_args: keyword arguments for ``model_class``.
        dtype: the name of the type of the inputs, such as ``float32`` or ``int64``.
        use_cuda: run on the GPU where there is one.
        **class_args: those of ``FrameworkServer``.

    Raises:
        SpecError: ``model_class`` is a text; at the start, the file is none of these,
            or its weights do not fit the module.
        BadRequestError: (from ``predict``) the inputs are no tensor of ``dtype``.

    State: the module in evaluation mode, in memory; nothing changes it.

    Source: https://pytorch.org/docs/stable/generated/torch.load.html (``weights_only``)

    >>> PyTorchModelServer(name="net", model_path="net.safetensors", model_class="Net")
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: model_class must be a class or a function, got 'Net'
    """

    platform = "pytorch"
    suffixes = (".ts", ".safetensors", ".pt", ".pth", ".bin")
    package = "torch"
    extra = "torch"

    def __init__(
        self,
        context: Any = None,
        name: str | None = "model",
        model_path: str | None = None,
        model: Any = None,
        protocol: str | None = None,
        *,
        model_class: Callable[..., Any] | None = None,
        model_args: Mapping[str, Any] | None = None,
        dtype: str = "float32",
        use_cuda: bool = True,
        **class_args: Any,
    ) -> None:
        if model_class is not None and not callable(model_class):
            raise SpecError(
                f"model_class must be a class or a function, got {model_class!r}"
            )
        super().__init__(context, name, model_path, model, protocol, **class_args)
        self.model_class = model_class
        self.model_args = dict(model_args or {})
        self.dtype = dtype
        self.use_cuda = use_cuda

    def read(self, file: ModelFile) -> Any:
        """Give the module; nothing but weights and TorchScript is ever read."""
        torch = self.imported()
        if self.model_class is None:
            return self._script(torch, file)
        module = self.model_class(**self.model_args)
        try:
            module.load_state_dict(self._weights(torch, file))
        except RuntimeError as error:
            raise SpecError(f"{file.path.name!r} does not fit: {error}") from error
        return module

    def _script(self, torch: Any, file: ModelFile) -> Any:
        if file.path.suffix in (".safetensors", ".bin"):
            raise SpecError(f"{file.path.name!r} holds weights; give model_class= too")
        try:
            return torch.jit.load(io.BytesIO(file.read()), map_location="cpu")
        except RuntimeError as error:
            said = str(error).partition("\n")[0]
            raise SpecError(
                f"{file.path.name!r} is no TorchScript ({said}); weights need "
                "model_class= too"
            ) from error

    def _weights(self, torch: Any, file: ModelFile) -> Any:
        if file.path.suffix == ".safetensors":
            return self.imported("safetensors.torch").load(file.read())
        data = io.BytesIO(file.read())
        try:
            return torch.load(data, map_location="cpu", weights_only=True)
        except Exception as error:  # pickle's, zip's and torch's own
            said = str(error).partition("\n")[0]
            raise SpecError(f"{file.path.name!r} is no state dict: {said}") from error

    def _open(self) -> None:
        super()._open()
        torch = self.imported()
        kind = getattr(torch, self.dtype, None)
        if not isinstance(kind, torch.dtype):
            raise SpecError(f"dtype must be the name of a type, got {self.dtype!r}")
        self.kind = kind
        has_gpu = self.use_cuda and torch.cuda.is_available()
        self.device = torch.device("cuda" if has_gpu else "cpu")
        self.model = self.model.to(self.device).eval()

    def predict(self, request: dict[str, Any]) -> Any:
        """Give what the module gives."""
        torch = self.imported()
        inputs = request["inputs"]
        with torch.inference_mode():
            if isinstance(inputs, Columns):
                found = self.model(**{k: self._tensor(v) for k, v in inputs.items()})
            else:
                found = self.model(self._tensor(rows_of(inputs, self.input_names())))
        return self._given(torch, inputs, found)

    def _tensor(self, value: Any) -> Any:
        torch = self.imported()
        try:
            # a copy: an array of a request may not be written to
            return torch.tensor(value, dtype=self.kind, device=self.device)
        except (TypeError, ValueError) as error:
            raise BadRequestError(f"the inputs are no {self.dtype}: {error}") from None

    def _given(self, torch: Any, inputs: Any, found: Any) -> Any:
        """Give arrays for tensors, by name where there are several."""
        if isinstance(found, torch.Tensor):
            return like(inputs, _array(found))
        if isinstance(found, Mapping):
            arrays = Columns({str(key): _array(one) for key, one in found.items()})
        elif isinstance(found, tuple | list):
            arrays = Columns(
                {f"output_{n}": _array(one) for n, one in enumerate(found)}
            )
            if isinstance(inputs, list):
                return plain(list(arrays.values()))
        else:
            raise TypeError(f"the module gave a {type(found).__name__}, no tensor")
        return like(inputs, arrays)


def _array(tensor: Any) -> Any:
    return tensor.detach().cpu().numpy()
