"""The page on documents names every field, with the default it has."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from jupyter_graph.spec.documents import document_reader
from jupyter_graph.spec.mlrun import secret_sources, serving_spec
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.rules import graph_rules
from jupyter_graph.spec.step_fields import BY_KEY, GRAPH_BY_KEY, GROUP_OF

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "documents.md").read_text(
    encoding="utf-8"
)


def rows_of(section):
    """Return the cells of a section's table by the first of them."""
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {name: row for row in rows for name in re.findall(r"`(.+?)`", row[0])}


GRAPH, STEP = rows_of("Fields of a graph"), rows_of("Fields of a step")
SERVING = rows_of("Functions and serving specs")
OF_STEP = tuple(BY_KEY)
OF_GRAPH = tuple(GRAPH_BY_KEY)


def test_the_tables_hold_the_fields_and_no_others():
    assert set(STEP) == set(OF_STEP)
    assert set(GRAPH) == set(OF_GRAPH)
    assert set(SERVING) == set(serving_spec.KNOWN)


def defaults(of, table):
    for field in fields(of):
        if field.name in table and field.name not in ("name", "steps", "routes"):
            made = field.default_factory
            default = field.default if made is MISSING else made()
            yield pytest.param(
                table, field.name, default, id=f"{of.__name__}-{field.name}"
            )


@pytest.mark.parametrize(
    ("table", "name", "default"),
    [*defaults(StepSpec, STEP), *defaults(GraphSpec, GRAPH)],
)
def test_a_field_has_the_default_that_the_page_says(table, name, default):
    written = json.loads(table[name][2].strip("`"))

    assert written == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize(
    "word",
    sorted(
        {
            *document_reader.CARRIED_IN_GRAPHS,
            *document_reader.CARRIED_IN_STEPS,
            *graph_rules.KINDS,
            *graph_rules.FOREIGN_KINDS,
            *secret_sources.KINDS,
            *serving_spec.LOAD_MODES,
        }
    ),
)
def test_the_page_names_every_word(word):
    assert f"`{word}`" in PAGE


def test_what_is_ours_is_marked():
    of_mlrun = {
        "kind", "class_name", "class_args", "handler", "after", "before", "on_error",
        "base_step", "input_path", "result_path", "full_event", "responder", "comment",
        "shape", "routes", "steps", "engine", "max_iterations", "cycle_from",
        "function", "path", *GROUP_OF,
    }  # fmt: skip
    marked = {name for name, row in STEP.items() if "*ours:*" in " ".join(row)}

    assert marked == set(STEP) - of_mlrun
