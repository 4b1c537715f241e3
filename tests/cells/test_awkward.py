"""A notebook with everything that is hard to slice, in a real IPython shell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_graph.cells import cells_from_notebook, lint, slice_cells

DATA = Path(__file__).parent / "data"
ROOTS = ("validate", "enrich", "Predict", "on_error")
CLEAN = """
import json, sys
sys.path.insert(0, {folder!r})
import steps
bad = sorted({{"IPython", "ipykernel"}} & set(sys.modules))
sys.path.insert(0, {data!r})
import run_awkward_answers
print(json.dumps([run_awkward_answers.answers(vars(steps)), bad]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("awkward")
    command = [sys.executable, DATA / "run_awkward.py", DATA / "awkward.ipynb", folder]
    subprocess.run(command, check=True, cwd=folder, capture_output=True, timeout=150)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_clean_process_gives_the_answers_of_the_kernel(folder):
    code = CLEAN.format(folder=str(folder), data=str(DATA))
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, check=True, cwd=folder, capture_output=True, text=True, timeout=150
    )
    found, notebook_modules = json.loads(done.stdout)

    assert json.loads(found) == json.loads((folder / "answers.json").read_text())
    assert notebook_modules == []


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "absent",
    [
        "get_ipython",
        "LogisticRegression",
        "OLD LABEL",
        "await fetch",
        "history",
        "echo",
        "rng",
        "autoreload",
        "training",
        "%%",
    ],
)
def test_no_training_shell_or_old_code_is_in_the_slice(folder, absent):
    assert absent not in (folder / "steps.py").read_text()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_values_ship_beside_the_code(folder):
    index = json.loads((folder / "artifacts" / "index.json").read_text())

    assert set(index) == {"clf", "files", "RATE", "THRESHOLD", "squares", "attempts"}


def test_a_saved_notebook_tells_all_values_it_cannot_know():
    cells = cells_from_notebook(DATA / "awkward.ipynb")

    with pytest.raises(ValueError, match="known only to a kernel") as caught:
        slice_cells(cells, ROOTS, None, folder=DATA)

    assert "cell 6, line 2: the value of 'clf'" in str(caught.value)


def test_a_saved_notebook_can_be_linted():
    cells = cells_from_notebook(DATA / "awkward.ipynb")
    found = lint(cells, ROOTS, None, folder=DATA)

    assert {finding.severity for finding in found} >= {"error", "warning"}
    assert any("'timings' is changed while events run" in f.message for f in found)
