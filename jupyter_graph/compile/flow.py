"""Graphs with storey steps: cut into regions, each stateless one a function.

A storey step stays what it is; a chain of stateless steps between two of them becomes
one generated function, which runs as one storey step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from jupyter_graph.compile.code import StepCode
from jupyter_graph.compile.fuse import Fused, fuse
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.spec.topology import followers, handler_names, order, responder_of


@dataclass(frozen=True, slots=True)
class Region:
    """A storey step, or a chain of stateless steps.

    Attributes:
        steps: the names of its steps, in order.
        after: the names of the regions' last steps that it comes after.
        fused: the generated code of a stateless region, None for a storey step.
    """

    steps: tuple[str, ...]
    after: tuple[str, ...]
    fused: Fused | None

    @property
    def last(self) -> str:
        return self.steps[-1]


def is_stateful(codes: Mapping[str, StepCode]) -> bool:
    """Tell whether a graph has steps that only storey can run."""
    return any(code.is_stateful for code in codes.values())


def cut_into_regions(
    graph: GraphSpec, codes: Mapping[str, StepCode]
) -> tuple[Region, ...]:
    """Give the regions of a flow, each after those it depends on.

    Raises:
        SpecError: the graph has something that cannot stand beside storey steps.
    """
    _refuse(graph, codes)
    following = followers(graph)
    regions: list[Region] = []
    taken: set[str] = set()
    for name in order(graph):
        if name in taken:
            continue
        chain = [name]
        while grown := _next_of_chain(graph, codes, following, chain[-1]):
            chain.append(grown)
        taken.update(chain)
        fused = None if codes[name].is_stateful else _fused(graph, codes, chain)
        regions.append(Region(tuple(chain), graph.step(name).after, fused))
    return tuple(regions)


def _next_of_chain(
    graph: GraphSpec,
    codes: Mapping[str, StepCode],
    following: Mapping[str, tuple[str, ...]],
    name: str,
) -> str | None:
    if codes[name].is_stateful or codes[name].selects or name == responder_of(graph):
        return None
    after = following[name]
    if len(after) != 1 or codes[after[0]].is_stateful:
        return None
    return after[0] if len(graph.step(after[0]).after) == 1 else None


def _fused(graph: GraphSpec, codes: Mapping[str, StepCode], chain: list[str]) -> Fused:
    steps = [replace(graph.step(name), responder=False) for name in chain]
    steps[0] = replace(steps[0], after=())
    steps[-1] = replace(steps[-1], responder=True)
    kept = {
        name: replace(codes[name], selects=False)
        if codes[name].selects
        else codes[name]
        for name in chain
    }
    return fuse(replace(graph, steps=tuple(steps), on_error=None), kept)


def _refuse(graph: GraphSpec, codes: Mapping[str, StepCode]) -> None:
    problems = []
    beside = "cannot stand in one graph with storey's steps"
    if names := sorted(handler_names(graph)):
        problems.append(f"error handler {names[0]!r} {beside}")
    for name, code in codes.items():
        if code.merges:
            problems.append(f"step {name!r} merges branches, which {beside}")
        if code.is_stream:
            problems.append(
                f"step {name!r} is a generator, which {beside}; use storey.FlatMap"
            )
    if graph.router is not None:
        problems.append(f"a root router {beside}")
    SpecError.raise_all(f"invalid graph {graph.name!r}", problems)
