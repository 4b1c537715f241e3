"""Values travel into a function and come back equal, or not at all."""

import datetime as dt
import json
import subprocess
import sys
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from jupyter_graph.errors import BundleError, ValueShipError
from jupyter_graph.host.artifacts import load_value, requires, save_value
from jupyter_graph.values.equal import same

PLAIN = [
    None,
    True,
    -7,
    2**5000,
    1.5,
    float("nan"),
    float("-inf"),
    "",
    "é\ud800",
    b"\x00\xff",
    bytearray(b"x"),
    [],
    {},
    {"a": [1, (2, "x")], "$": "tag"},
    {1: "a", None: "b", (1, 2): "c", 1.5: "d"},
    {"z": 1, "a": 2},
    {1, 2, 3},
    frozenset({(2,), 1}),
    OrderedDict(b=1, a=2),
    deque([1, 2], maxlen=4),
    Counter("abca"),
    Counter({(1, 2): -3, "b": 0}),
    defaultdict(None, {1: 2}),
    defaultdict(list, a=[1]),
    defaultdict(Counter, {"a": Counter("b"), "$": Counter()}),
    dt.datetime(2026, 1, 2, 3, 4, 5, 6),
    dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    dt.date(2026, 1, 2),
    dt.time(1, 2),
    dt.timedelta(days=-1, seconds=3),
    Decimal("1.10"),
    Decimal("NaN"),
    Fraction(1, 3),
    complex(1, -0.0),
    UUID(int=7),
    Path("models/m.bin"),
    range(1, 9, 2),
    slice(1, None),
]
FRAME = pd.DataFrame(
    {"n": [1, 2], "t": ["a", None], "at": pd.to_datetime(["2026-01-01", None])}
)
SCIENCE = [
    np.arange(6, dtype="float32").reshape(2, 3),
    np.asfortranarray(np.ones((2, 3))),
    np.array(3),
    np.array([1.0, np.nan]),
    np.array(["2026-01-01"], dtype="M8[D]"),
    np.array([(1, "x")], dtype=[("a", "i4"), ("b", "U2")]),
    np.array([1, "a", None], dtype=object),
    np.float32(0.1),
    np.datetime64("2026-01-01"),
    np.bool_(True),
    FRAME,
    FRAME.set_index("n"),
    pd.DataFrame({"mixed": [1, "a"], "lists": [[1], (2,)]}),
    pd.DataFrame({"large": [10**40]}),
    pd.DataFrame([[1, 2]], columns=["a", "a"]),
    pd.DataFrame({1: [1], 2: [2.5]}),
    pd.DataFrame({"x": [1, 2]}, index=pd.date_range("2026-01-01", periods=2, freq="D")),
    pd.DataFrame({"c": pd.Categorical(["a", "b"], ["b", "a"], ordered=True)}),
    pd.DataFrame({"i": pd.array([1, None], dtype="Int64")}),
    pd.DataFrame({"z": pd.to_datetime(["2026-01-01"]).tz_localize("Europe/Berlin")}),
    pd.DataFrame(),
    pd.Series([1.5, None], name="s", index=["a", "b"]),
    pd.Series([1, "a"]),
    pd.Series(["x"], dtype="category"),
    pd.Series(pd.to_timedelta([1, 2], unit="s")),
    pd.Index(["a", "b"], name="key"),
    pd.RangeIndex(3),
    pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["n", "s"]),
    pd.date_range("2026-01-01", periods=3, freq="h", tz="UTC"),
    pd.Timestamp("2026-01-01T00:00:00.000000001", tz="Europe/Berlin"),
    pd.Timedelta("1D2ns"),
    pd.NA,
    pd.NaT,
    {"table": FRAME, "weights": [np.ones(2), np.zeros((1, 1))], "at": pd.NaT},
]


@pytest.fixture
def steps_file(tmp_path):
    """The place of a bundle's steps.py; values lie in artifacts beside it."""
    return tmp_path / "steps.py"


@pytest.mark.parametrize("value", PLAIN + SCIENCE, ids=lambda it: repr(it)[:24])
def test_a_value_comes_back_equal_and_of_equal_types(steps_file, value):
    save_value("it", value, steps_file.parent / "artifacts")

    back = load_value(str(steps_file), "it")

    assert same(back, value)


@pytest.mark.parametrize("value", [FRAME, {"b": {3, 1}, "a": np.ones(3)}], ids=str)
def test_the_same_value_gives_the_same_bytes(tmp_path, value):
    first = save_value("it", value, tmp_path / "one")
    second = save_value("it", value, tmp_path / "two")

    assert first == second


def test_a_fitted_model_comes_back_and_predicts_the_same(steps_file, fitted):
    model, rows = fitted

    entry = save_value("clf", model, steps_file.parent / "artifacts")
    again = save_value("clf", model, steps_file.parent / "again")
    back = load_value(str(steps_file), "clf")

    assert type(back) is type(model)
    assert back.predict_proba(rows).tolist() == model.predict_proba(rows).tolist()
    assert entry["types"] == ["sklearn.tree._tree.Tree"]
    assert entry == again
    assert {"sklearn", "skops", "numpy"} <= set(requires(entry))


def test_a_model_inside_a_dict_becomes_a_file_of_its_own(steps_file, fitted):
    model, rows = fitted

    entry = save_value(
        "kit", {"model": model, "limit": 0.5}, steps_file.parent / "artifacts"
    )
    back = load_value(str(steps_file), "kit")

    assert [info["format"] for info in entry["files"]] == ["json", "skops"]
    assert back["limit"] == 0.5
    assert back["model"].predict(rows).tolist() == model.predict(rows).tolist()


@pytest.fixture
def fitted():
    from sklearn.ensemble import RandomForestClassifier

    rows = np.random.default_rng(7).normal(size=(40, 3))
    model = RandomForestClassifier(n_estimators=3, random_state=0)
    return model.fit(rows, rows[:, 0] > 0), rows


def loop():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(object(), "no safe file format", id="object"),
        pytest.param({"a": [object()]}, r"it\['a'\]\[0\]", id="nested"),
        pytest.param(iter([1]), "no safe file format", id="iterator"),
        pytest.param(loop(), "holds itself", id="loop"),
        pytest.param(
            np.array([(1, object())], dtype=[("a", "i4"), ("b", "O")]),
            "no safe file format",
            id="structured-objects",
        ),
    ],
)
def test_a_value_that_cannot_ship_says_what_to_do(tmp_path, value, said):
    with pytest.raises(ValueShipError, match=said) as caught:
        save_value("it", value, tmp_path / "artifacts")

    assert "--allow-pickle it" in str(caught.value)
    assert not (tmp_path / "artifacts").exists()


def test_pickle_is_used_only_when_it_is_allowed(steps_file):
    value = json.JSONDecoder  # a class of a module: nothing but pickle takes it

    entry = save_value("it", value, steps_file.parent / "artifacts", allow_pickle=True)

    assert entry["format"] == "pickle"
    assert load_value(str(steps_file), "it") is value


def test_a_changed_file_is_refused_before_it_is_opened(steps_file):
    entry = save_value("it", np.ones(3), steps_file.parent / "artifacts")
    path = steps_file.parent / "artifacts" / entry["files"][0]["file"]
    path.write_bytes(path.read_bytes() + b"x")

    with pytest.raises(BundleError, match="was changed after the bundle was built"):
        load_value(str(steps_file), "it")


@pytest.mark.parametrize("file", ["../steps.py", "/etc/hostname", "missing.npy"])
def test_a_file_outside_the_folder_is_refused(steps_file, file):
    folder = steps_file.parent / "artifacts"
    save_value("it", np.ones(3), folder)
    index = json.loads((folder / "index.json").read_text())
    index["it"]["files"][0]["file"] = file
    (folder / "index.json").write_text(json.dumps(index))

    with pytest.raises(BundleError, match=r"artifact"):
        load_value(str(steps_file), "it")


def test_names_that_differ_in_case_only_do_not_share_a_file(steps_file):
    folder = steps_file.parent / "artifacts"
    save_value("model", 1, folder)
    save_value("Model", 2, folder)

    values = [load_value(str(steps_file), name) for name in ("model", "Model")]

    assert values == [1, 2]


def test_loading_plain_values_imports_no_numpy(steps_file):
    save_value("it", {"a": (1, 2)}, steps_file.parent / "artifacts")
    program = (
        "import sys\n"
        "from jupyter_graph.host.artifacts import load_value\n"
        f"assert load_value({str(steps_file)!r}, 'it') == {{'a': (1, 2)}}\n"
        "print([name for name in ('numpy', 'pandas', 'skops') if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_defaultdict_makes_the_same_for_new_keys(tmp_path, steps_file):
    save_value("seen", defaultdict(list, a=[1]), tmp_path / "artifacts")
    seen = load_value(str(steps_file), "seen")

    assert seen["new"] == []
    assert not same(defaultdict(list), defaultdict(set))


def test_what_a_defaultdict_makes_must_be_a_plain_type(tmp_path):
    with pytest.raises(ValueShipError, match=r"new keys, .*<lambda>, is no type like"):
        save_value("seen", defaultdict(lambda: 7), tmp_path)


def no_state(_):
    raise TypeError("no state")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param((n for n in range(3)), id="generator"),
        pytest.param([lambda: 1], id="lambda-inside"),
        pytest.param(type("Made", (), {}), id="class"),
        pytest.param(type("Odd", (), {"__getstate__": no_state})(), id="no-state"),
    ],
)
def test_pickle_is_no_advice_where_it_would_not_help(tmp_path, value):
    with pytest.raises(ValueShipError, match="make it inside the step") as caught:
        save_value("it", value, tmp_path)

    assert "--allow-pickle" not in str(caught.value)
