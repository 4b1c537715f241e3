"""Steps by a function: map, filter, extend, call, check, flatten, split, rename."""

import asyncio
import functools
import operator

import pandas as pd
import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import SpecError, StatusError, UnprocessableError
from jupyter_graph.steps import (
    Assert,
    Drop,
    Extend,
    Filter,
    FlatMap,
    Flatten,
    ForEach,
    Map,
    Partition,
    Rename,
)
from jupyter_graph.types import NOTHING


def double(x):
    return x * 2


def is_even(x):
    return x % 2 == 0


def square(body):
    return {"sq": body["n"] ** 2, "n": -body["n"]}


def pair(x):
    return [x, -x]


def pair_by_one(x):
    yield x
    yield -x


async def pair_later(x):
    for item in pair(x):
        await asyncio.sleep(0)
        yield item


def later(fn):
    """Give the coroutine function of a plain one."""

    async def run(body):
        await asyncio.sleep(0)
        return fn(body)

    return run


def boom(x):
    raise KeyError(x)


BOTH = [pytest.param(lambda fn: fn, id="plain"), pytest.param(later, id="coroutine")]


@pytest.mark.parametrize("colour", BOTH)
@pytest.mark.parametrize(
    ("block", "fn", "bodies", "answers"),
    [
        pytest.param(Map, double, [1, "a"], [2, "aa"], id="map"),
        pytest.param(Map, lambda x: None, [1], [None], id="map-to-none"),
        pytest.param(Filter, is_even, [1, 2], [None, 2], id="filter"),
        pytest.param(Filter, lambda x: [], [1], [None], id="filter-by-empty"),
        pytest.param(Extend, square, [{"n": 3}], [{"n": -3, "sq": 9}], id="extend"),
        pytest.param(ForEach, double, [1, 2], [1, 2], id="for-each"),
        pytest.param(Assert, is_even, [2, 4], [2, 4], id="assert"),
    ],
)
def test_a_block_calls_its_function(run_step, colour, block, fn, bodies, answers):
    assert run_step(block, bodies, fn=colour(fn)) == answers


@pytest.mark.parametrize("colour", BOTH)
@pytest.mark.parametrize(
    ("block", "fn", "body", "given"),
    [
        pytest.param(Map, double, 1, 2, id="map"),
        pytest.param(Filter, is_even, 1, NOTHING, id="filter"),
        pytest.param(Extend, square, {"n": 1}, {"n": -1, "sq": 1}, id="extend"),
        pytest.param(ForEach, double, 1, 1, id="for-each"),
        pytest.param(Assert, is_even, 2, 2, id="assert"),
    ],
)
def test_a_block_can_be_awaited_too(colour, block, fn, body, given):
    step = block(colour(fn))

    assert asyncio.run(step.do_async(body)) == given
    assert step.do(body) == given


def test_a_coroutine_runs_beside_the_callers_loop():
    async def call():
        return Map(later(double)).do(2)

    assert asyncio.run(call()) == 4


def test_coroutines_of_all_events_share_a_loop():
    async def loop_of(_):
        return asyncio.get_running_loop()

    step = Map(loop_of)
    assert step.do(1) is step.do(2)


@pytest.mark.parametrize("block", [Map, Filter, Extend, ForEach, Assert])
def test_what_a_function_raises_fails_the_event(run_step, block):
    with pytest.raises(StepError, match=r"step 'it' failed on .*KeyError: 7"):
        run_step(block, [7], fn=boom)


def test_a_filtered_event_answers_that_there_is_nothing(ask):
    graph = Graph("filter")
    graph.to(Filter, name="keep", fn=is_even).to(name="d", handler=double).respond()

    assert (ask(graph, 3).status_code, ask(graph, 4).body) == (204, 8)


def test_a_body_is_not_changed():
    body = {"n": 2, "m": 1}

    Extend(square).do(body)
    Rename({"n": "z"}).do(body)
    Drop("n").do(body)
    assert body == {"n": 2, "m": 1}


def test_a_function_for_its_effect_sees_every_body(run_step):
    seen = []

    assert run_step(ForEach, [1, 2], fn=lambda body: seen.append(body)) == [1, 2]
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("block", "fn", "body", "says"),
    [
        pytest.param(Extend, square, [1], "list indices", id="function-fails"),
        pytest.param(
            Extend, lambda x: {}, [1], "body that is an object, got", id="extend-a-list"
        ),
        pytest.param(Extend, double, 1, "but double gave 2", id="extend-by-a-number"),
        pytest.param(FlatMap, double, 1, "but double gave 2", id="flat-map-a-number"),
        pytest.param(FlatMap, double, "a", "gave 'aa'", id="flat-map-a-text"),
    ],
)
def test_what_does_not_fit_is_said(block, fn, body, says):
    with pytest.raises(TypeError, match=says):
        list(block(fn).do(body))


# -- checks ----------------------------------------------------------------------


def test_a_check_that_fails_names_itself_and_the_body(ask):
    graph = Graph("check")
    graph.to(Assert, name="even", fn=is_even).respond()

    answer = ask(graph, 3)
    assert answer.status_code == 422
    assert answer.body["detail"] == "the body does not pass 'is_even', got 3"


def test_a_check_may_say_its_own_words_and_status():
    step = Assert(is_even, message="must be even", status_code=500)

    with pytest.raises(StatusError, match="must be even, got 3") as caught:
        step.do(3)
    assert caught.value.status_code == 500
    assert not isinstance(caught.value, UnprocessableError)


def test_a_long_body_is_cut_in_the_message():
    with pytest.raises(UnprocessableError) as caught:
        Assert(lambda body: False).do(list(range(10_000)))

    assert len(str(caught.value)) < 100


# -- several for one -------------------------------------------------------------

SEVERAL = [
    pytest.param(FlatMap, {"fn": pair}, 3, id="list"),
    pytest.param(FlatMap, {"fn": later(pair)}, 3, id="coroutine"),
    pytest.param(FlatMap, {"fn": pair_by_one}, 3, id="generator"),
    pytest.param(FlatMap, {"fn": pair_later}, 3, id="async-generator"),
    pytest.param(Flatten, {}, [3, -3], id="flatten"),
    pytest.param(Flatten, {}, (3, -3), id="flatten-a-tuple"),
]


@pytest.mark.parametrize(("block", "args", "body"), SEVERAL)
def test_each_item_goes_on_by_itself(run_graph, block, args, body):
    graph = Graph("several")
    graph.to(block, name="each", **args).to(name="d", handler=double).respond()

    [items] = run_graph(graph, [body])
    assert list(items) == [6, -6]


async def listed(items):
    return [item async for item in items]


@pytest.mark.parametrize(("block", "args", "body"), SEVERAL[:4])
def test_items_can_be_awaited_too(block, args, body):
    assert asyncio.run(listed(block(**args).do_async(body))) == [3, -3]


def test_of_an_empty_list_nothing_goes_on(run_step):
    [items] = run_step(Flatten, [[]])

    assert list(items) == []


@pytest.mark.parametrize("body", ["abc", {"a": 1}, 5, None, pd.DataFrame({"a": [1]})])
def test_only_lists_are_flattened(body):
    with pytest.raises(TypeError, match="a list of items is needed"):
        list(Flatten().do(body))


# -- split -----------------------------------------------------------------------


class Say:
    def __init__(self, word):
        self.word = word

    def do(self, body):
        return f"{self.word} {body}"


def split_graph(**args):
    graph = Graph("split")
    split = graph.to(Partition, name="split", **args)
    for name in ("left", "right", "other"):
        split.to(Say, name=name, word=name)
    graph.add_step(
        name="end", handler=lambda body: body, after=["left", "right", "other"]
    )
    graph.change_step("end", responder=True)
    return graph


@pytest.mark.parametrize(
    ("true", "false", "answers"),
    [
        pytest.param("left", "right", ["left a", "right 1"], id="names"),
        pytest.param(["right"], ["other"], ["right a", "other 1"], id="lists"),
    ],
)
def test_a_predicate_picks_one_of_two_followers(run_graph, true, false, answers):
    graph = split_graph(predicate=str.isalpha, true=true, false=false)

    assert run_graph(graph, ["a", "1"]) == answers


def test_a_follower_that_is_none_is_named(run_graph):
    graph = split_graph(predicate=str.isalpha, true="left", false="ghost")

    with pytest.raises(StepError, match="Invalid outlet 'ghost' for 'split'"):
        run_graph(graph, ["1"])


# -- fields ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "args", "body", "answer"),
    [
        pytest.param(Rename, {"mapping": {"a": "z"}}, {"a": 1}, {"z": 1}, id="rename"),
        pytest.param(
            *(Rename, {"mapping": {"a": "b", "b": "a"}}),
            *({"a": 1, "b": 2}, {"b": 1, "a": 2}),
            id="swap",
        ),
        pytest.param(
            Rename, {"mapping": {"a": "b"}}, {"a": 1, "b": 2}, {"b": 1}, id="overwrite"
        ),
        pytest.param(
            Rename, {"mapping": {"a": "a", "q": "z"}}, {"a": 1}, {"a": 1}, id="same"
        ),
        pytest.param(Drop, {"keys": ["a", "q"]}, {"a": 1, "b": 2}, {"b": 2}, id="drop"),
        pytest.param(Drop, {"keys": "a"}, {"a": 1, "b": 2}, {"b": 2}, id="drop-one"),
    ],
)
def test_fields_are_renamed_and_dropped(run_step, block, args, body, answer):
    assert run_step(block, [body], **args) == [answer]

    frame = block(**args).do(pd.DataFrame([body]))
    assert frame.to_dict(orient="records") == [answer]


@pytest.mark.parametrize(
    "step", [Rename({"a": "b"}), Drop("a")], ids=["Rename", "Drop"]
)
def test_fields_need_an_object(step):
    with pytest.raises(TypeError, match=r"needs a body that is an object.*got \[1\]"):
        step.do([1])


def test_rows_and_columns_of_frames_are_kept_and_added():
    frame = pd.DataFrame({"n": [1, 2, 3]}, index=[5, 6, 7])

    kept = Filter(lambda df: df["n"] > 1).do(frame)
    extended = Extend(lambda df: {"sq": df["n"] ** 2}).do(frame)
    assert (kept["n"].tolist(), kept.index.tolist()) == ([2, 3], [6, 7])
    assert (extended["sq"].tolist(), list(frame)) == ([1, 4, 9], ["n"])


# -- arguments -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "args", "says"),
    [
        pytest.param(
            *(Map, {"fn": "double"}),
            'Map: fn must be a function, got \'double\'; .*"_fn": "double"',
            id="a-name",
        ),
        pytest.param(FlatMap, {"fn": 1}, "FlatMap: fn must be", id="a-number"),
        pytest.param(
            Map, {"fn": pair_by_one}, "'pair_by_one' is a gen", id="generator"
        ),
        pytest.param(
            Filter, {"fn": functools.partial(pair_later)}, "a generator", id="partial"
        ),
        pytest.param(
            *(Partition, {"predicate": later(is_even), "true": "a", "false": "b"}),
            "'run' is a coroutine",
            id="coroutine-predicate",
        ),
        pytest.param(
            *(Partition, {"predicate": is_even, "true": [], "false": "b"}),
            r"true must be the name of a step .*got \[\]",
            id="no-follower",
        ),
        pytest.param(
            *(Partition, {"predicate": is_even, "true": "a", "false": None}),
            "false must be the name",
            id="none-follower",
        ),
        pytest.param(
            Assert, {"fn": is_even, "status_code": 200}, "400 to 599", id="status"
        ),
        pytest.param(Assert, {"fn": is_even, "message": 1}, "a text", id="message"),
        pytest.param(Rename, {"mapping": ["a"]}, "must be an object", id="rename-list"),
        pytest.param(
            Rename, {"mapping": {"a": "z", "b": "z"}}, "the name 'z'", id="one-name"
        ),
        pytest.param(Drop, {"keys": None}, "list of names, got None", id="drop-none"),
        pytest.param(Drop, {"keys": [1]}, r"names, got \[1\]", id="drop-number"),
    ],
)
def test_wrong_arguments_are_refused_when_built(block, args, says):
    with pytest.raises(SpecError, match=says):
        block(**args)


class Doubler:
    def __call__(self, x):
        return x * 2


@pytest.mark.parametrize(
    "fn",
    [Doubler(), functools.partial(operator.mul, 2), (2).__mul__, double],
    ids=["object", "partial", "method", "function"],
)
def test_whatever_can_be_called_is_a_function(fn):
    assert Map(fn).do(4) == 8
