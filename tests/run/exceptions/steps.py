"""Graphs whose chain, branch, choice, router or error handler fails."""

from collections.abc import Callable
from typing import Any

from jupyter_graph import Graph
from tests.run.exceptions.bad import SYNC, Bad, echo, echo_async, fails


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
