"""What a model's inputs and outputs are called, and the file that says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_graph.argument_checks import require, telling
from jupyter_graph.errors import BadRequestError, SpecError

Feature = dict[str, Any]
"""``{"name": str, "datatype": str?, "shape": list?, …}``: one input or output."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What MLRun's ``model_spec.yaml`` says of a model.

    Attributes:
        model_file: the model's file, beside this one.
        inputs: its inputs, in their order.
        outputs: its outputs.
        parameters: what ``get_param`` gives too.
        extra_data: more files, by their key.
    """

    model_file: str = ""
    inputs: tuple[Feature, ...] = ()
    outputs: tuple[Feature, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extra_data: Mapping[str, str] = field(default_factory=dict)


def read_model_spec(path: Path) -> ModelSpec:
    """Read a ``model_spec.yaml``.

    Raises:
        SpecError: it is no mapping, or says something that is none of its words.
    """
    import yaml

    with telling(f"{path} is not YAML", yaml.YAMLError):
        document = yaml.safe_load(path.read_bytes())
    if not isinstance(document, dict):
        raise SpecError(f"{path} must hold a mapping, got {type(document).__name__}")
    inner = document.get("spec")
    spec = inner if isinstance(inner, dict) else document
    extra = spec.get("extra_data") or {}
    return ModelSpec(
        model_file=str(spec.get("model_target_file") or spec.get("model_file") or ""),
        inputs=features(spec.get("inputs"), "inputs"),
        outputs=features(spec.get("outputs"), "outputs"),
        parameters=dict(spec.get("parameters") or {}),
        extra_data={key: str(value) for key, value in extra.items()},
    )


def features(given: Any, argument: str) -> tuple[Feature, ...]:
    """Return the features of names, or of mappings with a name.

    Raises:
        SpecError: it is no list of such.

    >>> features(["age", {"name": "income", "datatype": "FP32"}], "inputs")
    ({'name': 'age'}, {'name': 'income', 'datatype': 'FP32'})
    """
    if given is None:
        return ()
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise SpecError(f"{argument} must be a list of names, got {given!r}")
    listed = [{"name": one} if isinstance(one, str) else one for one in given]
    for one in listed:
        is_named = isinstance(one, Mapping) and isinstance(one.get("name"), str)
        require(is_named, f"{argument} must be names, or mappings with a 'name'", one)
    return tuple(dict(one) for one in listed)


def in_order(inputs: Any, names: list[str]) -> list[Any]:
    """Return inputs that came by name as lists in the order of the names.

    Raises:
        BadRequestError: they are no mapping and no list of mappings, or lack a name.

    >>> in_order([{"b": 2, "a": 1}], ["a", "b"])
    [[1, 2]]
    """
    if isinstance(inputs, Mapping):
        return _values(inputs, names)
    if isinstance(inputs, list) and all(isinstance(row, Mapping) for row in inputs):
        return [_values(row, names) for row in inputs]
    raise BadRequestError(
        "the inputs of predict_dict and infer_dict must be of type list[dict] or dict, "
        f"got {type(inputs).__name__}"
    )


def _values(row: Mapping[str, Any], names: list[str]) -> list[Any]:
    missing = [name for name in names if name not in row]
    if missing:
        raise BadRequestError(
            f"an input dictionary doesn't contain {missing}; all the necessary input "
            f"keys are {names}"
        )
    return [row[name] for name in names]
