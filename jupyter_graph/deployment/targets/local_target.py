"""The embedded host on this machine, apart from the kernel and remembered on disk."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from jupyter_graph.deployment.bundle.bundle_folder import put_in_place
from jupyter_graph.deployment.host_process import (
    ours,
    port_problem,
    start_host,
    stop,
)
from jupyter_graph.deployment.private_files import (
    function_folder,
    private_folder,
    read_object,
)
from jupyter_graph.deployment.records import Record, forget, read_records, remember
from jupyter_graph.deployment.targets.deploy_target import DeployTarget, Job, Status
from jupyter_graph.errors import DeployError, HostError
from jupyter_graph.host.bundle_loader import read_secrets

if TYPE_CHECKING:
    from jupyter_graph.deployment.bundle.bundle_folder import Bundle
    from jupyter_graph.deployment.deploy_options import DeployOptions

HOST = "127.0.0.1"
LOG_BYTES = 256 * 1024


class LocalTarget(DeployTarget):
    """Starts, finds and stops embedded hosts of this user."""

    may_take_over = False
    reads_fields = frozenset(("env", "eventTimeout", "triggers"))

    def option_problems(self, options: DeployOptions) -> Iterator[str]:
        """Yield the triggers that only Nuclio serves."""
        triggers = options.spec.get("triggers", {})
        for name, trigger in triggers.items() if isinstance(triggers, Mapping) else ():
            if trigger.get("kind") != "http":
                yield (
                    f"trigger {name!r} is of kind {trigger.get('kind')!r}, which the "
                    "local host does not serve; deploy it with target nuclio"
                )

    def check(self, job: Job) -> None:
        """Raise a DeployError when the port is somebody else's, or a secret missing."""
        read_secrets(job.options.secrets)
        port = job.options.port
        if not port or (_port_of(job.before) == port and _living(job.before)):
            return
        if problem := port_problem(port, HOST):
            raise DeployError(
                f"{problem}{_held(port)}; choose another one, or leave it out for a "
                "free one"
            )

    def start(self, job: Job, bundle: Bundle) -> tuple[Record, str]:
        """Serve the bundle; a function of this name keeps its port and its URL."""
        before = job.before
        old = _living(before)
        if before and old and self._is_unchanged(before, job.options.port, bundle):
            now = self.new_record(job, bundle)
            kept = replace(
                before,
                parity=job.parity,
                graph=now.graph,
                notebook=now.notebook,
                kernel=now.kernel,
            )
            remember(kept)
            return kept, "unchanged: it goes on serving"
        folder = function_folder(job.options.name, self.name)
        place = private_folder(folder / "bundles") / bundle.hash[:16]
        # A running host imports from its folder: the same bundle stays where it is.
        if not (before and old and before.place == str(place)):
            put_in_place(bundle.folder, place)
        record = self._record(job, bundle, place, self._port(job))
        try:
            record = self._swap(record, before, job.options.wait_s)
        except BaseException:
            _forget_failed(record, before)
            raise
        _forget_bundles(place)
        return record, "" if before is None else "replaced"

    def _is_unchanged(self, before: Record, port: int | None, bundle: Bundle) -> bool:
        return (
            before.hash == bundle.hash
            and before.cwd == _cwd(bundle)
            and port in (None, 0, _port_of(before))
            and self.status(before).state == "ready"
        )

    def _port(self, job: Job) -> int:
        """Return the port asked for, else the one of before while it can be had."""
        if job.options.port is not None:
            return job.options.port
        held = _port_of(job.before)
        can_be_had = held and (_living(job.before) or not port_problem(held, HOST))
        return held if can_be_had else 0

    def _record(self, job: Job, bundle: Bundle, place: Path, port: int) -> Record:
        options = job.options
        folder = function_folder(options.name, self.name)
        log = str(folder / "host.log")
        command = [sys.executable, "-P", "-m", "jupyter_graph.host", str(place)]
        command += ["--name", options.name, "--host", HOST, "--port", str(port)]
        command += ["--workers", str(options.workers)]
        command += ["--start-seconds", f"{options.wait_s:g}", "--log-file", log]
        return self.new_record(
            job,
            bundle,
            place=str(place),
            log=log,
            state=str(folder / f"state-{time.time_ns():x}.json"),
            command=tuple(command),
            cwd=_cwd(bundle),
            env=dict(options.env),
        )

    def _swap(self, record: Record, before: Record | None, wait_s: float) -> Record:
        """Put the new host in the old one's place; the old one comes back on failure.

        Both cannot listen on one port, so the old one drains first when they share it.
        """
        old = _living(before)
        shares = before is not None and _wanted_port(record) == _port_of(before)
        if old is not None and shares:
            stop(old)
        try:
            started = start_host(record, wait_s)
        except BaseException as error:
            if before is not None and old is not None and shares:
                _bring_back(before, wait_s, error)
            raise
        remember(started)
        if old is not None and not shares:
            stop(old)
        if before is not None and before.state != started.state:
            Path(before.state).unlink(missing_ok=True)
        return started

    def address(self, record: Record) -> str:
        """Return the URL for events."""
        return record.url

    def status(self, record: Record) -> Status:
        """Ask the host; one whose process is gone is ``stopped``."""
        if _living(record) is None:
            return Status("stopped", 0, record.url, "its process is gone")
        import requests

        # The number that was asked for may not be the number that runs.
        workers = len(read_object(Path(record.state)).get("workers", ())) or 1
        try:
            with requests.Session() as session:
                session.trust_env = False
                ready = session.get(f"{record.url}/readyz", timeout=2)
        except requests.RequestException as error:
            return Status("unhealthy", workers, record.url, f"{error}")
        if ready.ok:
            return Status("ready", workers, record.url)
        return Status("unhealthy", workers, record.url, ready.text[:500])

    def logs(self, record: Record) -> str:
        """Return the end of what the host and its steps wrote."""
        try:
            with Path(record.log).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def follow(self, record: Record) -> Iterator[str]:
        """Yield lines until the host is gone."""
        try:
            file = Path(record.log).open(encoding="utf-8", errors="replace")  # noqa: SIM115
        except OSError:
            return
        with file:
            while True:
                line = file.readline()
                if line:
                    yield line.rstrip("\n")
                elif _living(record) is None:
                    return
                else:
                    time.sleep(0.1)

    def delete(self, record: Record) -> None:
        """Let the host drain, end it, and forget it with its files."""
        if process := _living(record):
            stop(process)
        forget(record)


def _cwd(bundle: Bundle) -> str:
    return str(bundle.cwd or Path.cwd())


def _living(record: Record | None) -> psutil.Process | None:
    """Return the host's process when it lives and surely is the one we started."""
    process = ours(record.pid, record.created) if record is not None else None
    try:
        is_host = process is not None and "jupyter_graph.host" in process.cmdline()
    except psutil.Error:
        return None
    return process if is_host else None  # an id may be used again


def _held(port: int) -> str:
    """Return which deployment of ours has this port, as the end of a message."""
    names = [record.name for record in read_records() if _port_of(record) == port]
    return f", which is deployment {names[0]!r}" if names else ""


def _port_of(record: Record | None) -> int:
    return (urlsplit(record.url).port or 0) if record and record.url else 0


def _wanted_port(record: Record) -> int:
    return int(record.command[record.command.index("--port") + 1])


def _bring_back(before: Record, wait_s: float, error: BaseException) -> None:
    """Start the host that served before again, on its own port."""
    port = _port_of(before)
    at = before.command.index("--port") + 1
    command = (*before.command[:at], str(port), *before.command[at + 1 :])
    try:
        remember(start_host(replace(before, command=command), wait_s))
    except HostError as second:
        error.add_note(f"what was deployed before did not come back either: {second}")
    else:
        error.add_note("what was deployed before serves again")


def _forget_failed(record: Record, before: Record | None) -> None:
    """Take away what a deploy that failed has put into the state folder."""
    if before is None:
        forget(record)
    elif before.place != record.place:
        shutil.rmtree(record.place, ignore_errors=True)


def _forget_bundles(kept: Path) -> None:
    for path in kept.parent.iterdir():
        if path != kept:
            shutil.rmtree(path, ignore_errors=True)
