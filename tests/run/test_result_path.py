"""``result_path`` puts a result into a body of the graph's own, never the caller's."""

import asyncio
import copy
from collections import OrderedDict, UserDict
from types import MappingProxyType

import pytest

from jupyter_graph import Event, Graph, MockServer, Runner


def twice(body):
    return 2 * body["n"]


async def twice_later(body):
    return twice(body)


def twice_of_event(event):
    event.body = twice(event.body)
    return event


def items(body):
    yield from (body["n"], 2 * body["n"])


class Twice:
    def do(self, body):
        return twice(body)


STEPS = [
    pytest.param({"handler": twice}, id="function"),
    pytest.param({"handler": twice_later}, id="coroutine"),
    pytest.param({"class_name": Twice}, id="class"),
    pytest.param({"handler": items}, id="generator"),
    pytest.param({"handler": twice, "retries": 1}, id="limits"),
    pytest.param({"class_name": "storey.Map", "fn": twice}, id="storey-map"),
    pytest.param({"class_name": "storey.Map", "fn": twice_later}, id="storey-async"),
    pytest.param(
        {"class_name": "storey.Map", "fn": twice, "long_running": True}, id="driven"
    ),
    pytest.param(
        {"class_name": "storey.ConcurrentExecution", "event_processor": twice_later},
        id="storey-concurrent",
    ),
]
BODIES = [
    pytest.param({"n": 3, "deep": {"er": {"est": 1}}}, id="dict"),
    pytest.param(OrderedDict(n=3, deep=OrderedDict(er={})), id="ordered"),
    pytest.param(UserDict(n=3, deep=UserDict(er=UserDict())), id="user-dict"),
    pytest.param(MappingProxyType({"n": 3, "deep": MappingProxyType({})}), id="proxy"),
]


def graph_of(step, path):
    graph = Graph("paths")
    graph.to(name="it", result_path=path, **step).to(name="on", handler=lambda b: b)
    graph.change_step("on", responder=True)
    return graph


def consumed(found):
    return list(found) if hasattr(found, "__next__") else found


async def aconsumed(found):
    return [one async for one in found] if hasattr(found, "__anext__") else found


def by_run(graph, body):
    with Runner(graph) as runner:
        return consumed(runner.run(body))


def by_event(graph, body):
    with Runner(graph) as runner:
        return runner.handle(Event(body)).value


def by_arun(graph, body):
    async def main():
        async with Runner(graph) as runner:
            return await aconsumed(await runner.arun(body))

    return asyncio.run(main())


def by_batch(graph, body):
    with Runner(graph) as runner:
        return runner.run_batch([body]).frame


def by_mock_server(graph, body):
    with MockServer(graph) as server:
        return consumed(server.test(body=body))


DOORS = [by_run, by_event, by_arun, by_batch, by_mock_server]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["r", "deep.r", "deep.er.r", "new.r"])
@pytest.mark.parametrize("step", STEPS)
def test_the_callers_object_stays_as_it_is(step, path, body, door):
    before, inner = repr(body), body["deep"]

    found = door(graph_of(step, path), body)

    assert repr(body) == before
    assert body["deep"] is inner
    assert found is not None


@pytest.mark.parametrize("path", ["r", "deep.r", "new.r"])
def test_the_answer_has_the_result_and_shares_the_rest(path):
    body = {"n": 3, "deep": {"x": [1]}, "other": [2]}
    kept = copy.deepcopy(body)

    found = by_run(graph_of({"handler": twice}, path), body)

    part = found
    for key in path.split("."):
        part = part[key]
    assert part == 6
    assert found["other"] is body["other"]
    assert body == kept


def test_a_router_and_a_full_event_block_change_a_copy(open_runner):
    body = {"inputs": {"n": 3}, "deep": {}}
    graph = Graph("router")
    graph.add_router("r", input_path="inputs", result_path="deep.out")
    graph.add_route("m", router_step="r", handler=twice)
    graph.change_step("r", responder=True)

    found = open_runner(graph).run(body)

    assert found == {"inputs": {"n": 3}, "deep": {"out": 6}}
    assert body == {"inputs": {"n": 3}, "deep": {}}
