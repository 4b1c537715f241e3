"""Aggregations against their definition, and against storey's on the same data."""

import math
import random
import statistics

import pytest

from jupyter_graph.steps.state.window import Aggregate
from jupyter_graph.steps.state.windowed_sums import OPERATIONS

START_S = 1_700_000_000
ALL = list(OPERATIONS)


def events(seed, count, *, keys=5, gap_s=20.0, late=0.0):
    """Give bodies in order of time; a share of them then moved back a little."""
    draw = random.Random(seed)
    at = START_S + draw.random() * 1000
    found = []
    for _ in range(count):
        at += draw.expovariate(1 / gap_s) * (50 if draw.random() < 0.02 else 1)
        moved = draw.random() * 900 if draw.random() < late else 0
        key = f"k{draw.randrange(keys)}"
        price = round(draw.uniform(-50, 50), 3)
        found.append({"user": key, "price": price, "at": at - moved})
    return found


def by_definition(values, operation):
    """Give the number for values in the order of their times."""
    n = len(values)
    if operation == "count":
        return n
    if n == 0 or (operation in ("stddev", "stdvar") and n < 2):
        return math.nan
    known = {
        "sum": sum,
        "sqr": lambda v: sum(x * x for x in v),
        "avg": statistics.fmean,
        "min": min,
        "max": max,
        "first": lambda v: v[0],
        "last": lambda v: v[-1],
        "stdvar": statistics.variance,
        "stddev": statistics.stdev,
    }
    return known[operation](values)


def window_of(at, window_s, period_s, *, is_fixed):
    """Give start and end of the window that an event at this time sees."""
    if is_fixed:
        start = at // window_s * window_s
        return start, start + window_s
    end = (at // period_s + 1) * period_s
    return end - window_s, end


CASES = [
    pytest.param({"windows": ["5m", "1h", "6h"], "period": "1m"}, id="sliding"),
    pytest.param({"windows": ["1h"], "period": "30m"}, id="two-periods"),
    pytest.param({"windows": [40], "period": 10}, id="seconds"),
    pytest.param({"windows": ["10m", "1h", "1d"]}, id="fixed"),
    pytest.param({"windows": ["7m", "11m"], "kind": "fixed"}, id="odd-fixed"),
    pytest.param({"windows": ["2h"], "kind": "sliding"}, id="default-period"),
]


@pytest.mark.parametrize("late", [0.0, 0.2], ids=["in-order", "some-late"])
@pytest.mark.parametrize("windows", CASES)
def test_the_numbers_are_those_of_the_definition(windows, late):
    described = {"column": "price", "operations": ALL, **windows}
    step = Aggregate(described, key="user", time_field="at")
    [read] = step.aggregations
    period_s = read.period_ms / 1000
    longest_s = max(read.windows) * period_s
    counted = []
    for body in events(7, 300, late=late):
        given = step.do(body)
        at, key = body["at"], body["user"]
        times = [other["at"] for other in counted if other["user"] == key]
        newest = max(times, default=at)
        is_late = at // period_s <= newest // period_s - longest_s / period_s
        if not is_late:
            counted.append(body)
        for label, buckets in zip(given_windows(read), read.windows, strict=True):
            start, end = window_of(
                at, buckets * period_s, period_s, is_fixed=read.is_fixed
            )
            end = min(end, (at // period_s + 1) * period_s)
            inside = sorted(
                (other["at"], i, other["price"])
                for i, other in enumerate(counted)
                if not is_late and other["user"] == key and start <= other["at"] < end
            )
            for operation in ALL:
                right = by_definition([price for _, _, price in inside], operation)
                found = given[f"price_{operation}_{label}"]

                assert found == pytest.approx(right, rel=1e-9, abs=1e-6, nan_ok=True)


def given_windows(read):
    return [outputs[0][0].rpartition("_")[2] for outputs in read.outputs]


def storey_answers(described, bodies):
    import storey

    def stamped(event):
        event.body = {**event.body, "at": event.body["at"] * 1000}
        return event

    sink = []
    flow = storey.build_flow(
        [
            storey.SyncEmitSource(),
            storey.Map(stamped, full_event=True),
            storey.AggregateByKey(
                described,
                storey.Table("t", storey.NoopDriver()),
                key_field="user",
                time_field="at",
            ),
            storey.Map(sink.append),
        ]
    ).run()
    for body in bodies:
        flow.emit(storey.Event(body))
    flow.terminate()
    flow.await_termination()
    return sink


FROM_STOREY = [
    pytest.param({"windows": ["5m", "1h", "6h"], "period": "1m"}, ALL, id="sliding"),
    pytest.param({"windows": ["1h"]}, ALL, id="fixed"),
    pytest.param({"windows": ["1h", "1d"]}, ALL, id="hour-and-day"),
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("windows", "operations"), FROM_STOREY)
def test_the_numbers_are_those_of_storey(windows, operations, seed):
    # Left out, where storey 1.14 is wrong: "first" once a window has moved on, and
    # fixed windows that are no whole unit ("10m") after it has added up anew.
    operations = [operation for operation in operations if operation != "first"]
    aggregates = [{"name": "p", "column": "price", "operations": operations, **windows}]
    bodies = events(seed, 400, keys=3)
    step = Aggregate(aggregates, key_field="user", time_field="at")
    expected = storey_answers(aggregates, bodies)

    given = [step.do(body) for body in bodies]

    names = [name for name in expected[0] if name.startswith("p_")]
    assert len(names) == len(operations) * len(windows["windows"])
    for ours, theirs in zip(given, expected, strict=True):
        assert {name: ours[name] for name in names} == pytest.approx(
            {name: theirs[name] for name in names}, rel=1e-6, abs=1e-6, nan_ok=True
        )
