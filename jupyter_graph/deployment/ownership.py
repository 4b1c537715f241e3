"""Whose a function is: it belongs to a notebook and to one graph of it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

from jupyter_graph.deployment.records import Record
from jupyter_graph.errors import NameTakenError


def this_kernel() -> str:
    """Return what tells this process from all others, of other computers too."""
    # The number of a process is used again, so its start counts too.
    started = psutil.Process().create_time()
    return f"{platform.node()}:{os.getpid()}:{started:.2f}"


def kernel_of(notebook: str) -> str:
    """Return whose a function is beside its notebook: a kernel's, without a file."""
    return "" if notebook else this_kernel()


def check_may_replace(record: Record, notebook: str, graph: str) -> None:
    """Make sure that a deploy takes nothing over that is not its own.

    Args:
        record: what is deployed under this name.
        notebook: path of the notebook that deploys; "" when unknown.
        graph: name of the graph that is deployed.

    Raises:
        NameTakenError: another notebook, kernel or graph deployed it.
    """
    whose = _other_notebook(record, notebook)
    # Records of earlier versions may not say which graph it was.
    if whose is None and record.graph not in ("", graph):
        whose = f"graph {record.graph!r} of this notebook"
    if whose is not None:
        raise NameTakenError(
            f"{record.name!r} is deployed from {whose}; give another name, or take it "
            "over with replace=True (--replace)"
        )


def check_may_delete(record: Record, notebook: str) -> None:
    """Make sure that a notebook deletes what it deployed itself.

    Raises:
        NameTakenError: another notebook or kernel deployed it.
    """
    whose = _other_notebook(record, notebook)
    if whose is not None:
        raise NameTakenError(
            f"{record.name!r} is deployed from {whose}; delete it all the same with "
            "--replace"
        )


def _other_notebook(record: Record, notebook: str) -> str | None:
    """Return whose a function is, None when it is of this notebook."""
    if record.notebook == notebook and record.kernel == kernel_of(notebook):
        return None
    if not record.notebook:
        return "a notebook without a known file, in another kernel"
    if not notebook:
        return f"{record.notebook} (this kernel does not know its own file)"
    if not Path(record.notebook).exists():
        return f"{record.notebook} (which is gone: perhaps it was renamed to this one)"
    return record.notebook
