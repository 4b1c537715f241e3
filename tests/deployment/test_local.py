import os
import signal
import socket
from urllib.parse import urlsplit

import psutil
import pytest

from jupyter_graph.deployment.deploy import deploy
from jupyter_graph.deployment.index import find, list_deployments
from jupyter_graph.deployment.private_files import function_folder
from jupyter_graph.deployment.records import recall
from jupyter_graph.errors import (
    BundleError,
    DeployError,
    HostError,
    NameTakenError,
    StepError,
)
from tests.deployment.conftest import ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


@pytest.fixture
def start(doubling):
    """Return a function that deploys steps of the doubling notebook locally."""

    def deploy_one(*steps, **options):
        graph = doubling.graph(*(steps or ("double", "add_one")))
        return deploy(graph, sources=doubling.sources, **options)

    return deploy_one


def pid_of(deployment):
    return recall(deployment.name, "local").pid


def test_a_graph_answers_over_http(start, doubling):
    events = ran(doubling.graph("double", "add_one"), *({"n": n} for n in range(20)))
    deployment = start(events=events, workers=2)
    answer = deployment.invoke({"n": 20})

    assert answer.body == {"n": 41}
    assert (deployment.status().state, deployment.status().workers) == ("ready", 2)
    assert str(deployment.parity) == "parity: 20 of 20 events equal"
    assert deployment.url.startswith("http://127.0.0.1:")


def test_it_is_found_called_and_deleted_from_the_index(start):
    pid = pid_of(start())
    found = find("math")

    assert found.invoke({"n": 1}).body == {"n": 3}
    assert [one.name for one in list_deployments()] == ["math"]
    assert "ready" in found.logs()
    found.delete()
    assert list_deployments() == []
    assert not psutil.pid_exists(pid)


def test_a_failed_event_raises_what_failed(start):
    deployment = start()

    with pytest.raises(StepError, match=r"step 'double' failed.*KeyError") as caught:
        deployment.invoke({})
    assert caught.value.step == "double"
    assert deployment.invoke({}, silent=True).status_code == 500


def test_an_unchanged_graph_is_left_alone(start):
    first = start()
    pid = pid_of(first)
    second = start()

    assert "unchanged" in second.note
    assert (second.url, pid_of(second)) == (first.url, pid)


def test_a_changed_graph_keeps_port_and_url(start):
    first = start()
    second = start("double")

    assert second.url == first.url
    assert second.invoke({"n": 4}).body == {"n": 8}
    assert len(list_deployments()) == 1


def test_another_port_is_taken_when_asked(start, free_port):
    first = start()
    second = start(port=free_port)

    assert urlsplit(second.url).port == free_port
    with pytest.raises(HostError, match="does not answer"):
        first.invoke({"n": 1})


def test_a_failed_deploy_leaves_the_old_one_serving(start, doubling):
    first = start()
    pid = pid_of(first)
    doubling.run(
        "import sys\ndef bad(body, n=1 if 'pytest' in sys.modules else 1 // 0): ..."
    )

    with pytest.raises(BundleError, match="ZeroDivisionError"):
        start("double", "bad")
    assert first.invoke({"n": 1}).body == {"n": 3}
    assert pid_of(first) == pid


def test_a_host_that_does_not_start_gives_its_place_back(start, doubling, monkeypatch):
    first = start()
    doubling.run(
        "import os\n"
        "class Picky:\n"
        "    def __init__(self):\n"
        "        is_checked = 'JUPYTER_GRAPH_PARITY' in os.environ\n"
        "        if __name__ == '_graph_steps' and not is_checked:\n"
        "            raise ValueError('only for checks')\n"
        "    def do(self, body): return body\n"
    )

    with pytest.raises(HostError, match="only for checks") as caught:
        start("double", "Picky")
    assert caught.value.__notes__ == ["what was deployed before serves again"]
    assert first.invoke({"n": 1}).body == {"n": 3}
    assert len(list((recall_folder() / "bundles").iterdir())) == 1


def recall_folder():
    return function_folder("math", "local")


def test_a_host_that_takes_too_long_is_ended(start, doubling):
    doubling.run(
        "import os, time\n"
        "class Slow:\n"
        "    def __init__(self):\n"
        "        is_checked = 'JUPYTER_GRAPH_PARITY' in os.environ\n"
        "        if __name__ == '_graph_steps' and not is_checked:\n"
        "            time.sleep(60)\n"
        "    def do(self, body): return body\n"
    )

    with pytest.raises(HostError, match=r"not ready after|not ready within"):
        start("Slow", wait_s=1.5)
    assert list_deployments() == []


def test_a_port_in_use_is_refused_before_anything_is_built(start):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(DeployError, match=f"port {port} is in use by process"):
            start(port=port)


def test_a_port_of_another_deployment_is_told_by_its_name(start):
    port = urlsplit(start().url).port

    with pytest.raises(DeployError, match="which is deployment 'math'"):
        start("double", name="other", port=port)


def test_a_name_of_another_notebook_is_refused(start, doubling):
    start()
    doubling.path = doubling.path.with_name("other.ipynb")

    with pytest.raises(NameTakenError, match=r"deployed from .*math\.ipynb"):
        start("double")
    assert start("double", replace=True).invoke({"n": 1}).body == {"n": 2}


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_host_that_died_is_shown_as_stopped_and_can_be_deleted(start):
    deployment = start()
    process = psutil.Process(pid_of(deployment))
    for victim in [*process.children(), process]:
        victim.send_signal(signal.SIGKILL)
    process.wait(5)

    assert deployment.state == "stopped"
    with pytest.raises(HostError, match="does not answer"):
        deployment.invoke({})
    deployment.delete()
    assert list_deployments() == []


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_host_that_died_is_started_again_on_its_port(start):
    first = start()
    process = psutil.Process(pid_of(first))
    for victim in [*process.children(), process]:
        victim.send_signal(signal.SIGKILL)
    process.wait(5)
    second = start()

    assert second.url == first.url
    assert second.invoke({"n": 1}).body == {"n": 3}


def test_variables_and_secrets_reach_the_steps(start, doubling, monkeypatch):
    doubling.run(
        "import os\n"
        "def look(body, context):\n"
        "    return [os.environ['COLOUR'], context.get_secret('KEY')]\n"
    )
    monkeypatch.setenv("vault_key", "hush")
    deployment = start("look", env={"COLOUR": "red"}, secrets={"KEY": "vault/key"})
    record = recall("math", "local")

    assert deployment.invoke({}).body == ["red", "hush"]
    assert "hush" not in str(record)


def test_no_other_variable_of_the_notebook_reaches_the_steps(
    start, doubling, monkeypatch
):
    monkeypatch.setenv("OF_THE_NOTEBOOK", "x")
    monkeypatch.setenv("SHOP_DB_PASSWORD", "hush")
    doubling.run(
        "import os\n"
        "def look(body, context):\n"
        "    return [os.environ.get('OF_THE_NOTEBOOK'), 'PATH' in os.environ,\n"
        "            context.get_secret('KEY')]\n"
    )
    deployment = start("look", secrets={"KEY": "shop-db/password"})

    assert deployment.invoke({}).body == [None, True, "hush"]


def test_a_variable_that_nobody_gives_is_told_before_anything_starts(
    start, doubling, monkeypatch
):
    monkeypatch.setenv("OF_THE_NOTEBOOK", "x")
    doubling.run(
        "import os\ndef look(body):\n    return os.environ['OF_THE_NOTEBOOK']\n"
    )

    with pytest.raises(
        BundleError, match=r"cell 3, line 3: .*'OF_THE_NOTEBOOK' is read"
    ):
        start("look")
    assert start("look", env={"OF_THE_NOTEBOOK": "y"}).invoke({}).body == "y"


@pytest.mark.parametrize("code", ["'{}'", "['a', '{}']", "dict(a='{}-x')"])
def test_the_value_of_a_secret_variable_stops_the_deploy(
    start, doubling, monkeypatch, code
):
    monkeypatch.setenv("SHOP_OF_NOBODY_TOKEN", "abc-4711-of-nobody")
    value = code.format("abc-4711-of-nobody")
    doubling.run(f"kept = {value}\ndef look(body):\n    return len(kept)\n")

    with pytest.raises(BundleError, match="holds the value of SHOP_OF_NOBODY_TOKEN"):
        start("look")


def test_a_secret_without_a_value_is_refused(start):
    with pytest.raises(BundleError, match="secrets without a value: KEY"):
        start(secrets={"KEY": "no-vault/key"})


def test_files_without_a_root_lie_in_the_notebooks_folder(start, doubling):
    (doubling.path.parent / "rates.txt").write_text("7")
    doubling.run("def read(body):\n    with open('rates.txt') as f: return f.read()\n")

    assert start("read").invoke({}).body == "7"


def test_a_dry_run_shows_everything_and_starts_nothing(start, doubling):
    start()
    plan = start("double", dry_run=True, workers=2)

    assert plan.files["steps.py"].startswith("# cell 1, line 1\ndef double")
    assert "changed: steps.py" in plan.changes
    assert "numWorkers: 2" in str(plan)
    assert "-def add_one(body):" in str(plan)
    assert str(plan.parity) == "parity: no recorded events"
    assert find("math").invoke({"n": 1}).body == {"n": 3}


def test_a_deployment_shows_itself_escaped(start):
    bundle = start()._repr_mimebundle_()

    assert "ready" in bundle["text/plain"]
    assert "<script" not in bundle["text/html"]


def test_state_and_building_folders_hold_nothing_else_afterwards(start, state):
    start()
    start("double").delete()

    assert list((state / "building").iterdir()) == []
    assert not (state / "functions/local/math").exists()


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_second_graph_of_the_notebook_needs_consent(start, doubling):
    start(name="shared")
    graph = doubling.graph("double", name="second")

    def deploy_it(**options):
        return deploy(graph, name="shared", sources=doubling.sources, **options)

    with pytest.raises(NameTakenError, match="graph 'math' of this notebook"):
        deploy_it()
    assert find("shared").invoke({"n": 1}).body == {"n": 3}
    assert deploy_it(replace=True).invoke({"n": 1}).body == {"n": 2}
    assert deploy_it().note == "unchanged: it goes on serving"


def test_unchanged_code_of_another_notebook_is_its_own_from_then_on(start, doubling):
    start()
    doubling.path = doubling.path.with_name("other.ipynb")

    assert start(replace=True).record.notebook == str(doubling.path)
    assert start().note == "unchanged: it goes on serving"
