import math
from datetime import UTC, datetime

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import BadRequestError, SpecError, UnprocessableError
from jupyter_graph.event import Event
from jupyter_graph.steps.state.aggregate_store import SWEEP_EVENTS
from jupyter_graph.steps.state.window import Aggregate, SampleWindow
from jupyter_graph.types import NOTHING

PRICE = {"column": "price", "operations": ["sum"], "windows": ["1h"], "period": "10m"}
HOUR = 3600


class Clock:
    now = 1.7e9

    def __call__(self):
        return self.now


def at(hours, price=1.0, user="ann"):
    return {"user": user, "price": price, "at": 1.7e9 + hours * HOUR}


def aggregate(aggregates=PRICE, **arguments):
    arguments = {"key": "user", "time_field": "at", **arguments}
    return Aggregate(aggregates, **arguments)


# SampleWindow


@pytest.mark.parametrize("engine", ["sync", "async"])
@pytest.mark.parametrize(
    ("emit_period", "right"),
    [("first", [0, None, None, 3, None]), ("last", [None, None, 2, None, None])],
)
def test_one_event_of_a_window_goes_on(run_graph, engine, emit_period, right):
    graph = Graph("sampling", engine=engine)
    arguments = {"window_size": 3, "emit_period": emit_period}
    graph.to(name="it", class_name="SampleWindow", class_args=arguments).respond()

    assert run_graph(graph, list(range(5))) == right


def test_windows_are_counted_apart_by_key():
    step = SampleWindow(2, key="user")

    given = [step.do({"user": user, "n": n}) for n, user in enumerate("abaaab")]

    picked = [body["n"] for body in given if body is not NOTHING]
    assert picked == [0, 1, 3]


@pytest.mark.parametrize(
    ("count", "right"), [(4, []), (5, [4]), (0, [])], ids=["picked", "held", "none"]
)
def test_the_last_body_may_go_on_at_the_end(count, right):
    step = SampleWindow(3, emit_before_termination=True)
    for n in range(count):
        step.do(n)

    assert step.flush(end=False) == []
    assert step.flush(end=True) == right
    assert step.flush(end=True) == []


def test_the_last_body_reaches_the_next_step(open_runner):
    seen, graph = [], Graph("sampling")
    arguments = {"window_size": 3, "emit_before_termination": True}
    first = graph.to(name="it", class_name="SampleWindow", class_args=arguments)
    first.to(name="sink", handler=seen.append).respond()
    runner = open_runner(graph)
    for n in range(2):
        runner.run(n)

    runner.close()

    assert seen == [0, 1]


def test_with_too_many_keys_the_one_not_seen_for_longest_begins_anew():
    step = SampleWindow(3, key="user", max_keys=2)

    given = [step.do({"user": user}) is not NOTHING for user in "abcab"]

    assert given == [True, True, True, True, True]


WRONG_SAMPLES = [
    pytest.param({"window_size": 1}, "2 or more, got 1", id="size"),
    pytest.param({"window_size": 2, "emit_period": "middle"}, "'middle'", id="period"),
    pytest.param({"window_size": 2, "max_keys": -1}, "max_keys", id="keys"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG_SAMPLES)
def test_a_wrong_argument_of_a_sample_is_refused(arguments, text):
    with pytest.raises(SpecError, match=text):
        SampleWindow(**arguments)


# Aggregate; its numbers are tested in test_aggregations


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_body_goes_on_with_its_aggregations(run_graph, engine):
    graph = Graph("prices", engine=engine)
    arguments = {"aggregates": [PRICE], "key": "user", "time_field": "at"}
    graph.to(name="it", class_name="Aggregate", class_args=arguments).respond()
    body = at(0.5, 2.0)

    answers = run_graph(graph, [at(0), body, at(2)])

    assert [answer["price_sum_1h"] for answer in answers] == [1.0, 3.0, 1.0]
    assert answers[1] == {**body, "price_sum_1h": 3.0}
    assert body == at(0.5, 2.0)


def test_fields_of_the_body_stay_as_they_are():
    assert aggregate().do({**at(0), "price_sum_1h": "mine"})["price_sum_1h"] == "mine"


def test_without_a_key_all_events_are_one():
    step = aggregate(key=None)

    assert step.do(at(0, user="a"))["price_sum_1h"] == 1.0
    assert step.do(at(0, user="b"))["price_sum_1h"] == 2.0


def test_the_time_is_the_clocks_unless_a_field_or_an_event_says_it():
    clock = Clock()
    step = aggregate(time_field=None, clock=clock)
    step.do(at(0))
    clock.now += 2 * HOUR

    event = Event(at(0), time=datetime.fromtimestamp(1.7e9 + 60, UTC))

    assert step.do(at(0))["price_sum_1h"] == 1.0
    assert step.do(event) is event
    assert event.body["price_sum_1h"] == 2.0  # where the key stood two hours before


TIMES = [
    pytest.param("2023-11-14T22:13:20Z", {}, id="iso"),
    pytest.param("2023-11-14T22:13:20", {}, id="iso-without-zone"),
    pytest.param("14.11.2023 22:13", {"time_format": "%d.%m.%Y %H:%M"}, id="format"),
    pytest.param(datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), {}, id="datetime"),
    pytest.param(1.7e9, {}, id="seconds"),
    pytest.param(1_700_000_000_000, {"time_unit": "ms"}, id="milliseconds"),
]


@pytest.mark.parametrize(("value", "arguments"), TIMES)
def test_times_are_read_as_people_write_them(value, arguments):
    clock = Clock()
    seen = []

    class Kept:
        def count(self, key, body, time_ms):
            seen.append(time_ms)
            return {}

    step = aggregate(clock=clock, **arguments)
    step._kept = Kept()
    step.do({**at(0), "at": value})

    assert abs(seen[0] - 1.7e12) < 60_000


WRONG_TIMES = [
    pytest.param("yesterday", "must hold a time", id="text"),
    pytest.param(None, "must hold a time", id="none"),
    pytest.param(True, "must hold a time", id="bool"),
    pytest.param(math.nan, "must hold a time", id="nan"),
    pytest.param(1_700_000_000_000, "time_unit='ms'", id="milliseconds"),
]


@pytest.mark.parametrize(("value", "text"), WRONG_TIMES)
def test_a_time_that_is_none_is_the_callers_fault(value, text):
    with pytest.raises(BadRequestError, match=text):
        aggregate().do({**at(0), "at": value})


@pytest.mark.parametrize("value", [None, math.nan], ids=["none", "nan"])
def test_a_missing_value_does_not_count(value):
    operations = ["count", "sum", "min", "first", "stddev"]
    step = aggregate({**PRICE, "operations": operations})

    given = step.do(at(0, value))

    assert given["price_count_1h"] == 0
    for operation in operations[1:]:
        assert math.isnan(given[f"price_{operation}_1h"])


def test_texts_may_be_counted_but_not_summed():
    counted = aggregate({**PRICE, "operations": ["count"]})

    assert counted.do(at(0, "x"))["price_count_1h"] == 1
    with pytest.raises(UnprocessableError, match="'price' must hold a number"):
        aggregate().do(at(0, "x"))


def test_a_body_counts_in_all_aggregations_or_in_none():
    other = {**PRICE, "name": "other", "column": "other"}
    step = aggregate([PRICE, other])
    with pytest.raises(UnprocessableError):
        step.do({**at(0), "other": "x"})

    assert step.do({**at(0), "other": 5})["price_sum_1h"] == 1.0


def test_a_filter_says_what_counts_and_a_maximum_cuts():
    described = {
        **PRICE,
        "name": "paid",
        "max_value": 3,
        "aggregation_filter": lambda body: body["price"] > 1,
    }
    step = aggregate(described)

    given = [step.do(at(0, price))["paid_sum_1h"] for price in (1.0, 2.0, 2.0)]

    assert math.isnan(given[0])
    assert given[1:] == [2.0, 3.0]


def test_an_event_that_comes_too_late_does_not_count():
    step = aggregate()
    step.do(at(2))

    late = step.do(at(0))

    assert math.isnan(late["price_sum_1h"])
    assert step.late_events == 1
    assert step.do(at(1.5))["price_sum_1h"] == 1.0  # late, but within the hour
    assert step.do(at(2))["price_sum_1h"] == 3.0
    assert step.late_events == 1


def test_a_very_large_value_leaves_no_trace_once_it_is_past():
    step = aggregate({**PRICE, "operations": ["sum", "stddev"]})
    step.do(at(0, 1e17))
    step.do(at(1, 1.0))

    given = step.do(at(1.5, 2.0))

    assert given["price_sum_1h"] == 3.0
    assert given["price_stddev_1h"] == pytest.approx(0.5**0.5)


def test_a_key_is_forgotten_once_no_window_can_reach_it():
    clock = Clock()
    step = aggregate(clock=clock)
    for n in range(SWEEP_EVENTS):
        step.do(at(0, user=f"u{n}"))
    clock.now += 2 * HOUR
    for n in range(SWEEP_EVENTS):
        step.do(at(1 + n / SWEEP_EVENTS))
    clock.now += 2 * HOUR
    for n in range(SWEEP_EVENTS):
        step.do(at(3 + n / SWEEP_EVENTS))

    assert len(step._kept) == 1


def test_a_fast_replay_of_key_after_key_forgets_none():
    step = aggregate(clock=Clock())
    for user in ("ann", "bob"):
        for n in range(2 * SWEEP_EVENTS):
            last = step.do(at(n / 100, user=user))

    assert last["price_sum_1h"] == pytest.approx(100, abs=17)
    assert len(step._kept) == 2


def test_with_too_many_keys_the_one_not_seen_for_longest_is_forgotten():
    step = aggregate(max_keys=2)

    given = [step.do(at(0, user=user))["price_sum_1h"] for user in "abacab"]

    assert given == [1.0, 1.0, 2.0, 1.0, 3.0, 1.0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["store", "sqlite"])
def test_windows_in_a_table_outlive_the_step_with_the_same_numbers(tmp_path, kind):
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
    described = {
        "column": "price",
        "operations": ["count", "sum", "avg", "min", "max", "stddev", "first", "last"],
        "windows": ["1h", "3h"],
        "period": "10m",
    }
    where = f"{kind}:///{tmp_path}/t.db"
    memory, given = aggregate(described), []
    bodies = [at(n * 0.13 - (n % 7 == 3) * 0.5, float(n * n % 11)) for n in range(40)]
    for body in bodies:
        step = aggregate(described, table=where)
        given.append(step.do(body))
        step.close()

    for body, lasting in zip(bodies, given, strict=True):
        assert lasting == pytest.approx(memory.do(body), nan_ok=True)


def test_another_period_than_the_table_keeps_is_said(tmp_path):
    where = f"store://{tmp_path}/t.db"
    aggregate(table=where).do(at(0))
    other = aggregate({**PRICE, "period": "30m"}, table=where)

    with pytest.raises(
        SpecError, match="in periods of 600 s, the step asks for 1800 s"
    ):
        other.do(at(0))


WRONG = [
    pytest.param([], "must not be empty", id="empty"),
    pytest.param("price", "must be a list of objects", id="text"),
    pytest.param([5], r"aggregates\[0\] must be an object", id="number"),
    pytest.param({"colunm": "x"}, "did you mean 'column'", id="typo"),
    pytest.param({**PRICE, "column": 5}, "column must be", id="column"),
    pytest.param(
        {**PRICE, "operations": ["summ"]}, "did you mean 'sum'", id="operation"
    ),
    pytest.param({**PRICE, "operations": []}, "must be a list of count", id="none"),
    pytest.param({**PRICE, "windows": ["1x"]}, "'30s', '10m'", id="window"),
    pytest.param({**PRICE, "windows": [0]}, "above 0, got 0", id="no-window"),
    pytest.param({**PRICE, "windows": []}, "windows must not be empty", id="windows"),
    pytest.param({**PRICE, "period": "7m"}, "multiple of the period", id="period"),
    pytest.param({**PRICE, "windows": ["99d"], "period": 1}, "100,000", id="many"),
    pytest.param({**PRICE, "kind": "hopping"}, "'fixed' or 'sliding'", id="kind"),
    pytest.param({**PRICE, "max_value": "x"}, "max_value must be", id="max"),
    pytest.param(
        {**PRICE, "aggregation_filter": "x"}, "must be a function", id="filter"
    ),
    pytest.param([PRICE, PRICE], "the name 'price' twice", id="twice"),
]


@pytest.mark.parametrize(("described", "text"), WRONG)
def test_a_wrong_description_is_refused(described, text):
    with pytest.raises(SpecError, match=text):
        Aggregate(described)


WRONG_ARGUMENTS = [
    pytest.param({"time_unit": "h"}, "'s' or 'ms', got 'h'", id="unit"),
    pytest.param({"time_field": 5}, "time_field must be", id="field"),
    pytest.param({"key": "a", "key_field": "b"}, "mean the same", id="both"),
    pytest.param({"table": []}, "state cannot be kept in", id="table"),
    pytest.param({"max_keys": 0}, "max_keys must be", id="keys"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG_ARGUMENTS)
def test_a_wrong_argument_is_refused(arguments, text):
    with pytest.raises(SpecError, match=text):
        Aggregate(PRICE, **arguments)


def test_a_body_that_is_no_object_is_the_callers_fault():
    with pytest.raises(BadRequestError, match="must be an object to be aggregated"):
        aggregate().do([1])
