"""A part of a graph: up to one step, or from one step on."""

from __future__ import annotations

from dataclasses import replace

from jupyter_graph.errors import MagicError, did_you_mean
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.topology import handler_names


def part(
    graph: Graph, *, until: str | None = None, from_step: str | None = None
) -> Graph:
    """Give the part of a flow that ends or begins with a step; that step may answer.

    Error handlers go along when what they handle does.

    >>> flow = Graph("g")
    >>> _ = flow.to(name="a", handler=str).to(name="b", handler=str)
    >>> part(flow, until="a").spec.names()
    ('a',)
    """
    spec = graph.spec
    if spec.router is not None:
        raise MagicError(
            f"graph {spec.name!r} is a router; --until and --from cut flows"
        )
    handlers = handler_names(spec)
    for option, name in (("--until", until), ("--from", from_step)):
        if name is not None and (name not in spec or name in handlers):
            known = [n for n in spec.names() if n not in handlers]
            raise MagicError(
                f"{option} names step {name!r}, which is no step of graph "
                f"{spec.name!r}{did_you_mean(name, known)} "
                f"(its steps: {', '.join(known) or 'none yet'})"
            )
    kept = set(spec.names()) - handlers
    if until is not None:
        kept &= _upstream(spec, until)
    if from_step is not None:
        kept &= _downstream(spec, from_step)
    kept |= {h for s in spec.steps if s.name in kept and (h := s.on_error)}
    if spec.on_error:
        kept.add(spec.on_error)
    steps = tuple(_cut(step, kept, until) for step in spec.steps if step.name in kept)
    cut = Graph.from_spec(replace(spec, steps=steps), graph.namespace)
    cut.allow_imports = graph.allow_imports
    return cut


def _cut(step: StepSpec, kept: set[str], until: str | None) -> StepSpec:
    after = tuple(name for name in step.after if name in kept)
    before = tuple(name for name in step.before if name in kept)
    responder = step.responder if until is None else step.name == until
    return replace(step, after=after, before=before, responder=responder)


def _upstream(spec: GraphSpec, name: str) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += [up for up in spec.step(current).after if up in spec]
    return found


def _downstream(spec: GraphSpec, name: str) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += [s.name for s in spec.steps if current in s.after]
    return found
