"""The JSON Schema of graph documents, from the table of fields."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from jupyter_graph.spec.documents.document_reader import (
    CARRIED_IN_GRAPHS,
    CARRIED_IN_STEPS,
)
from jupyter_graph.spec.field_types import Schema
from jupyter_graph.spec.step_fields import GRAPH_FIELDS, STEP_FIELDS, Field

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def graph_schema() -> Schema:
    """Return the JSON Schema of graph documents.

    A document that it refuses is refused by the reader or by a rule about types. What
    rules say beyond a single field, such as names that must exist, is not in it.

    >>> sorted(graph_schema()["$defs"])
    ['step']
    """
    graph = _properties(GRAPH_FIELDS, CARRIED_IN_GRAPHS)
    step = {"name": {"type": ["string", "null"]}}
    step |= _properties(STEP_FIELDS, CARRIED_IN_STEPS)
    return {
        "$schema": DIALECT,
        "title": "Graph document",
        "description": "A graph as MLRun keeps it at function.spec.graph.",
        "type": "object",
        "properties": {**step, **graph},
        # A router document is a step and a graph in one, a flow has no step's fields.
        "if": {"properties": {"kind": {"const": "router"}}, "required": ["kind"]},
        "then": {"propertyNames": {"enum": sorted({*step, *graph} - {"steps"})}},
        "else": {"propertyNames": {"enum": sorted(graph)}},
        "$defs": {
            "step": {
                "type": "object",
                "properties": step,
                "additionalProperties": False,
            }
        },
    }


def _properties(rows: Iterable[Field], carried: Iterable[str]) -> Schema:
    properties: Schema = {
        row.key: {**_or_empty(row), "description": row.meaning} for row in rows
    }
    return properties | {key: {} for key in sorted(carried)}


def _or_empty(row: Field) -> Schema:
    """Return the schema of a field that may also be left out by what is empty."""
    schema: Schema = row.type.schema
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    types: Any = schema["type"]
    return {**schema, "type": [*([types] if isinstance(types, str) else types), "null"]}


def schema_text() -> str:
    """Return the schema as the file of the docs holds it."""
    return json.dumps(graph_schema(), indent=2, ensure_ascii=False) + "\n"
