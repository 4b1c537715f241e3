"""Graphs that random ones once showed to answer wrongly, each pinned down."""

import asyncio

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import SpecError
from jupyter_graph.types import NOTHING


def inc(x):
    return x + 1


async def inc_async(x):
    await asyncio.sleep(0)
    return x + 1


def double(x):
    return 2 * x


def three(x):
    yield from (x, x + 1, x + 2)


def two(x):
    yield from (x, x + 10)


def fails(x):
    raise ValueError(x)


def last(x):
    return ("last", x)


def caught(x):
    return ("caught", x)


class Odd:
    """Drops even bodies."""

    may_drop = True

    def do(self, x):
        return x if x % 2 else NOTHING


COLOURS = pytest.mark.parametrize("inc", [inc, inc_async], ids=["sync", "async"])


def fan_out(first, left, right, end="Merge", **join):
    """``first`` to ``left`` and ``right``, then ``end``."""
    graph = Graph("g")
    graph.to(name="first", handler=first)
    for name, step in (("left", left), ("right", right)):
        kind = "class_name" if isinstance(step, type) else "handler"
        graph.add_step(name=name, after="first", **{kind: step})
    kind = "class_name" if end == "Merge" else "handler"
    after = ["left", "right"]
    graph.add_step(name="end", after=after, **{kind: end}, **join).respond()
    return graph


def answers(run_graph, graph, bodies):
    found = run_graph(graph, bodies)
    return [list(one) if hasattr(one, "__next__") else one for one in found]


# -- items of a stream --------------------------------------------------------------


@COLOURS
def test_parts_of_one_item_are_never_merged_with_those_of_another(run_graph, inc):
    graph = fan_out(three, Odd, inc)

    assert answers(run_graph, graph, [1, 2]) == [[[1, 2], [3, 4]], [[3, 4]]]


@COLOURS
@pytest.mark.parametrize(
    ("join", "found"),
    [
        pytest.param({"join": "all", "missing": "drop"}, [[2, 2], [3], [4, 6]]),
        pytest.param({"join": "first"}, [2, 3, 4]),
    ],
    ids=["all", "first"],
)
def test_each_item_is_joined_by_itself(run_graph, inc, join, found):
    class DoubleOdd(Odd):
        def do(self, x):
            return 2 * x if x % 2 else NOTHING

    graph = fan_out(three, inc, DoubleOdd, lambda x: x, **join)

    assert answers(run_graph, graph, [1]) == [found]


@COLOURS
def test_any_branch_of_each_item_goes_on(run_graph, inc):
    graph = fan_out(three, inc, Odd, lambda x: "any", join="any")

    assert answers(run_graph, graph, [1]) == [["any"] * 3]


def test_a_join_inside_and_outside_of_a_stream_is_refused(open_runner):
    graph = Graph("g")
    graph.to(name="first", handler=inc)
    graph.add_step(name="items", handler=three, after="first")
    graph.add_step(name="last", handler=last, after=["items", "first"], join="all")

    with pytest.raises(SpecError, match="'last' joins branches inside and outside"):
        open_runner(graph)


def test_a_join_behind_a_collector_is_outside_of_the_stream(run_graph):
    graph = Graph("g")
    graph.to(name="first", handler=inc).to(name="items", handler=three)
    graph.add_step("Collector", "list")
    graph.add_step(name="last", handler=last, after=["list", "first"], join="all")
    graph.change_step("last", responder=True)

    assert answers(run_graph, graph, [1]) == [("last", [[2, 3, 4], 2])]


def test_each_item_goes_round_a_cycle_by_itself(run_graph):
    def many(x):
        yield from range(x)

    class Once:
        def do(self, x):
            return x

        def select_outlets(self, x):
            return "out"

    graph = Graph("g", allow_cyclic=True)
    graph.to(name="many", handler=many).to(Once, "once")
    graph.add_step(name="again", handler=inc, after="once", cycle_to="once")
    graph.add_step(name="out", handler=inc, after="once").respond()

    assert answers(run_graph, graph, [150]) == [list(range(1, 151))]


def test_what_comes_after_a_responding_stream_does_not_change_its_items(run_graph):
    def objects(x):
        yield {"n": x}

    graph = Graph("g")
    graph.to(name="objects", handler=objects).respond()
    graph.add_step(name="seven", handler=lambda _: 7, result_path="seven")

    assert answers(run_graph, graph, [1]) == [[{"n": 1}]]


# -- collected streams --------------------------------------------------------------


def collected(*steps):
    """A chain; texts are Collectors."""
    graph = Graph("g")
    for at, step in enumerate(steps):
        kind = "class_name" if step == "Collector" else "handler"
        graph.add_step(name=f"s{at}", **{kind: step})
    return graph


@COLOURS
@pytest.mark.parametrize(
    ("steps", "found"),
    [
        pytest.param(
            [two, three, "Collector", last],
            ("last", [1, 2, 3, 11, 12, 13]),
            id="streams-in-a-stream",
        ),
        pytest.param(
            [two, "Collector", sum, three, "Collector", last],
            ("last", [12, 13, 14]),
            id="one-after-the-other",
        ),
        pytest.param(
            [two, "Collector", sum, three, last],
            [("last", 12), ("last", 13), ("last", 14)],
            id="then-a-stream",
        ),
    ],
)
def test_streams_are_collected_one_at_a_time(run_graph, inc, steps, found):
    graph = collected(*steps)
    graph.add_step(name="beside", handler=inc, after="s0")
    graph.change_step(f"s{len(steps) - 1}", responder=True)

    assert answers(run_graph, graph, [1]) == [found]


@COLOURS
@pytest.mark.parametrize(("responder", "found"), [("s0", [1, 11]), ("s1", [2, 12])])
def test_items_are_answers_though_they_are_collected_later(
    run_graph, inc, responder, found
):
    seen = []
    graph = collected(two, inc, "Collector", seen.append)
    graph.change_step(responder, responder=True)

    assert answers(run_graph, graph, [1]) == [found]
    assert seen == [[2, 12]]


def test_two_streams_at_once_are_collected_one_after_the_other(run_graph):
    async def slow(x):
        for number in range(3):
            await asyncio.sleep(0)
            yield x + number

    seen = []
    graph = Graph("g")
    graph.to(name="a", handler=slow)
    graph.to(name="b", handler=slow)
    graph.add_step("Collector", "list", after=["a", "b"]).to(handler=seen.append)
    run_graph(graph, [1])

    assert seen == [[1, 2, 3], [1, 2, 3]]


# -- flows with streams inside --------------------------------------------------------


def around(*steps, respond=None):
    inner = collected(*steps)
    inner.name = "inner"
    if respond:
        inner.change_step(respond, responder=True)
    graph = Graph("g")
    graph.to(name="first", handler=lambda x: x)
    graph.add_step(inner, "inner", after="first").to(name="last", handler=last)
    graph.change_step("last", responder=True)
    return graph


@COLOURS
@pytest.mark.parametrize("of_events", [False, True], ids=["bodies", "events"])
@pytest.mark.parametrize(
    ("steps", "respond", "found"),
    [
        pytest.param([two], None, [("last", 2), ("last", 12)], id="stream"),
        pytest.param([two, "Collector"], None, ("last", [2, 12]), id="collected"),
        pytest.param([two], "s0", ("last", 2), id="answered-before"),
    ],
)
def test_a_flow_streams_only_where_its_answer_does(
    run_graph, inc, of_events, steps, respond, found
):
    graph = around(inc, *steps, respond=respond)
    if of_events:
        graph.add_step(name="tell", handler=lambda e: e, full_event=True, after="last")

    assert answers(run_graph, graph, [1]) == [found]


def test_a_flow_may_stream_for_some_events_only(run_graph):
    class Choice:
        def do(self, x):
            return x

        def select_outlets(self, x):
            return "two" if x % 2 else "inc"

    inner = Graph("inner")
    inner.to(Choice, "choice")
    inner.add_step(name="two", handler=two, after="choice")
    inner.add_step(name="inc", handler=inc, after="choice")
    inner.add_step(name="double", handler=double, after=["two", "inc"])
    graph = Graph("g")
    graph.to(inner, "inner").to(name="last", handler=last).respond()

    assert answers(run_graph, graph, [1, 2]) == [
        [("last", 2), ("last", 22)],
        ("last", 6),
    ]


# -- error handlers -------------------------------------------------------------------


@COLOURS
@pytest.mark.parametrize("step", ["end", None], ids=["own", "graph"])
def test_a_missing_branch_goes_to_the_error_handler(run_graph, inc, step):
    graph = fan_out(inc, inc, Odd, last, join="all")
    graph.error_handler("catch", handler=caught, step=step)

    assert run_graph(graph, [1, 2]) == [("caught", 3), ("last", [4, 3])]


@COLOURS
def test_the_graphs_handler_gets_what_the_failing_step_of_a_branch_got(run_graph, inc):
    graph = fan_out(inc, inc, double)
    graph.add_step(name="fails", handler=fails, after="left")
    graph.change_step("end", after=("fails", "right"))
    graph.error_handler("catch", handler=caught)

    assert run_graph(graph, [1]) == [("caught", 3)]


def test_a_missing_branch_is_named_where_nobody_handles_it(open_runner):
    runner = open_runner(fan_out(inc, inc, Odd, last, join="all"))

    with pytest.raises(StepError, match="nothing came from right") as error:
        runner.run(1)

    assert error.value.step == "end"


# -- what goes on beside a stream, and beside a cycle ------------------------------


def breaks_off(x):
    yield x
    raise ValueError(x)


@COLOURS
@pytest.mark.parametrize("more", [(), ("Collector",)], ids=["drained", "collected"])
def test_the_graphs_handler_gets_what_a_failing_stream_got(run_graph, inc, more):
    seen = []
    graph = collected(inc, breaks_off, *more)
    graph.add_step(name="answers", handler=inc, after="s0").respond()
    graph.error_handler("note", handler=seen.append)
    run_graph(graph, [1])

    assert seen == [2]


@COLOURS
@pytest.mark.parametrize("of_events", [False, True], ids=["bodies", "events"])
@pytest.mark.parametrize("in_a_flow", [False, True])
def test_items_are_put_at_the_result_path(run_graph, inc, of_events, in_a_flow):
    inner = Graph("inner")
    inner.to(name="inc", handler=inc).to(name="items", handler=two)
    if not in_a_flow:
        inner = two
    graph = Graph("g")
    kind = "class_name" if in_a_flow else "handler"
    paths = {"input_path": "n", "result_path": "r"}
    graph.to(name="items", **{kind: inner}, **paths)
    graph.add_step(name="last", handler=last).respond()
    graph.add_step(name="beside", handler=inc, after="start", input_path="n")
    if of_events:
        graph.add_step(name="tell", handler=lambda e: e, full_event=True, after="last")
    first = 2 if in_a_flow else 1
    expected = [("last", {"n": 1, "r": first + more}) for more in (0, 10)]

    assert answers(run_graph, graph, [{"n": 1}]) == [expected]


@COLOURS
def test_a_generator_may_take_the_event(run_graph, inc):
    def twice(event):
        yield event
        yield event

    graph = Graph("g")
    graph.to(name="inc", handler=inc).to(name="twice", handler=twice, full_event=True)
    graph.add_step(name="last", handler=last).respond()

    assert answers(run_graph, graph, [1]) == [[("last", 2), ("last", 2)]]


@COLOURS
def test_what_a_route_drops_goes_no_further(run_graph, inc):
    graph = Graph("g")
    graph.to(name="first", handler=lambda x: {"n": x})
    graph.add_router("router", "ModelRouter", after="first")
    graph.add_route("odd", DropsAll, router_step="router")
    graph.add_route("other", handler=inc, router_step="router")
    graph.add_step(name="last", handler=last, after="router").respond()

    assert run_graph(graph, [1]) == [None]


class DropsAll:
    may_drop = True

    def do(self, x):
        return NOTHING


@COLOURS
def test_an_earlier_round_of_a_cycle_answers_before_later_ones(run_graph, inc):
    class Both:
        def do(self, x):
            return x

        def select_outlets(self, x):
            return ["again", "out"] if x < 3 else "out"

    graph = Graph("g", allow_cyclic=True)
    graph.to(Both, "both")
    graph.add_step(name="again", handler=inc, after="both", cycle_to="both")
    graph.add_step(name="out", handler=last, after="both").respond()

    assert run_graph(graph, [1]) == [("last", 1)]


def test_a_failing_later_round_does_not_hide_the_failure_of_this_one(open_runner):
    class Both:
        def select_outlets(self, x):
            return ["again", "waits"]

    async def waits(x):
        await asyncio.sleep(0.01)
        return x

    graph = Graph("g", allow_cyclic=True, max_iterations=2)
    graph.to(Both, "both").to(name="again", handler=inc, cycle_to="both")
    graph.add_step(name="waits", handler=waits, after="both")
    graph.add_step(name="fails", handler=fails, after="waits")

    with pytest.raises(StepError) as error:
        open_runner(graph).run(1)

    assert error.value.step == "fails"


def test_what_comes_to_a_collector_beside_a_stream_is_no_item_of_it(run_graph):
    async def slow(x):
        for number in range(3):
            await asyncio.sleep(0)
            yield x + number

    seen = []
    graph = Graph("g")
    graph.to(name="first", handler=inc_async).to(name="items", handler=slow)
    graph.add_step(name="each", handler=double, after=["first", "items"])
    graph.add_step("Collector", "list").to(name="note", handler=seen.append)
    run_graph(graph, [1])

    assert sorted(seen, key=str) == [4, [4, 6, 8]]


def test_a_branch_is_collected_though_another_one_broke_off(run_graph):
    graph = Graph("g")
    graph.to(name="items", handler=breaks_off)
    graph.to(name="first", handler=inc)
    graph.add_step("Collector", "list", after=["items", "first"])
    graph.add_step(name="last", handler=last).respond()
    seen = []
    graph.error_handler("note", handler=lambda x: seen.append(x) or "caught")

    assert run_graph(graph, [1]) == ["caught"]
    assert seen == [1]


def test_a_merge_that_a_handler_leads_to_keeps_what_it_gives(run_graph):
    graph = fan_out(inc, inc, Odd)
    graph.to(name="beside", handler=fails)
    graph.error_handler("catch", handler=caught, step="beside", before="end")

    assert run_graph(graph, [1]) == [[3, ("caught", 1)]]


@COLOURS
def test_an_asynchronous_generator_of_events_may_be_traced(open_runner, inc):
    async def twice(event):
        yield event
        yield event

    graph = Graph("g")
    graph.to(name="inc", handler=inc).to(name="twice", handler=twice, full_event=True)
    answer = open_runner(graph).answer(1, traced=True)

    assert answer.value == [2, 2]


@COLOURS
def test_a_traced_failure_inside_a_flow_names_the_step_inside(open_runner, inc):
    runner = open_runner(around(inc, fails))

    assert runner.answer(1, traced=True, silent=True).error.step == "s1"


def test_a_generator_of_storeys_step_may_take_the_event(run_graph):
    pytest.importorskip("storey")

    def twice(event):
        yield event
        yield event

    graph = Graph("g")
    graph.add_step("storey.Map", "twice", class_args={"_fn": "twice"}, full_event=True)
    graph.namespace["twice"] = twice
    graph.add_step(name="last", handler=last).respond()

    assert answers(run_graph, graph, [1]) == [[("last", 1), ("last", 1)]]


# -- what a step kept ---------------------------------------------------------------


class Keeps:
    """Keeps every body back."""

    may_drop = True

    def __init__(self):
        self.kept = []

    def do(self, x):
        self.kept.append(x)
        return NOTHING

    def flush(self, *, end):
        kept, self.kept = self.kept, []
        return kept


@COLOURS
def test_what_was_kept_is_joined_without_the_missing(open_runner, inc):
    seen = []
    graph = fan_out(Keeps, inc, Odd, seen.append, join="all", missing="drop")
    graph.change_step("first", handler=None, class_name="Keeps")
    graph.namespace["Keeps"] = Keeps
    runner = open_runner(graph)
    runner.run(1)
    runner.run(2)
    runner.wait_for_completion(10)

    assert seen == [[2, 1], [3]]


@COLOURS
def test_what_was_kept_goes_round_a_cycle(open_runner, inc):
    class Until:
        def select_outlets(self, x):
            return "again" if x < 5 else "out"

    seen = []
    graph = Graph("g", allow_cyclic=True)
    graph.to(Keeps, "keeps").to(Until, name="until")
    graph.add_step(name="again", handler=inc, after="until", cycle_to="until")
    graph.add_step(name="out", handler=seen.append, after="until")
    runner = open_runner(graph)
    runner.run(1)
    runner.wait_for_completion(10)

    assert seen == [5]


# -- several events of one of storey's steps ------------------------------------------


def flat_map(**options):
    graph = Graph("g")
    graph.add_step("storey.FlatMap", "both", class_args={"_fn": "both"}, **options)
    graph.namespace["both"] = lambda x: [x, x + 1]
    return graph


@COLOURS
def test_what_answers_with_the_first_of_several_sends_all_on(run_graph, inc):
    pytest.importorskip("storey")
    seen = []
    graph = flat_map()
    graph.change_step("both", responder=True)
    graph.add_step(name="inc", handler=inc, after="both").to(handler=seen.append)

    assert run_graph(graph, [1]) == [1]
    assert seen == [2, 3]


@COLOURS
def test_a_handler_is_not_for_what_comes_after_its_step(open_runner, inc):
    pytest.importorskip("storey")
    graph = flat_map()
    graph.add_step(name="inc", handler=inc, after="both")
    graph.add_step(name="fails", handler=fails, after="inc").respond()
    graph.error_handler("catch", handler=caught, step="both")

    with pytest.raises(StepError, match="'fails' failed"):
        open_runner(graph).run(1)


@COLOURS
def test_each_of_several_events_is_joined_by_itself(run_graph, inc):
    pytest.importorskip("storey")
    seen = []
    graph = flat_map()
    graph.add_step(name="left", handler=inc, after="both")
    graph.add_step(name="right", handler=inc, after="both")
    graph.add_step(name="end", handler=seen.append, after=["left", "right"], join="all")
    run_graph(graph, [1])

    assert seen == [[2, 2], [3, 3]]


@COLOURS
def test_what_fails_behind_a_collected_generator_is_named(open_runner, inc):
    graph = collected(two, inc, fails, "Collector", last)

    with pytest.raises(StepError) as error:
        open_runner(graph).run(1)

    assert error.value.step == "s2"


@COLOURS
def test_a_failing_handler_inside_a_collected_stream_fails_its_event(open_runner, inc):
    graph = collected(two, inc, fails, "Collector", last)
    graph.error_handler("catch", handler=lambda x: fails(x) if x < 5 else "caught")

    with pytest.raises(StepError) as error:
        open_runner(graph).run(1)

    assert error.value.step == "catch"
