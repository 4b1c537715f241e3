"""The deploy targets by name: one line for each, here and nowhere else."""

from __future__ import annotations

from pkgutil import resolve_name

from jupyter_graph.deployment.targets.deploy_target import DeployTarget
from jupyter_graph.errors import DeployError

TARGETS = {
    "local": "jupyter_graph.deployment.targets.local_target:LocalTarget",
    "nuclio": "jupyter_graph.deployment.targets.nuclio_target:NuclioTarget",
    "archive": "jupyter_graph.deployment.targets.archive_target:ArchiveTarget",
}
"""Name → module and class, in the order in which they are listed.

Text, so that completion and the index know the names and load no target.
"""


def load_target(name: str) -> DeployTarget:
    """Return the target of this name.

    Raises:
        DeployError: this version does not know it, as a record of a newer one may.
    """
    if name not in TARGETS:
        raise DeployError(
            f"this version knows no target {name!r} (known: {', '.join(TARGETS)}); "
            "use the version that deployed there"
        )
    target: DeployTarget = resolve_name(TARGETS[name])(name)
    return target


def rank(name: str) -> tuple[int, str]:
    """Return what sorts targets: those of the registry in its order, then others."""
    known = [*TARGETS]
    return (known.index(name) if name in TARGETS else len(known), name)
