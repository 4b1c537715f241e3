"""``@step`` in a notebook: bare, or with the name of a graph."""

import sys

import pytest

from jupyter_graph.errors import DuplicateStepError, MagicError, SpecError
from jupyter_graph.spec import named_graphs

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def steps(run):
    """Two graphs, each with a step that says where it belongs."""
    run("from jupyter_graph import step")
    run("%graph new mine")
    run("%graph new other")
    run("@step(graph='mine')\ndef up(body):\n    return {'n': body['n'] + 1}")
    run("@step\ndef twice(body):\n    return {'n': body['n'] * 2}")
    return run


def test_a_step_goes_into_the_graph_that_it_names(steps):
    run = steps
    names = {one.name: one.spec.names() for one in run("%graph list")}
    run("%graph use mine")

    assert names == {"mine": ("up",), "other": ("twice",)}
    assert run('%graph run {"n": 5}').body == {"n": 6}


def test_bare_in_a_new_notebook_it_makes_the_graph(run):
    run("from jupyter_graph import step\n@step\ndef up(body): return body + 1")
    run("@step()\ndef twice(body): return body * 2")

    assert run("%graph run 1").body == 4


def test_a_cell_that_runs_again_replaces_its_step(steps):
    run = steps
    run("@step\ndef last(body):\n    return {'n': body['n'] + 1}")
    run("@step\ndef twice(body):\n    return {'n': body['n'] * 20}")

    assert run('%graph run {"n": 5}').body == {"n": 101}


def test_a_cell_with_a_graph_of_its_own_runs_again(run):
    run("from jupyter_graph import Graph, Runner, step\ng = Graph('g')")
    run("@step(g)\ndef up(body): return body + 1")
    run("@step(graph=g)\ndef last(body): return body * 2")
    run("@step(g)\ndef up(body): return body + 10")

    assert run("with Runner(g) as runner: found = runner.run(1)\nfound") == 22


def test_another_function_of_the_same_name_is_refused(steps):
    with pytest.raises(DuplicateStepError, match="already has a step 'twice'"):
        steps("@step(name='twice')\ndef again(body): return body")


def test_a_module_that_is_loaded_again_replaces_its_step(run, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "with_a_step.py"
    path.write_text("from jupyter_graph import step\n@step\ndef up(n): return n + 1\n")
    try:
        run("import with_a_step")
        path.write_text(path.read_text().replace("+ 1", "+ 10"))
        run("import importlib; importlib.reload(with_a_step)")
        answer = run("%graph run 1")
    finally:
        del sys.modules["with_a_step"]

    assert answer.body == 11


def test_it_can_be_taken_back(steps):
    run = steps
    run("%graph undo")

    assert [one.spec.names() for one in run("%graph list")] == [("up",), ()]


def test_a_graph_that_is_not_there_is_told(run):
    run("from jupyter_graph import step")

    with pytest.raises(MagicError, match=r"there is no graph 'mine'.*%graph new mine"):
        run("@step(graph='mine')\ndef up(body): return body")


def test_what_is_no_graph_is_told(run):
    run("from jupyter_graph import step")

    with pytest.raises(SpecError, match="takes a Graph or the name of one, got 3"):
        run("@step(3)\ndef up(body): return body")


@pytest.mark.slow
def test_such_steps_of_cells_and_of_modules_ship(steps, tmp_path, monkeypatch):
    run = steps
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "with_a_step.py").write_text(
        "from jupyter_graph import step\n"
        "@step\ndef more(body):\n    return {'n': body['n'] + 100}\n"
    )
    try:
        run("from with_a_step import more")
        run('%graph run {"n": 5}')
        deployed = run("%deploy")
        answer = run('%deploy invoke other {"n": 5}')
    finally:
        del sys.modules["with_a_step"]

    assert str(deployed.parity) == "parity: 1 of 1 events equal"
    assert answer.body == {"n": 110}


def test_without_a_notebook_there_is_no_current_graph(shell):
    shell.run_cell("%unload_ext jupyter_graph")

    with pytest.raises(SpecError, match="graph 'g' of a notebook, and no notebook is"):
        named_graphs.graph_named("g")


@pytest.mark.slow
def test_a_step_of_a_module_runs_in_a_process_of_its_own(run, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "with_a_step.py").write_text(
        "import os\nfrom jupyter_graph import step\n"
        "@step(processes=1)\ndef where(body):\n    return os.getpid()\n"
    )
    try:
        run("import os, with_a_step")
        elsewhere = run("%graph run 1").body
    finally:
        del sys.modules["with_a_step"]

    assert elsewhere not in (None, run("os.getpid()"))
