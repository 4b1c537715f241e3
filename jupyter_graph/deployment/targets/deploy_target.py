"""What every deploy target answers: about itself, and about its deployments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_graph.deployment.ownership import kernel_of
from jupyter_graph.deployment.records import Record, forget

if TYPE_CHECKING:
    from jupyter_graph.deployment.bundle.bundle_folder import Bundle
    from jupyter_graph.deployment.deploy_options import DeployOptions


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


class DeployTarget(ABC):
    """A place where functions run, or where their bundles lie.

    A subclass says what is true of its place; nobody compares names of targets.

    Args:
        name: the name under which the registry knows it.

    Attributes:
        is_private: only the owner may read the bundle.
        is_remote: ``check`` asks another machine, so a dry run leaves it out.
        may_take_over: another notebook or graph may deploy over a record, without
            ``replace=True``; False where nothing but the record tells whose it is.
        writes_events: the recorded inputs are kept beside the record.
        ships_events: ``with_events`` puts the recorded inputs into the bundle.
        needs_output: ``output`` must say where the bundle goes.
        reads_fields: the fields of a function's spec that have an effect here; None
            for all.
    """

    is_private: ClassVar[bool] = True
    is_remote: ClassVar[bool] = False
    may_take_over: ClassVar[bool] = True
    writes_events: ClassVar[bool] = True
    ships_events: ClassVar[bool] = False
    needs_output: ClassVar[bool] = False
    reads_fields: ClassVar[frozenset[str] | None] = None

    def __init__(self, name: str) -> None:
        self.name = name

    def option_problems(self, options: DeployOptions) -> Iterator[str]:
        """Yield what is wrong with options that are right for other targets."""
        yield from ()

    @abstractmethod
    def check(self, job: Job) -> None:
        """Raise a DeployError when this job cannot be done; nothing is built yet."""

    @abstractmethod
    def start(self, job: Job, bundle: Bundle) -> tuple[Record, str]:
        """Deploy a checked bundle; return its record, remembered, and a note.

        The bundle's folder is the target's from now on. When it raises, what was
        deployed before still serves.
        """

    @abstractmethod
    def address(self, record: Record) -> str:
        """Return the URL for events; raise a DeployError when there is none."""

    @abstractmethod
    def status(self, record: Record) -> Status:
        """Return what the deployment does now."""

    def logs(self, record: Record) -> str:
        """Return what it wrote; nothing where nothing runs."""
        return ""

    def follow(self, record: Record) -> Iterator[str]:
        """Yield what it wrote, line by line, and wait for more."""
        yield from ()

    def delete(self, record: Record) -> None:
        """Forget it; a place where something runs stops it first."""
        forget(record)

    def new_record(self, job: Job, bundle: Bundle, **place: Any) -> Record:
        """Return the record of a job, with what only this place knows."""
        return Record(
            name=job.options.name,
            target=self.name,
            graph=job.graph,
            notebook=job.notebook,
            kernel=kernel_of(job.notebook),
            hash=bundle.hash,
            parity=job.parity,
            files=dict(bundle.files),
            **place,
        )
