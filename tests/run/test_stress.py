"""Forgotten runners by the hundred, and interrupts at random moments.

``JUPYTER_GRAPH_FORGOTTEN=5000 JUPYTER_GRAPH_INTERRUPTS=2000`` does it at length.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORGOTTEN = int(os.environ.get("JUPYTER_GRAPH_FORGOTTEN", "40"))
INTERRUPTS = int(os.environ.get("JUPYTER_GRAPH_INTERRUPTS", "24"))
SEED = os.environ.get("JUPYTER_GRAPH_SEED", "1")

LIMIT_S = 300 + 4 * FORGOTTEN + 4 * INTERRUPTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(LIMIT_S + 60),
    pytest.mark.skipif(
        not Path("/proc/self/task").is_dir() or not hasattr(signal, "pthread_kill"),
        reason="counts what Linux tells",
    ),
]
KINDS = ["sync", "async", "storey", "blocking", "processes", "routes"]


def run(script, *words):
    """Run a script of this folder, which exits with 0 when all was well."""
    found = subprocess.run(
        [sys.executable, "-m", f"tests.run.stress.{script}", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    sys.stdout.write(found.stdout)
    assert found.returncode == 0, found.stdout + found.stderr[-6000:]


def test_nothing_is_left_of_forgotten_runners():
    run("forgotten", FORGOTTEN, *KINDS, "batch", "micro-batch", "emit", "mock")


@pytest.mark.parametrize("way", ["ctrl-c", "deadline"])
def test_no_interrupt_leaves_anything_locked_or_half_open(way):
    run("interrupted", way, INTERRUPTS, SEED, *KINDS, "ordered", "one seat", "timed")
