"""A bundle folder, or a zip file of one, for somebody else to run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_graph.deployment.bundle.bundle_folder import (
    check_is_ours,
    folder_beside,
    put_in_place,
    zip_bundle,
)
from jupyter_graph.deployment.records import Record, remember
from jupyter_graph.deployment.targets.deploy_target import DeployTarget, Job, Status
from jupyter_graph.errors import DeployError

if TYPE_CHECKING:
    from jupyter_graph.deployment.bundle.bundle_folder import Bundle


class ArchiveTarget(DeployTarget):
    """Writes bundles where the user says; deleting one leaves its files there."""

    is_private = False
    writes_events = False
    ships_events = True
    needs_output = True

    def check(self, job: Job) -> None:
        """Raise a BundleError when the output is there and is no bundle of ours."""
        output = output_of(job)
        check_is_ours(output, zipped=output.suffix == ".zip")

    def start(self, job: Job, bundle: Bundle) -> tuple[Record, str]:
        """Put the bundle in its place; an older bundle there is replaced."""
        output = output_of(job)
        output.parent.mkdir(parents=True, exist_ok=True)
        _put(bundle.folder, output)
        record = self.new_record(job, bundle, place=str(output))
        remember(record)
        is_same = job.before is not None and job.before.hash == record.hash
        return record, "unchanged" if is_same else ""

    def address(self, record: Record) -> str:
        """Raise a DeployError: a folder answers no events."""
        raise DeployError(
            f"{record.name!r} is an archive and answers no events; deploy it with "
            f"target local, or run: python -m jupyter_graph.host {record.place}"
        )

    def status(self, record: Record) -> Status:
        """Return ``built`` while the files are still there."""
        is_there = Path(record.place).exists()
        return Status("built" if is_there else "gone", message=record.place)


def output_of(job: Job) -> Path:
    """Return the absolute output path; others begin at the notebook's folder."""
    assert job.options.output is not None
    output = job.options.output.expanduser()
    folder = Path(job.notebook).parent if job.notebook else Path.cwd()
    return output if output.is_absolute() else (folder / output).resolve()


def _put(folder: Path, output: Path) -> None:
    """Put a bundle in its place; first beside it, which may be on another disk."""
    with folder_beside(output) as workshop:
        new = workshop / "bundle"
        if output.suffix == ".zip":
            with new.open("wb") as file:
                zip_bundle(folder, file)
            new.chmod(0o644)
            new.replace(output)
        else:
            shutil.move(folder, new)
            put_in_place(new, output)
