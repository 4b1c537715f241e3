"""Broken documents are refused by errors of ours, before anything was done."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.block_table import BLOCKS, load_block

DATA = Path(__file__).parent / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),  # the first test waits for all documents
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Read all documents in one process that is watched; give what was raised."""
    found = subprocess.run(
        [
            sys.executable,
            str(DATA / "refuse.py"),
            str(tmp_path_factory.mktemp("files")),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(DATA), *sys.path])},
        check=False,
    )
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    return {"": found.stderr[-2000:], **{row["name"]: row for row in rows}}


def test_a_broken_document_is_refused_before_anything_is_done(outcomes, broken, words):
    assert broken in outcomes, outcomes[""]
    row = outcomes[broken]

    assert row["is_ours"], f"{row['error']}: {row['text']}"
    assert [word for word in words if word not in row["text"]] == [], row["text"]
    assert row["done"] == []
    assert row["seconds"] < 1


def test_the_watcher_sees_what_it_looks_for(outcomes):
    seen = set(outcomes["misdeeds"]["done"])

    wanted = {"open", "subprocess.Popen", "os.system", "compile", "exec", "import"}
    assert {*wanted, "socket.connect"} <= seen


def test_all_problems_are_told_at_once(outcomes):
    problems = outcomes["everything-at-once"]["problems"]

    assert len(problems) == 7
    assert len(set(problems)) == 7


# -- blocks -----------------------------------------------------------------------


def takes_anything(name):
    kinds = [p.kind for p in inspect.signature(load_block(name)).parameters.values()]
    return inspect.Parameter.VAR_KEYWORD in kinds


EACH = {path: name for name, path in reversed(BLOCKS.items())}.values()
STRICT = sorted(name for name in EACH if not takes_anything(name))
ROUTERS = ["ModelRouter", "ParallelRun", "VotingEnsemble", "EnrichmentModelRouter"]


def with_block(name, **class_args):
    code = inspect.signature(load_block(name)).parameters
    step = {"class_name": name, "class_args": class_args}
    if "routes" in code:
        step |= {"kind": "router", "routes": {"m": {"handler": "(event)"}}}
    elif name in ("ModelRunnerStep", "Model"):
        models = {"m": [name, {"name": "m", **class_args}]} if name == "Model" else {}
        args = {"models": models} if models else class_args
        step = {"kind": "model_runner", "class_args": args}
    return {"steps": {"a": step}}


@pytest.mark.parametrize("name", STRICT)
def test_a_typo_in_the_arguments_of_a_block_is_named(name):
    taken = list(inspect.signature(load_block(name)).parameters)
    typo = f"{taken[0]}_x" if taken else "typo_x"

    with pytest.raises(SpecError, match=rf"step 'a'.*{typo}"):
        compile_graph(Graph.from_dict(with_block(name, **{typo: 1})))


@pytest.mark.parametrize("name", ROUTERS)
def test_a_typo_in_the_arguments_of_a_router_is_named(name):
    graph = Graph.from_dict(with_block(name, protocoll="v2"))

    with pytest.raises(SpecError, match=r"step 'a'.*'protocoll'; did you mean 'proto"):
        Runner(graph).open()
