"""Where a bundle can go: one file for each place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from jupyter_graph.deployment.index import Record

if TYPE_CHECKING:
    from jupyter_graph.deployment.bundle.build import Bundle
    from jupyter_graph.deployment.options import DeployOptions


@dataclass(frozen=True)
class Status:
    """What a deployment does now.

    Attributes:
        state: ``ready``, ``stopped``, ``unhealthy``, ``built``, or Nuclio's own word.
        workers: processes that serve events.
        url: where it answers.
        message: the cause, when it is not ready.
    """

    state: str
    workers: int = 0
    url: str = ""
    message: str = ""


@dataclass(frozen=True)
class Job:
    """One deploy on its way to a target.

    Attributes:
        options: checked options.
        graph: the graph's name.
        notebook: path of the notebook or script; "" when unknown.
        before: what was deployed under this name, None when nothing was.
        parity: text of the parity report.
    """

    options: DeployOptions
    graph: str
    notebook: str
    before: Record | None
    parity: str = ""


class Target(Protocol):
    """A place where functions run, or where their bundles lie."""

    def check(self, job: Job) -> None:
        """Raise a DeployError when this job cannot be done; nothing is built yet."""

    def start(self, job: Job, bundle: Bundle) -> tuple[Record, str]:
        """Deploy a checked bundle; give its record, remembered, and a note.

        The bundle's folder is the target's from now on. When it raises, what was
        deployed before still serves.
        """

    def address(self, record: Record) -> str:
        """Return the URL for events; DeployError when there is none."""

    def status(self, record: Record) -> Status:
        """Say what the deployment does now."""

    def logs(self, record: Record) -> str:
        """Return what it wrote."""

    def follow(self, record: Record) -> Iterator[str]:
        """Return what it wrote, line by line, and wait for more."""

    def delete(self, record: Record) -> None:
        """Stop it and forget it."""


def target_named(name: str) -> Target:
    """Return the target of this name, which was checked before."""
    if name == "local":
        from jupyter_graph.deployment.targets.local_target import LocalTarget

        return LocalTarget()
    if name == "nuclio":
        from jupyter_graph.deployment.targets.nuclio_target import NuclioTarget

        return NuclioTarget()
    from jupyter_graph.deployment.targets.archive_target import ArchiveTarget

    return ArchiveTarget()
