"""Generator steps: their items go on one by one, and come back as a stream."""

import asyncio
import inspect

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import SpecError
from jupyter_graph.event import Event


def three(x):
    yield from (x, x + 1, x + 2)


async def three_async(x):
    for item in (x, x + 1, x + 2):
        await asyncio.sleep(0)
        yield item


class Three:
    def do(self, x):
        yield from (x, x + 1, x + 2)


async def pause(x):
    await asyncio.sleep(0)
    return x


def double(x):
    return x * 2


def flow(step, *followers, respond=None, on_a_loop=False):
    graph = Graph("g")
    kind = "class_name" if inspect.isclass(step) else "handler"
    last = graph.to(name="items", **{kind: step})
    for follower in followers:
        last = last.to(name=follower.__name__, handler=follower)
    if on_a_loop:
        last = last.to(name="pause", handler=pause)
    (graph.change_step(respond, responder=True) if respond else last.respond())
    return graph


STEPS = [three, three_async, Three]


@pytest.mark.parametrize("step", STEPS)
def test_the_caller_gets_an_iterator(open_runner, step):
    found = open_runner(flow(step)).run(1)

    assert iter(found) is iter(found)
    assert list(found) == [1, 2, 3]


@pytest.mark.parametrize("on_a_loop", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_items_go_on_one_by_one(open_runner, step, on_a_loop):
    graph = flow(step, double, on_a_loop=on_a_loop)

    assert list(open_runner(graph).run(1)) == [2, 4, 6]


@pytest.mark.parametrize("step", STEPS)
def test_a_responding_generator_gives_its_own_items(open_runner, step):
    seen = []
    graph = flow(step, seen.append, respond="items")

    assert list(open_runner(graph).run(1)) == [1, 2, 3]
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("own_loop", [True, False])
def test_a_coroutine_gets_an_async_iterator(open_runner, step, own_loop):
    graph = flow(step, double, on_a_loop=True)
    runner = open_runner(graph, own_loop=own_loop)

    async def read():
        return [item async for item in await runner.arun(1)]

    assert asyncio.run(read()) == [2, 4, 6]


def test_awaited_items_are_made_on_the_runners_loop(open_runner):
    loops = []

    async def items(x):
        loops.append(asyncio.get_running_loop())
        yield x

    runner = open_runner(flow(items))

    async def read():
        _ = [item async for item in await runner.arun(1)]
        return asyncio.get_running_loop()

    assert asyncio.run(read()) not in loops


@pytest.mark.parametrize("step", STEPS)
def test_an_answer_collects_the_items(open_runner, step):
    runner = open_runner(flow(step, double))

    assert runner.answer(1).value == [2, 4, 6]
    assert runner.answer(1, traced=True).value == [2, 4, 6]


@pytest.mark.parametrize("step", STEPS)
def test_a_stream_that_nobody_answers_is_run_to_its_end(open_runner, step):
    seen = []
    graph = flow(step, seen.append)
    graph.change_step("append", responder=False)
    graph.add_step(name="other", handler=double, after="start")

    assert set(open_runner(graph).run(1)) == {"id"}
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("step", STEPS)
def test_a_generator_may_feed_a_generator(open_runner, step):
    def twice(x):
        yield x
        yield x

    graph = flow(step, twice, double)

    assert list(open_runner(graph).run(1)) == [2, 2, 4, 4, 6, 6]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("with_follower", [False, True])
def test_a_stream_beside_the_responder_is_run_but_no_answer(
    open_runner, step, with_follower
):
    seen = []

    def note(x):
        seen.append(x)
        yield x

    graph = Graph("g")
    graph.to(name="first", handler=double).to(name="note", handler=note)
    graph.add_step(name="answers", handler=double, after="first").respond()
    if with_follower:
        graph.add_step(name="more", handler=seen.append, after="note")

    assert open_runner(graph).run(1) == 4
    assert seen == [2] * (2 if with_follower else 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_stream_after_the_responder_is_run_but_no_answer(open_runner, step):
    seen = []
    kind = "class_name" if inspect.isclass(step) else "handler"
    graph = Graph("g")
    graph.to(name="first", handler=double).respond().to(name="items", **{kind: step})
    graph.add_step(name="more", handler=seen.append)

    assert open_runner(graph).run(1) == 2
    assert seen == [2, 3, 4]


@pytest.mark.parametrize("error", [ValueError, SystemExit, GeneratorExit, KeyError])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_generator_that_fails_midway_gives_what_it_had(open_runner, error, is_async):
    def breaks(x):
        yield 1
        raise error("midway")

    async def breaks_async(x):
        yield 1
        raise error("midway")

    found = open_runner(flow(breaks_async if is_async else breaks, double)).run(0)
    assert next(found) == 2

    with pytest.raises(StepError, match="step 'items' failed") as caught:
        next(found)

    assert type(caught.value.__cause__) is error


@pytest.mark.parametrize("traced", [False, True])
def test_an_answer_holds_items_as_they_were_when_they_came(open_runner, traced):
    def counted(x):
        item = {}
        for item["n"] in range(x):
            yield item

    graph = Graph("g")
    graph.to(name="items", handler=counted).respond()
    answer = open_runner(graph).handle(Event(3), traced=traced)

    assert answer.payload == b'{"n": 0}\n{"n": 1}\n{"n": 2}\n'


def test_an_answer_with_an_item_that_has_no_form_ends_its_stream(open_runner):
    ended = []

    def items(x):
        try:
            yield x
            yield object()
            yield x
        finally:
            ended.append(x)

    graph = Graph("g")
    graph.to(name="items", handler=items).respond()
    answer = open_runner(graph).handle(Event(3))

    assert "answer[1]: object of type object" in str(answer.error)
    assert ended == [3]


@pytest.mark.parametrize("step", STEPS)
def test_a_follower_that_fails_on_an_item_is_named(open_runner, step):
    def fails_on_two(x):
        if x == 2:
            raise ValueError(x)
        return x

    found = open_runner(flow(step, fails_on_two)).run(1)
    assert next(found) == 1

    with pytest.raises(StepError, match="step 'fails_on_two' failed"):
        next(found)


@pytest.mark.parametrize("is_async", [False, True])
def test_an_abandoned_stream_is_closed(open_runner, is_async):
    closed = []

    def items(x):
        try:
            yield 1
            yield 2
        finally:
            closed.append(x)

    async def items_async(x):
        try:
            yield 1
            yield 2
        finally:
            closed.append(x)

    runner = open_runner(flow(items_async if is_async else items, double))
    for number in range(20):
        found = runner.run(number)
        assert next(found) == 2
        found.close()
    runner.close()

    assert closed == list(range(20))


def test_full_event_followers_get_an_event_each(open_runner):
    def tell(event):
        event.body = [event.body, event.id]
        return event

    graph = flow(three)
    graph.add_step(name="tell", handler=tell, after="items", full_event=True)
    graph.change_step("items", responder=False)
    graph.change_step("tell", responder=True)

    found = list(open_runner(graph).run(1, event_id="e1"))

    assert found == [[1, "e1"], [2, "e1"], [3, "e1"]]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_route_may_be_a_generator(open_runner, is_async):
    def items(body):
        yield from body["xs"]

    async def items_async(body):
        for x in body["xs"]:
            yield x

    graph = Graph("g", topology="router")
    graph.add_route("m", handler=items_async if is_async else items)

    assert list(open_runner(graph).run({"xs": [1, 2]})) == [1, 2]


def test_an_error_handler_for_a_generator_is_refused(open_runner):
    graph = flow(three)
    graph.error_handler("catch", handler=double, step="items")

    with pytest.raises(
        SpecError, match="'items' is a generator, which takes no on_err"
    ):
        open_runner(graph)
