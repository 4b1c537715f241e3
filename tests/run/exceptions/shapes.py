"""Graphs that fail in a cycle, a stream, a flow, a join, a limit, or in storey."""

from collections.abc import Callable
from typing import Any

from jupyter_graph import Graph
from tests.run.exceptions.bad import ASYNC, Bad, echo, is_bad


def cycle(bad: Bad, engine: str) -> Graph:
    class Twice:
        def do(self, x: Any) -> Any:
            return {**x, "n": x.get("n", 0) + 1}

        def select_outlets(self, x: Any) -> str:
            return "bad" if x["n"] == 2 else "again" if x["n"] == 1 else "out"

    graph = bad.graph("async", allow_cyclic=True)
    graph.to(Twice, "twice")
    graph.add_step(name="again", handler=echo, after="twice", cycle_to="twice")
    graph.add_step(**bad.step, after="twice", cycle_to="twice")
    graph.add_step(name="out", handler=echo, after="twice")
    return bad.ended(graph, "out")


def items(at: int, ends: bool) -> Callable[[Bad, str], Graph]:
    """A generator that fails at an item; what follows makes a list of them, or not."""

    def streams(bad: Bad, engine: str) -> Graph:
        def bad_items(x: Any) -> Any:
            for number in range(3):
                if number == at and is_bad(x):
                    bad.kind.throw()
                yield {**x, "n": number}

        async def bad_items_async(x: Any) -> Any:
            for number in range(3):
                if number == at and is_bad(x):
                    await bad.kind.throw_on_loop()
                yield {**x, "n": number}

        graph = bad.graph(engine)
        code = bad_items_async if bad.colour == ASYNC else bad_items
        graph.to(name="bad", handler=code)
        if ends:
            graph.add_step("Collector", "list", after="bad")
        return bad.ended(graph, "list" if ends else "bad")

    return streams


def after_items(bad: Bad, engine: str) -> Graph:
    def two(x: Any) -> Any:
        yield {"n": 1}
        yield x

    graph = bad.graph(engine)
    graph.to(name="items", handler=two)
    graph.add_step(**bad.step, after="items")
    return bad.ended(graph, "bad")


def collector(bad: Bad, engine: str) -> Graph:
    from jupyter_graph.steps import load_block

    class Collects(load_block("Collector")):
        def collect(self, items: list[Any]) -> Any:
            return super().collect([bad.check(item) for item in items])

    def one(x: Any) -> Any:
        yield x

    graph = bad.graph(engine)
    graph.to(name="items", handler=one)
    graph.add_step(Collects, "bad", after="items")
    return bad.ended(graph, "bad")


def flow(bad: Bad, engine: str) -> Graph:
    inner = Graph("inner")
    inner.to(name="inside", handler=echo)
    inner.add_step(**bad.step)
    graph = bad.graph(engine)
    graph.to(inner, "flow")
    return bad.ended(graph, "flow")


def flow_of_events(bad: Bad, engine: str) -> Graph:
    graph = flow(bad, engine)
    graph.add_step(name="event", handler=echo, full_event=True, after="last")
    graph.change_step("last", responder=False)
    graph.change_step("event", responder=True)
    return graph


def join(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="left", handler=echo)
    graph.to(name="right", handler=echo)
    graph.add_step(**bad.step, after=["left", "right"], join="all")
    return bad.ended(graph, "bad")


def merge(bad: Bad, engine: str) -> Graph:
    from jupyter_graph.steps import load_block

    class Merges(load_block("Merge")):
        def merge(self, bodies: list[Any]) -> Any:
            return bad.check(bodies)

    graph = bad.graph(engine)
    graph.to(name="left", handler=echo)
    graph.to(name="right", handler=echo)
    graph.add_step(Merges, "bad", after=["left", "right"])
    return bad.ended(graph, "bad")


def before_a_merge(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="first", handler=echo)
    graph.add_step(**bad.step, after="first")
    graph.add_step(name="other", handler=echo, after="first")
    graph.add_step("Merge", "merge", after=["bad", "other"])
    return bad.ended(graph, "merge")


def batched(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(**bad.step, batch=4, batch_wait_ms=1)
    return bad.ended(graph, "bad")


def limited(**limits: Any) -> Callable[[Bad, str], Graph]:
    def with_limits(bad: Bad, engine: str) -> Graph:
        graph = bad.graph(engine)
        graph.to(**bad.step, **limits)
        return bad.ended(graph, "bad")

    return with_limits


def full_event(bad: Bad, engine: str) -> Graph:
    def bad_event(event: Any) -> Any:
        bad.check(event.body)
        return event

    async def bad_event_async(event: Any) -> Any:
        event.body = await bad.call(event.body)
        return event

    graph = bad.graph(engine)
    code = bad_event_async if bad.colour == ASYNC else bad_event
    graph.to(name="bad", handler=code, full_event=True)
    return bad.ended(graph, "bad")


def paths(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(**bad.step, input_path="x", result_path="y")
    return bad.ended(graph, "bad")


def method(bad: Bad, engine: str) -> Graph:
    class Does:
        def do(self, x: Any) -> Any:
            return bad.check(x)

    class DoesAsync:
        async def do(self, x: Any) -> Any:
            return await bad.call(x)

    graph = bad.graph(engine)
    graph.to(DoesAsync if bad.colour == ASYNC else Does, "bad")
    return bad.ended(graph, "bad")


def block(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to("Map", "bad", fn=bad.call)
    return bad.ended(graph, "bad")


def storey_step(kind: str, **args: Any) -> Callable[[Bad, str], Graph]:
    """A step of storey's: run directly, or (with its context) by storey's own code."""

    def of_storey(bad: Bad, engine: str) -> Graph:
        code = bad.call
        if "pass_context" in args:

            def code(x: Any, context: Any = None) -> Any:
                return bad.check(x)

        graph = bad.graph("async")
        graph.add_step(kind, "bad", class_args={"_fn": "code", **args})
        graph.namespace["code"] = code
        return bad.ended(graph, "bad")

    return of_storey


def beside(bad: Bad, engine: str) -> Graph:
    graph = bad.graph("async")
    args = {"_event_processor": "code", "max_in_flight": 2}
    graph.add_step("storey.ConcurrentExecution", "bad", class_args=args)
    graph.namespace["code"] = bad.call
    return bad.ended(graph, "bad")
