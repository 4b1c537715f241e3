"""A test that hangs ends the run, and one sees where."""

import os

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGALRM"),
]

TWICE = """
import threading

import pytest

LOCK = threading.Lock()
LOCK.acquire()

@pytest.mark.timeout(1)
def test_that_waits_for_ever():
    LOCK.acquire()

@pytest.mark.timeout(1)
def test_that_waits_for_the_same():
    LOCK.acquire()
"""
ON_THE_WAY_OUT = """
import threading

import pytest

@pytest.mark.timeout(1)
def test_that_waits_again():
    lock = threading.Lock()
    lock.acquire()
    try:
        lock.acquire()
    finally:
        lock.acquire()
"""
CAUGHT = """
import threading

import pytest

@pytest.mark.timeout(1)
def test_that_catches_everything():
    try:
        threading.Event().wait()
    except BaseException:
        pass

def test_that_comes_later():
    pass
"""
BLOCKED = """
import signal
import threading

import pytest

@pytest.mark.timeout(1)
def test_that_hears_no_signal():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    threading.Event().wait()
"""
IN_A_FIXTURE = """
import threading

import pytest

@pytest.fixture(scope="module")
def opened():
    yield
    threading.Event().wait()

@pytest.mark.timeout(1)
def test_that_fails(opened):
    raise ValueError
"""
UNLIMITED = """
import time

import pytest

from tests.guards import hangs

hangs.LONGEST_S = 0.5

@pytest.mark.timeout(0)
def test_that_takes_long():
    time.sleep(1)
    raise ValueError

@pytest.mark.timeout(5)
def test_that_has_a_long_limit():
    time.sleep(1)
"""
AT_THE_END = """
import threading

from tests.guards import hangs

hangs.LONGEST_S = 1.0

def test_that_leaves_a_thread():
    threading.Thread(target=threading.Event().wait).start()
"""

TIDYING = """
import time

import pytest

from tests.guards import hangs

hangs.LONGEST_S = 0.5

@pytest.fixture(scope="session", autouse=True)
def a_slow_end(request):
    class Tidy:
        def pytest_sessionfinish(self):
            time.sleep(1.5)
    request.config.pluginmanager.register(Tidy())

def test_that_passes():
    pass
"""


def test_pytest_has_its_time_to_remove_the_folders_of_earlier_runs(run_tests):
    code, output, errors = run_tests("hangs", TIDYING)

    assert (code, errors) == (0, "")
    assert "1 passed" in output


def test_a_test_has_the_time_of_its_own_mark(run_tests):
    code, output, errors = run_tests("hangs", UNLIMITED)

    assert (code, errors) == (1, "")
    assert "1 failed, 1 passed" in output


def test_the_run_ends_with_the_first_test_that_hangs(run_tests):
    code, output, errors = run_tests("hangs", TWICE)

    assert code == pytest.ExitCode.INTERRUPTED
    assert "1 failed" in output
    assert "stacks of all threads" in output
    assert "test_that_waits_for_ever takes longer than 1 s, which later" in output
    assert "in test_that_waits_for_ever" in errors


def test_the_run_ends_when_a_test_catches_that_it_hangs(run_tests):
    code, output, errors = run_tests("hangs", CAUGHT)

    assert code == pytest.ExitCode.INTERRUPTED
    assert "1 passed" in output
    assert "in test_that_catches_everything" in errors


@pytest.mark.parametrize(
    ("source", "where"),
    [
        pytest.param(ON_THE_WAY_OUT, "in test_that_waits_again", id="twice"),
        pytest.param(BLOCKED, "in test_that_hears_no_signal", id="no-signal"),
        pytest.param(IN_A_FIXTURE, "in opened", id="in-a-fixture"),
        pytest.param(AT_THE_END, "in _shutdown", id="at-the-end"),
    ],
)
def test_a_process_that_no_signal_ends_is_ended(run_tests, source, where):
    code, _, errors = run_tests("hangs", source)

    assert code == 1
    assert where in errors
