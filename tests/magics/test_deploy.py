import socket
import zipfile

import pytest

from jupyter_graph.errors import (
    DeployError,
    JupyterGraphError,
    MagicError,
    NameTakenError,
    SpecError,
)
from jupyter_graph.magics.deploy_magic import DeployMagics


@pytest.fixture
def read(shell, session):
    """Read a line of words after ``%deploy``."""
    return DeployMagics(shell, session).read


@pytest.mark.parametrize(
    ("line", "options"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("fraud", {"name": "fraud"}, id="name"),
        pytest.param(
            "--to archive --workers 2 --port 80 --wait 1.5",
            {"target": "archive", "workers": 2, "port": 80, "wait_s": 1.5},
            id="numbers",
        ),
        pytest.param(
            "--env A=b c --env D='e' --secret K=name/key",
            {"env": {"A": "b c", "D": "e"}, "secrets": {"K": "name/key"}},
            id="environment",
        ),
        pytest.param(
            '--config minReplicas=1 --config spec.resources={"limits": {"cpu": "1"}}',
            {
                "config": {
                    "minReplicas": 1,
                    "spec.resources": {"limits": {"cpu": "1"}},
                }
            },
            id="config",
        ),
        pytest.param(
            "--trigger q=kafka:brokers=[1],topics=[2],numWorkers=3",
            {
                "triggers": {
                    "q": {
                        "kind": "kafka-cluster",
                        "numWorkers": 3,
                        "attributes": {"brokers": [1], "topics": [2]},
                    }
                }
            },
            id="trigger",
        ),
        pytest.param(
            "--dry-run --with-events --fresh-env --no-parity --replace",
            {
                "dry_run": True,
                "with_events": True,
                "fresh_env": True,
                "parity": False,
                "replace": True,
            },
            id="flags",
        ),
        pytest.param(
            "--pip a --pip b==1 --allow-pickle x --project p --runtime pip",
            {
                "pip": ("a", "b==1"),
                "allow_pickle": ("x",),
                "project": "p",
                "runtime": "pip",
            },
            id="lists",
        ),
    ],
)
def test_words_become_options(read, line, options):
    assert read(line) == options


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_graph_is_deployed_behind_endpoints(run, folder):
    run("%%graph_step shout\ndef shout(body):\n    return str(body)[-40:].upper()")
    endpoint = "{path: /loud, http_method: POST}"
    (folder / "api.yaml").write_text(f"endpoints: {{'POST:/loud': {endpoint}}}")
    run("%deploy chatting --openai --no-parity")
    run("%deploy loud --api api.yaml --no-parity")
    try:
        ask = '{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
        path = "--path /v1/chat/completions"
        answer = run(f"%deploy invoke chatting {ask} {path}").body
        assert answer["object"] == "chat.completion"
        assert "HI" in answer["choices"][0]["message"]["content"]
        assert run("%deploy invoke loud 'psst' --path /loud").body == "PSST"
        assert run("%deploy invoke loud 1 --path /else --silent").status_code == 404
    finally:
        run("%deploy delete chatting")
        run("%deploy delete loud")


def test_files_are_looked_for_beside_the_notebook(read, folder):
    (folder / "api.yaml").write_text("endpoints: {}")
    assert read("--api api.yaml --openai") == {
        "api_handler": {"endpoints": {}},
        "openai_frontend": {"prefix": "/v1"},
    }
    (folder / "c.yaml").write_text("spec:\n  minReplicas: 2\n  maxReplicas: 3\n")
    (folder / "t.json").write_text('{"tick": {"kind": "cron"}}')
    found = read(
        "--config-file c.yaml --config minReplicas=1 --trigger-file t.json "
        "--output out --requirements r.txt"
    )

    assert found == {
        "config": {"spec": {"minReplicas": 1, "maxReplicas": 3}},
        "triggers": {"tick": {"kind": "cron"}},
        "output": folder / "out",
        "requirements": (str(folder / "r.txt"),),
    }


@pytest.fixture
def doubling(run):
    """A notebook whose graph has answered two events."""
    run("factor = [2]")
    run("%%graph_step double\ndef double(body): return body * factor[0]")
    run("%graph run [1, 2] --each")
    return run


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_graph_is_deployed_called_and_deleted(doubling):
    deployment = doubling("%deploy doubling")
    try:
        assert "parity: 2 of 2 events equal" in str(deployment.parity)
        assert doubling("%deploy invoke doubling 21").body == 42
        assert doubling("%deploy invoke doubling 21 --silent").status_code == 200
        assert "doubling" in repr(doubling("%deploy list"))
        assert doubling("%deploy status doubling").state == "ready"
        assert "ready" in doubling("%deploy logs doubling")
    finally:
        doubling("%deploy delete doubling")

    assert repr(doubling("%deploy list")) == "nothing is deployed"


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_dry_run_shows_what_would_ship(doubling):
    plan = doubling("%deploy --dry-run")

    assert "def double(body)" in str(plan)
    assert repr(doubling("%deploy list")) == "nothing is deployed"


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_an_archive_is_written(doubling, folder):
    doubling("%deploy --to archive --output out.zip")

    assert "steps.py" in zipfile.ZipFile(folder / "out.zip").namelist()


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_what_check_finds_is_shown_where_one_deploys(run, shell, folder):
    (folder / "words.txt").write_text("a b")
    run(
        "from pathlib import Path\nSHOP_PASSWORD = 'hunter2-of-nobody'\n"
        "rows = list(map(str, range(9)))"
    )
    run(
        "%%graph_step say\ndef say(body):\n"
        "    return len(SHOP_PASSWORD), Path('words.txt').read_text(), rows"
    )
    plan = str(run("%deploy said --to archive --output said --dry-run"))
    deployment = run("%deploy said --to archive --output said")
    shown = shell.display_formatter.format(deployment)[0]["text/plain"]

    for text in (plan, shown):
        assert "warning: cell" in text
        assert "'SHOP_PASSWORD' looks like a secret" in text
        assert "'words.txt' is a file of this machine" in text
    assert "note: cell" in plan
    assert "%graph check" in shown
    assert {one.step for one in deployment.findings} >= {"say"}


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_port_in_use_is_told_and_leaves_nothing(doubling, taken_port):
    with pytest.raises(DeployError, match=str(taken_port)):
        doubling(f"%deploy --port {taken_port}")

    assert repr(doubling("%deploy list")) == "nothing is deployed"


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        pytest.param("factor = (n for n in [2])", "factor", id="cannot-ship"),
        pytest.param("del factor", "factor", id="not-defined"),
    ],
)
def test_what_cannot_ship_is_told_by_name(doubling, cell, said):
    doubling(cell)

    with pytest.raises(JupyterGraphError, match=said):
        doubling("%deploy")

    assert repr(doubling("%deploy list")) == "nothing is deployed"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("%deploy Bad_Name", "lower-case", id="name"),
        pytest.param("%deploy --to archve", "did you mean 'archive'", id="target"),
        pytest.param("%deploy --trigger x=htp", "'htp'", id="trigger"),
        pytest.param("%deploy --config minReplica=1", "minReplica", id="field"),
        pytest.param("%deploy --config eventTimeout=5", "eventTimeout", id="unit"),
        pytest.param("%deploy --workers 0", "workers is 0", id="workers"),
        pytest.param("%deploy --to archive", "needs output", id="no-output"),
        pytest.param(
            "%deploy --to nuclio --dashboard http://127.0.0.1:9",
            "127.0.0.1:9",
            id="dashboard-down",
        ),
    ],
)
def test_wrong_words_are_told_before_anything_is_built(doubling, line, said):
    with pytest.raises(DeployError, match=said):
        doubling(line)

    assert repr(doubling("%deploy list")) == "nothing is deployed"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_name_of_another_notebook_is_not_taken(doubling, session, folder):
    session.notebook_path = folder / "one.ipynb"
    doubling("%deploy shared")
    session.notebook_path = folder / "two.ipynb"
    try:
        with pytest.raises(NameTakenError, match=r"one\.ipynb"):
            doubling("%deploy shared")
        with pytest.raises(NameTakenError, match=r"one\.ipynb.*--replace"):
            doubling("%deploy delete shared")
    finally:
        doubling("%deploy delete shared --replace")


ANSWER = """%%graph_step
def answer(body, messages, temperature=1.0):
    yield "You said "
    yield messages[-1]["content"]
"""
ASKED = '{"model": "parrot", "messages": [{"role": "user", "content": "hello"}]}'
AT = "--path /v1/chat/completions"


def test_what_openais_clients_send_reaches_a_cell(run, session):
    run(ANSWER)

    first, second = (run(f"%graph run {ASKED} {AT}").body for _ in range(2))

    assert first["choices"][0]["message"]["content"] == "You said hello"
    assert first["id"] != second["id"]
    assert run("%graph replay last").body["choices"] == first["choices"]
    [note] = run("%graph check")
    assert (note.severity, "--openai" in note.fix) == ("note", True)
    run("%%graph_step answer\ndef answer(body):\n    return body", "c-1")
    assert run("%graph run 3").body == 3


def test_a_function_that_needs_more_than_they_send_is_refused(run):
    with pytest.raises(MagicError, match=r"answer\(\) needs message besides the body"):
        run("%%graph_step\ndef answer(body, message):\n    return message")


def test_without_the_endpoints_it_is_not_deployed(run):
    run(ANSWER)

    with pytest.raises(SpecError, match=r"answer\(\) needs messages besides the body"):
        run("%deploy chat --dry-run")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_chat_of_cells_is_deployed(run):
    run(ANSWER)
    run(f"%graph run {ASKED} {AT}")
    run("%deploy parrot --openai")
    try:
        answer = run(f"%deploy invoke parrot {ASKED} {AT}").body
        assert answer["choices"][0]["message"]["content"] == "You said hello"
    finally:
        run("%deploy delete parrot")
