"""Writes what the docs say about fields of steps and graphs: ``make fields``.

The source is ``jupyter_graph.spec.step_fields``: two tables of documents.md, the
options of ``%%graph_step`` in magics.md, and the JSON Schema of graph documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from jupyter_graph.magics.step_magic import StepMagics
from jupyter_graph.spec.graph_schema import schema_text
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.step_fields import GRAPH_FIELDS, STEP_FIELDS, Field

HERE = Path(__file__).parent
PAGE = HERE / "documents.md"
MAGICS = HERE.parent / "magics.md"
SCHEMA = HERE / "graph-spec.schema.json"
HEAD = "| field | type | default | meaning |\n|---|---|---|---|\n"
OPTIONS_HEAD = "| option | meaning |\n|---|---|\n"


def field_rows(rows: Iterable[Field], of: StepSpec | GraphSpec) -> str:
    """Return the rows of a table of fields, with the defaults that a spec has."""
    lines = (f"| {' | '.join(_cells(row, of))} |\n" for row in rows)
    return "".join(line.replace("|  |", "| |") for line in lines)


def _cells(row: Field, of: StepSpec | GraphSpec) -> Iterator[str]:
    yield f"`{row.key}`"
    yield row.type.title
    yield _default(row, of) if row.default is None else row.default
    yield f"*ours:* {row.meaning}" if row.is_ours else row.meaning


def _default(row: Field, of: StepSpec | GraphSpec) -> str:
    default = getattr(of, row.key)
    text = json.dumps(list(default) if isinstance(default, tuple) else default)
    return f"`{text}`" if isinstance(default, str | tuple | dict) else text


def option_rows() -> str:
    """Return the rows of the table of the options of ``%%graph_step``."""
    actions = [a for a in StepMagics.graph_step.parser._actions if a.option_strings]
    return "".join(f"| `{_form(a)}` | {a.help} |\n" for a in actions)


def _form(action: object) -> str:
    flag, metavar = action.option_strings[0], action.metavar  # type: ignore[attr-defined]
    return f"{flag} {metavar or ''}".strip().replace("STEP|graph", r"STEP\|graph")


def with_table(text: str, mark: str, head: str, rows: str) -> str:
    """Return a page with the table after a mark written anew."""
    start = text.index(head, text.index(mark)) + len(head)
    return text[:start] + rows + text[text.index("\n\n", start) + 1 :]


def pages() -> dict[Path, str]:
    """Return the text that each file shall have."""
    page = PAGE.read_text(encoding="utf-8")
    page = with_table(
        page, "## Fields of a graph\n", HEAD, field_rows(GRAPH_FIELDS, GraphSpec())
    )
    page = with_table(
        page, "## Fields of a step\n", HEAD, field_rows(STEP_FIELDS, StepSpec(name=""))
    )
    magics = MAGICS.read_text(encoding="utf-8")
    magics = with_table(magics, "<!-- %%graph_step", OPTIONS_HEAD, option_rows())
    return {PAGE: page, MAGICS: magics, SCHEMA: schema_text()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
