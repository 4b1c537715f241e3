import base64

import pytest

from jupyter_graph.deployment.deploy import deploy
from jupyter_graph.deployment.index import find, records
from jupyter_graph.deployment.parity.clean_process import CleanProcess
from jupyter_graph.deployment.targets import nuclio_target
from jupyter_graph.deployment.targets.nuclio_target import owner_of
from jupyter_graph.errors import (
    BundleError,
    DashboardError,
    DeployError,
    NameTakenError,
)
from tests.deployment.conftest import ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
KAFKA = {
    "kind": "kafka",
    "brokers": ["b:9092"],
    "topics": ["t"],
    "explicitAckMode": "explicitOnly",
    "workerAllocationMode": "static",
}


@pytest.fixture
def send(doubling, dashboard):
    """Return a function that deploys steps of the doubling notebook to it."""

    def deploy_one(*steps, **options):
        graph = doubling.graph(*(steps or ("double", "add_one")))
        return deploy(graph, target="nuclio", sources=doubling.sources, **options)

    return deploy_one


def source_of(document):
    return base64.b64decode(document["spec"]["build"]["functionSourceCode"]).decode()


def test_a_graph_becomes_a_function(send, doubling, dashboard):
    events = ran(doubling.graph("double", "add_one"), {"n": 1})
    deployment = send(workers=2, events=events)
    [document] = dashboard.sent("POST", "/api/functions")

    assert deployment.status() == type(deployment.status())(
        "ready", 2, deployment.url, ""
    )
    assert deployment.url == f"{dashboard.url}/events/math"
    assert str(deployment.parity) == "parity: 1 of 1 events equal"
    assert document["spec"]["handler"] == "main:handler"
    assert document["spec"]["build"]["codeEntryType"] == "sourceCode"
    assert deployment.invoke({"n": 1}).body == {"function": "math", "body": {"n": 1}}
    assert "Function is ready" in deployment.logs()


def test_the_source_that_was_sent_answers_as_the_notebook(send, dashboard, tmp_path):
    send()
    [document] = dashboard.sent("POST", "/api/functions")
    (tmp_path / "main.py").write_text(source_of(document))
    event = {
        "payload": base64.b64encode(b'{"n": 20}').decode(),
        "id": "e1",
        "path": "/",
        "method": "POST",
        "headers": {},
        "content_type": "application/json",
    }
    with CleanProcess(tmp_path, None) as process:
        answer = process.ask(event, 10)

    assert process.failed is None
    assert base64.b64decode(answer["payload"]) == b'{"n": 41}'


def test_a_changed_source_refuses_to_run(send, dashboard, tmp_path):
    send()
    [document] = dashboard.sent("POST", "/api/functions")
    text = source_of(document)
    line = next(line for line in text.splitlines() if line.startswith('    "'))
    (tmp_path / "main.py").write_text(text.replace(line, line[:-2] + 'A"', 1))
    with CleanProcess(tmp_path, None) as process:
        failed = process.failed

    assert "changed or cut off" in failed["text"]


def test_an_unchanged_graph_is_not_sent_again(send, dashboard):
    send()
    deployment = send()

    assert "unchanged" in deployment.note
    assert dashboard.sent("PUT", "/api/functions/math") == []


def test_a_changed_graph_updates_its_function(send, dashboard):
    send()
    deployment = send("double")
    [document] = dashboard.sent("PUT", "/api/functions/math")

    assert deployment.note == "replaced"
    assert document["metadata"]["annotations"]["jupyter-graph/hash"]


def test_triggers_env_and_secrets_are_sent(send, dashboard):
    send(
        triggers={"q": KAFKA},
        env={"A": "1"},
        secrets={"KEY": "vault/key"},
        config={"disableDefaultHTTPTrigger": True, "build.noCache": True},
        pip="PyYAML==6.0.3",
    )
    [document] = dashboard.sent("POST", "/api/functions")
    spec = document["spec"]

    assert list(spec["triggers"]) == ["q"]
    assert spec["triggers"]["q"]["kind"] == "kafka-cluster"
    assert spec["env"][1]["valueFrom"]["secretKeyRef"] == {
        "name": "vault",
        "key": "key",
    }
    assert spec["build"]["noCache"] is True
    assert spec["build"]["commands"] == [
        "python -m pip install --no-cache-dir PyYAML==6.0.3"
    ]


def test_a_password_of_a_trigger_reaches_the_dashboard_alone(send, dashboard):
    trigger = {
        "kind": "rabbit-mq",
        "url": "amqp://host",
        "password": "hunter2",
        "exchangeName": "e",
        "queueName": "q",
    }
    deployment = send(triggers={"q": trigger})
    [document] = dashboard.sent("POST", "/api/functions")

    assert document["spec"]["triggers"]["q"]["password"] == "hunter2"
    assert "hunter2" not in str(deployment.record)
    assert "hunter2" not in source_of(document)


def test_a_failed_build_raises_its_cause_and_leaves_no_function(send, dashboard):
    dashboard.end, dashboard.err = "error", "No matching distribution for pandsa==2"

    with pytest.raises(DashboardError, match="No matching distribution for pandsa"):
        send()
    assert dashboard.functions == {}
    assert records() == []


def test_a_failed_update_says_what_still_runs(send, dashboard):
    send()
    dashboard.end, dashboard.err = "unhealthy", "readiness probe failed"

    with pytest.raises(DashboardError, match="readiness probe failed") as caught:
        send("double")
    assert caught.value.__notes__ == ["Nuclio keeps the pods of the last good version"]
    assert "math" in dashboard.functions


def test_a_refused_document_raises_the_dashboards_words(send, dashboard):
    dashboard.refusal = (400, "Namespace must exist")

    with pytest.raises(DashboardError, match="400 Namespace must exist"):
        send()


def test_waiting_for_a_function_ends(send, dashboard):
    dashboard.end = "building"

    with pytest.raises(DashboardError, match="still 'building' after 1 s"):
        send(wait_s=1)


def test_a_dashboard_that_is_down_is_told_before_anything_is_built(doubling):
    with pytest.raises(DashboardError, match="does not answer"):
        deploy(
            doubling.graph("double"),
            target="nuclio",
            sources=doubling.sources,
            dashboard="http://127.0.0.1:9",
        )


def test_a_function_made_by_hand_is_left_alone(send, dashboard):
    dashboard.answer(
        "POST",
        "/api/functions",
        {
            "metadata": {
                "name": "math",
                "labels": {"nuclio.io/project-name": "default"},
            },
            "spec": {},
        },
    )

    with pytest.raises(NameTakenError, match="was made by hand"):
        send()
    assert send(replace=True).state == "ready"


def test_a_function_of_another_notebook_is_left_alone(send, doubling):
    send()
    doubling.path = doubling.path.with_name("other.ipynb")

    with pytest.raises(NameTakenError, match=r"is of notebook 'math\.ipynb"):
        send("double")


def test_a_function_of_another_graph_is_left_alone(send, doubling):
    send()
    graph = doubling.graph("double", name="second")

    with pytest.raises(NameTakenError, match="is of graph 'math' of this notebook"):
        deploy(graph, name="math", target="nuclio", sources=doubling.sources)


def test_an_unsaved_notebook_is_known_by_its_kernel(monkeypatch):
    own = owner_of("")
    monkeypatch.setattr(nuclio_target, "this_kernel", lambda: "host:1:2.00")

    assert own.startswith("unsaved (")
    assert owner_of("") != own


def test_a_function_of_another_project_is_left_alone(send):
    send(project="risk")

    with pytest.raises(NameTakenError, match="belongs to project 'risk'"):
        send("double", replace=True)


def test_a_function_is_deleted_from_anywhere(send, dashboard):
    send()
    find("math").delete()

    assert dashboard.functions == {}
    assert records() == []


def test_a_function_that_was_deleted_elsewhere_is_gone(send, dashboard):
    deployment = send()
    dashboard.functions.clear()

    assert deployment.state == "gone"
    deployment.delete()
    assert records() == []


def test_a_dry_run_asks_the_dashboard_nothing(send, dashboard):
    plan = send(dry_run=True)

    assert dashboard.requests == []
    assert plan.changes == ("new: nothing of this name was deployed from here",)


def test_a_function_too_large_for_a_dashboard_is_refused(send, doubling, dashboard):
    doubling.run(
        "import random\n"
        "numbers = [random.Random(n).random() for n in range(60_000)]\n"
        "def look(body): return numbers[body]\n"
    )

    with pytest.raises(BundleError, match=r"largest files are artifacts/numbers"):
        send("look")
    assert dashboard.functions == {}


def test_a_function_without_an_address_says_so(send, dashboard):
    deployment = send()
    object.__setattr__(deployment.record, "url", "")

    with pytest.raises(DeployError, match="has no address"):
        deployment.invoke({})
