"""A round of the tests in which threads and the garbage collector come in between.

``JUPYTER_GRAPH_STRESS=1`` lets threads change every 10 microseconds instead of every
5 milliseconds, and collects garbage at nearly every allocation. Before each test a
runner is left to the collector; a test that cannot have that is marked ``alone``.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis.internal.conjecture import junkdrawer

from jupyter_graph import Graph, Runner
from jupyter_graph.threads.reaper import Unclosed, all_open

SWITCH_S = 1e-5
THRESHOLDS = 1, 10, 10
"""Of the three generations."""
SLOWER = 4
"""How many times its time a test may take."""
FORGOTTEN = "Runner of graph 'forgotten'"


def pytest_configure() -> None:
    gc.collect = _collector(gc.collect)
    Unclosed.warn = _quieter(Unclosed.warn)
    # Hypothesis times the collector with a callback in Python, where the exceptions
    # that end a step are lost.
    junkdrawer._gc_initialized = True


def _collector(collect: Callable[..., int]) -> Callable[..., int]:
    """Give a ``collect`` that also collects when another thread collects right now."""

    def collect_now(generation: int = 2) -> int:
        before = gc.get_stats()[generation]["collections"]
        while (found := collect(generation)) == 0:
            if gc.get_stats()[generation]["collections"] > before:
                break
        return found

    return collect_now


def _quieter(warn: Callable[..., None]) -> Callable[..., None]:
    """Let nothing be said of the runner that is forgotten here."""

    def warn_of_others(one: Unclosed) -> None:
        if one.what != FORGOTTEN:
            warn(one)

    return warn_of_others


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("timeout")
        seconds, *more = marker.args if marker else (20,)
        options = marker.kwargs if marker else {}
        longer = pytest.mark.timeout(seconds * SLOWER, *more, **options)
        item.add_marker(longer, append=False)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # what is there by now is looked at no more
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(SWITCH_S)


async def awaited(body: int) -> int:
    return body + 1


@pytest.fixture(autouse=True)
def a_forgotten_runner(request: pytest.FixtureRequest) -> None:
    """Leave a runner to the garbage collector, unless the test wants to be alone."""
    if request.node.get_closest_marker("alone") is not None:
        gc.collect()
        while any(one.what == FORGOTTEN for one in all_open()):
            time.sleep(0.001)
        return
    graph = Graph("forgotten")
    graph.to(name="awaited", handler=awaited).respond()
    runner = Runner(graph).open()
    assert runner.run(1) == 2
    holder = [runner]
    holder.append(holder)
    gc.collect()  # what is old is found some time later, in some thread
