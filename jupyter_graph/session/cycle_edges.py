"""Lines that lead back: where they may be, and how they follow their steps."""

from __future__ import annotations

from dataclasses import replace

from jupyter_graph.errors import MagicError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import DEFAULT_ITERATIONS


def check_cycles(graph: Graph) -> None:
    """Raise a MagicError when a graph cannot have cycles."""
    spec = graph.spec
    if spec.engine == "sync":
        raise MagicError(
            f"--cycle-to: graph {spec.name!r} has the engine 'sync', which knows no "
            f"cycles; make it anew: %graph new {spec.name} --allow-cyclic"
        )
    if not spec.allow_cyclic and not graph.is_trusted:
        raise MagicError(
            f"--cycle-to: the document of graph {spec.name!r} allows no cycles; write "
            "allow_cyclic: true into it and import it again"
        )


def lead_back(graph: Graph, name: str, targets: tuple[str, ...]) -> None:
    """Lead from a step back to these earlier ones, and to no others."""
    for step in graph.spec.steps:
        if name in step.cycle_from and step.name not in targets:
            graph.change_step(
                step.name,
                after=tuple(other for other in step.after if other != name),
                cycle_from=tuple(other for other in step.cycle_from if other != name),
            )
    if targets:
        allow_cycles(graph)
        graph.cycle_to(name, targets)


def allow_cycles(graph: Graph) -> None:
    """Let the steps of a graph lead back to earlier ones."""
    spec = graph._spec
    graph._spec = replace(
        spec,
        allow_cyclic=True,
        max_iterations=spec.max_iterations or DEFAULT_ITERATIONS,
    )


def cut_cycles(graph: Graph, name: str) -> None:
    """Take away the lines back that a step begins or ends."""
    for step in graph.spec.steps:
        gone = step.cycle_from if step.name == name else (name,)
        gone = tuple(other for other in gone if other in step.cycle_from)
        if gone:
            graph.change_step(
                step.name,
                after=tuple(other for other in step.after if other not in gone),
                cycle_from=tuple(o for o in step.cycle_from if o not in gone),
            )


def rename_cycles(graph: Graph, name: str, new: str) -> None:
    """Let the lines back that a step begins have its new name."""
    for step in graph.spec.steps:
        if name in step.cycle_from:
            back = tuple(new if other == name else other for other in step.cycle_from)
            graph.change_step(step.name, cycle_from=back)
