"""What an older version wrote is read: tables, records, event files, bundles.

The files in ``data/c3916d6`` were written by that version, before values had one form.
"""

import datetime as dt
import json
import math
import shutil
import sys
from collections import defaultdict
from decimal import Decimal
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.connectors.tables.table_json import decode, encode
from jupyter_graph.deployment.index import find_record
from jupyter_graph.host.artifacts import load_value
from jupyter_graph.host.bundle_loader import load_bundle_graph
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.values.equal import same

OLD = Path(__file__).parent / "data" / "c3916d6"


class Status(str, Enum):  # noqa: UP042 - its str() is its name
    OPEN = "open"


KEPT = {
    "plain": {"a": [1, 2.5, None, True], "b": {"c": "é"}},
    "tuple": [(1, 2), {3: "three", (1, "a"): None}],
    "tag-like": {"$tuple": [1]},
    "dollar": {"$": "set", "of": [1]},
    "not-finite": [math.nan, math.inf],
    "time": "2026-01-02T00:00:00+00:00",
    "numpy": {"n": 3, "v": [1.5]},
    "huge": 10**40,
    "text": "$tuple",
}


@pytest.fixture
def old(tmp_path):
    """A copy of the files, which reading may change."""
    return shutil.copytree(OLD, tmp_path / "old")


@pytest.mark.parametrize(
    "where", ["store://{}/store.sqlite", "sqlite:///{}/sql.sqlite"]
)
def test_tables_of_an_older_version_are_read_and_go_on(old, where):
    table = open_table(where.format(old) + "#rows")
    try:
        values = {key: table.get(key) for key in table.keys()}  # noqa: SIM118
        table.update("tuple", lambda value: [*value, dt.timedelta(1)])
        changed = table.get("tuple")
    finally:
        table.close()

    assert same(values, {key: KEPT[key] for key in values})
    assert set(values) == set(KEPT)
    assert changed == [*KEPT["tuple"], dt.timedelta(1)]


@pytest.mark.parametrize("key", KEPT)
def test_texts_of_an_older_version_are_read(key):
    texts = json.loads((OLD / "redis.json").read_text(encoding="utf-8"))

    assert same(decode(texts[key]), KEPT[key])


@pytest.mark.parametrize("key", ["plain", "huge", "text"])
def test_plain_values_are_written_as_older_versions_wrote_them(key):
    texts = json.loads((OLD / "redis.json").read_text(encoding="utf-8"))

    assert encode(KEPT[key], "x") == texts[key]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"$": "exact", "of": 1}, id="exact"),
        pytest.param({"$": "set", "of": [1]}, id="set"),
        pytest.param({"$tuple": [1]}, id="tuple"),
        pytest.param([{"a": {"$items": []}}], id="items"),
        pytest.param({"price": "$5", "$x": '"$":'}, id="dollars"),
    ],
)
def test_values_that_look_like_tags_come_back_as_they_were(value):
    assert same(decode(encode(value, "x")), value)


@pytest.mark.parametrize("text", ["$tuple", "$items", "$float", "$", '"$tuple":'])
def test_a_text_that_is_named_like_a_tag_may_be_nested_deeper_than_tags(text):
    value = text
    for _ in range(120):
        value = [value]

    assert same(decode(encode(value, "x")), value)


def test_a_subclass_of_plain_values_is_written_as_older_versions_wrote_it():
    value = defaultdict(list, a=[Status.OPEN])

    assert encode(value, "x") == '{"a":["open"]}'


def test_records_of_an_older_version_are_found(old, monkeypatch):
    monkeypatch.setenv("JUPYTER_GRAPH_STATE_DIR", str(old / "state"))

    record = find_record("weighing")

    assert (record.target, record.graph, record.created) == ("local", "weighing", 1.5)
    assert record.command == ("python", "-m", "jupyter_graph.host")
    assert (record.env, record.files) == ({"A": "b"}, {"steps.py": "0"})


def test_event_files_of_an_older_version_are_read():
    lines = (OLD / "events.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = [RecordedInput(**json.loads(line)).event().body for line in lines]

    assert same(bodies, [{"n": 2, "who": "é"}, [1.5, math.nan], "text"])


def test_values_of_an_older_bundle_are_read(old):
    steps = str(old / "bundle" / "steps.py")
    rates = pd.DataFrame(
        {"rate": [0.5, 1.5]}, index=pd.Index(["eur", "usd"], name="currency")
    )

    assert same(load_value(steps, "WEIGHTS"), np.arange(3.0) / 3)
    assert same(load_value(steps, "RATES"), rates)


def test_the_graph_of_an_older_bundle_answers_the_same_bytes(
    old, open_runner, monkeypatch
):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "steps", None)  # the bundle's module goes again
    graph = load_bundle_graph(old / "bundle")

    answer = open_runner(graph).answer({"currency": "usd"})

    assert answer.payload == (
        b'{"sum": 1.5, "limit": "PT1M", "price": "1.10", "set": [1, 2]}'
    )
    assert sys.modules["steps"].LIMITS["d"] == Decimal("1.10")
