"""One thing that is wrong with a graph, and how values are shown in it."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass

from jupyter_graph.spec.model import StepSpec


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a graph.

    Attributes:
        message: what is wrong and what would be right; names step and field.
        step: the step it stands at, None for the graph itself.
        field: the field of that step or of the graph.
    """

    message: str
    step: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        return self.message


def of_another_kind(step: StepSpec, owner: str, field: str, it: str = "one") -> Problem:
    """Return the problem of a field that only steps of one kind have.

    Args:
        step: the step.
        owner: the kind of steps that have it.
        field: the field.
        it: the word for what it holds, if there is one.
    """
    what = repr(field) if it == "one" else it
    return Problem(
        f"step {step.name!r} has {what} but is of kind {step.kind!r}; only a {owner} "
        f"has {it}",
        step.name,
        field,
    )


def shown(value: object) -> str:
    """Return a value as a message shows it, shortened."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python does not write numbers of thousands of digits
        return "a very large number"
