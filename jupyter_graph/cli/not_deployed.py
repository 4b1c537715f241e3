"""What stands for a deployment where a notebook runs and nothing is deployed."""

from __future__ import annotations

from typing import NoReturn


class NotDeployedHere(Exception):
    """A cell asks a deployment that was left out; so is the rest of the cell."""


class LeftOutDeployment:
    """Stands for what ``%deploy`` gives; whoever asks it ends his cell.

    >>> LeftOutDeployment()
    <not deployed: the notebook runs for a shell command>
    """

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # what a notebook asks to show it
            raise AttributeError(name)
        raise NotDeployedHere(f"nothing is deployed here, so there is no {name!r}")

    def __repr__(self) -> str:
        return "<not deployed: the notebook runs for a shell command>"
