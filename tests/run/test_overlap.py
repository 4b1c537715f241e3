"""Items of one event overlap where a step lets several in; others see their order."""

import asyncio
import time

import pytest

from jupyter_graph import Graph, StepError


class Meter:
    """A step that knows how many calls of it are inside at once."""

    def __init__(self):
        self.inside = self.most = 0
        self.calls = []

    async def one(self, body):
        self.inside += 1
        self.most = max(self.most, self.inside)
        # The first of three take longest: their answers come in another order.
        await asyncio.sleep(0.01 * (3 - body % 3))
        self.inside -= 1
        self.calls.append(body)
        return body * 10

    async def many(self, bodies):
        self.calls.append(list(bodies))
        await asyncio.sleep(0.01)
        return [body * 10 for body in bodies]

    def blocking(self, body):
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.01 * (3 - body % 3))
        self.inside -= 1
        return body * 10


def items(body):
    yield from range(body)


async def items_later(body):
    for number in range(body):
        await asyncio.sleep(0)
        yield number


def streaming(step, *rest, gather=False, generator=items, **limits):
    """Items that go through a step and others, perhaps to a collector."""
    graph = Graph("overlap")
    last = graph.to(name="items", handler=generator)
    last = last.to(name="step", handler=step, **limits)
    for number, one in enumerate(rest):
        last = last.to(name=f"rest{number}", handler=one)
    if gather:
        last = last.to("gather", name="all")
    last.respond()
    return graph


def found_by(runner, body):
    found = runner.run(body)
    return found if isinstance(found, list) else list(found)


BOTH = pytest.mark.parametrize("gather", [False, True], ids=["stream", "gather"])


@BOTH
@pytest.mark.parametrize("generator", [items, items_later])
def test_concurrency_lets_so_many_in(open_runner, gather, generator):
    meter, order = Meter(), []

    async def step(body):
        return await meter.one(body)

    def note(body):
        order.append(body)
        return body

    graph = streaming(step, note, gather=gather, generator=generator, concurrency=4)

    assert found_by(open_runner(graph), 12) == [10 * n for n in range(12)]
    assert meter.most == 4
    assert meter.calls != sorted(meter.calls)  # they ended in another order
    assert order == [10 * n for n in range(12)]


@BOTH
def test_blocking_calls_overlap(open_runner, gather):
    meter = Meter()

    def step(body):
        return meter.blocking(body)

    graph = streaming(step, gather=gather, blocking=True, concurrency=3)

    assert found_by(open_runner(graph), 9) == [10 * n for n in range(9)]
    assert 2 <= meter.most <= 3


@BOTH
def test_a_batch_takes_the_items_of_one_event(open_runner, gather):
    meter = Meter()

    async def step(bodies):
        return await meter.many(bodies)

    graph = streaming(step, gather=gather, batch=4, batch_wait_ms=500)

    assert found_by(open_runner(graph), 8) == [10 * n for n in range(8)]
    assert meter.calls == [[0, 1, 2, 3], [4, 5, 6, 7]]


@BOTH
def test_the_list_of_a_flat_map_overlaps_too(open_runner, gather):
    meter, order = Meter(), []

    async def step(body):
        return await meter.one(body)

    def note(body):
        order.append(body)
        return body

    graph = Graph("flat")
    last = graph.to("storey.FlatMap", name="items", fn=lambda body: list(range(body)))
    last = last.to(name="step", handler=step, concurrency=4)
    last = last.to(name="note", handler=note)
    (last.to("gather", name="all") if gather else last).respond()

    tens = [10 * n for n in range(8)]
    assert open_runner(graph).run(8) == (tens if gather else 0)
    assert (order, meter.most) == (tens, 4)


def test_two_such_steps_overlap_and_what_is_between_them_sees_the_order(open_runner):
    first, second, between = Meter(), Meter(), []

    async def step(body):
        return await first.one(body)

    async def next_step(body):
        return await second.one(body)

    def note(body):
        between.append(body)
        return body // 10

    graph = Graph("two")
    last = graph.to(name="items", handler=items)
    last = last.to(name="step", handler=step, concurrency=4)
    last = last.to(name="note", handler=note)
    last.to(name="next", handler=next_step, concurrency=2).respond()

    assert found_by(open_runner(graph), 8) == [10 * n for n in range(8)]
    assert between == [10 * n for n in range(8)]
    assert (first.most, second.most) == (4, 2)


@pytest.mark.parametrize("limits", [{}, {"concurrency": 1}])
def test_without_it_one_goes_through_after_the_other(open_runner, limits):
    meter = Meter()

    async def step(body):
        return await meter.one(body)

    assert found_by(open_runner(streaming(step, **limits)), 4) == [0, 10, 20, 30]
    assert meter.most == 1


@BOTH
def test_a_failing_item_ends_the_stream_at_its_place(open_runner, gather):
    async def step(body):
        await asyncio.sleep(0.01 * (3 - body % 3))
        if body == 4:
            raise ValueError("no 4")
        return body

    runner, seen = open_runner(streaming(step, gather=gather, concurrency=4)), []

    def read():
        found = runner.run(9)
        for item in found:
            seen.append(item)

    with pytest.raises(StepError, match="no 4") as caught:
        read()

    assert caught.value.step == "step"
    assert seen == ([] if gather else [0, 1, 2, 3])


@BOTH
def test_a_generator_that_breaks_off_does_so_behind_its_items(open_runner, gather):
    def breaks_off(body):
        yield from range(body)
        raise ValueError("broke off")

    meter, seen = Meter(), []

    async def step(body):
        return await meter.one(body)

    graph = streaming(step, gather=gather, generator=breaks_off, concurrency=4)
    runner = open_runner(graph)

    def read():
        for item in runner.run(3):
            seen.append(item)

    with pytest.raises(StepError, match="broke off") as caught:
        read()

    assert caught.value.step == "items"
    assert seen == ([] if gather else [0, 10, 20])
    assert sorted(meter.calls) == [0, 1, 2]


def test_who_stops_reading_ends_what_is_under_way(open_runner):
    meter, closed = Meter(), []

    async def forever(body):
        try:
            while True:
                yield body
                body += 1
        finally:
            closed.append(True)

    async def step(body):
        return await meter.one(body)

    runner = open_runner(streaming(step, generator=forever, concurrency=4))
    found = runner.run(0)
    first = [next(found), next(found)]
    found.close()
    end = time.monotonic() + 5
    while not closed and time.monotonic() < end:
        time.sleep(0.01)

    assert (first, closed) == ([0, 10], [True])


def test_the_first_answer_waits_for_no_later_item(open_runner):
    async def slow_items(body):
        yield 0
        await asyncio.sleep(body)
        yield 1

    meter = Meter()

    async def step(body):
        return await meter.one(body)

    runner = open_runner(streaming(step, generator=slow_items, concurrency=4))
    began = time.monotonic()
    found = runner.run(1)
    first = next(found)
    took = time.monotonic() - began

    assert (first, list(found)) == (0, [10])
    assert took < 0.9


# -- joins with a limit of time -----------------------------------------------------


def keep(body):
    return body


async def keep_later(body):
    return body


def joining(*names, missing="null", slow=None):
    graph = Graph("joins")
    if "none" in names:
        is_none = {"fn": lambda _: False}
        graph.add_step("Filter", "none", class_args=is_none, after="start")
    graph.add_step(name="a", handler=keep_later, after="start")
    if slow is not None:
        graph.add_step(name="slow", handler=slow, after="start")
    graph.add_step(
        name="both", handler=keep, after=names, join="all",
        join_timeout_s=5.0, missing=missing,
    ).respond()  # fmt: skip
    return graph


@pytest.mark.parametrize(("missing", "found"), [("null", [None, 1]), ("drop", [1])])
def test_a_join_waits_for_no_branch_that_was_filtered_away(open_runner, missing, found):
    runner = open_runner(joining("none", "a", missing=missing))
    began = time.monotonic()

    assert runner.run(1) == found
    assert time.monotonic() - began < 2


def test_an_error_for_the_missing_comes_at_once(open_runner):
    runner = open_runner(joining("none", "a", missing="error"))
    began = time.monotonic()

    with pytest.raises(StepError, match="nothing came from none"):
        runner.run(1)

    assert time.monotonic() - began < 2


def test_one_that_may_still_come_is_waited_for(open_runner):
    async def slow(body):
        await asyncio.sleep(0.1)
        return -body

    graph = joining("none", "a", "slow", slow=slow)

    assert open_runner(graph).run(1) == [None, 1, -1]


def test_a_branch_that_fails_is_waited_for_no_longer(open_runner):
    async def fails(body):
        raise ValueError("no")

    runner = open_runner(joining("a", "slow", slow=fails))
    began = time.monotonic()

    with pytest.raises(StepError, match="'slow' failed"):
        runner.run(1)

    assert time.monotonic() - began < 2


def test_joins_behind_joins_go_on_one_after_the_other(open_runner):
    graph = joining("none", "a")
    graph.change_step("both", responder=False)
    graph.add_step(name="b", handler=keep_later, after="start")
    graph.add_step(
        name="last", handler=keep, after=["both", "b", "none"], join="all",
        join_timeout_s=5.0, missing="null",
    ).respond()  # fmt: skip
    runner = open_runner(graph)
    began = time.monotonic()

    assert runner.run(1) == [[None, 1], 1, None]
    assert time.monotonic() - began < 2


def test_a_choice_that_leads_elsewhere_is_not_waited_for(open_runner):
    class Picks:
        def select_outlets(self, body):
            return ["a"]

    graph = Graph("choice")
    graph.to(Picks, name="picks")
    for name in ("a", "b"):
        graph.add_step(name=name, handler=keep_later, after="picks")
    graph.add_step(
        name="both", handler=keep, after=["a", "b"], join="all",
        join_timeout_s=5.0, missing="null",
    ).respond()  # fmt: skip
    runner = open_runner(graph)
    began = time.monotonic()

    assert runner.run(1) == [1, None]
    assert time.monotonic() - began < 2
