"""``%graph events --save``, ``--load`` and ``%graph test``."""

import json
import subprocess
import sys

import pytest

from jupyter_graph.errors import EventFileError, MagicError
from jupyter_graph.session.recorded.event_tests import run_recorded

HALF = "%%graph_step half\ndef half(body):\n    return {'half': 1 / body['n']}"


@pytest.fixture
def flow(run, session, folder):
    """A graph of one step, in a notebook whose file is known."""
    session.notebook_path = folder / "flow.ipynb"
    run(HALF, "a")
    return run


def lines_of(folder):
    path = folder / "tests" / "events" / "notebook.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_are_saved_and_loaded(flow, session, folder):
    flow("%graph run {'n': 2}")
    saved = str(flow("%graph events --save kept/events.jsonl"))
    session.event_ring.clear()
    loaded = str(flow("%graph events --load kept/events.jsonl"))

    assert saved == f"1 events of graph 'notebook' are in {folder}/kept/events.jsonl"
    assert loaded.startswith("graph 'notebook' has 1 more events")
    assert flow("%graph replay last").body == {"half": 0.5}


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ("--save a.jsonl --load b.jsonl", MagicError, "not both"),
        ("--load gone.jsonl", EventFileError, "cannot read"),
        ("--save /dev/null/x.jsonl", MagicError, "cannot write"),
    ],
)
def test_wrong_words_are_told(flow, words, error, message):
    with pytest.raises(error, match=message):
        flow(f"%graph events {words}")


def test_an_event_becomes_a_test(flow, folder):
    flow("%graph run {'n': 2}")
    flow("%graph run {'n': 4}")
    first, second = str(flow("%graph test")), str(flow("%graph test -2"))
    lines = lines_of(folder)

    assert "is a test; 1 test in" in first
    assert "is a test; 2 tests in" in second
    assert [line["event"]["body"] for line in lines] == [{"n": 4}, {"n": 2}]
    assert lines[1]["answer"]["body"] == {"half": 0.5}


def test_the_same_request_is_one_test(flow, folder):
    flow("%graph run {'n': 2}")
    flow("%graph test")
    flow(HALF.replace("1 /", "10 /"), "a")
    flow("%graph run {'n': 2}")
    note = str(flow("%graph test"))

    assert "is a test again, as it is now; 1 test in" in note
    assert [line["answer"]["body"] for line in lines_of(folder)] == [{"half": 5.0}]


def test_a_failure_may_be_what_is_expected(flow, session):
    flow("%graph run {'n': 0} --silent")
    flow("%graph test")
    [[outcome]] = run_recorded(session, None).values()

    assert outcome.differing == ()


def test_what_is_answered_otherwise_is_named(flow, session):
    flow("%graph run {'n': 2}")
    flow("%graph test")
    flow(HALF.replace("1 /", "10 /"), "a")
    [[outcome]] = run_recorded(session, "notebook").values()

    assert outcome.differing == ("body['half'] was 0.5, is 5.0",)
    assert outcome.line == 1


def test_what_differs_each_time_is_left_out(run, session, folder):
    run("import itertools\ncounted = itertools.count()")
    run("%%graph_step f\ndef f(body):\n    return {'n': next(counted), 'b': body}")
    run("%graph run 1")
    run("%graph test")
    [[outcome]] = run_recorded(session, None).values()

    assert (outcome.differing, outcome.left_out) == ((), ("body['n']",))


@pytest.mark.parametrize(("effects", "lines"), [(False, 1), (True, 2)])
def test_targets_write_only_when_asked_to(run, session, folder, effects, lines):
    run("%graph add JSONLinesTarget save --arg path=out.jsonl --arg append=True")
    run("%graph run 1")
    run("%graph test")
    session.close()
    [[outcome]] = run_recorded(session, None, effects=effects).values()

    assert outcome.differing == ()
    assert len((folder / "out.jsonl").read_text().splitlines()) == lines


def test_an_event_of_a_part_is_no_test(flow):
    flow("%%graph_step more\ndef more(body):\n    return body", "b")
    flow("%graph run {'n': 2} --until half")
    with pytest.raises(MagicError, match="went through a part of graph 'notebook'"):
        flow("%graph test")


def test_without_recorded_events_it_says_what_to_do(flow, session):
    with pytest.raises(EventFileError, match=r"no recorded events in .*%graph test"):
        run_recorded(session, None)


def test_without_a_known_file_no_pytest_is_written(run, folder):
    run(HALF)
    run("%graph run {'n': 2}")
    note = str(run("%graph test"))

    assert "jupyter graph test NOTEBOOK runs it" in note
    assert list((folder / "tests").glob("*.py")) == []


def test_a_pytest_of_somebody_else_is_left_alone(flow, folder):
    (folder / "tests").mkdir()
    path = folder / "tests" / "test_notebook_events.py"
    path.write_text("def test_mine(): ...\n")
    flow("%graph run {'n': 2}")
    note = str(flow("%graph test"))

    assert "is another file, so it was left alone" in note
    assert path.read_text() == "def test_mine(): ...\n"


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("code", "failed"), [("1 /", 0), ("10 /", 1)])
def test_the_pytest_that_is_written_runs(flow, folder, code, failed):
    flow("%graph run {'n': 2}")
    flow("%graph test")
    cells = ["%load_ext jupyter_graph\n%graph new notebook", HALF.replace("1 /", code)]
    listed = [{"cell_type": "code", "metadata": {}, "source": one} for one in cells]
    (folder / "flow.ipynb").write_text(
        json.dumps(
            {"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == failed, done.stdout
    assert ("body['half'] was 0.5, is 5.0" in done.stdout) == bool(failed)
