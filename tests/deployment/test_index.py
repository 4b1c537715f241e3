import json
import os
import stat

import pytest

from jupyter_graph.deployment.index import (
    find,
    find_record,
    list_deployments,
    records,
)
from jupyter_graph.deployment.private_files import locked, state_folder
from jupyter_graph.deployment.records import Record, forget, recall, remember
from jupyter_graph.errors import DeployError


def test_a_remembered_deployment_is_found_again(state):
    record = Record(name="fraud", target="local", url="http://127.0.0.1:1", pid=7)
    remember(record)

    assert recall("fraud", "local") == record
    assert find("fraud").url == "http://127.0.0.1:1"
    assert [found.name for found in list_deployments()] == ["fraud"]


def test_an_unknown_name_is_an_error_that_names_the_near_one():
    remember(Record(name="fraud", target="local"))

    with pytest.raises(DeployError, match="did you mean 'fraud'"):
        find_record("frauds")


def test_nothing_deployed_is_said_so():
    with pytest.raises(DeployError, match="nothing is deployed"):
        find_record("fraud")


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of Unix")
def test_folders_and_files_are_closed_to_others(state):
    remember(Record(name="fraud", target="local"))
    modes = {
        path.relative_to(state).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [state, *state.rglob("*")]
    }

    assert set(modes.values()) == {0o700, 0o600}
    assert modes["functions/local/fraud/record.json"] == 0o600


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "bad", "target": ["local"]}'])
def test_a_broken_record_is_left_out(state, text):
    remember(Record(name="good", target="local"))
    remember(Record(name="bad", target="local"))
    (state / "functions/local/bad/record.json").write_text(text)

    assert [record.name for record in records()] == ["good"]


def test_a_record_of_a_newer_version_is_read_as_far_as_it_is_known(state):
    remember(Record(name="fraud", target="local"))
    path = state / "functions/local/fraud/record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "red"}))

    assert recall("fraud", "local") == Record(name="fraud", target="local")


def test_what_is_forgotten_is_gone_from_the_disk(state):
    record = Record(name="fraud", target="local")
    remember(record)
    forget(record)

    assert records() == []
    assert not (state / "functions/local/fraud").exists()


def test_two_cannot_deploy_one_name_at_once():
    with (
        locked("fraud", "local"),
        pytest.raises(DeployError, match="another process"),
        locked("fraud", "local"),
    ):
        pass


def test_the_lock_is_released_after_an_error():
    with pytest.raises(ZeroDivisionError), locked("fraud", "local"):
        _ = 1 / 0
    with locked("fraud", "local"):
        pass


def test_a_file_in_place_of_the_state_folder_is_a_clear_error(tmp_path, monkeypatch):
    place = tmp_path / "file"
    place.write_text("")
    monkeypatch.setenv("JUPYTER_GRAPH_STATE_DIR", str(place))

    with pytest.raises(DeployError, match="JUPYTER_GRAPH_STATE_DIR"):
        state_folder()
    monkeypatch.undo()
