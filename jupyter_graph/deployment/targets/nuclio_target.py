"""A function on a Nuclio dashboard."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_graph.deployment.bundle.bundle_folder import put_in_place
from jupyter_graph.deployment.bundle.single_file import carrier
from jupyter_graph.deployment.nuclio.dashboard import READY, Dashboard, cause, log_text
from jupyter_graph.deployment.nuclio.function_config import (
    PROJECT_LABEL,
    function_document,
)
from jupyter_graph.deployment.ownership import this_kernel
from jupyter_graph.deployment.private_files import function_folder
from jupyter_graph.deployment.records import Record, forget, remember
from jupyter_graph.deployment.targets.deploy_target import DeployTarget, Job, Status
from jupyter_graph.errors import DashboardError, DeployError, NameTakenError
from jupyter_graph.values.dotted_path import find

if TYPE_CHECKING:
    from jupyter_graph.deployment.bundle.bundle_folder import Bundle

HASH = "jupyter-graph/hash"
OWNER = "jupyter-graph/notebook"
GRAPH = "jupyter-graph/graph"


class NuclioTarget(DeployTarget):
    """Creates, updates, finds and deletes functions of a dashboard."""

    is_remote = True  # the dashboard knows whose a function is, not our record

    def check(self, job: Job) -> None:
        """Raise when the dashboard is down or the name is somebody else's."""
        options = job.options
        existing = Dashboard(options.dashboard).function(options.name)
        if existing is None:
            return
        metadata = existing.get("metadata") or {}
        project = (metadata.get("labels") or {}).get(PROJECT_LABEL, "")
        if project != options.project:
            raise NameTakenError(
                f"function {options.name!r} belongs to project {project!r}, not to "
                f"{options.project!r}; give another name, or project={project!r}"
            )
        marks = metadata.get("annotations") or {}
        owner, graph = marks.get(OWNER), marks.get(GRAPH, job.graph)
        is_own = owner == owner_of(job.notebook)
        if (is_own and graph == job.graph) or options.replace:
            return
        whose = "was made by hand" if owner is None else f"is of notebook {owner!r}"
        whose = f"is of graph {graph!r} of this notebook" if is_own else whose
        raise NameTakenError(
            f"function {options.name!r} {whose}; give another name, or take it over "
            "with replace=True (--replace)"
        )

    def start(self, job: Job, bundle: Bundle) -> tuple[Record, str]:
        """Send the bundle as source code and wait until it is ready."""
        options = job.options
        dashboard = Dashboard(options.dashboard)
        function = dashboard.function(options.name)
        if function is not None and _is_same(function, bundle):
            note = "unchanged: it goes on serving"
        else:
            note = "" if function is None else "replaced"
            function = self._send(dashboard, job, bundle, is_new=function is None)
        urls = dashboard.addresses(function)
        place = function_folder(options.name, self.name) / "bundle"
        put_in_place(bundle.folder, place)
        record = self.new_record(
            job,
            bundle,
            url=urls[0] if urls else "",
            place=str(place),
            project=options.project,
            dashboard=dashboard.url,
        )
        remember(record)
        return record, note

    def _send(
        self, dashboard: Dashboard, job: Job, bundle: Bundle, *, is_new: bool
    ) -> dict[str, Any]:
        """Send the function; take it away when it is new and fails.

        Nuclio keeps serving the older image while the function's state says error.
        """
        name, project = job.options.name, job.options.project
        dashboard.send(self._document(job, bundle), project)
        try:
            marks = {HASH: bundle.hash}  # until it shows them, it shows the old state
            return dashboard.wait(name, job.options.wait_s, marks)
        except DashboardError as error:
            if is_new:
                with contextlib.suppress(DashboardError):
                    dashboard.delete(name, project)
                shutil.rmtree(function_folder(name, self.name), ignore_errors=True)
            else:
                error.add_note("Nuclio keeps the pods of the last good version")
            raise

    def _document(self, job: Job, bundle: Bundle) -> dict[str, Any]:
        document = function_document(job.options, job.graph, bundle.requirements)
        code = carrier(bundle.folder).encode()
        build = document["spec"]["build"]
        build["codeEntryType"] = "sourceCode"
        build["functionSourceCode"] = base64.b64encode(code).decode("ascii")
        build.setdefault("noBaseImagesPull", True)
        document["metadata"]["annotations"] |= {
            HASH: bundle.hash,
            OWNER: owner_of(job.notebook),
            GRAPH: job.graph,
            "nuclio.io/generated_by": "function generated from jupyter_graph",
        }
        return document

    def address(self, record: Record) -> str:
        """Return the URL for events."""
        if not record.url:
            raise DeployError(
                f"{record.name!r} has no address; its triggers call it, or give it "
                "an http trigger with a port or an ingress"
            )
        return record.url

    def status(self, record: Record) -> Status:
        """Ask the dashboard."""
        function = Dashboard(record.dashboard).function(record.name)
        if function is None:
            return Status("gone", 0, record.url, "the dashboard does not know it")
        status = function.get("status") or {}
        state = str(status.get("state") or "unknown")
        message = "" if state in READY else cause(status, default="")
        return Status(state, _workers(function), record.url, message)

    def logs(self, record: Record) -> str:
        """Return the logs of build and deploy; those of pods are Kubernetes' own."""
        function = Dashboard(record.dashboard).function(record.name) or {}
        return log_text(function.get("status") or {})

    def follow(self, record: Record) -> Iterator[str]:
        """Yield log lines as they come, until the function is gone."""
        seen = 0
        dashboard = Dashboard(record.dashboard)
        while (function := dashboard.function(record.name)) is not None:
            lines = log_text(function.get("status") or {}).splitlines()
            yield from lines[seen:]
            seen = len(lines)
            time.sleep(1)

    def delete(self, record: Record) -> None:
        """Delete the function and forget it."""
        Dashboard(record.dashboard).delete(record.name, record.project)
        forget(record)


def owner_of(notebook: str) -> str:
    """Name a notebook so that others recognise it and learn no path.

    One without a file is named by its kernel.

    >>> owner_of("/home/ann/fraud.ipynb").partition(" ")[0]
    'fraud.ipynb'
    """
    here = f"{platform.node()}:{notebook}" if notebook else this_kernel()
    digest = hashlib.sha256(here.encode()).hexdigest()
    return f"{Path(notebook).name or 'unsaved'} ({digest[:12]})"


def _is_same(existing: Mapping[str, Any], bundle: Bundle) -> bool:
    mark = find(existing, f"metadata.annotations.{HASH}")
    return mark == bundle.hash and find(existing, "status.state") in READY


def _workers(function: Mapping[str, Any]) -> int:
    triggers = (function.get("spec") or {}).get("triggers") or {}
    return sum(int(trigger.get("numWorkers") or 1) for trigger in triggers.values())
