"""What does a chain of trivial steps cost, by its length?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks import graph_peers, peers
from benchmarks.measure import Row, Variant, in_turn, measure
from benchmarks.report import run_timed, timed_parser
from jupyter_graph import Context, Graph, Runner
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.run.built_steps.instantiate import build

LENGTHS = (1, 3, 10, 30)
PACKAGES = ("jupyter_graph", "storey", "mlrun", *graph_peers.PACKAGES)
BODY = {"x": 1}

Step = Callable[[Any], Any]


def steps_of(length: int) -> dict[str, Step]:
    """Give that many functions that do next to nothing, by name."""

    def made() -> Step:
        return lambda body: {"x": body["x"] + 1}

    return {f"s{number}": made() for number in range(length)}


def composed(steps: dict[str, Step]) -> Step:
    """Give the steps as one function, as one would write it: ``s2(s1(s0(body)))``."""
    text = "body"
    for name in steps:
        text = f"{name}({text})"
    names: dict[str, Any] = dict(steps)
    exec(f"def plain(body):\n    return {text}\n", names)
    plain: Step = names["plain"]
    return plain


def chain_of(steps: dict[str, Step]) -> Graph:
    graph = Graph("chain")
    last: Any = graph
    for name, step in steps.items():
        last = last.to(name=name, handler=step)
    last.respond()
    return graph


def fused_of(graph: Graph) -> Step:
    """Give the function that a graph is compiled to, without its runner."""
    compiled = compile_graph(graph)
    built = build(compiled, Context())
    return compiled.function(built.calls, built.instances)


def variants_of(stack: ExitStack, steps: dict[str, Step]) -> list[Variant]:
    graph = chain_of(steps)
    runner = stack.enter_context(Runner(graph))
    found = [
        Variant("plain composition", in_turn(composed(steps), BODY)),
        Variant("fused function", in_turn(fused_of(graph), BODY)),
        Variant("Runner.run", in_turn(runner.run, BODY)),
    ]

    maps, unnamed = _storey_maps(steps), _storey_maps(steps, are_named=False)
    found += [
        Variant("storey AsyncEmitSource", peers.storey_async(stack, maps, BODY)),
        Variant("storey, unnamed steps", peers.storey_async(stack, unnamed, BODY)),
        Variant("storey SyncEmitSource", peers.storey_sync(stack, maps, BODY)),
    ]
    if peers.has_mlrun():
        found += _mlrun_chains(stack, steps)
    return [*found, *graph_peers.chain_variants(stack, steps, BODY)]


def _storey_maps(steps: dict[str, Step], *, are_named: bool = True) -> peers.Inner:
    """Give the steps as storey's; those without a name share one.

    ``Map(function)`` is what one writes, and storey then takes the chain for a cycle:
    from the third step on each runs in a task of its own.
    """

    def maps(last: Any) -> Any:
        from storey import Map

        for name, step in steps.items():
            last = last.to(Map(step, name=name) if are_named else Map(step))
        return last

    return maps


def _mlrun_chains(stack: ExitStack, steps: dict[str, Step]) -> list[Variant]:
    def grow(last: Any) -> None:
        for name in steps:
            last = last.to(name=name, handler=name)
        last.respond()

    sync = peers.mlrun_server(stack, "sync", grow, steps)
    asynchronous = peers.mlrun_server(stack, "async", grow, steps)
    return [
        Variant("MLRun sync engine", peers.mlrun_run(sync, BODY)),
        Variant("MLRun async engine", peers.mlrun_test(asynchronous, BODY)),
    ]


def run(*, rounds: int, turn_s: float) -> list[Row]:
    rows: list[Row] = []
    for length in LENGTHS:
        shape = f"chain of {length}"
        with ExitStack() as stack:
            variants = variants_of(stack, steps_of(length))
            rows += measure(shape, variants, rounds=rounds, turn_s=turn_s)
    return rows


def main(words: Sequence[str] | None = None) -> None:
    run_timed(run, timed_parser(__doc__, rounds=9).parse_args(words), PACKAGES)


if __name__ == "__main__":
    main()
