"""Graph documents with the answers MLRun gives: every case is a test of its own."""

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / "shared" / "conformance"
CASES = {
    case["id"]: case["title"]
    for path in sorted(FOLDER.glob("cases/*.json"))
    if (case := json.loads(path.read_text(encoding="utf-8")))
}
NONE = pytest.param(None, marks=pytest.mark.skip(reason="the cases are not here"))
LINE = re.compile(r"^(ok|FAIL) +(\S+)(.*?)(?=^ok  |^FAIL |^\d+ passed)", re.M | re.S)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),  # the first test waits for all of them
]


@contextlib.contextmanager
def the_only_one():
    """Wait for other runs of the tests on this machine: the peer has a fixed port."""
    with (Path(tempfile.gettempdir()) / "jupyter-graph-conformance").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def outcomes():
    """Run all cases in one process; give what was said of each."""
    with the_only_one():
        found = subprocess.run(
            [sys.executable, "run.py", str(HERE / "adapter.py"), "--verbose"],
            cwd=FOLDER,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    said = {
        name: (word, rest.strip()) for word, name, rest in LINE.findall(found.stdout)
    }
    return said or {"": ("FAIL", found.stdout + found.stderr)}


@pytest.mark.parametrize("name", CASES or [NONE])
def test_a_document_answers_as_in_mlrun(outcomes, name):
    word, said = outcomes.get(name) or outcomes.get("") or ("missing", "")

    assert word == "ok", f"{CASES[name]}: {said}"
