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
