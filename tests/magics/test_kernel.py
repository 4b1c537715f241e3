import pytest


@pytest.fixture
def sources(session):
    """Return the sources of the cells so far, the one that loaded the extension not."""
    return lambda: [
        cell.source for cell in session.cells() if "%load_ext" not in cell.source
    ]


def test_cells_from_before_the_loading_count(bare_shell):
    for cell in ("a = 1", "%load_ext jupyter_graph", "b = 2"):
        bare_shell.run_cell(cell, store_history=True).raise_error()
    from jupyter_graph import notebook

    cells = notebook().cells()
    assert [(cell.number, cell.source) for cell in cells] == [
        (1, "a = 1"),
        (2, "%load_ext jupyter_graph"),
        (3, "b = 2"),
    ]


def test_a_cell_that_runs_again_takes_the_place_of_its_older_self(run, sources):
    run("a = 1", "c1")
    run("b = 2", "c2")
    run("a = 3", "c1")

    assert sources() == ["b = 2", "a = 3"]


def test_a_cell_without_id_is_known_by_its_text(run, sources):
    run("a = 1")
    run("b = a")
    run("a = 2")
    run("a = 1")

    assert sources() == ["b = a", "a = 2", "a = 1"]


def test_the_running_cell_counts(run, session, sources):
    run("import jupyter_graph")
    run("seen = jupyter_graph.notebook().cells()[-1].source", "c1")

    assert (
        session.user_ns["seen"] == "seen = jupyter_graph.notebook().cells()[-1].source"
    )


def test_of_a_failed_cell_the_part_above_the_failure_counts(run, sources):
    run("a = 1", "c1")
    with pytest.raises(ZeroDivisionError):
        run("a = 2\nb = (\n    1 / 0\n)\nc = 3", "c1")
    with pytest.raises(SyntaxError):
        run("a = 9 9", "c1")

    assert sources() == ["a = 1", "a = 2\n"]


def test_a_failed_step_cell_does_not_count(run, sources):
    run("%%graph_step f\ndef f(b): return 1", "c1")
    with pytest.raises(ZeroDivisionError):
        run("%%graph_step f\ndef f(b): return 2\n1 / 0", "c1")

    assert sources() == ["%%graph_step f\ndef f(b): return 1"]


def test_silent_cells_do_not_count(shell, sources):
    shell.run_cell("x = 1", silent=True)
    shell.run_cell("x = 1", store_history=False)

    assert sources() == []


def sources_of(session):
    return [cell.source for cell in session.cells()]


def test_a_captured_cell_counts_once(run, session):
    run("%%capture\nlimit = 3")
    run("%%graph_step f\ndef f(body):\n    return body > limit")

    assert sum("limit = 3" in text for text in sources_of(session)) == 1
    assert "limit = 3" in session.program()


def test_code_that_a_cell_runs_counts(run, session):
    run("get_ipython().run_cell('limit = 3\\ndef over(x): return x > limit')")
    run("%%graph_step f\ndef f(body):\n    return over(body)")

    assert "def over(x): return x > limit" in session.program()
    assert run("%graph run 4").body is True


@pytest.mark.parametrize(
    "line", ["%run conf.py", "%run -i 'conf.py' --fast", "a = 1\n%run conf.py"]
)
def test_a_file_that_a_cell_runs_counts(run, session, folder, line):
    (folder / "conf.py").write_text("import os\nKEY = os.environ['HOME']\n")
    run(line)
    run("%%graph_step f\ndef f(body):\n    return KEY")

    assert "KEY = os.environ['HOME']" in session.program()


def test_what_a_front_end_asks_for_does_not_count(shell, run, session):
    run("limit = 3")
    before = sources_of(session)
    shell.run_cell("limit", store_history=False)

    assert sources_of(session) == before
    run("other = 4")
    assert sources_of(session) == [*before, "other = 4"]
