"""Joins: what a step with several upstream steps waits for."""

import asyncio

import pytest

from jupyter_graph import Event, Graph, StepError
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import BLOCKS, load_block


def add(number):
    def plus(body):
        return body + number

    plus.__name__ = f"plus_{number}"
    return plus


class Odd:
    """Drops even bodies."""

    may_drop = True

    def do(self, body):
        from jupyter_graph.types import NOTHING

        return body if body % 2 else NOTHING


def diamond(tail=None, engine="async", **join):
    """``a`` (+1) and ``b`` (+2, or ``Odd``) after ``first``, then ``last``."""
    graph = Graph("diamond", engine=engine)
    graph.to(name="first", handler=add(0))
    graph.add_step(name="a", handler=add(1), after="first")
    if tail is None:
        graph.add_step(name="b", handler=add(2), after="first")
    else:
        graph.add_step(tail, "b", after="first")
    graph.add_step(name="last", handler=lambda x: ("last", x), after=["a", "b"], **join)
    graph.change_step("last", responder=True)
    return graph


@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize(
    ("join", "found"),
    [
        pytest.param({}, ("last", 11), id="none"),
        pytest.param({"join": "all"}, ("last", [11, 12]), id="all"),
        pytest.param({"join": "any"}, ("last", 11), id="any"),
        pytest.param({"join": "first"}, ("last", 11), id="first"),
    ],
)
def test_a_join_waits_for_its_branches(run_graph, engine, join, found):
    assert run_graph(diamond(engine=engine, **join), [10]) == [found]


@pytest.mark.parametrize("takes_event", [None, True])
def test_a_merge_of_one_branch_changes_nothing(run_graph, takes_event):
    graph = Graph("alone")
    graph.to(name="a", handler=lambda it: it, full_event=takes_event)
    graph.add_step("Merge", "m").respond()

    assert run_graph(graph, [3]) == [3]


def test_a_plain_join_runs_once_for_each_branch(run_graph):
    seen = []
    graph = diamond()
    graph.add_step(name="note", handler=seen.append, after="last")
    run_graph(graph, [10])

    assert seen == [("last", 11), ("last", 12)]


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        pytest.param("drop", ("last", [11]), id="drop"),
        pytest.param("null", ("last", [11, None]), id="null"),
    ],
)
def test_something_stands_for_a_branch_that_does_not_come(run_graph, missing, found):
    graph = diamond(Odd, join="all", missing=missing)

    assert run_graph(graph, [10, 11]) == [found, ("last", [12, 11])]


def test_a_missing_branch_is_an_error_by_default(open_runner):
    runner = open_runner(diamond(Odd, join="all"))

    with pytest.raises(StepError, match="nothing came from b") as caught:
        runner.run(10)

    assert caught.value.step == "last"


@pytest.mark.parametrize(
    ("order", "found"),
    [(["b", "a"], [("last", 11), ("last", 11)]), (["a", "b"], [("last", 11)] * 2)],
)
def test_the_first_of_its_branches_is_preferred(run_graph, order, found):
    graph = diamond(Odd, join="first")
    graph.change_step("last", after=tuple(order))

    assert run_graph(graph, [10]) == found[:1]


def test_a_join_of_events_gives_one_event(run_graph):
    def tell(event):
        event.body = [event.body, event.path]
        return event

    graph = diamond(join="all")
    graph.add_step(name="tell", handler=tell, full_event=True, after="last")
    graph.change_step("last", responder=False)
    graph.change_step("tell", responder=True)

    assert run_graph(graph, [1]) == [[("last", [2, 3]), "/"]]


def slow_branch(**join):
    async def slow(body):
        await asyncio.sleep(5)
        return body

    async def quick(body):
        return body

    graph = Graph("slow")
    graph.to(name="first", handler=quick)
    graph.add_step(name="quick", handler=quick, after="first")
    graph.add_step(name="slow", handler=slow, after="first")
    graph.add_step(name="last", handler=lambda x: x, after=["quick", "slow"], **join)
    graph.change_step("last", responder=True)
    return graph


@pytest.mark.parametrize(
    ("missing", "found"), [("drop", [1]), ("null", [1, None])], ids=["drop", "null"]
)
def test_a_join_waits_no_longer_than_it_may(run_graph, missing, found):
    graph = slow_branch(join="all", join_timeout_s=0.05, missing=missing)

    assert run_graph(graph, [1]) == [found]


def test_a_late_branch_is_an_error_where_it_must_not_miss(open_runner):
    graph = slow_branch(join="all", join_timeout_s=0.05)
    graph.change_step("slow", timeout_s=0.3)

    with pytest.raises(StepError):
        open_runner(graph).run(1)


def test_only_a_join_of_all_has_a_time_limit(open_runner):
    with pytest.raises(SpecError, match="only for join='all'"):
        open_runner(slow_branch(join="any", join_timeout_s=1))


# -- streams that become one body again -------------------------------------------


def three(body):
    for number in range(3):
        yield body + number


async def three_async(body):
    for number in three(body):
        await asyncio.sleep(0)
        yield number


def breaks_off(body):
    yield body
    raise ValueError("broke off")


def breaks(_body):
    raise ValueError("broke off")


def collecting(handler, collector="gather", full_event=False, **args):
    graph = Graph("collect")
    graph.to(name="items", handler=handler)
    graph.add_step(name="ten", handler=lambda x: x * 10)
    graph.add_step(collector, "all", class_args=args)
    graph.add_step(name="last", handler=lambda found: ("last", found)).respond()
    if full_event:
        graph.add_step(name="tell", handler=lambda e: e, full_event=True, after="last")
    return graph


@pytest.mark.parametrize("handler", [three, three_async])
@pytest.mark.parametrize("collector", ["gather", "Collector", "storey.Collector"])
@pytest.mark.parametrize("full_event", [False, True], ids=["bodies", "events"])
def test_the_items_of_a_stream_become_one_list(
    run_graph, handler, collector, full_event
):
    graph = collecting(handler, collector, full_event)

    assert run_graph(graph, [1, 2]) == [("last", [10, 20, 30]), ("last", [20, 30, 40])]


def test_a_body_that_is_no_stream_passes(run_graph):
    graph = collecting(lambda body: body)

    assert run_graph(graph, [1]) == [("last", 10)]


@pytest.mark.parametrize(("single", "found"), [("bare", 50), ("list", [50])])
def test_one_item_may_stand_alone(run_graph, single, found):
    def one(body):
        yield body

    assert run_graph(collecting(one, single=single), [5]) == [("last", found)]


def test_a_stream_that_breaks_off_fails_its_event(open_runner):
    with pytest.raises(StepError, match="broke off") as caught:
        open_runner(collecting(breaks_off)).run(1)

    assert caught.value.step == "items"


@pytest.mark.parametrize("handler", [three, breaks_off])
def test_storeys_collector_answers_for_no_event_that_failed(open_runner, handler):
    graph = collecting(handler, "storey.Collector")
    if handler is three:
        graph.change_step("ten", handler="breaks")
        graph.namespace["breaks"] = breaks

    answer = open_runner(graph).answer(1, silent=True)

    step = "ten" if handler is three else "items"
    assert (answer.status_code, answer.error.step) == (500, step)


def test_a_collector_may_go_on_with_the_error(run_graph):
    found = run_graph(collecting(breaks_off, on_error="collect"), [1])

    assert found == [("last", {"error": "ValueError: broke off"})]


def generator_of_two(body):
    yield from (body, body)


FLAT = ("storey.FlatMap", {"fn": lambda body: body})
LATER = ("storey.FlatMap", {"fn": list, "long_running": True})


def chain(*steps, answers=-1):
    """A chain of functions and classes with their arguments."""
    last = graph = Graph("lists")
    names = [f"s{number}" for number in range(len(steps))]
    for name, (code, args) in zip(names, steps, strict=True):
        last = last.to(code, name=name, **args)
    graph.change_step(names[answers], responder=True)
    return graph


@pytest.mark.parametrize("collector", ["gather", "Collector", "storey.Collector"])
@pytest.mark.parametrize(
    ("steps", "body", "found"),
    [
        pytest.param([FLAT], [1, 2, 3], [1, 2, 3], id="list"),
        pytest.param([FLAT], [4], 4, id="one-stands-alone"),
        pytest.param([FLAT], [], [], id="empty"),
        pytest.param([LATER], [1, 2], [1, 2], id="driven-by-storey"),
        pytest.param([("storey.Flatten", {})], [1, 2], [1, 2], id="flatten"),
        pytest.param([FLAT, FLAT], [[1, 2], [], [3]], [1, 2, 3], id="twice"),
        pytest.param(
            [FLAT, (generator_of_two, {})], [1, 2], [1, 1, 2, 2], id="before-generator"
        ),
        pytest.param(
            [(generator_of_two, {}), FLAT], [1, 2], [1, 2, 1, 2], id="after-generator"
        ),
    ],
)
def test_the_list_of_a_flat_map_becomes_one_body(
    run_graph, collector, steps, body, found
):
    assert run_graph(chain(*steps, (collector, {})), [body]) == [found]


def test_a_list_of_one_may_stay_a_list(run_graph):
    graph = chain(FLAT, ("gather", {"single": "list"}))

    assert run_graph(graph, [[4], [], [4, 5]]) == [[4], [], [4, 5]]


@pytest.mark.parametrize("answers", [0, 1])
def test_what_answers_before_the_list_is_gathered_answers_with_its_first(
    run_graph, answers
):
    seen = []
    steps = [FLAT, (lambda body: body, {}), ("gather", {}), (seen.append, {})]

    assert run_graph(chain(*steps, answers=answers), [[1, 2]]) == [1]
    assert seen == [[1, 2]]


def test_an_item_of_a_flat_map_that_fails_fails_the_event(open_runner):
    runner = open_runner(chain(FLAT, (breaks, {}), ("gather", {})))

    with pytest.raises(StepError, match="broke off") as caught:
        runner.run([1, 2])

    assert caught.value.step == "s1"


def test_every_block_that_collects_says_so():
    found = {name for name in BLOCKS if hasattr(load_block(name), "collects_streams")}

    assert found == {"Collector", "gather"}


def test_events_keep_their_own_ids(open_runner):
    graph = collecting(three, full_event=True)

    answer = open_runner(graph).handle(Event(1, id="e-1"))

    assert (answer.event_id, answer.value) == ("e-1", ("last", [10, 20, 30]))
