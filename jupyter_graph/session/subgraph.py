"""A part of a graph: up to one step, or from one step on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jupyter_graph.errors import MagicError, did_you_mean
from jupyter_graph.session.graph_hints import ResolvedGraph
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import START, GraphSpec, StepSpec
from jupyter_graph.spec.topology import followers, ordinary_names, reached


def part(
    graph: Graph, *, until: str | None = None, from_step: str | None = None
) -> Graph:
    """Return the part of a flow that ends or begins with a step; that step may answer.

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
    ordinary = ordinary_names(spec)
    for option, name in (("--until", until), ("--from", from_step)):
        if name is not None and name not in ordinary:
            raise MagicError(
                f"{option} names step {name!r}, which is no step of graph "
                f"{spec.name!r}{did_you_mean(name, ordinary)} "
                f"(its steps: {', '.join(ordinary) or 'none yet'})"
            )
    if until is not None and spec.step(until).kind == "queue":
        raise MagicError(
            f"--until {until}: a queue runs no code and gives nothing; name the step "
            "before or after it"
        )
    kept = set(ordinary)
    if until is not None:
        kept &= _up_to(spec, until)
    if from_step is not None:
        kept &= reached(from_step, followers(spec))
    kept |= {h for s in spec.steps if s.name in kept and (h := s.on_error)}
    if spec.on_error:
        kept.add(spec.on_error)
    steps = tuple(
        _cut(step, kept, until, from_step) for step in spec.steps if step.name in kept
    )
    if until is not None:
        steps += tuple(_elsewhere(graph, kept, until))
    return graph.with_spec(replace(spec, steps=steps), literal=False)


def _elsewhere(graph: Graph, kept: set[str], until: str) -> Iterator[StepSpec]:
    """Yield an end for each way that a choice may take and that leads elsewhere."""
    ways, seen = followers(graph.spec), ResolvedGraph(graph, {})
    choices: dict[str, list[str]] = {}
    for name in kept - {until}:
        if name in graph.spec and seen.chooses(name):
            for target in ways[name]:
                if target not in kept:
                    choices.setdefault(target, []).append(name)
    for target, names in choices.items():
        yield StepSpec(
            name=target,
            class_name="Filter",
            class_args={"_fn": "(False)"},
            after=tuple(sorted(names)),
        )


def _up_to(spec: GraphSpec, name: str) -> set[str]:
    """Return a step and all that an event may pass before it comes there first."""
    ways = {**followers(spec), name: ()}
    before = {step.name: step.after for step in spec.steps}
    return reached(name, before) & reached(START, ways)


def _cut(
    step: StepSpec, kept: set[str], until: str | None, from_step: str | None
) -> StepSpec:
    """Return a step as it is in the part: what is left out is not named."""
    after = tuple(name for name in step.after if name in kept and name != until)
    back = tuple(name for name in step.cycle_from if name in after)
    if step.name == from_step:
        back = after  # it is the first step now: all others lead back to it
    elif set(after) <= set(back) and from_step is not None:
        back = ()  # what led back here is the way to it now
    return replace(
        step,
        after=after,
        cycle_from=back,
        before=tuple(name for name in step.before if name in kept),
        responder=step.responder if until is None else step.name == until,
        join=step.join if len(after) > 1 else None,
        join_timeout_s=step.join_timeout_s if len(after) > 1 else None,
    )
