"""Reads graph documents, and collects everything that is wrong with one."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.argument_values import untagged
from jupyter_graph.spec.field_types import NAMES_SCHEMA, STEPS
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.rules.graph_problem import shown
from jupyter_graph.spec.step_fields import (
    BY_KEY,
    GRAPH_BY_KEY,
    GRAPH_FIELDS,
    GROUP_OF,
    STEP_FIELDS,
)

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
OF_ANY_GRAPH = ("engine", "max_in_flight", "order_by", "copy")
OF_CYCLES = ("allow_cyclic", "max_iterations", "final_step")
OF_FLOW = tuple(row.key for row in GRAPH_FIELDS if row.key != "graph_name")


class Reader:
    """Reads one document and collects everything that is wrong with it.

    ``unread`` names the steps that something is wrong with, None for the graph: what
    rules say of these may follow from it.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unread: set[str | None] = set()
        self.inside: list[str] = []

    def say(self, *problems: str) -> None:
        self.problems += problems
        if problems:
            self.unread |= set(self.inside) or {None}

    def graph(self, document: Any, name: str) -> GraphSpec:
        if not isinstance(document, Mapping):
            self.say(f"a graph document is an object of fields, got {short(document)}")
            return GraphSpec(name=name)
        kind = _given(document, ("kind",)).get("kind", "flow")
        if kind not in ("router", "flow", "root"):
            self.say(
                f"a graph is of kind 'flow' or 'router', got {short(kind)}"
                f"{did_you_mean(str(kind), ('flow', 'router', 'root'))}"
            )
        parts = self.router(document) if kind == "router" else self.flow(document)
        carried = self.kept(document, CARRIED_IN_GRAPHS, "the graph")
        values = _given(document, OF_ANY_GRAPH)
        return GraphSpec(name=name, carried=carried, **parts, **values)

    def router(self, document: Mapping[str, Any]) -> dict[str, Any]:
        # One object holds the graph's fields and the router's.
        not_its_own = {*CARRIED_IN_GRAPHS, *OF_ANY_GRAPH, "graph_name"}
        own_part = {k: v for k, v in document.items() if k not in not_its_own}
        name = _given(document, ("name",)).get("name", "router")
        if not isinstance(name, str):
            self.say(f"the name of a router is a text, got {short(name)}")
            own_part["name"], name = None, "router"
        return {"topology": "router", "router": self.step(name, own_part)}

    def flow(self, document: Mapping[str, Any]) -> dict[str, Any]:
        self.say(*unknown_fields(document, OF_FLOW, "the graph", CARRIED_IN_GRAPHS))
        steps = _given(document, ("steps",)).get("steps", {})
        return {
            "steps": self.steps(steps, "steps", "the graph"),
            "on_error": self.handler(document.get("on_error"), "the graph"),
            **_given(document, OF_CYCLES),
        }

    def steps(self, documents: Any, key: str, where: str) -> tuple[StepSpec, ...]:
        what = key.removesuffix("s")
        if not isinstance(documents, Mapping):
            self.say(
                f"field {key!r} of {where} is an object of {what} names and steps, "
                f"got {short(documents)}"
            )
            return ()
        steps = []
        for key, value in documents.items():
            if isinstance(key, str):
                steps.append(self.step(key, value))
            else:
                self.say(f"the name of a {what} is a text, got {short(key)}")
        return tuple(steps)

    def step(self, name: str, document: Any) -> StepSpec:
        self.inside.append(name)
        where = f"step {name!r}"
        if not isinstance(document, Mapping):
            self.say(f"{where} is an object of fields, got {short(document)}")
            document = {}
        known = (*BY_KEY, "name")
        self.say(*unknown_fields(document, known, where, CARRIED_IN_STEPS))
        own = document.get("name")
        if own not in (None, "", name):
            self.say(
                f"{where} says its name is {short(own)}; write {name!r} or leave it out"
            )
        values = dict(self.values(document, where))
        carried = self.kept(document, CARRIED_IN_STEPS, where)
        self.inside.pop()
        return StepSpec(name=name, carried=carried, **values)

    def values(
        self, document: Mapping[str, Any], where: str
    ) -> Iterator[tuple[str, Any]]:
        # In the order of the document: it shall come back as it was.
        for group in dict.fromkeys(GROUP_OF.values()):
            held = {
                key: self.untagged(value, f"field {key!r} of {where}")
                for key, value in document.items()
                if GROUP_OF.get(key) == group and not BY_KEY[key].type.is_empty(value)
            }
            yield group, held
        for row in STEP_FIELDS:
            key, value = row.key, document.get(row.key)
            if row.group is not None or row.type.is_empty(value):
                continue
            if row.type is STEPS:
                yield key, self.steps(value, key, where)
            elif row.type.schema is NAMES_SCHEMA:
                yield key, self.names(value, key, where)
            elif key == "class_args":
                yield key, self.untagged(value, f"field {key!r} of {where}")
            elif key == "on_error":
                yield key, self.handler(value, where)
            else:
                yield key, copied(value)

    def kept(
        self, document: Mapping[str, Any], keys: Container[str], where: str
    ) -> dict[str, Any]:
        """Return those of these fields that hold something."""
        return {
            key: self.untagged(value, f"field {key!r} of {where}")
            for key, value in document.items()
            if key in keys and not is_empty(value)
        }

    def untagged(self, value: Any, where: str) -> Any:
        try:
            return untagged(value, where)
        except SpecError as error:
            self.say(f"{error}")
            return {}

    def handler(self, value: Any, where: str) -> str | None:
        if BY_KEY["on_error"].type.is_empty(value):
            return None
        if not isinstance(value, str):
            self.problems.append(
                f"on_error of {where} must be a text, got {short(value)}"
            )
            return None
        return value

    def names(self, value: Any, key: str, where: str) -> tuple[str, ...]:
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
            return tuple(value)
        self.say(
            f"field {key!r} of {where} is a name or a list of names, got {short(value)}"
        )
        return ()


def unknown_fields(
    document: Mapping[Any, Any],
    known: tuple[str, ...],
    where: str,
    carried: Container[str] = (),
) -> Iterator[str]:
    """Yield what is wrong with fields that are neither known nor carried."""
    for key in document:
        if key not in known and key not in carried:
            hint = did_you_mean(str(key), known)
            yield f"{where} has an unknown field {short(key)}{hint}"


def _given(document: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Return those of the graph's own fields that a document says something in."""
    return {
        key: document[key]
        for key in keys
        if not GRAPH_BY_KEY[key].type.is_empty(document.get(key))
    }


def is_empty(value: Any) -> bool:
    """Tell whether a field holds nothing: null, "" or an empty list or object."""
    return value is None or (
        isinstance(value, str | list | tuple | Mapping) and not value
    )


def copied(value: Any) -> Any:
    """Return plain data that shares no list and no object with this."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return tuple(copied(item) for item in value) if isinstance(value, tuple) else value


def short(value: Any) -> str:
    text = shown(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
