"""The table of fields: what follows from a row."""

import importlib.util
import inspect
import json
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.graph_schema import graph_schema, schema_text
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.step_fields import (
    DEFAULTS,
    GRAPH_FIELDS,
    GROUP_OF,
    OF_GRAPH,
    SETTINGS,
    STEP_FIELDS,
)
from jupyter_graph.spec.validate import validate

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
CASES = Path(__file__).parents[1] / "conformance" / "cases"
EMPTY = {"null": None, "text": "", "list": [], "object": {}, "false": False, "zero": 0}
OWN = {
    "text": {"text"},
    "names": {"text", "list"},
    "steps": {"object"},
    "object": {"object"},
    "number": {"zero"},
    "flag": {"false"},
}
"""Which empty values are of a field's own type, so that it is absent or fits."""


def kind_of(row):
    known = row.type.schema.get("type", "string")
    if known == ["string", "array"]:
        return "names"
    of_numbers = {"integer": "number", "number": "number", "boolean": "flag"}
    return of_numbers.get(known, "object" if known == "object" else "text")


def is_allowed(row, empty):
    of_own_type = empty in OWN[kind_of(row)]
    return empty == "null" or (of_own_type and (empty != "zero" or row.type.fits(0)))


def problems_of(document):
    try:
        validate(Graph.from_dict(document))
    except SpecError as error:
        return error.problems
    return ()


def complaints(document):
    """Return what is said of the value of a field, not of its absence."""
    return [text for text in problems_of(document) if " got " in text]


@pytest.mark.parametrize("row", STEP_FIELDS, ids=lambda row: row.key)
def test_an_empty_value_of_another_type_is_refused_in_a_step(row):
    refused = {
        empty: complaints({"steps": {"a": {"handler": "f", row.key: value}}})
        for empty, value in EMPTY.items()
    }

    assert {e: not found for e, found in refused.items()} == {
        empty: is_allowed(row, empty) for empty in EMPTY
    }
    assert all(len(found) < 2 for found in refused.values())


@pytest.mark.parametrize(
    "row",
    [row for row in GRAPH_FIELDS if row.key != "graph_name"],
    ids=lambda row: row.key,
)
def test_an_empty_value_of_another_type_is_refused_in_a_graph(row):
    refused = {
        empty: complaints({"steps": {"a": {"handler": "f"}}, row.key: value})
        for empty, value in EMPTY.items()
    }

    assert {e: not found for e, found in refused.items()} == {
        empty: is_allowed(row, empty) for empty in EMPTY
    }


def test_every_attribute_of_a_spec_has_a_row():
    groups = set(GROUP_OF.values())
    own = {f.name for f in fields(StepSpec)} - {"name", "carried", *groups}
    assert own == set(DEFAULTS)

    of_graph = {f.name for f in fields(GraphSpec)} - {"name", "carried"}
    assert of_graph - {"steps", "router"} == {row.key for row in OF_GRAPH}


def test_the_builder_takes_every_setting_by_name():
    shown = inspect.signature(Graph.add_step).parameters

    assert {key: shown[key].default for key in SETTINGS} == {
        key: DEFAULTS[key] for key in SETTINGS
    }


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(graph_schema())


def test_the_pages_say_what_the_table_says():
    path = REFERENCE / "write_fields.py"
    spec = importlib.util.spec_from_file_location("write_fields", path)
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)

    stale = [
        path.name
        for path, text in writer.pages().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert not stale, f"{stale}: make fields writes them anew"


def test_the_file_of_the_schema_is_up_to_date():
    path = REFERENCE / "graph-spec.schema.json"

    assert path.read_text(encoding="utf-8") == schema_text()


SCHEMA = jsonschema.Draft202012Validator(graph_schema())


def graphs_in(value):
    """Yield the graph documents that a case holds, at whatever place."""
    if isinstance(value, dict):
        if "steps" in value or value.get("kind") == "router":
            yield value
        else:
            for inner in value.values():
                yield from graphs_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from graphs_in(inner)


@pytest.mark.parametrize("path", sorted(CASES.rglob("*.json")), ids=lambda p: p.stem)
def test_the_schema_takes_what_is_accepted(path):
    documents = list(graphs_in(json.loads(path.read_text(encoding="utf-8"))))
    accepted = [document for document in documents if not problems_of(document)]

    assert [document for document in accepted if not SCHEMA.is_valid(document)] == []


@pytest.mark.parametrize(
    "document",
    [
        {"steps": {"a": {"handler": "f", "kind": []}}},
        {"steps": {"a": {"handler": "f", "retries": -1}}},
        {"steps": {"a": {"handler": "f", "retry": 1}}},
        {"steps": {"a": {"handler": "f", "join": "some"}}},
        {"steps": {"a": {"handler": "f", "after": [1]}}},
        {"steps": []},
        {"steps": {}, "max_in_flight": 0},
        {"steps": {}, "class_name": "C"},
        {"kind": "router", "routes": {"m": {"timeout_s": 0}}},
    ],
)
def test_the_schema_refuses_what_the_types_refuse(document):
    assert not SCHEMA.is_valid(document)
    assert problems_of(document)
