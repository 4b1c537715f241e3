"""Bundles made for a test, and hosts that are stopped after it."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

VALUES = Path(__file__).parent / "data" / "values"


def wait_for(condition, limit_s=15.0):
    """Return the condition's first true value; fail when it stays false."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"waited {limit_s:g} s in vain")


@dataclass
class Host:
    """A host process and what it said."""

    process: subprocess.Popen
    folder: Path

    @property
    def state(self):
        try:
            return json.loads((self.folder / "state" / "host.json").read_text())
        except FileNotFoundError:
            return None

    @property
    def url(self):
        return self.state["url"]

    @property
    def log(self):
        lines = (self.folder / "log" / "host.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def post(self, body, path="/", **options):
        return requests.post(self.url + path, json=body, timeout=15, **options)

    def stop(self):
        """Ask to stop; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


def start(bundle, folder, *words, env=None, wait=True):
    command = [
        sys.executable, "-m", "jupyter_graph.host", str(bundle),
        "--state-file", str(folder / "state" / "host.json"),
        "--log-file", str(folder / "log" / "host.log"), *words,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, env={**os.environ, **(env or {})}
    )
    host = Host(process, folder)
    if wait:
        wait_for(lambda: host.state or process.poll() is not None)
        assert process.poll() is None, process.stderr.read().decode()
    return host


def end(host):
    if host.process.poll() is None:
        host.process.terminate()
        try:
            host.process.wait(10)
        except subprocess.TimeoutExpired:
            host.process.kill()
            host.process.wait()
    host.process.stderr.close()


@pytest.fixture
def wait_until():
    """Return the function that waits for a condition, with a limit."""
    return wait_for


@pytest.fixture
def start_host(tmp_path):
    """Return a function that starts a host: bundle and words in, Host out."""
    hosts = []

    def start_one(bundle, *words, **options):
        hosts.append(start(bundle, tmp_path, *words, **options))
        return hosts[-1]

    yield start_one
    for host in hosts:
        end(host)


def write_bundle(
    folder, source, engine="sync", handler="step", full_event=False, **config
):
    """Write a bundle of one step; return its folder."""
    folder.mkdir(parents=True)
    shutil.copy(VALUES / "main.py", folder)
    word = "class_name" if handler[0].isupper() else "handler"
    step = {"kind": "task", word: handler, "responder": True, "full_event": full_event}
    graph = {"name": "made", "engine": engine, "steps": {"step": step}}
    (folder / "graph.json").write_text(json.dumps(graph))
    (folder / "steps.py").write_text(source)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def make_bundle(tmp_path):
    """Return a function that writes a bundle: source of steps.py in, folder out."""
    return functools.partial(write_bundle, tmp_path / "bundle")


@pytest.fixture(scope="module")
def module_host(tmp_path_factory):
    """Return a function that starts a host for a module's tests, the same one twice."""
    hosts = {}

    def start_one(source, *words, env=None, config=None, **options):
        key = repr((source, words, env, config, options))
        if key not in hosts:
            folder = tmp_path_factory.mktemp("host")
            bundle = write_bundle(folder / "made", source, **options, **(config or {}))
            hosts[key] = start(bundle, folder, *words, env=env)
        return hosts[key]

    yield start_one
    for host in hosts.values():
        end(host)


@pytest.fixture(scope="module")
def values_host(tmp_path_factory):
    """A host with two workers that gives a value of every kind."""
    host = start(VALUES, tmp_path_factory.mktemp("values"), "--workers", "2")
    yield host
    end(host)
