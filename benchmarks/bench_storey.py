"""What do storey steps cost in a graph, and the stateless chains between them?

All lengths take turns in the same rounds; a line through their medians gives what an
event costs at all and what each further step adds to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import linear_regression
from typing import Any

from benchmarks import peers
from benchmarks.bench_chain import composed, fused_of
from benchmarks.measure import (
    Row,
    Variant,
    in_turn,
    in_turn_on,
    measure_together,
)
from benchmarks.report import run_timed, timed_parser
from jupyter_graph import Graph, Runner

PACKAGES = ("jupyter_graph", "storey")
LENGTHS = (0, 1, 3, 10, 30)
BODY = {"x": 1}


def add(body: Any) -> Any:
    return {"x": body["x"] + 1}


def add_and_count(body: Any, state: Any) -> Any:
    return add(body), state + 1


def adding() -> Any:
    """Give a class of the user's own that storey itself must run."""
    import storey
    from storey.dtypes import _termination_obj

    class Adds(storey.Flow):  # type: ignore[misc]  # storey has no types
        async def _do(self, event: Any) -> Any:
            if event is not _termination_obj:
                event.body = add(event.body)
            return await self._do_downstream(event)

    return Adds


# -- kinds of graphs, by their length ---------------------------------------


def only_maps(length: int) -> Graph:
    """``storey.Map`` again and again, one more than the length."""
    return chain([("storey.Map", {"fn": add})] * (length + 1))


def between_maps(length: int) -> Graph:
    """Functions between two steps whose functions the engine calls itself."""
    ends = ("storey.Map", {"fn": add})
    return chain([ends, *[(add, {})] * length, ends])


def only_states(length: int) -> Graph:
    """``MapWithState`` again and again, one more than the length."""
    arguments = {"fn": add_and_count, "initial_state": 0}
    return chain([("storey.MapWithState", arguments)] * (length + 1))


def only_flows(length: int) -> Graph:
    """Steps that storey runs, one more than the length."""
    return chain([("Adds", {})] * (length + 1))


def between_flows(length: int) -> Graph:
    """Functions between two steps that storey runs."""
    return chain([("Adds", {}), *[(add, {})] * length, ("Adds", {})])


def chain(steps: Sequence[tuple[Any, Mapping[str, Any]]]) -> Graph:
    graph = Graph("chain")
    graph.namespace["Adds"] = adding()
    last: Any = graph
    for number, (what, arguments) in enumerate(steps):
        name = f"s{number}"
        if isinstance(what, str):
            last = last.to(what, name, class_args=dict(arguments))
        else:
            last = last.to(name=name, handler=what)
    last.respond()
    return graph


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of graph: how it is made, and how many of its steps there are beside n."""

    graph: Callable[[int], Graph]
    ends: int
    is_async: bool = False


KINDS = {
    "n + 1 storey.Map": Kind(only_maps, 1),
    "n functions between two storey.Map": Kind(between_maps, 2),
    "n + 1 storey.MapWithState": Kind(only_states, 1),
    "n + 1 storey.Flow": Kind(only_flows, 1, is_async=True),
    "n functions between two storey.Flow": Kind(between_flows, 2, is_async=True),
}


# -- variants -----------------------------------------------------------------------


def variants_of(stack: ExitStack, kind: Kind, length: int) -> list[Variant]:
    graph, steps = kind.graph(length), length + kind.ends
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    runner = stack.enter_context(Runner(graph, own_loop=False))
    plain = composed({f"s{number}": add for number in range(steps)})
    found = [Variant("plain composition", in_turn(plain, BODY))]
    if kind.is_async:
        found.append(Variant("Runner.arun", in_turn_on(loop, runner.arun, BODY)))
    else:
        found.append(Variant("fused function", in_turn(_of_event(graph), BODY)))
        found.append(Variant("Runner.run", in_turn(runner.run, BODY)))
    emit = peers.storey_async(stack, _storey_flow(graph), BODY)
    return [*found, Variant("storey AsyncEmitSource", emit)]


def _of_event(graph: Graph) -> Any:
    """Give the compiled function; beside storey steps it takes an event."""
    from jupyter_graph import Event

    function = fused_of(graph)
    return lambda body: function(Event(body))


def _storey_flow(graph: Graph) -> peers.Inner:
    """Give the same steps as a flow of storey's."""
    import storey

    def inner(last: Any) -> Any:
        for step in graph.spec.steps:
            name = step.class_name or ""
            if name == "Adds":
                made = graph.namespace[name](name=step.name)
            elif name:
                kind = getattr(storey, name.removeprefix("storey."))
                made = kind(**step.class_args, name=step.name)
            else:
                made = storey.Map(add, name=step.name)
            last = last.to(made)
        return last

    return inner


def run(*, rounds: int, turn_s: float) -> list[Row]:
    rows: list[Row] = []
    for name, kind in KINDS.items():
        with ExitStack() as stack:
            shapes = {
                f"{name}, n = {length}": variants_of(stack, kind, length)
                for length in LENGTHS
            }
            found = measure_together(shapes, rounds=rounds, turn_s=turn_s)
        rows += with_line(found)
    return rows


def with_line(rows: Sequence[Row]) -> list[Row]:
    """Add to each row what its variant costs at all, and what by the step."""
    lines = {
        row.variant: linear_regression(
            LENGTHS,
            [one.cpu_us["median"] for one in rows if one.variant == row.variant],
        )
        for row in rows
    }
    return [
        replace(
            row,
            more={
                "fixed_us": round(lines[row.variant].intercept, 3),
                "step_us": round(lines[row.variant].slope, 3),
            },
        )
        for row in rows
    ]


def main(words: Sequence[str] | None = None) -> None:
    run_timed(run, timed_parser(__doc__, rounds=5).parse_args(words), PACKAGES)


if __name__ == "__main__":
    main()
