"""Every place of a graph where something may fail, as a graph that fails there.

A place takes a function that fails for the body ``{"x": "bad"}`` and for all that is
made of it, and gives the graph; the step that must be named is ``bad``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph import Graph
from tests.run.exceptions.kinds import Kind

SYNC, ASYNC, THREADS = "sync", "async", "threads"
ALL = (SYNC, ASYNC, THREADS)


def is_bad(body: Any) -> bool:
    return "bad" in repr(body)


def echo(x: Any) -> Any:
    return x


async def echo_async(x: Any) -> Any:
    return x


def fails(x: Any) -> Any:
    if is_bad(x):
        raise LookupError("to be handled")
    return x


@dataclass
class Bad:
    """The code that fails, of one kind and colour."""

    kind: Kind
    colour: str

    @property
    def call(self) -> Callable[..., Any]:
        def bad(x: Any) -> Any:
            if is_bad(x):
                self.kind.throw()
            return x

        async def bad_async(x: Any) -> Any:
            if is_bad(x):
                await self.kind.throw_on_loop()
            return x

        return bad_async if self.colour == ASYNC else bad

    @property
    def step(self) -> dict[str, Any]:
        """Give the arguments of ``add_step``."""
        blocking = {"blocking": True} if self.colour == THREADS else {}
        return {"name": "bad", "handler": self.call, **blocking}

    def check(self, x: Any) -> Any:
        """Fail in a function that is never awaited."""
        if is_bad(x):
            self.kind.throw()
        return x

    def graph(self, engine: str, **options: Any) -> Graph:
        return Graph("g", engine=engine, **options)

    def ended(self, graph: Graph, after: str) -> Graph:
        """Let a last step answer; in threads there must be a loop."""
        last = echo if self.colour == SYNC else echo_async
        graph.add_step(name="last", handler=last, after=after).respond()
        return graph


def first(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(**bad.step)
    return bad.ended(graph, "bad")


def middle(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="first", handler=echo)
    graph.add_step(**bad.step)
    return bad.ended(graph, "bad")


def last(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="first", handler=echo if bad.colour == SYNC else echo_async)
    graph.add_step(**bad.step).respond()
    return graph


def branch(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="first", handler=echo)
    graph.add_step(**bad.step, after="first")
    return bad.ended(graph, "first")


def after_the_answer(bad: Bad, engine: str) -> Graph:
    graph = bad.graph("async")
    bad.ended(graph, "start")
    graph.add_step(**bad.step, after="last")
    return graph


def choice(bad: Bad, engine: str) -> Graph:
    class Choose:
        def select_outlets(self, body: Any) -> list[str]:
            bad.check(body)
            return ["good"]

    graph = bad.graph(engine)
    graph.to(Choose, name="bad").to(name="good", handler=echo)
    return bad.ended(graph, "good")


def router(bad: Bad, engine: str) -> Graph:
    from jupyter_graph.steps import ModelRouter

    class Chooses(ModelRouter):
        def choose(self, event: Any) -> Any:
            bad.check(event.body)
            return super().choose(event)

    graph = bad.graph(engine)
    graph.add_router("bad", Chooses, after="start")
    graph.add_route("good", handler=echo, router_step="bad")
    return bad.ended(graph, "bad")


def route(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.add_router("router", "ModelRouter", after="start")
    graph.add_route("bad", handler=bad.call, router_step="router")
    return bad.ended(graph, "router")


def root_route(bad: Bad, engine: str) -> Graph:
    graph = Graph("g", topology="router", engine=engine)
    graph.add_route("bad", handler=bad.call)
    return graph


def member(executor: str) -> Callable[[Bad, str], Graph]:
    def members(bad: Bad, engine: str) -> Graph:
        graph = bad.graph(engine)
        options = {"executor_type": executor, "on_member_error": "fail"}
        graph.add_router("all", "ParallelRun", after="start", **options)
        graph.add_route("good", handler=echo, router_step="all")
        graph.add_route("bad", handler=bad.call, router_step="all")
        return bad.ended(graph, "all")

    return members


def step_handler(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="first", handler=fails)
    bad.ended(graph, "first")
    return graph.error_handler(**bad.step, step="first")


def leading_handler(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="first", handler=fails)
    bad.ended(graph, "first")
    return graph.error_handler(**bad.step, step="first", before="last")


def graph_handler(bad: Bad, engine: str) -> Graph:
    graph = bad.graph(engine)
    graph.to(name="first", handler=fails)
    bad.ended(graph, "first")
    return graph.error_handler(**bad.step)


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


PLACES: dict[str, tuple[Callable[[Bad, str], Graph], tuple[str, ...]]] = {
    "first": (first, ALL),
    "middle": (middle, ALL),
    "last": (last, ALL),
    "branch": (branch, ALL),
    "after the answer": (after_the_answer, ALL),
    "choice": (choice, (SYNC, THREADS)),
    "router": (router, (SYNC, THREADS)),
    "route": (route, (SYNC, ASYNC)),
    "root route": (root_route, (SYNC, ASYNC)),
    "member in a thread": (member("thread"), (SYNC, ASYNC)),
    "member in a row": (member("array"), (SYNC, ASYNC)),
    "member on the loop": (member("asyncio"), (SYNC, ASYNC)),
    "step's handler": (step_handler, ALL),
    "leading handler": (leading_handler, ALL),
    "graph's handler": (graph_handler, ALL),
    "cycle": (cycle, ALL),
    "first item": (items(0, ends=False), (SYNC, ASYNC)),
    "later item": (items(1, ends=False), (SYNC, ASYNC)),
    "collected item": (items(1, ends=True), (SYNC, ASYNC)),
    "after items": (after_items, ALL),
    "collector": (collector, (SYNC, THREADS)),
    "flow": (flow, ALL),
    "flow of events": (flow_of_events, ALL),
    "join": (join, ALL),
    "merge": (merge, (SYNC, THREADS)),
    "before a merge": (before_a_merge, ALL),
    "batched": (batched, ALL),
    "timed": (limited(timeout_s=10.0), ALL),
    "retried": (limited(retries=1, backoff_s=0.001), ALL),
    "one at a time": (limited(concurrency=1), ALL),
    "full event": (full_event, (SYNC, ASYNC)),
    "paths": (paths, ALL),
    "method": (method, (SYNC, ASYNC)),
    "block": (block, (SYNC, ASYNC)),
    "storey.Map": (storey_step("storey.Map"), (SYNC, ASYNC)),
    "storey.Map's own code": (storey_step("storey.Map", pass_context=True), (SYNC,)),
    "storey.Filter": (storey_step("storey.Filter"), (SYNC, ASYNC)),
    "storey beside": (beside, (ASYNC,)),
}
