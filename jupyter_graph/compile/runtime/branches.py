"""Where a flow branches: a body for each branch, and which branches run."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jupyter_graph.compile.failing_step import (
    failed_step,
    is_cancelled,
    is_interrupt,
    step_awaited,
    tag,
)
from jupyter_graph.compile.runtime.cycles import Leap, landed, landed_async, whole
from jupyter_graph.compile.runtime.joins import EXPIRED
from jupyter_graph.compile.runtime.live_branches import LIVE, LiveBranches
from jupyter_graph.errors import said
from jupyter_graph.types import NOTHING

__all__ = ["branches", "chosen", "first_failure", "first_of", "together"]

logger = logging.getLogger("jupyter_graph")


ATOMS = frozenset((str, int, float, bool, type(None), bytes, complex))
"""What no branch can change; a key of a dict is as good as one."""


def deep_copy(it: Any) -> Any:
    """Return a deep copy; what cannot be copied is shared, with a warning."""
    if type(it) in ATOMS:
        return it
    seen: list[int] = []
    try:
        copied = _of_json(it, seen)
    except (_Other, RecursionError):
        return _copied(copy.deepcopy, it)
    if len(set(seen)) != len(seen):  # one thing in two places stays one thing
        return _copied(copy.deepcopy, it)
    return copied


class _Other(Exception):
    """A body holds more than JSON does."""


def _of_json(it: Any, seen: list[int]) -> Any:
    """Return a deep copy of plain dicts and lists, far quicker than ``deepcopy``."""
    seen.append(id(it))
    kind = type(it)
    if kind is dict:
        return {
            key: item if type(item) in ATOMS else _of_json(item, seen)
            for key, item in it.items()
        }
    if kind is list:
        return [item if type(item) in ATOMS else _of_json(item, seen) for item in it]
    raise _Other


def shallow_copy(it: Any) -> Any:
    """Return a copy that shares what is inside."""
    return it.copy() if type(it) is dict else _copied(copy.copy, it)


def no_copy(it: Any) -> Any:
    """Return the very same: all branches share it."""
    return it


def _copied(by: Callable[[Any], Any], it: Any) -> Any:
    try:
        return by(it)
    except Exception as error:
        logger.warning(
            "a body cannot be copied for a branch and is shared: %s", said(error)
        )
        return it


COPIES: Mapping[str, Callable[[Any], Any]] = {
    "deep": deep_copy,
    "shallow": shallow_copy,
    "none": no_copy,
}
"""A graph's ``copy`` option to what copies a body: ``twin`` in generated code."""


def copies_for_branches(
    copy_body: Callable[[Any], Any], *, of_events: bool
) -> Callable[[Any, int], list[Any]]:
    """Return the function that makes one body (or event) for each of n branches.

    It is ``twins`` in generated code. The first branch gets the body itself.
    """

    def copy_event(event: Any) -> Any:
        copied = copy.copy(event)  # each branch has its own, even where they share
        copied.body = copy_body(event.body)
        return copied

    def copies(it: Any, count: int) -> list[Any]:
        if count == 1:
            return [it]
        if of_events:
            _ = it.id  # made when first read: all branches shall have the same
            return [it, *(copy_event(it) for _ in range(count - 1))]
        return [it, *(copy_body(it) for _ in range(count - 1))]

    return copies


def first_of(answer: Any, other: Any) -> Any:
    """Return the first of two answers that is one."""
    return other if answer is NOTHING else answer


def first_failure(failed: BaseException | None, error: BaseException) -> BaseException:
    """Return the first of two failures; raise what no branch may keep to itself."""
    if is_interrupt(error):
        raise error
    return error if failed is None else failed


def branches(places: Any, its: list[Any], *more: Any) -> Any:
    """Run every branch, one after the other; the first answer is the answer.

    A failing branch does not stop its neighbours; the first failure is raised then. An
    event on its way back is returned as it is where no other branch has answered.
    """
    if len(places) == 1:
        return places[0](its[0], *more)
    answer: Any = NOTHING
    failed: BaseException | None = None
    leaps: list[Leap] = []
    for place, it in zip(places, its, strict=True):
        try:
            given = place(it, *more)
        except BaseException as error:
            failed = first_failure(failed, error)
        else:
            if type(given) is Leap:
                leaps.append(given)
            elif answer is NOTHING:
                answer = given
    if failed is not None:
        raise failed
    if len(leaps) == 1 and answer is NOTHING:
        return leaps[0]
    for leap in leaps:
        answer = first_of(answer, landed(leap, *more))
    return answer


async def together(places: Any, its: list[Any], *more: Any) -> Any:
    """Run every branch at the same time; answer and failure as in ``branches``.

    Where a join did not wait for all of its branches, those that are late are
    cancelled once there is an answer.
    """
    if len(places) == 1:
        return await places[0](its[0], *more)
    branch_tasks = parted(places, its, more)
    try:
        await enough(branch_tasks, more)
    except BaseException as error:
        tag(error, where(branch_tasks), first=True)
        for task in branch_tasks:
            task.cancel()
        raise
    met(more)
    return _first_of([task.result() for task in branch_tasks if is_there(task)])


async def safe_branch(place: Any, it: Any, *more: Any) -> Branch:
    """Run a branch as a task of its own; a failure waits for the other branches."""
    is_later, answer, failed = False, NOTHING, None
    try:
        answer = await place(it, *more)
        is_later = type(answer) is Leap
        answer = await landed_async(answer, *more)
    except BaseException as error:
        if is_cancelled(error):  # a cancelled task may not wait
            raise
        failed = error
    finally:
        if (live := live_of(more)) is not None:
            live.end()
    return Branch(answer, failed, is_later)


def live_of(more: tuple[Any, ...]) -> LiveBranches | None:
    """Return what counts the branches of an event, None where no join has a limit."""
    return whole(more[0]).get(LIVE) if more else None


def parted(places: Any, its: list[Any], more: tuple[Any, ...]) -> list[Any]:
    """Start a task for each branch; see ``met``."""
    import asyncio

    if (live := live_of(more)) is not None:
        live.part(len(places))
    pairs = zip(places, its, strict=True)
    return [asyncio.ensure_future(safe_branch(place, it, *more)) for place, it in pairs]


def met(more: tuple[Any, ...]) -> None:
    """Say that the branches have been waited for."""
    if (live := live_of(more)) is not None:
        live.meet()


def is_there(task: Any) -> bool:
    """Tell whether a branch has ended, and was not cancelled."""
    return bool(task.done() and not task.cancelled())


def where(tasks: list[Any]) -> str:
    """Return the step that took too long: of the first branch, of those that did."""
    for task in tasks:
        step = ""
        if not task.done():
            step = step_awaited(task)
        elif is_there(task) and is_interrupt(task.result().failed):
            step = failed_step(task.result().failed)
        if step:
            return step
    return ""


class Branch(NamedTuple):
    """What came of a branch, at once or in a later round of a cycle."""

    answer: Any
    failed: BaseException | None
    is_later: bool


def _first_of(branches: list[Branch]) -> Any:
    """Return the first answer or raise the first failure, later rounds last."""
    now = [one for one in branches if not one.is_later]
    later = [one for one in branches if one.is_later]
    answer = _answer_of(now, NOTHING)
    if len(later) == 1 and answer is NOTHING:
        return Leap(
            given_later, later
        )  # whoever waits for the answer may have one before
    return _answer_of(later, answer)


def _answer_of(branches: list[Branch], answer: Any) -> Any:
    for one in branches:
        if one.failed is not None:
            raise first_failure(None, one.failed)
        answer = first_of(answer, one.answer)
    return answer


async def given_later(branches: list[Branch], *_: Any) -> Any:
    """Return what a leap to the branches of a later round leads to."""
    return _answer_of(branches, NOTHING)


async def enough(tasks: list[Any], more: tuple[Any, ...]) -> None:
    """Wait for all branches, or for those that come in time where a join says so."""
    import asyncio

    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        is_over = bool(more) and EXPIRED in whole(more[0])
        if is_over and any(task.result().answer is not NOTHING for task in done):
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return


def chosen(outlets: Any, table: Mapping[str, Any], name: str) -> list[Any]:
    """Return the places that ``select_outlets`` named; None and [] mean all.

    Raises:
        ValueError: it named a step that does not follow, or one twice.
    """
    if outlets is None:
        return list(table.values())
    names = [outlets] if isinstance(outlets, str) else list(outlets)
    if not names:
        return list(table.values())
    unknown = [name for name in names if name not in table]
    if unknown:
        raise ValueError(
            f"Invalid outlet {unknown[0]!r} for {name!r}. "
            f"Allowed outlets are: {', '.join(sorted(table))}."
        )
    if len(set(names)) != len(names):
        raise ValueError(
            f"Invalid outlet selection for {name!r}: duplicate outlet names were "
            f"selected ({', '.join(names)})"
        )
    return [table[name] for name in names]
