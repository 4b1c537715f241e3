"""Branches of which only some lead to the step that answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from jupyter_graph.compile.failing_step import is_interrupt, tag
from jupyter_graph.compile.runtime.aside import Aside, Noted, PutOff, aside_of
from jupyter_graph.compile.runtime.branches import (
    Branch,
    enough,
    given_later,
    is_there,
    met,
    parted,
    where,
)
from jupyter_graph.compile.runtime.cycles import Leap, landed
from jupyter_graph.types import NOTHING

__all__ = ["branches_beside", "together_beside"]

Place = Callable[..., Any]


class _Found:
    """What came of the branches so far: the first answer, and the failures.

    The failure of a branch that leads to the answer is the event's. One beside it is
    noted, unless nothing has answered at the end.

    Attributes:
        answer: the first answer, ``NOTHING`` while there is none.
        leaps: the events on their way back, and whether their branches lead to it.
    """

    def __init__(self, noted: Noted, answer: Any = NOTHING) -> None:
        self.answer = answer
        self.leaps: list[tuple[Leap, bool]] = []
        self._noted = noted
        self._failed: list[BaseException] = []
        self._beside: list[BaseException] = []

    def take(self, answer: Any) -> None:
        """Keep an answer, unless there is one."""
        self.answer = answer if self.answer is NOTHING else self.answer

    def fail(self, error: BaseException, *, leads: bool) -> None:
        """Keep a failure; raise what no branch may keep to itself."""
        if is_interrupt(error):
            raise error
        (self._failed if leads else self._beside).append(error)

    def run(self, place: Place, it: Any, *more: Any, leads: bool) -> None:
        """Run a branch and keep what comes of it."""
        try:
            given = place(it, *more)
        except BaseException as error:
            self.fail(error, leads=leads)
        else:
            if type(given) is Leap:
                self.leaps.append((given, leads))
            else:
                self.take(given)

    def landed(self, *more: Any) -> Any:
        """Return the answer once events on their way back have gone round."""
        self.check()
        if len(self.leaps) == 1 and self.answer is NOTHING:
            return self.going_back(self.leaps[0][0])
        for leap, leads in self.leaps:
            self.run(lambda given: landed(given, *more), leap, leads=leads)
        return self.end()

    def add(self, branch: Branch, *, leads: bool) -> None:
        """Keep what came of a branch."""
        if branch.failed is not None:
            self.fail(branch.failed, leads=leads)
        else:
            self.take(branch.answer)

    def check(self) -> None:
        """Raise the first failure of a branch that leads to the answer."""
        if self._failed:
            first, *others = self._failed
            self._note([*others, *self._beside])
            raise first

    def going_back(self, leap: Leap) -> Leap:
        """Return a leap, whose answer is the event's."""
        self._note(self._beside)
        return leap

    def end(self) -> Any:
        """Return the answer; raise the first failure where there is none."""
        self.check()
        beside = self._beside
        if beside and self.answer is NOTHING:
            first, *others = beside
            self._note(others)
            raise first
        self._note(beside)
        return self.answer

    def _note(self, failures: list[BaseException]) -> None:
        for error in failures:
            self._noted(error)


def branches_beside(
    noted: Noted, leads: Collection[Place], places: Any, its: list[Any], *more: Any
) -> Any:
    """Run every branch, one after the other; the first answer is the answer.

    A failing branch does not stop its neighbours; see ``_Found``. Where the event puts
    off what only goes on beside its answer, the branches that lead there come first.
    """
    if len(places) == 1:
        return places[0](its[0], *more)
    if (aside := aside_of(noted)) is not None:
        return _leading_first(aside, noted, leads, places, its, *more)
    answer: Any = NOTHING
    for at, (place, it) in enumerate(zip(places, its, strict=True)):
        try:
            given = place(it, *more)
        except BaseException as error:
            found = _Found(noted, answer)
            found.fail(error, leads=place in leads)
            return _rest(found, leads, places, its, at + 1, *more)
        if type(given) is Leap:
            found = _Found(noted, answer)
            found.leaps.append((given, place in leads))
            return _rest(found, leads, places, its, at + 1, *more)
        if answer is NOTHING:
            answer = given
    return answer


def _rest(
    found: _Found,
    leads: Collection[Place],
    places: Any,
    its: list[Any],
    at: int,
    *more: Any,
) -> Any:
    """Run the branches from one on, after a failure or a leap; return the answer."""
    for place, it in zip(places[at:], its[at:], strict=True):
        found.run(place, it, *more, leads=place in leads)
    return found.landed(*more)


def _leading_first(
    aside: Aside,
    noted: Noted,
    leads: Collection[Place],
    places: Any,
    its: list[Any],
    *more: Any,
) -> Any:
    """Run the branches that lead to the answer; put off the others where they do."""
    found = _Found(noted)
    pairs = sorted(zip(places, its, strict=True), key=lambda pair: pair[0] not in leads)
    for place, it in pairs:
        if place not in leads and found.answer is not NOTHING:
            aside.rest.append(PutOff(noted, place, (it, *more)))
        else:
            found.run(place, it, *more, leads=place in leads)
    return found.landed(*more)


async def together_beside(
    noted: Noted, leads: Collection[Place], places: Any, its: list[Any], *more: Any
) -> Any:
    """Run every branch at the same time; answer and failures as in ``branches_beside``.

    Where the event puts off what only goes on beside its answer, the branches that are
    under way when one that leads there has answered go on by themselves.
    """
    if len(places) == 1:
        return await places[0](its[0], *more)
    aside = aside_of(noted)
    branch_tasks = parted(places, its, more)
    leading = [
        task for task, place in zip(branch_tasks, places, strict=True) if place in leads
    ]
    try:
        if aside is None:
            await enough(branch_tasks, more)
        else:
            await _one_answers(branch_tasks, leading)
    except BaseException as error:
        tag(error, where(branch_tasks), first=True)
        for task in branch_tasks:
            task.cancel()
        raise
    met(more)
    if aside is not None:
        _leave(branch_tasks, aside, noted)
    return _ended([(task, task in leading) for task in branch_tasks], noted)


async def _one_answers(tasks: list[Any], leading: list[Any]) -> None:
    """Wait for the first answer of a leading branch, else for all branches."""
    import asyncio

    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(task in leading and is_there(task) and _answers(task) for task in done):
            return


def _answers(task: Any) -> bool:
    branch: Branch = task.result()
    return branch.failed is None and branch.answer is not NOTHING


def _leave(tasks: list[Any], aside: Aside, noted: Noted) -> None:
    """Let the branches that are under way go on beside the answer."""
    under_way = [task for task in tasks if not task.done()]
    if under_way:
        aside.rest.append(PutOff(noted, _finished, (noted, under_way)))


async def _finished(noted: Noted, branch_tasks: list[Any]) -> Any:
    """Wait for branches whose event has been answered, and note their failures."""
    import asyncio

    try:
        await asyncio.wait(branch_tasks)
    except BaseException as error:  # the event's time is up
        tag(error, where(branch_tasks), first=True)
        for task in branch_tasks:
            task.cancel()
        raise
    for task in branch_tasks:
        if is_there(task) and task.result().failed is not None:
            noted(task.result().failed)
    return NOTHING


def _ended(tasks: list[tuple[Any, bool]], noted: Noted) -> Any:
    """Return the first answer, later rounds of cycles last; see ``_Found``."""
    there = [(task.result(), leads) for task, leads in tasks if is_there(task)]
    found = _Found(noted)
    for branch, leads in there:
        if not branch.is_later:
            found.add(branch, leads=leads)
    found.check()
    later = [one for one in there if one[0].is_later]
    if len(later) == 1 and found.answer is NOTHING:
        return found.going_back(Leap(given_later, [later[0][0]]))
    for branch, leads in later:
        found.add(branch, leads=leads)
    return found.end()
