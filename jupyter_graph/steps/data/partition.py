"""The step that splits bodies in two by a function."""

from __future__ import annotations

from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.data.step_functions import (
    Function,
    checked,
    gives_many,
    must_wait,
    name_of,
)


class Partition:
    """Send a body to one of two followers, by a function that says which.

    Body in, body out: what ``predicate`` takes, unchanged.

    Args:
        predicate: a plain function of the body; a coroutine function is refused.
        true: the follower, or the list of followers, for bodies it holds true for.
        false: the follower, or the list of them, for all others.

    Raises:
        SpecError: ``predicate`` is no plain function, or a follower has no name.

    >>> half = Partition(lambda body: body % 2 == 0, true="even", false="odd")
    >>> half.select_outlets(2), half.select_outlets(3)
    (['even'], ['odd'])
    """

    def __init__(
        self, predicate: Function, *, true: str | list[str], false: str | list[str]
    ) -> None:
        self.predicate = checked(predicate, "Partition: predicate")
        if gives_many(predicate) or must_wait(predicate):
            raise SpecError(
                f"Partition: {name_of(predicate)!r} is a coroutine or a generator; "
                "a plain function is needed"
            )
        self.true = _followers(true, "true")
        self.false = _followers(false, "false")

    def select_outlets(self, body: Any) -> list[str]:
        return self.true if self.predicate(body) else self.false


def _followers(names: Any, what: str) -> list[str]:
    listed = [names] if isinstance(names, str) else names
    is_list = isinstance(listed, list | tuple) and len(listed) > 0
    if not is_list or not all(isinstance(name, str) and name for name in listed):
        raise SpecError(
            f"Partition: {what} must be the name of a step or a list of names, "
            f"got {names!r}"
        )
    return list(listed)
