"""MLRun loads what was read here and saved again, and builds it where it can."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from jupyter_graph import Graph, load_graph, save_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.codec import read_document

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / "shared" / "conformance"
PYTHON = os.environ.get("MLRUN_PYTHON") or shutil.which("mlrun-python") or ""
DOCUMENTS = HERE.parent / "spec" / "data" / "documents.yaml"

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="MLRUN_PYTHON names no Python with mlrun"),
    pytest.mark.integration,
    pytest.mark.timeout(300),
]


def cases():
    """Give every document there is: name, document, module of its names, options."""
    for name, document in yaml.safe_load(DOCUMENTS.read_text("utf-8")).items():
        yield name, document, None, {}
    for path in sorted(FOLDER.glob("cases/*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        document = case.get("graph") or case["expect"].get("graph")
        if document:
            yield case["id"], document, case["namespace"], case.get("server") or {}


def saved(folder, name, document):
    """Give the document as it stands in a file that was saved and read once more."""
    suffix = "yaml" if len(name) % 2 else "json"
    path = save_graph(Graph.from_dict(document), folder / f"{name}.{suffix}")
    again = save_graph(load_graph(path), folder / f"{name}-again.{suffix}")
    return read_document(again)


def told(folder, rows):
    """Tell what MLRun says of these documents, by their names."""
    path = folder / "documents.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = subprocess.run(
        [PYTHON, str(HERE / "mlrun_loads.py"), str(path)],
        env={**os.environ, "PYTHONPATH": str(FOLDER), "MLRUN_DBPATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in found.stdout.splitlines() if line.startswith("{")]
    assert len(lines) == len(rows), found.stderr[-2000:]
    return {row["name"]: row for row in map(json.loads, lines)}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    rows, originals = [], []
    for name, document, namespace, server in cases():
        row = {"name": name, "namespace": namespace, "server": server}
        try:
            rows.append({**row, "document": saved(folder, name, document)})
        except SpecError:
            continue
        originals.append({**row, "document": document})
    return told(folder, rows), told(folder, originals)


def test_mlrun_loads_every_document_that_was_saved_here(outcomes):
    ours, _ = outcomes
    failed = {name: row["loaded"] for name, row in ours.items() if row["loaded"]}

    assert failed == {}
    assert len(ours) > 150


def test_mlrun_builds_what_it_builds_of_its_own_documents(outcomes):
    ours, theirs = outcomes
    same = {name for name, row in ours.items() if row["built"] == theirs[name]["built"]}
    built = [name for name, row in ours.items() if row["built"] is None]

    assert {n: (ours[n]["built"], theirs[n]["built"]) for n in set(ours) - same} == {}
    assert len(built) > 60
