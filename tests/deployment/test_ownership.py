"""A function belongs to a notebook and a graph; nobody else takes it silently."""

import subprocess
import sys

import pytest

from jupyter_graph.deployment.ownership import (
    check_may_delete,
    check_may_replace,
    this_kernel,
)
from jupyter_graph.deployment.records import Record, recall, remember
from jupyter_graph.errors import NameTakenError

HERE = "/here/fraud.ipynb"
MINE = this_kernel()


def record(**facts):
    return Record(name="fraud", target="local", **facts)


@pytest.mark.parametrize(
    ("facts", "notebook"),
    [
        pytest.param({"notebook": HERE, "graph": "g"}, HERE, id="same"),
        pytest.param({"notebook": HERE}, HERE, id="of-before-without-a-graph"),
        pytest.param({"kernel": MINE, "graph": "g"}, "", id="same-kernel-no-file"),
    ],
)
def test_an_own_function_may_be_replaced_and_deleted(facts, notebook):
    check_may_replace(record(**facts), notebook, "g")
    check_may_delete(record(**facts), notebook)


@pytest.mark.parametrize(
    ("facts", "notebook", "whose"),
    [
        pytest.param(
            {"notebook": "/"}, HERE, "deployed from /; give", id="another-notebook"
        ),
        pytest.param(
            {"notebook": "/gone/old.ipynb"},
            HERE,
            "perhaps it was renamed",
            id="renamed",
        ),
        pytest.param(
            {"notebook": HERE}, "", "this kernel does not know its own", id="no-file"
        ),
        pytest.param(
            {}, "", "without a known file, in another", id="of-before-no-path"
        ),
        pytest.param(
            {}, HERE, "without a known file, in another", id="only-now-a-file"
        ),
        pytest.param(
            {"kernel": "host:1:2.00"}, "", "in another kernel", id="another-kernel"
        ),
    ],
)
def test_a_function_of_somebody_else_is_told(facts, notebook, whose):
    with pytest.raises(NameTakenError) as caught:
        check_may_replace(record(**facts), notebook, "g")
    assert whose in str(caught.value)
    assert "replace=True (--replace)" in str(caught.value)

    with pytest.raises(NameTakenError, match="delete it all the same with --replace"):
        check_may_delete(record(**facts), notebook)


def test_another_graph_of_the_notebook_is_told_and_may_delete():
    known = record(notebook=HERE, graph="first")

    with pytest.raises(NameTakenError, match="from graph 'first' of this notebook; gi"):
        check_may_replace(known, HERE, "second")
    check_may_delete(known, HERE)


def test_a_kernel_is_told_from_every_other_process():
    ask = "from jupyter_graph.deployment.ownership import this_kernel as k; print(k())"
    other = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True
    ).stdout.strip()

    assert this_kernel() == MINE
    assert other != MINE
    assert other.partition(":")[0] == MINE.partition(":")[0]


def test_what_an_earlier_version_did_not_write_is_empty(state):
    remember(record(notebook=HERE))
    path = state / "functions/local/fraud/record.json"
    text = path.read_text()
    path.write_text(
        "".join(line for line in text.splitlines(True) if '"kernel"' not in line)
    )

    assert recall("fraud", "local").kernel == ""
    check_may_replace(recall("fraud", "local"), HERE, "any")
