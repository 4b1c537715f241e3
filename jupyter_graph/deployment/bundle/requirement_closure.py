"""Which modules a list of requirements brings along, as installed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from jupyter_graph.cells.slice.requirements import installed_modules
from jupyter_graph.errors import DeployError


def read_requirements(path: str | Path) -> list[str]:
    """Read the requirements of a file in pip's format; options are refused.

    Raises:
        DeployError: the file cannot be read, or a line is no requirement.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"cannot read requirements {str(path)!r}: {error}") from None
    stripped = [line.partition(" #")[0].strip() for line in lines]
    return [
        check_requirement(line, f"line {number} of {path}")
        for number, line in enumerate(stripped, 1)
        if line and not line.startswith("#")
    ]


def check_requirement(line: str, where: str) -> str:
    """Return a requirement back in one form, or say why it is none.

    >>> check_requirement("numpy >= 1.26", "pip")
    'numpy>=1.26'
    """
    try:
        return str(Requirement(line))
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise DeployError(
            f"{where}: {line!r} is no requirement like 'numpy==2.0': {reason}"
        ) from None


def joined(*lists: Iterable[str]) -> list[str]:
    """Join lists of requirements; of two for one distribution the later one counts.

    >>> joined(["numpy==1.26.4", "Pandas==2.2"], ["pandas>=2"])
    ['numpy==1.26.4', 'pandas>=2']
    """
    chosen = {
        canonicalize_name(Requirement(line).name): line
        for lines in lists
        for line in lines
    }
    return [chosen[name] for name in sorted(chosen)]


def closure(requirements: Iterable[str]) -> tuple[set[str], list[str]]:
    """Return the distributions that the requirements bring, and those not installed."""
    names: set[str] = set()
    missing: list[str] = []
    # With its extras: they bring requirements of their own.
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            missing.append(requirement.name)
            continue
        names.add(name)
        waiting += _needed(distribution.requires or (), extras)
    return names, sorted(set(missing))


def _needed(lines: Iterable[str], extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield the requirements whose markers hold here, with these extras."""
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue  # metadata of long ago; pip refuses it as well
        marker = requirement.marker
        if marker is None or any(
            marker.evaluate({"extra": extra}) for extra in ("", *extras)
        ):
            yield requirement


def modules_of(distributions: Iterable[str]) -> list[str]:
    """Return the top-level modules of these distributions."""
    wanted = set(distributions)
    return sorted(
        module
        for module, owners in installed_modules().items()
        if wanted.intersection(map(canonicalize_name, owners))
    )
