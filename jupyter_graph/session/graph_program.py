"""Which cells a graph is made of, and the program they make up."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_graph.cells.source import Cell
from jupyter_graph.deployment.named_code import code_names
from jupyter_graph.session.step_sources import StepSources
from jupyter_graph.spec.argument_values import value_names
from jupyter_graph.spec.builder import Graph


def cells_of(graph: Graph, sources: StepSources, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells a graph is built from, in the order they ran.

    A step's cell as it was when it defined the step counts even when the cell says
    something else by now; step cells of other graphs that define the same names do
    not.
    """
    own = {source.cell for source in sources.of_graph(graph.name)}
    names = sources.code_names(graph.name)
    foreign = {
        source.cell
        for source in sources.values()
        if source.graph != graph.name and source.code_name in names
    }
    live = [cell for cell in cells if cell in own or cell not in foreign]
    # Without its id, or it would count as an older run of what the cell says now.
    lost = [replace(cell, id=None) for cell in own if cell not in live]
    return sorted([*lost, *live], key=lambda cell: cell.number or 0) if lost else live


def code_of(graph: Graph, sources: StepSources, step: str) -> str:
    """Return the text of the cell that defined a step, else of its function or class.

    Raises:
        UnknownStepError: there is no such step.
    """
    source = sources.of(graph.name, step)
    if source is not None:
        return source.cell.source
    every = (*graph.spec.every_step(), *graph.spec.all_steps())
    known = [known_step for known_step in every if known_step.name == step]
    known_step = known[0] if known else graph.spec.step(step)
    parts = [part for part in known_step.inside() if part.class_name or part.handler]
    names = dict.fromkeys(part.code_name for part in parts)
    plain = f"# {step}: a {known_step.kind}, which has no code of its own"
    return "\n\n".join(_source(graph, name) for name in names) or plain


def _source(graph: Graph, name: str) -> str:
    try:
        return inspect.getsource(graph.namespace[name])
    except (KeyError, TypeError, OSError):
        return f"# {name}: its source is not at hand"


def needed_cells(
    graph: Graph, cells: Sequence[Cell], namespace: Mapping[str, Any], folder: Path
) -> frozenset[int | None]:
    """Return the numbers of the cells whose code a graph needs."""
    from jupyter_graph.cells.slice.module_slice import collect

    roots = shipped_names(graph, namespace)
    if not roots:
        return frozenset()
    walk = collect(cells, roots, namespace, folder)
    return frozenset(fragment.cell for fragment in walk.fragments.values())


def shipped_names(graph: Graph, namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of the notebook that a graph needs in production."""
    codes = code_names(graph.spec)
    names = [name for name in codes if name in graph.namespace or name in namespace]
    return list(dict.fromkeys([*names, *value_names(graph.spec)]))
