"""Long loads leave memory, threads and files as they were, and nothing goes wrong.

``JUPYTER_GRAPH_SOAK=full`` runs a million events, a thousand cells and swaps, ten
thousand streams and callers; by default a short version of each.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

IS_FULL = os.environ.get("JUPYTER_GRAPH_SOAK") == "full"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(0 if IS_FULL else 120)]

GROWTH = 0.02 if IS_FULL else 0.05
LOADS = {
    "events_sync": (100_000, 1_000_000),
    "events_async": (20_000, 1_000_000),
    "swaps": (300, 1000),
    "cells": (200, 1000),
    "streams_sync": (2000, 10_000),
    "streams_async": (1000, 10_000),
    "callers": (3000, 10_000),
    "pressure_sync": (3000, 100_000),
    "pressure_async": (10_000, 100_000),
}
"""How much of each, short and full."""


def run_load(name: str) -> dict[str, Any]:
    count = LOADS[name][IS_FULL]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.run.soak.load", name, str(count)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    sys.stdout.write(f"{name} {count}: {ran.stdout}")  # pytest -rP shows it
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("name", ["events_sync", "events_async", "swaps", "cells"])
def test_events_and_new_code_leave_nothing_behind(name):
    found = run_load(name)

    assert found["wrong"] == 0
    assert found["rss_growth"] < GROWTH
    assert found["threads"][0] == found["threads"][1]
    assert found["files"][0] == found["files"][1]


@pytest.mark.parametrize("name", ["streams_sync", "streams_async"])
def test_streams_that_are_left_or_raise_leave_nothing_behind(name):
    found = run_load(name)

    assert (found["wrong"], found["open"]) == (0, 0)
    assert found["rss_growth"] < GROWTH
    assert found["threads"][0] == found["threads"][1]


def test_callers_of_all_kinds_get_their_own_answers():
    found = run_load("callers")

    assert found["wrong"] == 0
    assert max(found["peaks"]) <= found["bound"]
    assert found["threads"][1] < 64


@pytest.mark.parametrize("name", ["pressure_sync", "pressure_async"])
def test_a_source_that_is_too_fast_waits(name):
    found = run_load(name)

    assert found["wrong"] == 0
    assert max(found["peak"], found["most"]) <= found["bound"]
    assert found["rss_growth"] < 0.05
    assert found["threads"][0] == found["threads"][1]
