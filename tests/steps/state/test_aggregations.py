"""Aggregations against their definition, and against storey's on the same data."""

import decimal
import math
import random
import statistics

import pytest

from jupyter_graph.errors import SpecError, UnprocessableError
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
        before = step.late_events
        given = step.do(body)
        at, key = body["at"], body["user"]
        times = [other["at"] for other in counted if other["user"] == key]
        newest = max(times, default=at)
        is_late = step.late_events > before
        assert newest - at > longest_s or not is_late
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


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("windows", CASES)
def test_an_event_with_a_wrong_time_silences_nobody(windows, seed):
    """Beside a stream with wrong times stands one without them: the same numbers."""
    draw = random.Random(seed)
    described = {"column": "price", "operations": ALL, **windows}
    plain, disturbed = (
        Aggregate(described, key="user", time_field="at") for _ in range(2)
    )
    for body in events(seed, 200, keys=3):
        if draw.random() < 0.05:
            wrong = draw.choice([3e5, 7e7, 2e9]) * draw.choice([1, 1.0001])
            for _ in range(draw.choice([1, 3])):
                disturbed.do({**body, "at": body["at"] + wrong})

        right = {k: v for k, v in plain.do(body).items() if k != "user"}
        given = {k: v for k, v in disturbed.do(body).items() if k != "user"}
        assert given == pytest.approx(right, rel=1e-9, abs=1e-6, nan_ok=True)


def test_an_event_after_a_wrong_time_and_a_pause_counts():
    step = Aggregate(
        {"column": "v", "operations": ["sum"], "windows": ["1h"]}, time_field="at"
    )
    given = [
        step.do({"v": 1, "at": START_S + at})["v_sum_1h"]
        for at in (0, 10, 1e9, 1e6, 1e6 + 10, 1e9 + 10, 20)
    ]

    assert given == [1.0, 2.0, 1.0, 1.0, 2.0, 2.0, 3.0]
    assert step.late_events == 0


def test_a_table_remembers_where_a_key_stood(tmp_path):
    def sum_at(at):
        step = Aggregate(
            {"column": "v", "operations": ["sum"], "windows": ["1h"]},
            time_field="at", table=f"sqlite:///{tmp_path}/t.db", name="t",
        )  # fmt: skip
        try:
            return step.do({"v": 1, "at": START_S + at})["v_sum_1h"]
        finally:
            step.close()

    assert [sum_at(at) for at in (0, 1e9, 10, 1e9 + 10, 20)] == [1, 1, 2, 2, 3]


def summed(events, **arguments):
    step = Aggregate(
        {"column": "v", "operations": ["sum"], "windows": arguments.pop("windows")},
        time_field="at",
        **arguments,
    )
    return [next(iter(step.do({"v": 1, "at": at}).values())) for at in events]


@pytest.mark.parametrize(
    ("lateness", "third"),
    [(None, 1.0), ("10m", math.nan), (0, math.nan), ("1h", 1.0), (901, 1.0)],
)
def test_late_events_count_as_far_as_they_may(lateness, third):
    """Windows of full hours: the third event is a quarter of an hour late."""
    given = summed(
        ["2024-05-01T10:55:00Z", "2024-05-01T11:05:00Z", "2024-05-01T10:50:00Z"],
        windows=["1h"],
        allowed_lateness=lateness,
    )

    assert given[:2] == [1.0, 1.0]
    assert given[2] == pytest.approx(third + (third == 1.0), nan_ok=True)


@pytest.mark.parametrize(
    ("ahead", "is_refused"), [(10, True), ("5m", False), (60, False)]
)
def test_an_event_too_far_ahead_is_refused(ahead, is_refused):
    step = Aggregate(
        {"column": "v", "operations": ["sum"], "windows": ["1h"]},
        time_field="at", max_ahead=ahead, clock=lambda: START_S,
    )  # fmt: skip
    if is_refused:
        with pytest.raises(UnprocessableError, match=r"60 s ahead.*max_ahead \(10 s\)"):
            step.do({"v": 1, "at": START_S + 60})
    else:
        assert step.do({"v": 1, "at": START_S + 60})["v_sum_1h"] == 1.0
    assert step.do({"v": 1, "at": START_S})["v_sum_1h"] == 1.0 + (not is_refused)


@pytest.mark.parametrize(
    ("zone", "given"),
    [
        (None, [1.0, 1.0, 2.0]),
        ("Europe/Berlin", [1.0, 2.0, 1.0]),
        ("America/New_York", [1.0, 2.0, 3.0]),
    ],
)
def test_days_begin_where_the_zone_says(zone, given):
    times = ["2024-05-01T23:30:00Z", "2024-05-02T00:30:00Z", "2024-05-02T22:30:00Z"]
    if zone == "America/New_York":
        times[2] = "2024-05-02T03:30:00Z"

    assert summed(times, windows=["1d"], zone=zone) == given


def test_a_day_of_25_hours_is_one_day():
    hours = [f"2024-10-26T{hour}:30:00Z" for hour in (22, 23)]
    hours += [f"2024-10-27T{hour:02}:30:00Z" for hour in range(24)]

    assert summed(hours, windows=["1d"], zone="Europe/Berlin")[24] == 25.0
    assert summed(hours, windows=["1d"], zone="Europe/Berlin")[25] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"windows": ["1h"], "zone": "Europe/Berlin"}, "windows of whole days"),
        ({"windows": ["1d"], "zone": "Nowhere/Town"}, "name of a time zone"),
        ({"windows": ["1d"], "zone": 3}, "name of a time zone"),
        ({"windows": ["1d"], "allowed_lateness": -1}, "allowed_lateness"),
        ({"windows": ["1d"], "allowed_lateness": 10**400}, "allowed_lateness"),
        ({"windows": ["1d"], "max_ahead": "soon"}, "max_ahead"),
        ({"windows": ["1d"], "max_ahead": True}, "max_ahead"),
    ],
)
def test_wrong_times_are_refused(arguments, said):
    with pytest.raises(SpecError, match=said):
        summed([], **arguments)


@pytest.mark.parametrize("value", [10**400, decimal.Decimal("1e400"), -(10**400)])
def test_a_number_beyond_floats_is_the_callers_fault(value):
    step = Aggregate({"column": "v", "operations": ["sum"], "windows": ["1h"]})

    with pytest.raises(UnprocessableError, match="beyond floats"):
        step.do({"v": value})
    assert step.do({"v": 1})["v_sum_1h"] == 1.0
