"""Servers and tables that the tests of this room use."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from jupyter_graph.connectors.tables.open_table import open_table

REDIS = shutil.which("redis-server")
POSTGRES = shutil.which("postgres")


@pytest.fixture
def unused_port():
    """Give a port of this machine that nobody listens on."""
    return free_port()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for_port(port, process):
    end = time.monotonic() + 15
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.02)
    pytest.fail(f"the server on port {port} did not start")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    pytest.importorskip("redis")
    if REDIS is None:
        pytest.skip("redis-server is not installed")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    words = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen([*words, "--dir", folder], stdout=subprocess.DEVNULL) as it:
        wait_for_port(port, it)
        yield f"redis://127.0.0.1:{port}/0"
        it.terminate()


@pytest.fixture(scope="session")
def postgres_url():
    pytest.importorskip("psycopg")
    pytest.importorskip("sqlalchemy")
    if POSTGRES is None:
        pytest.skip("PostgreSQL is not installed")
    user = "postgres" if os.getuid() == 0 else None  # PostgreSQL refuses root
    port, folder = free_port(), tempfile.mkdtemp(prefix="postgres-")
    if user:
        shutil.chown(folder, user)
    home = Path(POSTGRES).resolve().parent
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "user": user}
    setup = [f"{home}/initdb", "-D", folder, "-U", "ann", "--auth=trust", "-N"]
    subprocess.run(setup, check=True, **quiet)
    words = [f"{home}/postgres", "-D", folder, "-p", str(port), "-F", "-k", ""]
    with subprocess.Popen([*words, "-h", "127.0.0.1"], **quiet) as it:
        wait_for_port(port, it)
        wait_for_postgres(port)
        yield f"postgresql+psycopg://ann@127.0.0.1:{port}/postgres"
        it.terminate()
    shutil.rmtree(folder)


def wait_for_postgres(port):
    """Wait until it takes connections: it listens while it still starts up."""
    import psycopg

    end = time.monotonic() + 15
    while True:
        try:
            with psycopg.connect(
                f"host=127.0.0.1 port={port} user=ann dbname=postgres"
            ):
                return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            threading.Event().wait(0.05)


def place_of(kind, request, tmp_path):
    if kind in ("redis", "postgresql"):
        url = request.getfixturevalue(
            "redis_url" if kind == "redis" else "postgres_url"
        )
        name = "".join(c if c.isalnum() else "_" for c in request.node.name)
        return f"{url}#{name[-50:]}"
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
        return f"sqlite:///{tmp_path / 'some.db'}#rows"
    return f"store://{tmp_path / 'tables.sqlite'}" if kind == "store" else kind


@pytest.fixture
def where(request, tmp_path):
    """Give a fresh place of the kind that the test names."""
    return place_of(request.param, request, tmp_path)


@pytest.fixture
def opened():
    """Open tables that the end of the test closes."""
    tables = []

    def open_one(where, **options):
        tables.append(open_table(where, **options))
        return tables[-1]

    yield open_one
    for table in tables:
        table.close()
