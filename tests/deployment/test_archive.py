import json
import math
import subprocess
import sys
import zipfile
from threading import Lock

import pytest

from jupyter_graph.deployment.bundle.requirement_closure import (
    closure,
    modules_of,
    read_requirements,
)
from jupyter_graph.deployment.deploy import EVENTS, _write_events, deploy
from jupyter_graph.deployment.parity.clean_process import CHILD
from jupyter_graph.errors import BundleError, DeployError
from jupyter_graph.run.record import RecordedInput
from tests.deployment.conftest import ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


@pytest.fixture
def archive(doubling):
    """Return a function that deploys the doubling graph as an archive."""

    def deploy_one(output, **options):
        graph = doubling.graph("double", "add_one")
        return deploy(
            graph,
            target="archive",
            sources=doubling.sources,
            events=ran(graph, {"n": 1}, headers={"Authorization": "x"}),
            output=output,
            **options,
        )

    return deploy_one


def test_a_bundle_lies_where_it_was_asked_for(archive, tmp_path):
    deployment = archive(tmp_path / "out")

    assert deployment.state == "built"
    assert (tmp_path / "out" / "main.py").is_file()
    assert str(deployment.parity) == "parity: 1 of 1 events equal"
    assert str(tmp_path / "out") in deployment._repr_mimebundle_()["text/plain"]


def test_a_zip_holds_the_same_files_and_the_same_bytes_twice(archive, tmp_path):
    archive(tmp_path / "one.zip")
    archive(tmp_path / "two.zip")
    archive(tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "one.zip") as file:
        names = set(file.namelist())

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert names == {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }


def test_a_path_without_a_root_means_the_notebooks_folder(archive, doubling):
    archive("out")

    assert (doubling.path.parent / "out" / "main.py").is_file()


def test_events_go_into_an_archive_only_when_asked(archive, tmp_path):
    archive(tmp_path / "without")
    archive(tmp_path / "with", with_events=True)
    [line] = (tmp_path / "with" / "events.jsonl").read_text().splitlines()

    assert not (tmp_path / "without" / "events.jsonl").exists()
    assert json.loads(line)["body"] == {"n": 1}
    assert "Authorization" not in line


def test_events_are_written_by_the_rules_of_values_and_live_objects_left_out(tmp_path):
    bodies = [{"n": math.nan, "raw": b"hi"}, {"lock": Lock()}, "half a pair: \ud800"]

    _write_events(tmp_path / EVENTS, [RecordedInput.of(body) for body in bodies])
    lines = (tmp_path / EVENTS).read_text(encoding="utf-8").splitlines()

    assert [json.loads(line)["body"] for line in lines] == [
        {"n": None, "raw": "aGk="},
        bodies[2],
    ]
    assert "NaN" not in lines[0]


def test_a_folder_of_somebody_else_is_refused(archive, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "a.tex").write_text("")
    (tmp_path / "b.zip").write_text("")

    with pytest.raises(BundleError, match="is no bundle"):
        archive(tmp_path / "thesis")
    with pytest.raises(BundleError, match="is no bundle"):
        archive(tmp_path / "b.zip")


def test_an_archive_answers_no_events_and_says_how_it_would(archive, tmp_path):
    deployment = archive(tmp_path / "out")

    with pytest.raises(DeployError, match=r"python -m jupyter_graph\.host"):
        deployment.invoke({})


def test_deleting_an_archive_leaves_its_files(archive, tmp_path):
    deployment = archive(tmp_path / "out")
    deployment.delete()

    assert (tmp_path / "out" / "main.py").is_file()


def test_the_host_needs_only_what_the_bundle_says(archive, tmp_path):
    archive(tmp_path / "out")
    needed = read_requirements(tmp_path / "out" / "requirements-host.txt")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'out')!r}]\n"
        f"exec(compile(open({str(CHILD)!r}).read(), 'child', 'exec'), "
        "child := {'__name__': 'child'})\n"
        f"child['admit_only']({modules_of(closure(needed)[0])}, sys.path[0])\n"
        "import jupyter_graph.host.supervisor, jupyter_graph.host.worker\n"
        "import jupyter_graph.host.metrics, uvicorn, httptools, prometheus_client\n"
    )
    command = [sys.executable, "-I", "-B", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stderr == ""
