"""Graph documents: MLRun's keys in, MLRun's keys out.

Source: https://docs.mlrun.org/en/stable/serving/serving-graph.html, and the
documents MLRun 1.12 writes at ``function.spec.graph``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.argument_values import tagged
from jupyter_graph.spec.documents.document_reader import (
    OF_ANY_GRAPH,
    OF_CYCLES,
    Reader,
    short,
)
from jupyter_graph.spec.documents.document_text import (
    check_plain,
    check_size,
    read_json,
    read_yaml,
    yaml_text,
)
from jupyter_graph.spec.field_types import STEPS
from jupyter_graph.spec.model import GraphSpec, HasSpec, StepSpec, map_steps
from jupyter_graph.spec.step_fields import BY_KEY, DEFAULTS, GRAPH_DEFAULTS
from jupyter_graph.spec.validate import problems as rule_problems

YAML = (".yaml", ".yml")


def to_dict(graph: GraphSpec) -> dict[str, Any]:
    """Return the document of a graph; fields with their default value are left out.

    >>> step = StepSpec(name="a", handler="f", responder=True)
    >>> to_dict(GraphSpec(steps=(step,)))["steps"]
    {'a': {'kind': 'task', 'handler': 'f', 'responder': True}}
    """
    steps = {step.name: _step_to_dict(step) for step in graph.steps}
    flow: dict[str, Any] = {"engine": graph.engine, "steps": steps}
    document = flow if graph.router is None else _step_to_dict(graph.router)
    for name in ("on_error", *OF_ANY_GRAPH, *OF_CYCLES):
        value = getattr(graph, name)
        if value != getattr(GRAPH_DEFAULTS, name):
            document[name] = list(value) if isinstance(value, tuple) else value
    return {**document, **graph.carried}


def _step_to_dict(step: StepSpec) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": step.kind}
    if step.kind == "router":
        document["name"] = step.name  # as MLRun writes it
    for key, default in DEFAULTS.items():
        value = getattr(step, key)
        if key == "kind" or value == default:
            continue
        if BY_KEY[key].type is STEPS:
            document[key] = {inner.name: _step_to_dict(inner) for inner in value}
        else:
            plain = dict(value) if isinstance(value, Mapping) else value
            document[key] = list(plain) if isinstance(plain, tuple) else plain
    return {**document, **step.queue, **step.runner, **step.carried}


def from_dict(document: Mapping[str, Any], *, name: str | None = None) -> GraphSpec:
    """Read a graph document; nothing is imported, nothing is evaluated.

    Args:
        document: the document.
        name: the graph's name, else the document's, else ``graph``.

    Raises:
        SpecError: the document has a wrong shape or unknown fields; all are listed.
    """
    check_size(document, "the graph document")
    reader = Reader()
    named = name_in(document)
    own = "graph" if named in (None, "") else named
    graph = reader.graph(document, name or own)
    if reader.problems:
        more = map(str, rule_problems(graph, reader.unread))
        SpecError.raise_all("invalid graph document", [*reader.problems, *more])
    return graph


def name_in(document: Any) -> Any:
    """Return the graph's name that a document holds, None when it holds none.

    The ``name`` of a router document is the router's; where the graph has another
    one, that stands as ``graph_name``.
    """
    if not isinstance(document, Mapping):
        return None
    own = document.get("graph_name")
    return document.get("name") if own in (None, "") else own


def graph_document(graph: GraphSpec) -> dict[str, Any]:
    """Return a graph's document as JSON can hold it, its name included.

    Raises:
        SpecError: an argument cannot be written; the text names step and argument.
    """
    written = map_steps(graph, _tagged_step)
    carried = _tagged_values(graph.carried, "the graph: field")
    document = {"name": graph.name, **to_dict(replace(written, carried=carried))}
    if document["name"] != graph.name:
        document["graph_name"] = graph.name
    return document


def graph_json(graph: GraphSpec) -> str:
    """Return a graph's document as JSON text: the same graph, the same text.

    Raises:
        SpecError: an argument cannot be written; the text names step and argument.
    """
    document = graph_document(graph)
    try:
        return json.dumps(document, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:  # a field of a spec that was not checked
        raise SpecError(f"graph {graph.name!r} cannot be written: {error}") from None


def _tagged_step(step: StepSpec) -> StepSpec:
    where = f"step {step.name!r}:"
    return replace(
        step,
        class_args=_tagged_values(step.class_args, f"{where} argument"),
        queue=_tagged_values(step.queue, f"{where} field"),
        runner=_tagged_values(step.runner, f"{where} field"),
        carried=_tagged_values(step.carried, f"{where} field"),
    )


def _tagged_values(values: Mapping[str, Any], what: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):  # a graph may be saved before it is checked
        raise SpecError(f"{what}s must be an object, got {short(values)}")
    return {key: tagged(value, f"{what} {key!r}") for key, value in values.items()}


def save_graph(graph: GraphSpec | HasSpec, path: str | Path) -> Path:
    """Write a graph's document: YAML when the name ends so, else JSON."""
    spec = graph if isinstance(graph, GraphSpec) else graph.spec
    target = Path(path)
    text = graph_json(spec)
    if target.suffix in YAML:
        text = yaml_text(json.loads(text))
    target.write_text(text, encoding="utf-8")
    return target


def read_document(path: str | Path) -> dict[str, Any]:
    """Read a JSON or YAML file that holds one object."""
    source = Path(path)
    what = repr(str(source))
    try:
        text = source.read_text(encoding="utf-8-sig")  # Windows' editors mark UTF-8
    except (OSError, ValueError) as error:  # not there, no UTF-8, a zero in its name
        raise SpecError(f"cannot read graph file {what}: {error}") from None
    is_yaml = source.suffix in YAML
    document = read_yaml(text, what) if is_yaml else read_json(text, what)
    check_size(document, what)
    if not isinstance(document, dict):
        raise SpecError(
            f"{what} is not a graph document: an object of fields is "
            f"needed, got {short(document)}"
        )
    check_plain(document, what)
    return cast("dict[str, Any]", document)
