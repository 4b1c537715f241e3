"""Every deploy target answers for itself; nobody else compares their names."""

import ast
from pathlib import Path

import pytest

import jupyter_graph
from jupyter_graph.deployment.index import find, find_record, list_deployments
from jupyter_graph.deployment.records import Record, recall, remember
from jupyter_graph.deployment.targets.deploy_target import DeployTarget
from jupyter_graph.deployment.targets.target_registry import TARGETS, load_target
from jupyter_graph.errors import DeployError

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
