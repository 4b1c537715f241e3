"""Chains in the hands of other graph libraries, as far as they are installed."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import pairwise, repeat
from typing import Any

from benchmarks.measure import Events, Variant, in_turn, in_turn_on

Step = Callable[[Any], Any]
Steps = Mapping[str, Step]
PACKAGES = (
    "apache-hamilton", "streamz", "langgraph", "pydantic-graph", "bytewax",
)  # fmt: skip


def chain_variants(stack: ExitStack, steps: Steps, body: Any) -> list[Variant]:
    """Give the chain of these steps in every library that is installed."""
    least = {"bytewax": 20_000}  # or its start, some 10 ms, would be most of a turn
    return [
        Variant(name, make(stack, steps, body), least.get(module, 1))
        for name, (module, make) in CHAINS.items()
        if importlib.util.find_spec(module) is not None
    ]


def hamilton_execute(_: ExitStack, steps: Steps, body: Any) -> Events:
    """A function is a node named like it; its parameter is the node before."""
    from hamilton import ad_hoc_utils, driver

    before, functions = "body", []
    for name, step in steps.items():
        functions.append(_hamilton_node(name, before, step))
        before = name
    module = ad_hoc_utils.create_temporary_module(*functions)
    made = driver.Builder().with_modules(module).build()
    return in_turn(lambda it: made.execute([before], inputs={"body": it})[before], body)


def _hamilton_node(name: str, parameter: str, step: Step) -> Any:
    names: dict[str, Any] = {"step": step}
    exec(f"def {name}({parameter}: dict) -> dict:\n return step({parameter})", names)
    return names[name]


def streamz_emit(_: ExitStack, steps: Steps, body: Any) -> Events:
    from streamz import Stream

    source = last = Stream()
    for step in steps.values():
        last = last.map(step)
    answers: list[Any] = []
    last.sink(answers.append)

    def run(it: Any) -> Any:
        source.emit(it)
        return answers.pop()

    return in_turn(run, body)


def langgraph_invoke(_: ExitStack, steps: Steps, body: Any) -> Events:
    from langgraph.graph import END, START, StateGraph
    from typing_extensions import TypedDict

    class State(TypedDict):
        x: int

    graph = StateGraph(State)
    before = START
    for name, step in steps.items():
        graph.add_node(name, step)
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    made = graph.compile()
    options = {"recursion_limit": len(steps) + 5}
    return in_turn(lambda it: made.invoke(it, options), body)


def pydantic_graph_run(stack: ExitStack, steps: Steps, body: Any) -> Events:
    from pydantic_graph import GraphBuilder, StepContext

    builder = GraphBuilder(input_type=dict, output_type=dict, auto_instrument=False)

    def node(name: str, step: Step) -> Any:
        async def call(context: StepContext[None, None, dict[str, int]]) -> Any:
            return step(context.inputs)

        return builder.step(call, node_id=name)

    nodes = [node(name, step) for name, step in steps.items()]
    path = [builder.start_node, *nodes, builder.end_node]
    for source, target in pairwise(path):
        builder.add(builder.edge_from(source).to(target))
    made = builder.build()
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)

    async def run(it: Any) -> Any:
        return await made.run(inputs=it)

    return in_turn_on(loop, run, body)


def bytewax_run(_: ExitStack, steps: Steps, body: Any) -> Events:
    """A dataflow over all events of a turn, in batches: no request, no answer."""
    import bytewax.operators as op
    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSink, TestingSource, run_main

    def events(count: int) -> Any:
        answers: list[Any] = []
        flow = Dataflow("chain")
        source = TestingSource(repeat(body, count), batch_size=1000)
        stream = op.input("in", flow, source)
        for name, step in steps.items():
            stream = op.map(name, stream, step)
        op.output("out", stream, TestingSink(answers))
        run_main(flow)
        if len(answers) != count:
            raise AssertionError(f"{len(answers)} of {count} events were answered")
        return answers[-1]

    return events


CHAINS: dict[str, tuple[str, Callable[[ExitStack, Steps, Any], Events]]] = {
    "hamilton execute": ("hamilton", hamilton_execute),
    "streamz emit": ("streamz", streamz_emit),
    "langgraph invoke": ("langgraph", langgraph_invoke),
    "pydantic-graph run": ("pydantic_graph", pydantic_graph_run),
    "bytewax, streaming": ("bytewax", bytewax_run),
}
