"""The two functions that Nuclio calls, with nuclio-sdk's own objects."""

import asyncio
import json
import logging
import sys

import nuclio_sdk
import pytest

from jupyter_graph.errors import BundleError, SpecError
from jupyter_graph.host.bundle_loader import read_secrets
from jupyter_graph.host.handler import serve
from jupyter_graph.host.logs import HostLogger
from jupyter_graph.host.nuclio_context import HostContext


def nuclio_context():
    return nuclio_sdk.Context(
        nuclio_sdk.Logger(40),
        nuclio_sdk.Platform("local"),
        "3",
        nuclio_sdk.TriggerInfo("http", "web"),
    )


def nuclio_event(body=None, content_type="application/json", **facts):
    trigger = nuclio_sdk.TriggerInfo("http", "web")
    known = {"trigger": trigger, "_id": "n1", "method": "POST", **facts}
    return nuclio_sdk.Event(body=body, content_type=content_type, **known)


def call(bundle, *events, context=None):
    """Open the bundle as a worker does and give the responses to the events."""
    context = context or nuclio_context()
    init_context, handler = serve(bundle)

    async def work():
        await init_context(context)
        try:
            return [await handler(context, event) for event in events]
        finally:
            context.user_data.runner.close()

    return asyncio.run(work())


ECHO = "def step(body):\n    return body\n"


def test_a_body_goes_through_the_graph_and_comes_back_as_bytes(make_bundle):
    [response] = call(make_bundle(ECHO), nuclio_event({"a": 1}))

    assert isinstance(response, nuclio_sdk.Response)
    assert (response.body, response.content_type, response.status_code) == (
        b'{"a": 1}', "application/json", 200,
    )  # fmt: skip


def test_a_list_is_one_answer_and_no_batch(make_bundle):
    [response] = call(make_bundle(ECHO), nuclio_event([]))

    assert response.body == b"[]"


def test_a_body_that_is_not_json_is_a_problem_with_the_events_id(make_bundle):
    [response] = call(make_bundle(ECHO), nuclio_event(b'{"a":'))

    assert (response.status_code, response.content_type) == (
        400, "application/problem+json",
    )  # fmt: skip
    assert len(json.loads(response.body)["event_id"]) == 32  # n1 is its worker's


def test_a_failing_event_leaves_its_neighbours_alone(make_bundle):
    source = "def step(body):\n    return 1 / body\n"

    responses = call(make_bundle(source), *map(nuclio_event, [1, 0, 2]))

    assert [response.status_code for response in responses] == [200, 500, 200]
    assert json.loads(responses[1].body)["step"] == "step"


def test_mlrun_status_is_a_setting_of_the_bundle(make_bundle):
    source = "def step(body):\n    return 1 / body\n"

    [response] = call(make_bundle(source, mlrun_status=True), nuclio_event(0))

    assert response.status_code == 400


def test_parameters_secrets_logger_and_worker_reach_the_step(make_bundle, monkeypatch):
    source = (
        "class Step:\n"
        "    def __init__(self, context, name):\n"
        "        self.seen = [context.get_param('limit'), context.get_secret('KEY'),\n"
        "                     context.worker_id, name]\n"
        "        context.logger.info('made')\n"
        "    def do(self, body):\n"
        "        return self.seen\n"
    )
    bundle = make_bundle(source, parameters={"limit": 3}, secrets={"KEY": "db/pass"})
    graph = {"steps": {"s": {"class_name": "Step", "responder": True}}, "name": "made"}
    (bundle / "graph.json").write_text(json.dumps(graph))
    monkeypatch.setenv("db_pass", "hush")

    [response] = call(bundle, nuclio_event())

    assert json.loads(response.body) == [3, "hush", "3", "s"]


def test_a_secret_without_a_value_is_named_and_no_value_is_shown(tmp_path, monkeypatch):
    folder = tmp_path / "db"
    folder.mkdir()
    (folder / "pass").write_text("hush\n")
    (folder / "pass").chmod(0o600)
    monkeypatch.setenv("JUPYTER_GRAPH_SECRETS_DIR", str(tmp_path))

    with pytest.raises(BundleError, match=r"OTHER \(variable x_y") as caught:
        read_secrets({"KEY": "db/pass", "OTHER": "x/y", "BAD": "../pass"})

    assert read_secrets({"KEY": "db/pass"}) == {"KEY": "hush"}
    assert "hush" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX's")
def test_a_secret_that_others_can_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "pass").write_text("hush")
    (tmp_path / "db" / "pass").chmod(0o644)
    monkeypatch.setenv("JUPYTER_GRAPH_SECRETS_DIR", str(tmp_path))

    with pytest.raises(BundleError, match="by its owner only"):
        read_secrets({"KEY": "db/pass"})


STREAM = "def step(body):\n    yield from body\n"


@pytest.mark.parametrize(
    ("body", "status", "content_type", "payload"),
    [
        (["a", "é"], 200, "text/plain; charset=utf-8", "aé".encode()),
        ([1, {"a": 2}], 200, "application/x-ndjson", b'1\n{"a": 2}\n'),
    ],
    ids=["text", "objects"],
)
def test_a_server_that_cannot_stream_gets_the_whole_stream_at_once(
    make_bundle, body, status, content_type, payload
):
    [response] = call(make_bundle(STREAM), nuclio_event(body))

    assert (response.status_code, response.content_type, response.body) == (
        status, content_type, payload,
    )  # fmt: skip


def test_nuclio_finds_init_context_in_the_module_that_called_serve(make_bundle):
    bundle = make_bundle(ECHO)
    names = {"__name__": "main", "__file__": str(bundle / "main.py")}
    exec((bundle / "main.py").read_text(), names)

    assert names["handler"].__module__ == "main"
    assert asyncio.iscoroutinefunction(names["init_context"])


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("graph.json", "{", "is not JSON"),
        ("graph.json", "[]", "must hold a JSON object"),
        ("graph.json", None, "cannot be read"),
        ("steps.py", None, "has no steps.py"),
    ],
)
def test_a_broken_bundle_is_an_error_that_names_the_file(make_bundle, file, text, said):
    bundle = make_bundle(ECHO)
    (bundle / file).unlink()
    if text is not None:
        (bundle / file).write_text(text)

    with pytest.raises(BundleError, match=said):
        call(bundle)


def test_a_step_that_steps_py_does_not_define_is_an_error(make_bundle):
    with pytest.raises(SpecError, match="'stepp'"):
        call(make_bundle(ECHO, handler="stepp"))


def test_a_class_that_steps_py_imports_is_a_step_too(make_bundle):
    source = "from fractions import Fraction\nfrom json import dumps as step\n"

    [response] = call(make_bundle(source), nuclio_event([1]))

    assert response.body == b"[1]"


def test_the_handler_room_imports_nothing_heavy():
    import subprocess

    program = (
        "import sys\nimport jupyter_graph.host.handler\n"
        "print([name for name in ('IPython', 'anywidget', 'storey', 'numpy', 'pandas',"
        " 'nuclio', 'uvicorn', 'prometheus_client') if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_hosts_context_has_what_nuclios_has():
    import logging

    ours = HostContext(HostLogger(logging.getLogger("t")), worker_id="0", name="f")
    theirs = nuclio_context()
    names = {name for name in vars(theirs) if not name.startswith("_")}
    methods = {"debug", "info", "warn", "error", "debug_with", "info_with",
               "warn_with", "error_with", "bind"}  # fmt: skip

    assert names <= {name for name in dir(ours) if not name.startswith("_")}
    assert methods <= set(dir(ours.logger))
    assert vars(theirs.Response()).keys() <= set(ours.Response.__slots__)


AT_ONCE = """
import asyncio
import pathlib

def step(body):
    return 2 * body

async def audit(body):
    await asyncio.sleep(0.1)
    if body == 4:
        raise ValueError("no audit")
    pathlib.Path("audited.txt").write_text(str(body))
"""


def test_it_answers_before_the_steps_after_the_responder(
    make_bundle, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    bundle = make_bundle(AT_ONCE, "async")
    graph = json.loads((bundle / "graph.json").read_text())
    graph["steps"]["audit"] = {"kind": "task", "handler": "audit", "after": ["step"]}
    (bundle / "graph.json").write_text(json.dumps(graph))
    context = HostContext(
        HostLogger(logging.getLogger("made")), worker_id="0", name="f"
    )
    init_context, handler = serve(bundle)

    async def work():
        await init_context(context)
        responses = [await handler(context, nuclio_event(body)) for body in (2, 3)]
        is_audited = (tmp_path / "audited.txt").exists()
        await context.user_data.runner.aclose()
        return responses, is_audited

    responses, is_audited = asyncio.run(work())

    assert [response.body for response in responses] == [b"4", b"6"]
    assert not is_audited
    assert (tmp_path / "audited.txt").read_text() == "6"
