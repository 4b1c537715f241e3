"""The rows of a request as arrays, and the results of a model as its request came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps.models.model_schema import Feature
from jupyter_graph.steps.models.tensors import Columns


def rows_of(inputs: Any, names: Sequence[str] = ()) -> Any:
    """Return the rows of a request as a numpy array, converted once.

    Args:
        inputs: rows as lists; rows as mappings of a feature to its value; one mapping
            of a feature to its column; an array; or columns by name.
        names: the features in the order of the model; else as they come.

    Raises:
        BadRequestError: rows differ in length, or lack a feature.

    >>> rows_of([{"b": 2, "a": 1.5}], ["a", "b"])
    array([[1.5, 2. ]])
    """
    import numpy as np

    if isinstance(inputs, Columns):
        return _stacked(inputs, names)
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], Mapping):
        return _of_mappings(inputs, names)
    if not isinstance(inputs, list):
        return inputs
    try:
        return _numbers(np.asarray(inputs))
    except ValueError:
        sizes = sorted({len(row) if isinstance(row, list) else 0 for row in inputs})
        raise BadRequestError(
            f"all inputs must have the same shape, got rows of {sizes} values"
        ) from None


def _of_mappings(inputs: list[Any], names: Sequence[str]) -> Any:
    import numpy as np

    first = inputs[0]
    wanted = list(names or first)
    if len(inputs) == 1 and all(isinstance(value, list) for value in first.values()):
        return _stacked(first, names)
    try:
        return _numbers(np.asarray([[row[name] for name in wanted] for row in inputs]))
    except KeyError as error:
        raise BadRequestError(
            f"an input has no {error}; the features are {wanted}"
        ) from None


def _stacked(columns: Mapping[str, Any], names: Sequence[str]) -> Any:
    import numpy as np

    wanted = list(names or columns)
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise BadRequestError(f"there is no input {missing}; the features are {wanted}")
    arrays = [np.asarray(columns[name]) for name in wanted]
    arrays = [one[:, None] if one.ndim == 1 else one for one in arrays]
    if len({len(one) for one in arrays}) != 1:
        sizes = {name: len(columns[name]) for name in wanted}
        raise BadRequestError(f"all inputs must have the same number of rows: {sizes}")
    return _numbers(np.concatenate(arrays, axis=1))


def _numbers(array: Any) -> Any:
    """Return numbers where an array holds objects that are some; None is NaN."""
    if array.dtype != object:
        return array
    try:
        return array.astype("float64")
    except (TypeError, ValueError):
        return array


def feature(name: str, datatype: str, shape: Sequence[Any]) -> Feature:
    """Return what the metadata say of a tensor; -1 stands for any size."""
    sizes = [size if isinstance(size, int) else -1 for size in shape]
    return {"name": name, "datatype": datatype, "shape": sizes}


def check_width(rows: Any, width: int | None, model: str) -> None:
    """Refuse rows that do not have the model's number of features.

    Raises:
        BadRequestError: says both numbers.
    """
    if width is None or (rows.ndim == 2 and rows.shape[1] == width):
        return
    got = rows.shape[1] if rows.ndim == 2 else f"the shape {rows.shape}"
    raise BadRequestError(f"model {model} takes rows of {width} features, got {got}")


def plain(result: Any) -> Any:
    """Return lists of plain values for an array, also inside lists and mappings."""
    if hasattr(result, "tolist"):
        return result.tolist()
    if isinstance(result, list | tuple):
        return [plain(one) for one in result]
    if isinstance(result, Mapping):
        return {key: plain(one) for key, one in result.items()}
    return result


def like(inputs: Any, result: Any) -> Any:
    """Return a result as its request came: lists for lists, arrays for arrays."""
    return plain(result) if isinstance(inputs, list) else result


def labels_of(result: Any, classes: Sequence[Any]) -> Any:
    """Return the class of each row: of its probabilities, or of its number.

    >>> import numpy as np
    >>> labels_of(np.array([[0.1, 0.9], [0.6, 0.4]]), ["no", "yes"])
    array(['yes', 'no'], dtype='<U3')
    """
    import numpy as np

    if result.ndim == 2:
        chosen = result.argmax(axis=1)
    elif np.issubdtype(result.dtype, np.floating):
        chosen = (result > 0.5).astype(int)
    else:
        chosen = result
    return np.asarray(classes)[chosen]
