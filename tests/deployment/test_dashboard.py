import inspect
import socket

import pytest
from nuclio import deploy as nuclio_deploy

from jupyter_graph.deployment.nuclio.dashboard import Dashboard
from jupyter_graph.errors import DashboardError

pytestmark = pytest.mark.slow

HTTP = {"http": {"kind": "http", "numWorkers": 1}}


def document(name="fraud", **spec):
    found = {"runtime": "python:3.11", "triggers": HTTP, **spec}
    return {"metadata": {"name": name, "labels": {}}, "spec": found}


def test_a_new_function_is_posted_and_waited_for(dashboard):
    client = Dashboard()
    client.send(document(), "default")
    ready = client.wait("fraud", 10)

    assert ready["status"]["state"] == "ready"
    assert len(dashboard.sent("POST", "/api/functions")) == 1
    assert client.addresses(ready) == [
        f"{dashboard.url}/events/fraud",
        "http://nuclio-fraud.default.svc.cluster.local:8080",
    ]


def test_a_known_function_is_put(dashboard):
    client = Dashboard()
    client.send(document(), "default")
    client.send(document(), "default")

    assert len(dashboard.sent("PUT", "/api/functions/fraud")) == 1


def test_a_missing_project_is_made(dashboard, capsys):
    Dashboard().send(document(), "risk")
    [sent] = dashboard.sent("POST", "/api/functions")

    assert dashboard.projects["risk"]["metadata"] == {"name": "risk"}
    assert sent["metadata"]["labels"] == {"nuclio.io/project-name": "risk"}
    assert capsys.readouterr() == ("", "")


def test_a_refusal_holds_the_dashboards_own_words(dashboard):
    dashboard.refusal = (400, "Function name doesn't conform to k8s naming")

    with pytest.raises(DashboardError, match="400 Function name doesn't conform"):
        Dashboard().send(document(), "default")


@pytest.mark.parametrize("state", ["error", "unhealthy"])
def test_the_cause_of_a_failure_is_read_from_the_logs(dashboard, state):
    dashboard.end, dashboard.err = state, "Failed to build: no matching pandsa==2"
    client = Dashboard()
    client.send(document(), "default")

    with pytest.raises(DashboardError, match=f"is {state}: Failed to build: no match"):
        client.wait("fraud", 10)


def test_a_failure_without_a_cause_says_that_there_is_none(dashboard):
    dashboard.end = "unhealthy"
    client = Dashboard()
    client.send(document(), "default")

    with pytest.raises(DashboardError, match="did not say why"):
        client.wait("fraud", 10)


def test_a_wrong_field_that_is_accepted_fails_with_its_cause(dashboard):
    client = Dashboard()
    client.send(document(eventTimeout="abc"), "default")

    with pytest.raises(DashboardError, match='invalid duration "abc"'):
        client.wait("fraud", 10)


def test_waiting_ends(dashboard):
    dashboard.end = "building"
    client = Dashboard()
    client.send(document(), "default")

    with pytest.raises(DashboardError, match=r"still 'building' after 0\.3 s"):
        client.wait("fraud", 0.3)


def test_a_function_scaled_to_zero_is_ready(dashboard):
    dashboard.end = "scaledToZero"
    client = Dashboard()
    client.send(document(), "default")

    assert client.wait("fraud", 10)["status"]["state"] == "scaledToZero"


def test_the_state_of_an_older_version_is_not_taken_for_the_new_one(dashboard):
    client = Dashboard()
    client.send(document(), "default")
    client.wait("fraud", 10)

    with pytest.raises(DashboardError, match="not updated yet"):
        client.wait("fraud", 0.2, {"version": "2"})


def test_deleting_twice_is_harmless(dashboard):
    client = Dashboard()
    client.send(document(), "default")
    client.delete("fraud", "default")
    client.delete("fraud", "default")

    assert client.function("fraud") is None


def test_a_dashboard_that_is_down_is_named():
    with pytest.raises(DashboardError, match=r"http://127\.0\.0\.1:9/api .*is it up"):
        Dashboard("http://127.0.0.1:9").function("fraud")


def test_a_dashboard_that_never_answers_does_not_hang():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = Dashboard(url, limit_s=0.2)

        with pytest.raises(DashboardError, match="does not answer"):
            client.function("fraud")
        with pytest.raises(DashboardError, match=r"no answer within 0\.2 s"):
            client.send(document(), "default")


def test_something_else_on_that_port_is_told_apart(dashboard):
    with pytest.raises(DashboardError, match="404"):
        Dashboard(f"{dashboard.url}/other").send(document(), "default")


def test_what_is_used_of_nuclio_jupyter_is_there():
    words = inspect.signature(nuclio_deploy.deploy_config).parameters
    used = {"name", "project", "create_new", "watch", "auth_info"}

    assert used <= words.keys(), "deploy_config of nuclio-jupyter has changed"
    assert isinstance(nuclio_deploy.VERIFY_CERT, bool)
