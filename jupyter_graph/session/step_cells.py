"""A notebook cell becomes a step: what it says is checked, then it is placed."""

from __future__ import annotations

import ast
import functools
import inspect
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from jupyter_graph.cells.source import Cell, Definition, step_definition
from jupyter_graph.deployment.named_code import code_names
from jupyter_graph.errors import MagicError
from jupyter_graph.session.code_dependencies import helpers_of
from jupyter_graph.session.graph_hints import notes_about
from jupyter_graph.session.graphs import Graphs
from jupyter_graph.session.step_checks import check_fit
from jupyter_graph.session.step_options import StepOptions, check_options
from jupyter_graph.session.step_places import check_place, place, step_spec
from jupyter_graph.session.step_sources import StepSource
from jupyter_graph.spec import edit
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.spec.names import step_name_problem


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step that a cell wants to define; all its words have been checked.

    Attributes:
        graph: the graph it goes into.
        name: the step's name.
        options: what the cell says.
        definition: the function or class in the cell.
        cell: the cell.
        owned: the step that this cell has defined before.
    """

    graph: str
    name: str
    options: StepOptions
    definition: Definition
    cell: Cell
    owned: StepSource | None


@dataclass(frozen=True)
class StepPlaced:
    """What came of a step cell; shows itself as one line and its notes.

    Attributes:
        graph: the graph's name.
        step: the step as it stands in the graph.
        notes: what the user may want to know, not yet an error.
        answer: what ``--example`` returned.
    """

    graph: str
    step: StepSpec
    notes: tuple[str, ...] = field(default=())
    answer: Any = None

    def __str__(self) -> str:
        return "\n".join([self._line(), *(f"note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        shown = "" if self.answer is None else f"\n{self.answer!r}"
        return f"{self}{shown}"

    def says_the_same(self, other: StepPlaced) -> bool:
        """Tell whether another one is about the same step, place and notes."""
        try:
            return bool(self == other)
        except Exception:
            return False  # an array among the arguments does not say so

    def _line(self) -> str:
        step = self.step
        place_ = f" after {', '.join(step.after)}" if step.after else ""
        if step.is_error_handler:
            place_ = f" for errors of {step.base_step or 'the whole graph'}"
            place_ += f", then {', '.join(step.before)}" if step.before else ""
        return f"step {step.name!r} of graph {self.graph!r}{place_}"

    @functools.cached_property
    def _bundle(self) -> dict[str, str]:
        """The texts to show; made once, for the notebook keeps what it has shown."""
        notes = "".join(f"<div>note: {escape(note)}</div>" for note in self.notes)
        shown = ""
        if self.answer is not None:
            shown = self.answer._repr_mimebundle_()["text/html"]
        markup = f"<div>{escape(self._line())}</div>{notes}{shown}"
        return {"text/plain": repr(self), "text/html": markup}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self._bundle


def plan_step(graphs: Graphs, options: StepOptions, cell: Cell) -> StepPlan:
    """Check what a cell says before it runs; no graph is changed.

    Raises:
        MagicError: a word is wrong: a name, an option, a neighbour.
        CellError: the cell defines no function or class.
    """
    check_options(options)
    definition = step_definition(cell, options.name)
    name = options.route or options.name or definition.name
    if problem := step_name_problem(name, route=options.is_route):
        raise MagicError(f"{problem}; say %%graph_step NAME")
    owned = graphs.sources.owned_by(cell.id)
    graph = (
        graphs.home_of(owned) if options.graph is None else graphs.named(options.graph)
    )
    owned = owned or graphs.sources.renamed_from(graph.name, name)
    plan = StepPlan(graph.name, name, options, definition, cell, owned)
    check_place(graph, _old_name(plan) or name, options)
    _check_names_are_free(graphs, graph, plan)
    _check_takes_a_body(definition)
    return plan


def _old_name(plan: StepPlan) -> str | None:
    """Return the name the step has now, when the cell's step gets another one."""
    owned = plan.owned
    if owned is None or plan.options.keep or owned.graph != plan.graph:
        return None
    return owned.step if owned.step != plan.name else None


def _check_names_are_free(graphs: Graphs, graph: Graph, plan: StepPlan) -> None:
    name, code_name = plan.name, plan.definition.name
    if _old_name(plan) and name in graph.spec:
        raise MagicError(
            f"graph {graph.name!r} already has a step {name!r}"
            f"{_made_by(graphs.sources.of(graph.name, name))}; choose another name, "
            f"or take it away first: %graph remove {name}"
        )
    for step in graph.spec.every_step():
        source = graphs.sources.of(graph.name, step.name)
        is_own = step.name in (name, _old_name(plan))
        if is_own or source is None or source.code_name != code_name:
            continue
        if plan.cell.id is None or source.cell.id != plan.cell.id:
            raise MagicError(
                f"{code_name!r} is already the code of step {step.name!r}"
                f"{_made_by(source)}; give this function or class another name, or "
                f"%graph rename {step.name} {name}"
            )
        raise MagicError(
            f"{code_name!r} is still the code of step {step.name!r}, which --keep "
            "keeps; give the new function or class another name"
        )


def _made_by(source: StepSource | None) -> str:
    number = source.cell.number if source else None
    return f" (cell {number})" if number else ""


def _check_takes_a_body(definition: Definition) -> None:
    node = definition.node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    args = node.args
    if not node.decorator_list and not (args.posonlyargs or args.args or args.vararg):
        raise MagicError(
            f"function {definition.name!r} has no parameter for the body; "
            f"write def {definition.name}(body): …"
        )


def put_step(graphs: Graphs, plan: StepPlan, user_ns: Mapping[str, Any]) -> StepPlaced:
    """Put the step of a cell that has run into its graph.

    Raises:
        MagicError: the code does not fit the options; the graph is unchanged.
    """
    name, options, definition = plan.name, plan.options, plan.definition
    if definition.name not in user_ns:
        raise MagicError(f"the cell defined {definition.name!r} and deleted it again")
    code = user_ns[definition.name]
    step = step_spec(name, definition.name, code, options)
    check_fit(step, code)
    source = StepSource(
        graph=plan.graph,
        step=name,
        cell=plan.cell,
        line=definition.node.lineno,
        code_name=definition.name,
        defined_as=name,
        helpers=helpers_of(code, user_ns),
        ran_s=time.time(),
    )
    with graphs.change(f"step {name!r} of graph {plan.graph!r}"):
        graph = graphs.named(plan.graph)
        before = graph.spec
        notes = _make_room(graphs, plan)
        graphs.release(plan.graph, name)
        place(graph, step, options, code)
        graphs.sources.put(source)
        drop_unused_code(graphs, graph)
    placed = next(s for s in graph.spec.every_step() if s.name == name)
    notes += notes_about(graph, user_ns, name, before)
    return StepPlaced(plan.graph, placed, tuple(notes))


def _make_room(graphs: Graphs, plan: StepPlan) -> list[str]:
    """Rename or move what the cell made before; return the notes about it."""
    owned, graph = plan.owned, graphs.named(plan.graph)
    if owned is None or plan.options.keep:
        return []
    if owned.graph != plan.graph:
        if owned.graph in graphs:
            remove_step(graphs, graphs.named(owned.graph), owned.step)
        return [f"moved here from graph {owned.graph!r}"]
    if old := _old_name(plan):
        rename_step(graphs, graph, old, plan.name)
        return [f"renamed from {old!r} (--keep keeps both)"]
    return []


def remove_step(graphs: Graphs, graph: Graph, name: str) -> None:
    """Take a step or a route away, with what was remembered about it."""
    graph.apply(edit.remove, name)
    graphs.release(graph.name, name)
    drop_unused_code(graphs, graph)


def rename_step(graphs: Graphs, graph: Graph, name: str, new: str) -> None:
    """Rename a step; its neighbours and its cell follow."""
    graph.apply(edit.rename, name, new)
    graphs.release(graph.name, name, new)


def drop_unused_code(graphs: Graphs, graph: Graph) -> None:
    """Forget the functions and classes that no step of the graph names any more."""
    used = set(code_names(graph.spec))
    used |= graphs.sources.code_names(graph.name)
    for name in [n for n in graph.namespace if n not in used]:
        value = graph.namespace[name]
        if inspect.isfunction(value) or inspect.isclass(value):
            del graph.namespace[name]
