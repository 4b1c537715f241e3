"""Every deploy target answers for itself; nobody else compares their names."""

import ast
from pathlib import Path

import pytest

import jupyter_graph
from jupyter_graph.deployment.deploy import deploy
from jupyter_graph.deployment.index import find, find_record, list_deployments
from jupyter_graph.deployment.records import Record, recall, remember
from jupyter_graph.deployment.targets.deploy_target import DeployTarget
from jupyter_graph.deployment.targets.target_registry import TARGETS, load_target
from jupyter_graph.errors import DeployError, NameTakenError

PACKAGE = Path(jupyter_graph.__file__).parent


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_of_the_registry_knows_its_name_and_answers_everything(name):
    target = load_target(name)

    assert isinstance(target, DeployTarget)
    assert target.name == name


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        pytest.param("local", (True, False, False, True, False, False), id="local"),
        pytest.param("nuclio", (True, True, True, True, False, False), id="nuclio"),
        pytest.param("archive", (False, False, True, False, True, True), id="archive"),
    ],
)
def test_a_target_says_what_is_true_of_its_place(name, facts):
    target = load_target(name)

    assert facts == (
        target.is_private, target.is_remote, target.may_take_over,
        target.writes_events, target.ships_events, target.needs_output,
    )  # fmt: skip


@pytest.fixture
def trial(monkeypatch):
    monkeypatch.setitem(TARGETS, "trial", "tests.deployment.trial_target:TrialTarget")


def try_out(notebook, **options):
    graph = notebook.graph("double")
    return deploy(
        graph, target="trial", sources=notebook.sources, parity=False, **options
    )


@pytest.mark.slow
def test_a_new_target_is_its_file_and_one_line(trial, doubling, state):
    deployment = try_out(doubling, config={"replicas": 2})

    assert (deployment.state, deployment.status().workers) == ("tried", 1)
    assert deployment.note == "tried; without effect on this computer: replicas"
    assert deployment.logs() == "".join(deployment.logs(follow=True)) == ""
    assert not (state / "functions/trial/math/events.jsonl").exists()
    assert [one.target for one in list_deployments()] == ["trial"]
    deployment.delete()
    assert list_deployments() == []


def test_a_target_refuses_options_in_its_own_words(trial, doubling):
    with pytest.raises(DeployError, match="a trial has one worker"):
        try_out(doubling, workers=2)
    with pytest.raises(DeployError, match="did you mean 'trial'"):
        deploy(doubling.graph("double"), target="trail")


@pytest.mark.slow
def test_a_target_that_may_not_take_over_leaves_a_name_to_its_notebook(trial, doubling):
    try_out(doubling)
    doubling.path = doubling.path.with_name("other.ipynb")

    with pytest.raises(NameTakenError, match=r"deployed from .*math\.ipynb"):
        try_out(doubling)
    assert try_out(doubling, replace=True).note == "tried"


def test_a_record_is_made_and_forgotten_in_the_targets_own_place(state):
    for name in TARGETS:
        remember(Record(name="same", target=name))

    assert [one.target for one in list_deployments()] == list(TARGETS)
    assert find_record("same").target == next(iter(TARGETS))
    DeployTarget.delete(load_target("archive"), recall("same", "archive"))
    assert recall("same", "archive") is None


def test_a_record_of_an_unknown_target_is_listed_as_such():
    remember(Record(name="drawn", target="image", place="registry/drawn:1"))
    remember(Record(name="drawn", target="archive", place="gone"))
    listed = [(one.name, one.target, one.state) for one in list_deployments()]

    assert listed == [("drawn", "archive", "gone"), ("drawn", "image", "unknown")]


@pytest.mark.parametrize("verb", ["status", "logs", "invoke", "delete"])
def test_what_an_unknown_target_holds_is_left_alone(verb):
    remember(Record(name="drawn", target="image"))

    with pytest.raises(DeployError, match="knows no target 'image'"):
        getattr(find("drawn"), verb)()
    assert recall("drawn", "image") is not None


def compared_names(path: Path) -> set[str]:
    """Return the target names that stand in comparisons of a file."""
    return {
        constant.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and constant.value in TARGETS
    }


@pytest.mark.parametrize("room", ["deployment", "session", "magics"])
def test_no_room_compares_names_of_targets(room):
    found = {
        str(path.relative_to(PACKAGE)): names
        for path in (PACKAGE / room).rglob("*.py")
        if (names := compared_names(path))
    }

    assert found == {}
