"""PyTorch's modules, tensors and types, as a server has to see them."""

from __future__ import annotations

import inspect
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.input_conversion import cast


def array_of(torch: Any, tensor: Any) -> Any:
    """Return the numpy array of a tensor.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"the module gave a {type(tensor).__name__} among its tensors")
    if tensor.dtype == torch.bfloat16:  # numpy has no such type
        tensor = tensor.float()
    return tensor.detach().cpu().numpy()


def fitted(value: Any, kind: Any) -> Any:
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


def kind_of(torch: Any, name: Any) -> Any:
    """Return torch's type of this name.

    Raises:
        SpecError: there is none.
    """
    kind = getattr(torch, name, None) if isinstance(name, str) else None
    if not isinstance(kind, torch.dtype):
        raise SpecError(f"dtype must be the name of a type, got {name!r}")
    return kind


def arguments_of(forward: Any) -> tuple[list[str], list[str]]:
    """Return the names of a module's arguments, and of those that it cannot do without.

    >>> arguments_of(lambda ids, mask=None: ids)
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
