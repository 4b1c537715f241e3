import pytest

from jupyter_graph.deployment.deploy import deploy
from jupyter_graph.deployment.index import list_deployments
from jupyter_graph.deployment.notebook_file import set_notebook
from jupyter_graph.errors import BundleError, DeployError, ParityError, SpecError
from tests.deployment.conftest import ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
BODIES = [{"n": n} for n in range(20)]


@pytest.mark.parametrize("target", ["local", "nuclio"])
def test_a_graph_is_checked_started_called_and_deleted(doubling, dashboard, target):
    graph = doubling.graph("double", "add_one")
    events = ran(graph, *BODIES)
    deployment = deploy(
        graph, target=target, sources=doubling.sources, events=events, workers=2
    )
    answer = deployment.invoke({"n": 1})

    assert str(deployment.parity) == "parity: 20 of 20 events equal"
    assert deployment.state == "ready"
    assert answer.status_code == 200
    deployment.delete()
    assert list_deployments() == []


def test_a_bundle_that_answers_differently_is_not_started(doubling):
    doubling.run("SEEN = []\ndef count(body):\n    SEEN.append(1)\n    return body\n")
    doubling.run("import sys\ndef where(body):\n    return 'pytest' in sys.modules\n")
    graph = doubling.graph("where")

    with pytest.raises(ParityError) as caught:
        deploy(graph, sources=doubling.sources, events=ran(graph, 1))
    assert "parity: 0 of 1 events equal" in str(caught.value)
    assert "the first step that differs is 'where'" in str(caught.value)
    assert list_deployments() == []


def test_the_parity_check_can_be_left_out(doubling, tmp_path):
    doubling.run("import os\ndef where(body):\n    return os.getpid()\n")
    graph = doubling.graph("where")
    deployment = deploy(
        graph,
        target="archive",
        output=tmp_path / "out",
        sources=doubling.sources,
        events=ran(graph, 1),
        parity=False,
    )

    assert str(deployment.parity) == "parity: not checked"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        pytest.param([], "no steps", id="empty"),
        pytest.param(["a", "b"], "no step responds", id="several-leaves"),
    ],
)
def test_a_graph_that_could_not_answer_is_refused(notebook, steps, said):
    notebook.run("def a(body): return body\ndef b(body): return body\n")
    graph = notebook.graph()
    for step in steps:
        graph.to(name=step, handler=notebook[step])

    with pytest.raises((DeployError, SpecError), match=said):
        deploy(graph, sources=notebook.sources)


def test_the_running_notebook_gives_cells_and_events(doubling, tmp_path):
    set_notebook(lambda graph: (doubling.sources, ran(graph, *BODIES[:3])))
    try:
        graph = doubling.graph("double")
        deployment = deploy(graph, target="archive", output=tmp_path / "out")
    finally:
        set_notebook(None)

    assert str(deployment.parity) == "parity: 3 of 3 events equal"


def test_a_function_that_was_set_again_is_told(doubling):
    graph = doubling.graph("double")
    doubling.run("def double(body):\n    return body\n")

    with pytest.raises(BundleError, match="was set again"):
        deploy(graph, sources=doubling.sources)


def test_an_unknown_option_is_refused(doubling):
    with pytest.raises(DeployError, match="did you mean 'workers'"):
        deploy(doubling.graph("double"), sources=doubling.sources, worker=2)


def test_what_only_nuclio_reads_is_told_of_a_local_function(doubling):
    deployment = deploy(
        doubling.graph("double"),
        sources=doubling.sources,
        config={"replicas": 2, "eventTimeout": "5s"},
    )

    assert deployment.note == "without effect on this computer: replicas"
    deployment.delete()
