"""Fixtures of every room: a step or a graph, run on real events."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# What a test sends to another process is imported there by its module's name.
ROOT = str(Path(__file__).parent.parent)
if ROOT not in sys.path:
    sys.path.append(ROOT)

from tests.guards import extras, hangs, locks  # noqa: E402  # by the path above

locks.install()

from jupyter_graph import Graph, Runner  # noqa: E402  # with locks that are checked
from tests.guards.leaks import (  # noqa: E402, F401  # pytest finds them here
    leaves_nothing_open,
    pytest_fixture_setup,
)

# A shell lets what it starts in the background ignore Ctrl-C, their children too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


if not extras.HAS_STOREY:
    collect_ignore = [
        "conformance/storey_steps.py",
        "run/storey/test_late_failures.py",
        "run/storey/test_private_api.py",
    ]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(hangs)
    config.pluginmanager.register(extras)
    if os.environ.get("JUPYTER_GRAPH_STRESS") == "1":
        config.pluginmanager.import_plugin("tests.guards.stress")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without the garbage collector: all that is made here stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()  # nor does any later collection look at it


@pytest.fixture
def open_runner() -> Iterator[Callable[..., Runner]]:
    """Open a runner that the end of the test closes."""
    opened: list[Runner] = []

    def open_one(graph: Any, **options: Any) -> Runner:
        options.setdefault("timeout_s", 10.0)
        opened.append(Runner(graph, **options).open())
        return opened[-1]

    yield open_one
    for runner in opened:
        runner.close()


@pytest.fixture
def run_graph(open_runner):
    """Run bodies through a graph and give the answers."""

    def run(graph: Any, bodies: list[Any], **options: Any) -> list[Any]:
        runner = open_runner(graph, **options)
        return [runner.run(body) for body in bodies]

    return run


@pytest.fixture
def run_step(run_graph):
    """Run bodies through a graph of one step and give the answers."""

    def run(step: Any, bodies: list[Any], **class_args: Any) -> list[Any]:
        graph = Graph("one_step")
        kind = "class_name" if isinstance(step, type | str) else "handler"
        graph.to(name="it", **{kind: step}, class_args=class_args).respond()
        return run_graph(graph, bodies)

    return run
