"""What ``%graph check`` says where cells and steps are not the same any more."""

import json
import os
import time

import pytest

from jupyter_graph.magics.kernel_cells import notebook_path

PARSE = "%%graph_step parse\ndef parse(body):\n    return body"
SCORE = "%%graph_step score --respond\ndef score(body):\n    return len(body)"


def save(path, *cells, age_s=-60):
    """Save cells, each an id and its text; by default after all of them ran."""
    listed = [
        {"cell_type": "code", "id": name, "metadata": {}, "source": source}
        for name, source in cells
    ]
    path.write_text(json.dumps({"cells": listed, "metadata": {}, "nbformat": 4}))
    os.utime(path, (time.time() - age_s,) * 2)


@pytest.fixture
def file(session, folder):
    """The notebook's file, which the session knows."""
    path = folder / "flow.ipynb"
    session.notebook_path = path
    return path


@pytest.fixture
def said(run):
    """Say what there is to mend, without the notes about the graph itself."""

    def said():
        found = [str(one) for one in run("%graph check")]
        return [one for one in found if "cell" in one or "used then" in one]

    return said


@pytest.fixture
def flow(run):
    """A graph of two steps, each in a cell of its own."""
    run(PARSE, "a")
    run(SCORE, "b")
    return run


def test_a_notebook_as_it_ran_has_no_findings(flow, said, file):
    save(file, ("a", PARSE), ("b", SCORE))

    assert said() == []


def test_the_file_is_known_by_what_the_front_end_says(monkeypatch, tmp_path):
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "flow.ipynb"))

    assert notebook_path({}) == tmp_path / "flow.ipynb"


def test_a_deleted_step_cell_is_found(flow, said, file, run):
    save(file, ("b", SCORE))
    [found] = said()

    assert found.startswith("warning: cell ")
    assert "cell that defined step 'parse' is no longer in the notebook" in found
    assert "%graph remove parse" in found
    run("%graph remove parse")
    assert said() == []


def test_a_cell_that_is_not_saved_yet_is_not_called_deleted(flow, said, file):
    save(file, ("b", SCORE), age_s=60)

    assert said() == []


def test_a_step_of_a_notebook_that_another_cell_ran_is_not_called_deleted(
    run, said, file, folder
):
    (folder / "steps.ipy").write_text(PARSE)
    run("%run steps.ipy", "r")
    save(file, ("r", "%run steps.ipy"))

    assert run("%graph run 'abc'").body == "abc"
    assert said() == []


def test_a_cell_with_another_id_and_the_same_text_is_there(flow, said, file):
    save(file, ("x", PARSE), ("b", SCORE))

    assert said() == []


def test_a_cell_that_lost_its_header_is_found_when_it_ran(flow, said):
    flow("def parse(body):\n    return body[1:]", "a")
    [found] = said()

    assert "its cell defines 'parse' now without a %%graph_step line" in found
    assert "put %%graph_step parse above it" in found
    assert flow("%graph run 'abc'").body == 3


def test_a_cell_that_lost_its_header_is_found_in_the_file(flow, said, file):
    save(file, ("a", PARSE.partition("\n")[2]), ("b", SCORE))
    [found] = said()

    assert "step 'parse' is still what it was" in found


def test_a_step_that_another_cell_took_over_is_found(run, said):
    run(PARSE)
    run("def parse(body):\n    return 0")
    [found] = said()

    assert "another cell (cell 3) defines 'parse' now without" in found


def test_a_step_cell_that_has_its_header_again_is_fine(flow, said):
    flow("def parse(body):\n    return body[1:]", "a")
    flow(PARSE, "a")

    assert said() == []


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_copied_step_cell_is_found(flow, said, file, is_saved):
    flow(PARSE + "  # copied", "c")
    if is_saved:
        save(file, ("a", PARSE), ("c", PARSE + "  # copied"), ("b", SCORE))
    found = [one for one in said() if "order" not in one and "ran after" not in one]

    assert len(found) == 1
    assert "all define step 'parse'; the one that runs last counts" in found[0]


def test_a_copy_that_never_ran_is_found_in_the_file(flow, said, file):
    save(file, ("a", PARSE), ("b", SCORE), ("c", PARSE))
    [found] = said()

    assert "cells 1, 3 of the saved notebook all define step 'parse'" in found


def test_steps_of_one_name_in_two_graphs_are_no_copies(run, said, file):
    cells = [("n1", "%graph new one"), ("a", PARSE), ("n2", "%graph new two")]
    cells += [("b", PARSE.replace("def parse", "def parse2")), ("c", SCORE)]
    for name, source in cells:
        run(source, name)
    save(file, *cells)

    assert said() == []


def test_without_ids_a_cell_that_was_edited_is_no_copy(run, said):
    run(PARSE)
    run(PARSE + " + ''")

    assert said() == []


def test_cells_that_ran_out_of_order_are_found(run, said, file):
    run(SCORE, "b")
    run(PARSE.replace("parse\n", "parse --before score\n"), "a")
    save(file, ("a", PARSE), ("b", SCORE))
    [found] = said()

    assert found.startswith("note: ")
    assert "ran after cell 2, which stands below it in the notebook" in found
    assert "restart the kernel and run all cells" in found


def test_the_order_of_other_cells_does_not_count(flow, said, file):
    flow("print('a plot')", "p")
    save(file, ("p", "print('a plot')"), ("a", PARSE), ("b", SCORE))

    assert said() == []


def test_a_helper_that_ran_later_than_it_stands_is_found(flow, said, file):
    flow("def clean(text):\n    return text.strip()", "h")
    flow(PARSE.replace("return body", "return clean(body)"), "a")
    flow("def clean(text):\n    return text", "h")
    cells = ("h", "def clean(text):\n    return text"), ("a", PARSE), ("b", SCORE)
    save(file, *cells)
    found = said()

    assert any("ran after cell" in one for one in found)


@pytest.mark.parametrize("text", ["", "no notebook", '{"cells": 5}'])
def test_a_file_that_cannot_be_read_says_nothing(flow, said, file, text):
    file.write_text(text)

    assert said() == []


# -- undo -------------------------------------------------------------------------

HELPED = "%%graph_step f\ndef helper(x):\n    return x + {}\ndef f(body):\n"
HELPED += "    return helper(body)"


def test_undo_says_that_a_helper_of_the_same_cell_is_not_back(run, said):
    run(HELPED.format(1), "a")
    run(HELPED.format(100), "a")
    note = str(run("%graph undo"))
    [found] = said()

    assert note.startswith(
        "taken back: step 'f' of graph 'notebook'\nnote: step 'f' is"
    )
    assert "'helper' is not what it used then" in note
    assert "run the cells of step 'f' and of 'helper' again" in note
    assert found.startswith("warning: ")
    assert "'helper' is not what it used then" in found


def test_running_the_cell_again_ends_it(run, said):
    run(HELPED.format(1), "a")
    run(HELPED.format(100), "a")
    run("%graph undo")
    run(HELPED.format(1), "a")

    assert said() == []
    assert run("%graph run 0").body == 1


@pytest.mark.parametrize(("now", "is_stale"), [(1, False), (1000, True)])
def test_undo_says_that_a_helper_of_another_cell_is_not_back(run, now, is_stale):
    run("def rate(x):\n    return x + 1", "h")
    run("%%graph_step g\ndef g(body):\n    return rate(body)", "a")
    run(f"def rate(x):\n    return x + {now}", "h")
    run("%%graph_step g\ndef g(body):\n    return rate(body) * 2", "a")
    note = str(run("%graph undo"))

    assert ("'rate' is not what it used then" in note) == is_stale


def test_undo_of_a_rename_says_nothing_of_helpers(run):
    run(HELPED.format(1), "a")
    run("%graph rename f g")

    assert str(run("%graph undo")) == "taken back: %graph rename f g"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_deploy_shows_what_was_found(flow, file):
    save(file, ("b", SCORE))
    flow("%graph run 'abc'")
    plan = flow("%deploy --dry-run")

    assert "cell that defined step 'parse' is no longer in the notebook" in str(plan)


def test_a_step_behind_the_graphs_error_handler_is_a_finding(run):
    run("%%graph_step parse --respond\ndef parse(body): return 1 / body['n']")
    run("%%graph_step dead --on-error graph\ndef dead(body): return {'dead': body}")
    run("%%graph_step note --after dead\ndef note(body): return body")

    found = [one for one in run("%graph check") if "never runs" in one.message]
    assert [(one.step, one.severity) for one in found] == [("note", "warning")]
    assert run("%graph run {'n': 0}").body == {"dead": {"n": 0}}
