"""Starts a broker of one node from the jars that ``make kafka`` puts in place."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

JARS = Path(__file__).parents[2] / "build" / "kafka"
START_S = 60.0
SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/log
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""


def why_not() -> str:
    """Say what a broker lacks here, "" when nothing."""
    if shutil.which("java") is None:
        return "java is not installed"
    if not any(JARS.glob("kafka_*.jar")):
        return "there are no jars of Kafka: make kafka"
    return ""


class Broker:
    """A broker that can be stopped and started again, with what it holds.

    Args:
        folder: where it keeps its log.
        settings: further ones, such as ``message.max.bytes``.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object] = {}) -> None:
        self.port, controller = free_ports(2)
        self.url = f"127.0.0.1:{self.port}"
        self._file = folder / "server.properties"
        text = SETTINGS.format(port=self.port, controller=controller, folder=folder)
        more = "".join(f"{name}={value}\n" for name, value in settings.items())
        self._file.write_text(text + more, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        subprocess.run(
            [
                *_java("kafka.tools.StorageTool"),
                "format",
                f"--cluster-id={cluster}",  # one of 64 begins with a hyphen
                "-c",
                self._file,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        quiet = subprocess.DEVNULL
        words = [*_java("kafka.Kafka"), str(self._file)]
        self._process = subprocess.Popen(words, stdout=quiet, stderr=quiet)
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError("the broker did not start")

    def stop(self) -> None:
        """Stop it at once, as a crash does; harmless twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def broker(settings: Mapping[str, object] = {}) -> Iterator[Broker]:
    """Give a running broker, gone with its folder at the end."""
    with tempfile.TemporaryDirectory(prefix="kafka-") as folder:
        found = Broker(Path(folder), settings)
        try:
            found.start()
            yield found
        finally:
            found.stop()


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()


def _java(main: str) -> list[str]:
    options = os.environ.get("KAFKA_JAVA_OPTIONS", "-Xmx384m").split()
    return ["java", *options, "-cp", f"{JARS}/*", main]
