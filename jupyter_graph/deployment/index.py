"""The deployments of this user, also those of other kernels and notebooks."""

from __future__ import annotations

from jupyter_graph.deployment.deployment import Deployment
from jupyter_graph.deployment.records import Record, read_records
from jupyter_graph.deployment.targets.target_registry import rank
from jupyter_graph.errors import DeployError, did_you_mean


def records() -> list[Record]:
    """Return what is remembered: by name, of one name in the order of the targets."""
    return sorted(read_records(), key=lambda record: (record.name, rank(record.target)))


def find_record(name: str) -> Record:
    """Return the deployment of this name; a local one before one elsewhere.

    Raises:
        DeployError: nothing of that name was deployed by this user.
    """
    everything = records()
    for record in everything:
        if record.name == name:
            return record
    names = [record.name for record in everything]
    listed = f" (deployed: {', '.join(names)})" if names else " (nothing is deployed)"
    raise DeployError(f"no deployment {name!r}{did_you_mean(name, names) or listed}")


def list_deployments() -> list[Deployment]:
    """Return this user's deployments, also those of targets that are not known here."""
    return [Deployment(record) for record in records()]


def find(name: str) -> Deployment:
    """Return the deployment of this name, whoever started it.

    Raises:
        DeployError: nothing of that name was deployed by this user.
    """
    return Deployment(find_record(name))
