"""DistributionValidator: windows, statistics and drift."""

import math
import random
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import DistributionValidator
from jupyter_graph.steps.validators.drift import BinWindow, MeanWindow, SampleWindow
from jupyter_graph.steps.validators.violations import ViolationError


def normal(seed, count, mean=20.0, std=2.0):
    source = random.Random(seed)
    return [source.gauss(mean, std) for _ in range(count)]


TRAINING = normal(1, 2000)


def verdicts(step, values):
    return ["violations" in step.do({"temp": value}) for value in values]


@pytest.mark.parametrize("method", ["z", "psi", "ks"])
@pytest.mark.parametrize("seed", range(5))
def test_values_of_the_same_distribution_are_no_drift(method, seed):
    step = DistributionValidator("temp", TRAINING, method=method, window=200)

    assert not any(verdicts(step, normal(seed + 10, 400)))
    assert step.statistic is not None


@pytest.mark.parametrize("method", ["z", "psi", "ks"])
def test_drift_is_seen_and_ends_with_the_window(method):
    step = DistributionValidator("temp", TRAINING, method=method, window=100)
    found = verdicts(step, normal(2, 100) + normal(3, 100, mean=23) + normal(4, 200))

    assert not any(found[:100])
    assert found[199]
    assert not any(found[320:])
    assert not step.is_drifting


@pytest.mark.parametrize("method", ["psi", "ks"])
def test_a_change_of_spread_is_drift(method):
    step = DistributionValidator("temp", TRAINING, method=method, window=200)

    assert verdicts(step, normal(5, 200, std=6))[-1]


def test_nothing_is_said_before_the_window_is_full():
    step = DistributionValidator("temp", TRAINING, window=50)
    early = DistributionValidator("temp", TRAINING, window=50, min_values=10)

    assert verdicts(step, [90.0] * 50) == [False] * 49 + [True]
    assert verdicts(early, [90.0] * 10) == [False] * 9 + [True]


def test_categories_drift_too():
    reference = ["app"] * 60 + ["web"] * 40
    step = DistributionValidator("temp", reference, method="psi", window=10)

    assert not any(verdicts(step, ["app", "web"] * 10))
    assert verdicts(step, ["fax"] * 10)[-1]


# -- in a graph -----------------------------------------------------------------


def sensor_graph(**args):
    graph = Graph("sensors")
    step = graph.to(
        "DistributionValidator",
        name="drift",
        field="temp",
        window=3,
        reference={"mean": 20, "std": 1},
        **args,
    )
    step.respond()
    return graph


def test_drift_says_what_moved(ask):
    graph = sensor_graph(on_violation="reject", min_values=1)
    answer = ask(graph, {"temp": 29})

    assert answer.status_code == 422
    assert answer.body["detail"] == (
        "field 'temp' drifts: z must be 4 or less, is 9 over 1 values"
    )


@pytest.mark.parametrize(
    ("args", "third"),
    [
        ({"on_violation": "count"}, {"temp": 50}),
        ({"on_violation": "drop"}, None),
    ],
)
def test_drift_acts_as_any_violation(run_graph, args, third):
    found = run_graph(sensor_graph(**args), [{"temp": 50}] * 3)

    assert found == [{"temp": 50}, {"temp": 50}, third]


def test_drift_is_routed(run_graph):
    graph = Graph("routed")
    step = graph.to(
        "DistributionValidator",
        name="drift",
        field="temp",
        window=2,
        reference={"mean": 20, "std": 1},
        on_violation="route",
        to="alarm",
        valid_to="store",
    )
    step.to(name="store", handler=lambda body: "stored")
    step.to(name="alarm", handler=lambda body: "alarm")
    graph.add_step(name="end", handler=lambda body: body, after=["store", "alarm"])
    graph.change_step("end", responder=True)

    assert run_graph(graph, [{"temp": 50}] * 2) == ["stored", "alarm"]


@pytest.mark.parametrize(
    "body", [[{"temp": 50}] * 3, pd.DataFrame({"temp": [50, 50, 50]})]
)
def test_a_list_and_a_table_are_judged_once(body):
    step = DistributionValidator("temp", {"mean": 20, "std": 1}, window=3)
    found = pd.DataFrame(step.do(body))["violations"]

    assert [len(one) for one in found] == [1, 1, 1]
    assert step.counts["violations"] == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "is None, must be a finite number"),
        (math.inf, "is inf, must be a finite number"),
        ("20", "is '20', must be a finite number"),
        (True, "is True, must be a finite number"),
    ],
)
def test_what_is_no_number_is_a_violation_and_does_not_count(value, text):
    step = DistributionValidator("temp", TRAINING, window=2, on_violation="reject")

    with pytest.raises(ViolationError, match=f"^field 'temp' {text}$"):
        step.do({"temp": value})
    step.do({"temp": 20})
    assert step.statistic is None


def test_none_may_be_allowed():
    step = DistributionValidator("temp", TRAINING, allow_none=True, required=False)

    assert step.do({"temp": None}) == {"temp": None}
    assert step.do({}) == {}


def test_a_window_is_right_from_many_threads():
    step = DistributionValidator("temp", {"mean": 0, "std": 1}, window=1000, limit=1e9)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: step.do({"temp": n}), range(1000)))

    assert step.statistic == pytest.approx(sum(range(1000)) / math.sqrt(1000))


# -- statistics -----------------------------------------------------------------


def filled(window, values):
    for value in values:
        window.add(value)
    return window


@pytest.mark.slow
def test_ks_is_what_scipy_says():
    stats = pytest.importorskip("scipy.stats")
    for seed in range(5):
        values = [round(value, 1) for value in normal(seed, 300, mean=20.5)]
        reference = [round(value, 1) for value in TRAINING[:500]]
        window = filled(SampleWindow(200, reference), values)

        expected = stats.ks_2samp(values[-200:], reference).statistic
        assert window.statistic() == pytest.approx(expected)


def test_z_keeps_its_precision_over_many_values():
    values = normal(6, 20_000, mean=1e6, std=1e-3)
    window = filled(MeanWindow(100, {"mean": 1e6, "std": 1e-3}), values)
    mean = math.fsum(values[-100:]) / 100

    assert window.statistic() == pytest.approx(abs(mean - 1e6) * 10 / 1e-3, abs=1e-3)


def test_psi_is_its_formula_over_the_quantile_bins():
    window = filled(
        BinWindow(10, list(range(100)), 4), [1, 2, 30, 60, 61, 62, 63, 80, 90, 99]
    )
    shares = [0.2, 0.1, 0.4, 0.3]

    expected = sum((s - 0.25) * math.log(s / 0.25) for s in shares)
    assert window.statistic() == pytest.approx(expected)


def test_psi_of_edges_and_shares():
    reference = {"edges": [0, 10], "shares": [0.2, 0.6, 0.2]}
    window = filled(BinWindow(5, reference, 10), [-1, 1, 5, 10, 11])

    assert window.statistic() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"reference": []}, "reference must be a list of finite numbers"),
        ({"reference": [1, math.nan]}, "reference must be a list of finite numbers"),
        ({"reference": "abc"}, "reference must be a list of finite numbers"),
        ({"reference": [3, 3]}, "std must be above 0, got 0.0"),
        ({"reference": {"mean": 1, "sdt": 1}}, "reference must have 'mean' and 'std'"),
        ({"reference": [3, 3], "method": "psi"}, "too few different values"),
        ({"reference": {"edges": [1, 1], "shares": [1, 1, 1]}, "method": "psi"},
         "edges must grow"),
        ({"reference": {"categories": {}}, "method": "psi"}, "categories must map"),
        ({"reference": {"categories": {"a": -1}}, "method": "psi"}, "shares must be 0"),
        ({"reference": {"mean": 1, "std": 1}, "method": "ks"}, "must be a list of"),
        ({"method": "kss"}, "must be one of z, psi, ks, got 'kss'; did you mean"),
        ({"window": 1}, "window must be a whole number, 2 or more, got 1"),
        ({"window": 9, "min_values": 10}, "min_values must not be above window, got"),
        ({"limit": 0}, "limit must be a number above 0, got 0"),
        ({"every": 0}, "every must be a whole number, 1 or more, got 0"),
        ({"field": "a.*"}, "one value of each body is looked at"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        DistributionValidator(**{"field": "temp", "reference": TRAINING, **args})


@pytest.mark.parametrize("method", ["z", "psi", "ks"])
def test_an_integer_too_large_for_a_float_is_no_value_of_a_distribution(method):
    step = DistributionValidator("temp", TRAINING, method=method, window=50)

    assert "violations" in step.do({"temp": 10**400})
    assert "violations" not in step.do({"temp": 20.0})
