"""The round in which threads and the garbage collector come in between."""

import pytest

TESTS = """
import gc
import sys

import pytest

from jupyter_graph.threads.reaper import all_open

@pytest.mark.timeout(5)
def test_that_has_a_limit_of_its_own(request):
    assert request.node.get_closest_marker("timeout").args == (20,)

def test_that_has_the_usual_one(request):
    assert request.node.get_closest_marker("timeout").args == (80,)

def test_that_threads_change_often():
    assert sys.getswitchinterval() < 1e-4

def test_that_garbage_is_collected_all_the_time():
    before, kept = gc.get_stats()[0]["collections"], []
    # A thread that looks at stacks pauses the collector, as long as it waits its turn.
    while gc.get_stats()[0]["collections"] <= before + 100:
        kept.append([])

def test_that_a_runner_was_forgotten(request):
    assert "a_forgotten_runner" in request.fixturenames

@pytest.mark.alone
def test_that_is_alone():
    assert all_open() == []
"""


@pytest.mark.slow
def test_the_round_makes_it_hard(run_tests):
    code, output, _ = run_tests("stress", TESTS)

    assert (code, "6 passed" in output) == (0, True), output
