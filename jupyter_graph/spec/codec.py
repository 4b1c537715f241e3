"""Graph documents: MLRun's keys in, MLRun's keys out.

Source: https://docs.mlrun.org/en/stable/serving/serving-graph.html, and the
documents MLRun 1.12 writes at ``function.spec.graph``.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.model import GraphSpec, StepSpec, map_steps
from jupyter_graph.spec.names import graph_name
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
EMPTY: tuple[Any, ...] = (None, "", (), [], {})


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
    reader = _Reader()
    graph = reader.graph(document, name or name_in(document) or "graph")
    SpecError.raise_all("invalid graph document", reader.problems)
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
    """Reads one document and collects everything that is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def graph(self, document: Any, name: str) -> GraphSpec:
        if not isinstance(document, Mapping):
            self.problems.append(
                f"a graph document is an object of fields, got {_short(document)}"
            )
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
                carried=deepcopy(carried),
                **values,
            )
        if kind not in ("flow", "root"):
            self.problems.append(
                f"a graph is of kind 'flow' or 'router', got {kind!r}"
                f"{did_you_mean(str(kind), ('flow', 'router', 'root'))}"
            )
        return self.flow(document, name)

    def flow(self, document: Mapping[str, Any], name: str) -> GraphSpec:
        self.unknown(document, OF_FLOW, CARRIED_IN_GRAPHS, "the graph")
        steps = document.get("steps") or {}
        if not isinstance(steps, Mapping):
            self.problems.append(
                "field 'steps' of the graph is an object of step names and steps, "
                f"got {_short(steps)}"
            )
            steps = {}
        carried = {k: v for k, v in document.items() if k in CARRIED_IN_GRAPHS}
        return GraphSpec(
            name=name,
            steps=self.steps(steps, "step"),
            carried=deepcopy(carried),
            **_given(document, ("on_error", *OF_ANY_GRAPH, *OF_CYCLES)),
        )

    def steps(self, documents: Mapping[Any, Any], what: str) -> tuple[StepSpec, ...]:
        found = []
        for key, value in documents.items():
            if isinstance(key, str):
                found.append(self.step(key, value))
            else:
                self.problems.append(f"the name of a {what} is a text, got {key!r}")
        return tuple(found)

    def step(self, name: str, document: Any) -> StepSpec:
        where = f"step {name!r}"
        if not isinstance(document, Mapping):
            self.problems.append(
                f"{where} is an object of fields, got {_short(document)}"
            )
            return StepSpec(name=name)
        known = (*OF_STEP, *GROUP_OF, "name")
        self.unknown(document, known, CARRIED_IN_STEPS, where)
        own = document.get("name")
        if own not in EMPTY and own != name:
            self.problems.append(
                f"{where} says its name is {own!r}; write {name!r} or leave it out"
            )
        values = dict(self.values(document, where))
        carried = {k: v for k, v in document.items() if k in CARRIED_IN_STEPS}
        return StepSpec(name=name, carried=deepcopy(carried), **values)

    def values(
        self, document: Mapping[str, Any], where: str
    ) -> Iterator[tuple[str, Any]]:
        for group, keys in GROUPS.items():
            given = {k: v for k, v in document.items() if k in keys}
            yield group, deepcopy({k: v for k, v in given.items() if v not in EMPTY})
        for key in OF_STEP:
            value = document.get(key)
            if value in EMPTY:
                continue
            if key in LISTS:
                yield key, self.names(value, key, where)
            elif key in INSIDE:
                if isinstance(value, Mapping):
                    yield key, self.steps(value, key.removesuffix("s"))
                else:
                    self.problems.append(
                        f"field {key!r} of {where} is an object of "
                        f"{key.removesuffix('s')} names and steps, got {_short(value)}"
                    )
            elif key == "class_args":
                try:
                    yield key, untagged(value, f"field {key!r} of {where}")
                except SpecError as error:
                    self.problems.append(str(error))
            else:
                yield key, deepcopy(value)

    def names(self, value: Any, key: str, where: str) -> tuple[str, ...]:
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(value)
        self.problems.append(
            f"field {key!r} of {where} is a name or a list of names, "
            f"got {_short(value)}"
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
                self.problems.append(
                    f"{where} has an unknown field {key!r}"
                    f"{did_you_mean(str(key), known)}"
                )


def _given(document: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: document[key] for key in keys if document.get(key) not in EMPTY}


def _short(value: Any) -> str:
    text = reprlib.repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def graph_json(graph: GraphSpec) -> str:
    """Give a graph's document as JSON text: the same graph, the same text.

    Raises:
        SpecError: an argument cannot be written; the text names step and argument.
    """
    written = map_steps(graph, _with_tagged_arguments)
    document = {"name": graph.name, **to_dict(written)}
    if document["name"] != graph.name:
        document["graph_name"] = graph.name
    return json.dumps(document, indent=2) + "\n"


def _with_tagged_arguments(step: StepSpec) -> StepSpec:
    args = {
        key: tagged(value, f"step {step.name!r}: argument {key!r}")
        for key, value in step.class_args.items()
    }
    return replace(step, class_args=args)


def save_graph(graph: GraphSpec | Graph, path: str | Path) -> Path:
    """Write a graph's document: YAML when the name ends so, else JSON."""
    spec = graph if isinstance(graph, GraphSpec) else graph.spec
    target = Path(path)
    text = graph_json(spec)
    if target.suffix in (".yaml", ".yml"):
        import yaml

        text = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True)
    target.write_text(text, encoding="utf-8")
    return target


def load_graph(
    path: str | Path,
    namespace: Mapping[str, Any] | None = None,
    allow_imports: tuple[str, ...] = (),
) -> Graph:
    """Read a graph's document from a JSON or YAML file; nothing is imported or run.

    Args:
        path: the file; a document without a name is named after it.
        namespace: the functions and classes that the steps' names stand for.
        allow_imports: modules that dotted names may be taken from.

    Raises:
        SpecError: the file cannot be read, or is no graph document.
    """
    from jupyter_graph.spec.builder import Graph

    document = read_document(path)
    return Graph.from_dict(
        document,
        namespace=namespace,
        allow_imports=allow_imports,
        name=name_in(document) or graph_name(Path(path).stem),
    )


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise SpecError(f"the graph document has {key!r} twice in one object")
        found[key] = value
    return found


def _read_yaml(text: str) -> Any:
    import yaml

    class OnceEach(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value]
            _once_each([(key, None) for key in keys if isinstance(key, str)])
            return super().construct_mapping(node, deep)

    return yaml.load(text, OnceEach)  # a SafeLoader: plain data, no objects


def read_document(path: str | Path) -> dict[str, Any]:
    """Read a JSON or YAML file that holds one object."""
    source = Path(path)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read graph file {str(source)!r}: {error}") from None
    try:
        if source.suffix in (".yaml", ".yml"):
            document = _read_yaml(text)
        else:
            document = json.loads(text, object_pairs_hook=_once_each)
    except SpecError:
        raise
    except Exception as error:  # yaml's errors share no base with json's
        raise SpecError(f"{str(source)!r} is not a graph document: {error}") from None
    if not isinstance(document, dict):
        raise SpecError(
            f"{str(source)!r} is not a graph document: an object of fields is "
            f"needed, got {_short(document)}"
        )
    return cast("dict[str, Any]", document)
