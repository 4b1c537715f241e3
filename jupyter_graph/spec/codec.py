"""Graph documents: MLRun's keys in, MLRun's keys out.

Source: https://docs.mlrun.org/en/stable/serving/serving-graph.html, and the
documents MLRun 1.12 writes at ``function.spec.graph``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.model import GraphSpec, StepSpec, map_steps
from jupyter_graph.spec.names import graph_name
from jupyter_graph.spec.problem import shown
from jupyter_graph.spec.text import (
    check_plain,
    check_size,
    read_json,
    read_yaml,
    yaml_text,
)
from jupyter_graph.spec.validate import problems as rule_problems
from jupyter_graph.spec.values import tagged, untagged

if TYPE_CHECKING:
    from jupyter_graph.spec.builder import Graph

# What MLRun writes and what means nothing here: kept, so that a document survives.
CARRIED_IN_STEPS = frozenset(
    {
        "default_final_step",
        "endpoint_type",
        "model_endpoint_creation_strategy",
        "skip_context",
    }
)
CARRIED_IN_GRAPHS = frozenset(
    {
        "endpoint_type",
        "model_endpoint_creation_strategy",
        "model_endpoints_names",
        "model_endpoints_routes_names",
        "pool_factor",
        "shared_max_processes",
        "shared_max_threads",
        "shared_models",
        "shared_models_mechanism",
        "track_models",
    }
)
LISTS = ("after", "before", "cycle_from")
GROUPS = {
    "queue": ("shards", "retention_in_hours", "trigger_args", "options"),
    "runner": (
        "raise_exception",
        "max_processes",
        "max_threads",
        "pool_factor",
        "_shared_proxy_mapping",
    ),
}
"""Fields of a step that one attribute of its spec holds together."""

GROUP_OF = {key: group for group, keys in GROUPS.items() for key in keys}
INSIDE = ("routes", "steps")
OF_STEP = tuple(
    f.name for f in fields(StepSpec) if f.name not in ("name", "carried", *GROUPS)
)
OF_ANY_GRAPH = ("engine", "max_in_flight", "copy")
OF_CYCLES = ("allow_cyclic", "max_iterations", "final_step")
OF_FLOW = ("kind", "name", "steps", "on_error", *OF_ANY_GRAPH, *OF_CYCLES)
YAML = (".yaml", ".yml")


def to_dict(graph: GraphSpec) -> dict[str, Any]:
    """Give the document of a graph; fields with their default value are left out.

    >>> step = StepSpec(name="a", handler="f", responder=True)
    >>> to_dict(GraphSpec(steps=(step,)))["steps"]
    {'a': {'kind': 'task', 'handler': 'f', 'responder': True}}
    """
    document: dict[str, Any]
    if graph.router is not None:
        document = _step_to_dict(graph.router)
    else:
        document = {"engine": graph.engine}
        document["steps"] = {step.name: _step_to_dict(step) for step in graph.steps}
    for name in ("on_error", *OF_ANY_GRAPH, *OF_CYCLES):
        if getattr(graph, name) != _default(GraphSpec, name):
            document[name] = getattr(graph, name)
    return {**document, **graph.carried}


def _step_to_dict(step: StepSpec) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": step.kind}
    if step.kind == "router":
        found["name"] = step.name  # as MLRun writes it
    for name in OF_STEP:
        value = getattr(step, name)
        if name in INSIDE:
            if value:
                found[name] = {inner.name: _step_to_dict(inner) for inner in value}
        elif name != "kind" and value != _default(StepSpec, name):
            plain = dict(value) if isinstance(value, Mapping) else value
            found[name] = list(plain) if isinstance(plain, tuple) else plain
    return {**found, **step.queue, **step.runner, **step.carried}


def _default(of: type, name: str) -> Any:
    [found] = [f for f in fields(of) if f.name == name]
    if found.default is not MISSING:
        return found.default
    return found.default_factory() if found.default_factory is not MISSING else None


def from_dict(document: Mapping[str, Any], *, name: str | None = None) -> GraphSpec:
    """Read a graph document; nothing is imported, nothing is evaluated.

    Args:
        document: the document.
        name: the graph's name, else the document's, else ``graph``.

    Raises:
        SpecError: the document has a wrong shape or unknown fields; all are listed.
    """
    check_size(document, "the graph document")
    reader = _Reader()
    graph = reader.graph(document, name or name_in(document) or "graph")
    if reader.problems:
        more = [str(p) for p in rule_problems(graph) if p.step not in reader.broken]
        SpecError.raise_all("invalid graph document", [*reader.problems, *more])
    return graph


def name_in(document: Any) -> Any:
    """Give the graph's name that a document holds, None when it holds none.

    The ``name`` of a router document is the router's; where the graph has another
    one, that stands as ``graph_name``.
    """
    if not isinstance(document, Mapping):
        return None
    return document.get("graph_name") or document.get("name")


class _Reader:
    """Reads one document and collects everything that is wrong with it.

    ``broken`` names the steps that something is wrong with, None for the graph: what
    rules say of these may follow from it.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.broken: set[str | None] = set()
        self.inside: list[str] = []

    def say(self, problem: str) -> None:
        self.problems.append(problem)
        self.broken |= set(self.inside) or {None}

    def graph(self, document: Any, name: str) -> GraphSpec:
        if not isinstance(document, Mapping):
            self.say(f"a graph document is an object of fields, got {short(document)}")
            return GraphSpec(name=name)
        kind = document.get("kind") or "flow"
        if kind == "router":
            own = str(document.get("name") or "router")
            carried = {k: v for k, v in document.items() if k in CARRIED_IN_GRAPHS}
            values = _given(document, OF_ANY_GRAPH)
            own_part = {
                key: value
                for key, value in document.items()
                if key not in carried and key not in (*OF_ANY_GRAPH, "graph_name")
            }
            return GraphSpec(
                name=name,
                topology="router",
                router=self.step(own, own_part),
                carried=self.kept(carried, "the graph"),
                **values,
            )
        if kind not in ("flow", "root"):
            self.say(
                f"a graph is of kind 'flow' or 'router', got {short(kind)}"
                f"{did_you_mean(str(kind), ('flow', 'router', 'root'))}"
            )
        return self.flow(document, name)

    def flow(self, document: Mapping[str, Any], name: str) -> GraphSpec:
        self.unknown(document, OF_FLOW, CARRIED_IN_GRAPHS, "the graph")
        steps = document.get("steps") or {}
        if not isinstance(steps, Mapping):
            self.say(
                "field 'steps' of the graph is an object of step names and steps, "
                f"got {short(steps)}"
            )
            steps = {}
        carried = {k: v for k, v in document.items() if k in CARRIED_IN_GRAPHS}
        return GraphSpec(
            name=name,
            steps=self.steps(steps, "step"),
            carried=self.kept(carried, "the graph"),
            **_given(document, ("on_error", *OF_ANY_GRAPH, *OF_CYCLES)),
        )

    def steps(self, documents: Mapping[Any, Any], what: str) -> tuple[StepSpec, ...]:
        found = []
        for key, value in documents.items():
            if isinstance(key, str):
                found.append(self.step(key, value))
            else:
                self.say(f"the name of a {what} is a text, got {short(key)}")
        return tuple(found)

    def step(self, name: str, document: Any) -> StepSpec:
        self.inside.append(name)
        try:
            return self.read_step(name, document)
        finally:
            self.inside.pop()

    def read_step(self, name: str, document: Any) -> StepSpec:
        where = f"step {name!r}"
        if not isinstance(document, Mapping):
            self.say(f"{where} is an object of fields, got {short(document)}")
            return StepSpec(name=name)
        known = (*OF_STEP, *GROUP_OF, "name")
        self.unknown(document, known, CARRIED_IN_STEPS, where)
        own = document.get("name")
        if not is_empty(own) and own != name:
            self.say(
                f"{where} says its name is {short(own)}; write {name!r} or leave it out"
            )
        values = dict(self.values(document, where))
        carried = {k: v for k, v in document.items() if k in CARRIED_IN_STEPS}
        return StepSpec(name=name, carried=self.kept(carried, where), **values)

    def values(
        self, document: Mapping[str, Any], where: str
    ) -> Iterator[tuple[str, Any]]:
        for group, keys in GROUPS.items():
            given = {k: v for k, v in document.items() if k in keys}
            yield group, self.kept(given, where)
        for key in OF_STEP:
            value = document.get(key)
            if is_empty(value):
                continue
            if key in LISTS:
                yield key, self.names(value, key, where)
            elif key in INSIDE:
                if isinstance(value, Mapping):
                    yield key, self.steps(value, key.removesuffix("s"))
                else:
                    self.say(
                        f"field {key!r} of {where} is an object of "
                        f"{key.removesuffix('s')} names and steps, got {short(value)}"
                    )
            elif key == "class_args":
                yield key, self.untagged(value, f"field {key!r} of {where}")
            else:
                yield key, copied(value)

    def kept(self, given: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Give the fields of a group that hold something."""
        return {
            key: self.untagged(value, f"field {key!r} of {where}")
            for key, value in given.items()
            if not is_empty(value)
        }

    def untagged(self, value: Any, where: str) -> Any:
        try:
            return untagged(value, where)
        except SpecError as error:
            self.say(str(error))
            return {}

    def names(self, value: Any, key: str, where: str) -> tuple[str, ...]:
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(value)
        self.say(
            f"field {key!r} of {where} is a name or a list of names, got {short(value)}"
        )
        return ()

    def unknown(
        self,
        document: Mapping[str, Any],
        known: tuple[str, ...],
        carried: frozenset[str],
        where: str,
    ) -> None:
        for key in document:
            if key not in known and key not in carried:
                self.say(
                    f"{where} has an unknown field {short(key)}"
                    f"{did_you_mean(str(key), known)}"
                )


def _given(document: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: document[key] for key in keys if not is_empty(document.get(key))}


def is_empty(value: Any) -> bool:
    """Tell whether a field holds nothing: null, "" or an empty list or object."""
    return value is None or (
        isinstance(value, str | list | tuple | Mapping) and not value
    )


def copied(value: Any) -> Any:
    """Give plain data that shares no list and no object with this."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return tuple(copied(item) for item in value) if isinstance(value, tuple) else value


def short(value: Any) -> str:
    text = shown(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def graph_document(graph: GraphSpec) -> dict[str, Any]:
    """Give a graph's document as JSON can hold it, its name included.

    Raises:
        SpecError: an argument cannot be written; the text names step and argument.
    """
    written = replace(
        map_steps(graph, _tagged_step),
        carried=_tagged_values(graph.carried, "the graph: field"),
    )
    document = {"name": graph.name, **to_dict(written)}
    if document["name"] != graph.name:
        document["graph_name"] = graph.name
    return document


def graph_json(graph: GraphSpec) -> str:
    """Give a graph's document as JSON text: the same graph, the same text.

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
    return {key: tagged(value, f"{what} {key!r}") for key, value in values.items()}


def save_graph(graph: GraphSpec | Graph, path: str | Path) -> Path:
    """Write a graph's document: YAML when the name ends so, else JSON."""
    spec = graph if isinstance(graph, GraphSpec) else graph.spec
    target = Path(path)
    text = graph_json(spec)
    if target.suffix in YAML:
        text = yaml_text(json.loads(text))
    target.write_text(text, encoding="utf-8")
    return target


def load_graph(
    path: str | Path,
    namespace: Mapping[str, Any] | None = None,
    allow_imports: tuple[str, ...] = (),
) -> Graph:
    """Read a graph from a JSON or YAML file; nothing is imported or run.

    The file holds a graph document, or an MLRun function or serving spec with one;
    what else stands in those is not used, and the graph's ``notes`` say so.

    Args:
        path: the file; a document without a name is named after it.
        namespace: the functions and classes that the steps' names stand for.
        allow_imports: modules that dotted names may be taken from.

    Raises:
        SpecError: the file cannot be read, or is no graph document.
    """
    from jupyter_graph.spec.builder import Graph
    from jupyter_graph.spec.function_document import graph_in

    document, notes = graph_in(read_document(path))
    graph = Graph.from_dict(
        document,
        namespace=namespace,
        allow_imports=allow_imports,
        name=name_in(document) or graph_name(Path(path).stem),
    )
    vars(graph)["notes"] = notes
    return graph


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
