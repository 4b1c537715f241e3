import os
import socket
import sys

import psutil
import pytest

from jupyter_graph.deployment.host_process import (
    ours,
    port_holder,
    port_problem,
    start_apart,
    stop,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def sleeper(tmp_path):
    process = start_apart(SLEEP, log=tmp_path / "log", cwd=None, env=dict(os.environ))
    yield process
    stop(process)


def test_a_process_of_ours_is_recognised(sleeper):
    assert ours(sleeper.pid, sleeper.create_time()) == sleeper


def test_a_process_with_the_same_id_and_another_start_is_not_ours(sleeper):
    assert ours(sleeper.pid, sleeper.create_time() - 100) is None


def test_a_process_that_ended_is_not_ours_any_more(sleeper):
    created = sleeper.create_time()
    stop(sleeper)

    assert ours(sleeper.pid, created) is None
    assert not psutil.pid_exists(sleeper.pid)


def test_no_process_is_nobodys():
    assert ours(0, 0.0) is None


def test_a_port_that_is_taken_is_told_with_who_holds_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert port_problem(port)
        assert str(os.getpid()) in port_holder(port)
    assert port_problem(port) is None
