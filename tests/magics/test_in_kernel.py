"""The magics in a real kernel, asked the way Jupyter's front ends ask."""

import pytest
from jupyter_client.manager import KernelManager

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A started kernel and its client."""
    folder = tmp_path_factory.mktemp("kernel")
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), env=environment(folder))
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def environment(folder):
    import os

    return {
        **os.environ,
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_GRAPH_STATE_DIR": str(folder / "state"),
        "JPY_SESSION_NAME": str(folder / "fraud.ipynb"),
    }


@pytest.fixture(scope="module")
def run(kernel):
    """Run a cell as JupyterLab does and give its reply and its outputs."""

    def run(source, cell_id=None):
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        metadata = {"cellId": cell_id} if cell_id else {}
        message = kernel.session.msg("execute_request", content, metadata=metadata)
        kernel.shell_channel.send(message)
        outputs = []
        while True:
            got = kernel.get_iopub_msg(timeout=60)
            if got["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if (
                got["msg_type"] == "status"
                and got["content"]["execution_state"] == "idle"
            ):
                break
            outputs.append((got["msg_type"], got["content"]))
        return reply_to(kernel, message["header"]["msg_id"]), outputs

    run("%load_ext jupyter_graph")
    return run


def reply_to(kernel, message_id):
    """Wait for the reply to a request; replies to others are passed over."""
    while True:
        reply = kernel.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == message_id:
            return reply["content"]


def data_of(outputs):
    kinds = ("execute_result", "display_data")
    return [content["data"] for kind, content in outputs if kind in kinds]


def test_a_step_cell_shows_its_step_in_the_graph_of_the_notebook(run):
    reply, outputs = run("%%graph_step parse\ndef parse(body): return body", "c1")

    assert reply["status"] == "ok"
    assert data_of(outputs)[0]["text/plain"] == "step 'parse' of graph 'fraud'"


def test_top_level_await_runs_on_the_kernels_loop(run):
    run(
        "import asyncio\nevent = asyncio.Event()\n"
        "asyncio.get_running_loop().call_later(0.05, event.set)"
    )
    reply, _ = run(
        "%%graph_step waited\nfound = await event.wait()\n"
        "async def waited(body): return found",
        "c2",
    )
    _, outputs = run("%graph run 1")

    assert reply["status"] == "ok"
    assert data_of(outputs)[0]["text/plain"].startswith("200  True")


def test_a_cell_is_recognised_by_the_id_of_the_front_end(run):
    run("%%graph_step before\ndef before(body): return body", "c3")
    _, outputs = run("%%graph_step after\ndef after(body): return body", "c3")

    assert "renamed from 'before'" in data_of(outputs)[0]["text/plain"]


def test_the_graph_is_a_widget_with_a_picture(run):
    _, outputs = run("%graph")
    [data] = data_of(outputs)

    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/svg+xml"].startswith("<svg")
    assert "parse" in data["text/plain"]


def test_an_event_updates_the_widget_that_is_shown(run):
    run("view = %graph")
    run("%graph run 1")
    _, outputs = run("view.counters['steps']['parse']['count']")

    assert int(data_of(outputs)[0]["text/plain"]) >= 1


def test_a_failing_step_points_at_cell_and_line(run):
    reply, _ = run("%%graph_step fails\n\ndef fails(body):\n    return 1 / 0", "c4")
    number = reply["execution_count"]
    reply, _ = run("%graph run 1")
    traceback = "\n".join(reply["traceback"])

    assert (reply["status"], reply["ename"]) == ("error", "StepError")
    assert f"In[{number}]" in traceback
    assert "4" in traceback
    assert "1" in traceback
    run("%graph remove fails")


def test_wrong_words_make_the_cell_fail(run):
    reply, _ = run("%graph runn")

    assert (reply["status"], reply["ename"]) == ("error", "MagicError")
    assert reply["traceback"] == [f"MagicError: {reply['evalue']}"]


def test_a_step_cell_without_body_fails(run):
    reply, _ = run("%%graph_step empty")

    assert (reply["status"], reply["ename"]) == ("error", "CellError")


def test_step_names_are_completed_with_code_below(run, kernel):
    code = "%%graph_step x --after pa\ndef x(body): pass"
    found = reply_to(kernel, kernel.complete(code, code.index("\n")))

    assert found["matches"] == ["parse"]


def test_help_is_shown(run):
    reply, _ = run("%%graph_step?")

    assert "--after A,B" in reply["payload"][0]["data"]["text/plain"]


AWKWARD = (
    "%graph new clean",
    "%%graph_step strip\ndef strip(body): return body.strip()",
    "%%graph_step lower\nasync def lower(body): return body.lower()",
    "%graph new awkward",
    "%graph add clean tidy",
    "%%graph_step size --after tidy --batch 4\n"
    "def size(bodies): return [len(body) for body in bodies]",
    "%%graph_step text --after tidy\ndef text(body): return body",
    "%%graph_step both --after size,text --join all --respond\n"
    "def both(parts): return parts",
    "%%graph_step store --queue q --function worker\ndef store(body): return body",
)


def test_a_notebook_of_all_kinds_runs_and_shows_itself(run):
    for number, cell in enumerate(AWKWARD):
        reply, _ = run(cell, f"awkward-{number}")
        assert reply["status"] == "ok", reply
    _, outputs = run("%graph run ' A b '")
    _, shown = run("%graph")
    drawn = data_of(shown)[0]

    assert data_of(outputs)[0]["text/plain"] == "200  [3, 'a b']"
    assert "▤   tidy   2 steps" in drawn["text/plain"]
    assert "queue q, in process" in drawn["image/svg+xml"]
    assert "$start" not in drawn["image/svg+xml"] + drawn["text/plain"]
