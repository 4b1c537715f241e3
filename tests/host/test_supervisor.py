"""The host as a whole: how it starts, what it survives, how it stops."""

import concurrent.futures
import json
import os
import signal
import socket
import stat
import sys

import psutil
import pytest
import requests

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kills by signal"),
]

STEP = """
import hashlib, os, time

def step(body):
    if body == "exit":
        os._exit(7)
    if body == "spin":
        while True:
            pass
    if body == "hang":  # in C, where no signal is seen
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
    if body == "sleep":
        time.sleep(1)
    return os.getpid()
"""


def pid_of(host):
    try:
        return host.post("who").json()
    except requests.ConnectionError:
        return None


def test_the_state_file_is_private_and_its_workers_answer(start_host, make_bundle):
    host = start_host(make_bundle(STEP), "--workers", "2", "--name", "fraud")
    path = host.folder / "state" / "host.json"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((host.folder / "log" / "host.log").stat().st_mode) == 0o600
    assert host.state["name"] == "fraud"
    assert host.state["pid"] == host.process.pid
    assert host.url == f"http://127.0.0.1:{host.state['port']}"
    assert pid_of(host) in host.state["workers"]


def test_it_listens_on_the_loopback_only(start_host, make_bundle):
    host = start_host(make_bundle(STEP))
    addresses = {
        connection.laddr.ip
        for pid in (host.process.pid, *host.state["workers"])
        for connection in psutil.Process(pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }

    assert addresses == {"127.0.0.1"}


def test_a_worker_of_a_plain_graph_stays_below_60_mb(start_host, make_bundle):
    host = start_host(make_bundle("def step(body):\n    return body\n"))
    host.post({})
    [worker] = host.state["workers"]

    assert psutil.Process(worker).memory_info().rss < 60e6


@pytest.mark.parametrize("how", ["killed", "exit"])
def test_a_worker_that_dies_is_replaced(start_host, make_bundle, how, wait_until):
    host = start_host(make_bundle(STEP))
    [old] = host.state["workers"]

    if how == "killed":
        os.kill(old, signal.SIGKILL)
    else:
        with pytest.raises(requests.ConnectionError):
            host.post("exit")
    new = wait_until(lambda: pid_of(host))

    assert new != old
    assert wait_until(lambda: host.state["workers"] == [new])


def test_a_step_that_spins_ends_at_its_deadline_in_the_same_worker(
    start_host, make_bundle
):
    host = start_host(make_bundle(STEP, timeout_s=0.5))
    before = pid_of(host)

    answer = host.post("spin")

    assert answer.status_code == 408
    assert pid_of(host) == before


def test_a_worker_that_hangs_past_its_deadline_is_replaced(
    start_host, make_bundle, wait_until
):
    host = start_host(make_bundle(STEP, timeout_s=0.5))
    [old] = host.state["workers"]

    with pytest.raises(requests.ConnectionError):
        host.post("hang")
    new = wait_until(lambda: pid_of(host))

    assert new != old
    assert "silent past its deadline" in str(host.log)


def test_a_worker_full_of_hanging_threads_is_replaced(
    start_host, make_bundle, wait_until
):
    source = (
        "import ctypes, os\n"
        "async def step(body):\n    return os.getpid()\n"
        "def hang(body):\n"
        "    if body == 'hang':\n        ctypes.CDLL(None).sleep(60)\n"
        "    return body\n"
    )
    bundle = make_bundle(source, engine="async", timeout_s=0.3)
    document = json.loads((bundle / "graph.json").read_text())
    document["steps"]["step"]["after"] = ["hang"]
    hang = {"kind": "task", "handler": "hang", "blocking": True}
    document["steps"] = {"hang": hang, **document["steps"]}
    (bundle / "graph.json").write_text(json.dumps(document))
    host = start_host(bundle)
    old = pid_of(host)

    statuses = [host.post("hang").status_code for _ in range(4)]

    assert statuses == [408] * 4
    assert wait_until(lambda: pid_of(host) not in (None, old))


def test_many_slow_events_in_a_row_are_no_hang(start_host, make_bundle):
    host = start_host(make_bundle(STEP, timeout_s=1.5))
    before = pid_of(host)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(host.post, ["sleep"] * 6))

    assert [answer.json() for answer in answers] == [before] * 6


def test_sigterm_lets_the_event_in_flight_finish(start_host, make_bundle, wait_until):
    host = start_host(make_bundle(STEP))
    url = host.url
    worker = psutil.Process(host.state["workers"][0])

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(host.post, "sleep")
        wait_until(lambda: is_busy(worker))
        code = host.stop()

    assert running.result().status_code == 200
    assert code == 0
    assert host.state is None
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=2)


def test_when_the_supervisor_is_killed_its_workers_end_too(
    start_host, make_bundle, wait_until
):
    host = start_host(make_bundle(STEP), "--workers", "2")
    workers, port = host.state["workers"], host.state["port"]

    host.process.kill()
    host.process.wait()

    assert wait_until(lambda: not any(map(psutil.pid_exists, workers)))
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def is_busy(worker):
    """Say whether a caller is connected and the worker sleeps in the step."""
    states = [connection.status for connection in worker.net_connections()]
    return psutil.CONN_ESTABLISHED in states


def refusal(host):
    """Return the exit code and the error that a host ended with."""
    code = host.process.wait(20)
    return code, json.loads(host.process.stderr.read().splitlines()[-1])["error"]


def test_a_port_in_use_is_said(start_host, make_bundle):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        host = start_host(make_bundle(STEP), "--port", str(port), wait=False)

        code, error = refusal(host)

    assert (code, host.state) == (1, None)
    assert f"cannot listen on 127.0.0.1:{port}" in error


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param(
            "import nowhere_to_be_found\n", "nowhere_to_be_found", id="import"
        ),
        pytest.param("def other(x): ...\n", "'step'", id="unknown-step"),
        pytest.param(
            "class Step:\n    def __init__(self):\n        raise OSError('no disk')\n"
            "    def do(self, x): ...\n",
            "no disk",
            id="constructor",
        ),
        pytest.param("import os\nos._exit(9)\n", "code 9", id="exit"),
    ],
)
def test_a_bundle_that_does_not_start_says_why(start_host, make_bundle, source, said):
    handler = "Step" if "Step" in source else "step"
    bundle = make_bundle(source, handler=handler)
    host = start_host(bundle, "--workers", "2", wait=False)

    code, error = refusal(host)

    assert (code, host.state) == (1, None)
    assert said in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "JUPYTER_GRAPH_TOKEN"),
        (["--port", "70000"], "0 to 65535"),
        (["--workers", "0"], "at least 1"),
    ],
    ids=["open-address", "port", "workers"],
)
def test_wrong_words_are_refused(start_host, make_bundle, words, said):
    host = start_host(make_bundle(STEP), *words, wait=False)

    code, error = refusal(host)

    assert code == 1
    assert said in error


def test_a_folder_without_main_is_no_bundle(start_host, tmp_path):
    code, error = refusal(start_host(tmp_path, wait=False))

    assert code == 1
    assert "is no bundle" in error


AUDITED = """
import asyncio
import pathlib
import time

def step(body):
    return 2 * body

async def audit(body):
    await asyncio.sleep(0.5)
    with pathlib.Path("FOLDER/audited.txt").open("a") as file:
        file.write(f"{body}\\n")

def audit_in_line(body):
    time.sleep(0.2)
    with pathlib.Path("FOLDER/audited.txt").open("a") as file:
        file.write(f"{body}\\n")
"""


@pytest.mark.parametrize("audit", ["audit", "audit_in_line"])
def test_stopping_waits_for_what_answered_requests_have_left(
    start_host, make_bundle, tmp_path, audit
):
    bundle = make_bundle(AUDITED.replace("FOLDER", str(tmp_path)), "async")
    graph = json.loads((bundle / "graph.json").read_text())
    graph["steps"]["audit"] = {"kind": "task", "handler": audit, "after": ["step"]}
    (bundle / "graph.json").write_text(json.dumps(graph))
    host = start_host(bundle)

    answers = [host.post(body).json() for body in (1, 2, 3)]
    audited = tmp_path / "audited.txt"
    before = audited.read_text().split() if audited.exists() else []
    assert host.stop() == 0

    assert answers == [2, 4, 6]
    assert len(before) < 3
    assert sorted(audited.read_text().split()) == ["2", "4", "6"]


def test_a_failed_event_is_one_line_of_the_log(make_bundle, start_host, wait_until):
    source = (
        "from jupyter_graph.errors import NotFoundError\n"
        "def step(body):\n"
        "    if body == 'gone': raise NotFoundError('no such thing')\n"
        "    return 1 / body\n"
    )
    host = start_host(make_bundle(source))
    assert host.post("gone").status_code == 404
    answer = host.post(0, headers={"x-event-id": "e7"})
    assert answer.status_code == 500
    assert host.post(2).json() == 0.5

    failed = wait_until(lambda: [line for line in host.log if "e7" in str(line)])
    [line] = failed
    assert line["message"] == "event e7 failed"
    assert line["level"] == "error"
    assert line["with"]["step"] == "step"
    assert line["with"]["error"].startswith("ZeroDivisionError")
    assert "return 1 / body" in line["with"]["traceback"]
    assert not [line for line in host.log if "no such thing" in str(line)]
