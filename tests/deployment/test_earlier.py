"""What version 0.1.0 of November 2026 (c3916d6) wrote is read by this one."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jupyter_graph.deployment.bundle.bundle_folder import (
    bundle_files,
    is_bundle,
    is_bundle_zip,
)
from jupyter_graph.deployment.deploy import deploy
from jupyter_graph.deployment.index import find, list_deployments
from jupyter_graph.deployment.records import recall

EARLIER = Path(__file__).parent / "data" / "earlier"


@pytest.fixture
def bundle(tmp_path):
    """A bundle without our runtime, as ``runtime="pip"`` made it."""
    return Path(shutil.copytree(EARLIER / "bundle", tmp_path / "bundle"))


@pytest.fixture
def records(state):
    """A state folder that holds a record of each target."""
    for path in (EARLIER / "records").iterdir():
        folder = state / "functions" / path.stem / "earlier"
        folder.mkdir(parents=True)
        shutil.copy(path, folder / "record.json")


CALL = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import main, nuclio_sdk
context = nuclio_sdk.Context(nuclio_sdk.Logger(40))
event = nuclio_sdk.Event(body={"n": 1}, content_type="application/json", method="POST")
async def answer():
    await main.init_context(context)
    print((await main.handler(context, event)).body.decode())
    context.user_data.runner.close()
asyncio.run(answer())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["-c", CALL, "{}"], id="by-its-handler"),
        pytest.param(
            ["-m", "jupyter_graph", "run", "{}", "--body", '{"n": 1}'], id="by-run"
        ),
    ],
)
def test_a_bundle_of_before_answers_the_same(bundle, words):
    command = [sys.executable, *(str(bundle) if x == "{}" else x for x in words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "n": 5, "seconds": 60.0, "total": 3.0, "year": 2026, "unit": "kg",
    }  # fmt: skip


def test_a_bundle_of_before_is_recognised_as_ours(bundle, tmp_path):
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        for path in bundle_files(bundle):
            archive.write(path, path.relative_to(bundle))

    assert is_bundle(bundle)
    assert is_bundle_zip(tmp_path / "bundle.zip")


@pytest.mark.slow
def test_a_bundle_of_before_is_replaced(bundle, doubling):
    deploy(
        doubling.graph("double"),
        target="archive",
        output=bundle,
        sources=doubling.sources,
    )

    assert not (bundle / "artifacts").exists()
    assert (bundle / "jupyter_graph").is_dir()


def test_records_of_before_are_listed_by_target(records):
    assert [(one.name, one.target) for one in list_deployments()] == [
        ("earlier", "local"), ("earlier", "nuclio"), ("earlier", "archive"),
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["local", "nuclio", "archive"])
def test_every_field_of_a_record_of_before_is_read(records, target):
    written = json.loads((EARLIER / "records" / f"{target}.json").read_text())
    read = recall("earlier", target)

    assert {key: getattr(read, key) for key in written} == {
        **written, "command": tuple(written["command"]),
    }  # fmt: skip


def test_a_host_of_before_that_is_gone_is_stopped_and_can_be_deleted(records):
    found = find("earlier")

    assert (found.target, found.state) == ("local", "stopped")
    assert str(found.parity) == "parity: 2 of 2 events equal"
    found.delete()
    assert find("earlier").target == "nuclio"
