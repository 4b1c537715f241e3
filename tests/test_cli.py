import json
import os
import subprocess
import sys

import pytest
from jupyter_core.utils import ensure_event_loop

from jupyter_graph.cli import main

ensure_event_loop()  # all clients of kernels share it, and it stays


@pytest.fixture
def document(tmp_path):
    """Write a graph document and give its path."""

    def write(**steps):
        path = tmp_path / "fraud.json"
        path.write_text(json.dumps({"steps": steps}))
        return str(path)

    return write


def test_a_right_document_is_checked_and_shown(document, capsys):
    path = document(parse={"kind": "task", "handler": "parse"})

    assert main(["check", path]) == 0
    assert "nothing to mend" in capsys.readouterr().out
    assert main(["show", path]) == 0
    assert "parse" in capsys.readouterr().out


def test_a_wrong_document_fails_with_what_is_wrong(document, capsys):
    path = document(parse={"kind": "task", "handler": "parse", "after": ["gone"]})

    assert main(["check", path]) == 1
    assert "'gone', which does not exist" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["check", "nope.json"], ["show", "nope.json"]])
def test_a_missing_file_fails(words, capsys):
    assert main(words) == 1
    assert "SpecError: cannot read graph file 'nope.json'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["chekc", "a.json"], ["check"], ["serve"]])
def test_wrong_usage_is_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)

    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_folder_that_is_no_bundle_is_not_served(tmp_path, capsys):
    assert main(["serve", str(tmp_path)]) == 1
    assert "is no bundle" in json.loads(capsys.readouterr().err)["error"]


# -- run ------------------------------------------------------------------------

STEPS = """
from jupyter_graph import Graph

def ratio(row):
    return {"ratio": row["a"] / row["b"]}

graph = Graph("script")
graph.to(name="ratio", handler=ratio).respond()
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = tmp_path / "steps_of_cli.py"
    path.write_text(STEPS)
    yield f"{path}:graph"
    sys.modules.pop("steps_of_cli", None)


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 6, "b": 2}\n{"a": 1, "b": 0}\n{"a": 8, "b": 4}\n')
    return str(path)


def test_a_table_is_run_and_its_failed_rows_told(script, rows, capsys):
    assert main(["run", script, "--data", rows]) == 1

    told = capsys.readouterr()
    assert told.out == '{"ratio": 3.0}\n{"ratio": 2.0}\n'
    assert told.err == (
        "row 1: step 'ratio': ZeroDivisionError: division by zero\n1 of 3 rows failed\n"
    )


def test_many_failed_rows_are_counted(script, tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 6}\n' * 30)

    assert main(["run", script, "--data", str(path)]) == 1
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "… and 10 more rows",
        "30 of 30 rows failed",
    ]


def test_answers_are_written_where_one_says(script, rows, tmp_path, capsys):
    path = tmp_path / "out.csv"
    path.write_text("old")

    assert main(["run", script, "--data", rows, "--output", str(path)]) == 1
    assert path.read_text() == "ratio\n3.0\n2.0\n"
    assert capsys.readouterr().out == ""


def test_one_event_is_run(script, capsys):
    assert main(["run", script, "--body", '{"a": 6, "b": 3}']) == 0
    assert json.loads(capsys.readouterr().out) == {"ratio": 2.0}

    assert main(["run", script, "--body", '{"a": 6, "b": 0}']) == 1
    assert "step 'ratio' failed" in capsys.readouterr().err


def test_a_document_runs_with_the_blocks_it_names(document, rows, capsys):
    args = {"mapping": {"a": "first"}}
    path = document(
        r={
            "kind": "task",
            "class_name": "Rename",
            "class_args": args,
            "responder": True,
        }
    )

    assert main(["run", path, "--data", rows]) == 0
    assert capsys.readouterr().out.splitlines()[0] == '{"b": 2, "first": 6}'


def test_a_bundle_runs(tmp_path, rows, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    graph = {"steps": {"r": {"kind": "task", "handler": "ratio", "responder": True}}}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    (tmp_path / "steps.py").write_text(STEPS)

    assert main(["run", str(tmp_path), "--data", rows]) == 1
    assert capsys.readouterr().out == '{"ratio": 3.0}\n{"ratio": 2.0}\n'


def notebook(path, *cells):
    cells = [{"cell_type": "code", "source": [cell], "metadata": {}} for cell in cells]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    return str(path)


STEP_CELL = """%%graph_step ratio
def ratio(row):
    return {"ratio": row["a"] / row["b"]}
"""


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_notebook_runs_and_deploys_nothing(tmp_path, rows, capsys):
    path = notebook(
        tmp_path / "fraud.ipynb",
        "%load_ext jupyter_graph",
        STEP_CELL,
        "%deploy --to nowhere",
        "deployed = %deploy --to nowhere",
    )

    assert main(["run", path, "--data", rows]) == 1
    told = capsys.readouterr()
    assert told.out == '{"ratio": 3.0}\n{"ratio": 2.0}\n'
    assert "1 of 3 rows failed" in told.err


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_cell_that_fails_is_named(tmp_path, rows, capsys):
    path = notebook(tmp_path / "fraud.ipynb", "a = 1", "a / 0")

    assert main(["run", path, "--data", rows]) == 1
    assert "cell 2: ZeroDivisionError: division by zero" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        pytest.param("gone.json", "cannot read graph file", id="no-document"),
        pytest.param("gone.py:graph", "there is no file", id="no-script"),
        pytest.param("gone.py", "name the graph in", id="no-name"),
        pytest.param("gone.ipynb", "is no notebook", id="no-notebook"),
    ],
)
def test_a_graph_that_is_not_there_fails(graph, message, rows, capsys):
    assert main(["run", graph, "--data", rows]) == 1
    assert message in capsys.readouterr().err


def test_a_script_without_that_graph_names_those_it_has(script, rows, capsys):
    path = script.replace(":graph", ":grahp")

    assert main(["run", path, "--data", rows]) == 1
    assert "has no graph 'grahp'; did you mean 'graph'?" in capsys.readouterr().err


def test_data_that_is_not_there_fails(script, capsys):
    assert main(["run", script, "--data", "gone.csv"]) == 1
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["run", "a.json"], id="no-data"),
        pytest.param(["run", "a.json", "--data", "x", "--body", "1"], id="both"),
        pytest.param(["run", "a.json", "--body", "{"], id="no-json"),
        pytest.param(["run", "a.json", "--data", "x", "--batch-rows", "y"], id="rows"),
    ],
)
def test_wrong_words_after_run_are_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)

    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_traceback(script, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 6, "b": 2}\n' * 50_000)
    command = [
        sys.executable,
        "-m",
        "jupyter_graph",
        "run",
        script,
        "--data",
        str(path),
    ]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, b"")


SHOP = """
from jupyter_graph import Graph

LIMIT = 3
unused = [1]


def over(body):
    return body > LIMIT


graph = Graph("shop")
graph.to(name="over", handler=over).respond()
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_GRAPH_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = tmp_path / "shop.py"
    path.write_text(SHOP)
    yield f"{path}:graph"
    sys.modules.pop("shop", None)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("check", "graph 'shop': nothing to mend"),
        ("show", "over"),
        ("code", "LIMIT = 3"),
    ],
)
def test_a_script_is_looked_at(shop, capsys, command, said):
    assert main([command, shop]) == 0

    told = capsys.readouterr().out
    assert said in told
    assert "unused" not in told


def test_a_script_whose_code_cannot_ship_fails(shop, tmp_path, capsys):
    (tmp_path / "shop.py").write_text(SHOP.replace("> LIMIT", "> limit"))

    assert main(["check", shop]) == 1
    assert (
        "name 'limit' is not defined; did you mean 'LIMIT'?" in capsys.readouterr().out
    )


def recorded(folder, graph, *cases):
    """Write events and their answers where the tests of a graph stand."""
    path = folder / "tests" / "events" / f"{graph}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(
            json.dumps(
                {
                    "event": {"body": body, "event_id": f"e{number}"},
                    "answer": {
                        "status_code": 200,
                        "content_type": "application/json",
                        "body": answer,
                    },
                }
            )
            + "\n"
            for number, (body, answer) in enumerate(cases)
        )
    )
    return path


def test_the_recorded_events_of_a_script_are_sent_again(shop, tmp_path, capsys):
    recorded(tmp_path, "shop", (5, True))
    assert main(["test", shop]) == 0
    assert "graph 'shop': 1 event, all answered as before" in capsys.readouterr().out

    recorded(tmp_path, "shop", (5, True), (1, True))
    assert main(["test", shop]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "graph 'shop': 2 events, 1 answered otherwise",
        "  event e1 (line 2): body was True, is False",
    ]


def test_without_recorded_events_a_test_fails(shop, tmp_path, capsys):
    assert main(["test", shop]) == 1
    assert "there are no recorded events in" in capsys.readouterr().err


def test_a_broken_file_of_events_fails_with_its_line(shop, tmp_path, capsys):
    recorded(tmp_path, "shop", ({"n": 5}, True)).write_text('{"event": {"body": 1}}\n{')
    assert main(["test", shop]) == 1
    assert "shop.jsonl', line 2: is no JSON" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_recorded_events_of_a_notebook_are_sent_again(tmp_path, capsys):
    cells = STEP_CELL, "%graph run {'a': 1, 'b': 1}", "%graph test"
    path = notebook(tmp_path / "fraud.ipynb", *cells)
    events = recorded(tmp_path, "fraud", ({"a": 6, "b": 2}, {"ratio": 3.0}))
    before = events.read_bytes()

    assert main(["test", path]) == 0
    assert "graph 'fraud': 1 event, all answered as" in capsys.readouterr().out
    assert events.read_bytes() == before  # cells that record make nothing of it
    recorded(tmp_path, "fraud", ({"a": 6, "b": 2}, {"ratio": 2.0}))
    assert main(["test", path, "--name", "fraud", "--effects"]) == 1
    assert "body['ratio'] was 2.0, is 3.0" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_script_is_bundled_deployed_read_and_deleted(shop, tmp_path, capsys):
    assert main(["bundle", shop, str(tmp_path / "out"), "--workers", "2"]) == 0
    assert "numWorkers: 2" in (tmp_path / "out" / "function.yaml").read_text()
    assert main(["deploy", shop, "cornershop", "--env", "MODE=fast"]) == 0
    assert "ready" in capsys.readouterr().out
    assert main(["logs", "cornershop"]) == 0
    assert "ready" in capsys.readouterr().out
    assert main(["delete", shop]) == 0
    assert "'cornershop' is stopped and gone" in capsys.readouterr().out
    assert main(["delete", "cornershop"]) == 1
    assert "no deployment 'cornershop'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_notebook_is_looked_at_and_bundled(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("JUPYTER_GRAPH_STATE_DIR", str(tmp_path / "state"))
    path = notebook(tmp_path / "fraud.ipynb", "limit = 3", STEP_CELL)

    assert main(["check", path]) == 0
    assert "notebook fraud.ipynb, graph 'fraud': nothing" in capsys.readouterr().out
    assert main(["code", path]) == 0
    assert "def ratio(row)" in capsys.readouterr().out
    assert main(["bundle", path, str(tmp_path / "out.zip"), "--graph", "nope"]) == 1
    assert "no graph 'nope'" in capsys.readouterr().err
    assert main(["bundle", path, str(tmp_path / "out.zip")]) == 0
    assert (tmp_path / "out.zip").is_file()


@pytest.mark.parametrize(
    "words",
    [["check", "a.json", "--nope"], ["bundle", "a.ipynb"], ["deploy"], ["tset", "a"]],
)
def test_wrong_words_of_other_commands_are_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)

    assert caught.value.code == 2


def test_a_document_has_no_code_to_deploy(document, capsys):
    assert main(["deploy", document(a={"handler": "(event + 1)"})]) == 1
    assert "needs code: a notebook or FILE.py:GRAPH" in capsys.readouterr().err


@pytest.mark.slow
def test_a_cell_that_asks_a_deployment_is_left_out_from_there_on(tmp_path, capsys):
    path = notebook(
        tmp_path / "fraud.ipynb",
        STEP_CELL,
        "d = %deploy fraud\nd",
        "print(d.parity)\nbroken = 1 / 0",
        "later = 1",
    )

    assert main(["check", path]) == 0
    assert "nothing to mend" in capsys.readouterr().out
