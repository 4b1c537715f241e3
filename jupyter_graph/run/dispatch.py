"""How an event's work is done: in which thread, on which loop, within what time."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_graph.errors import DeadlineError, NoSeatError
from jupyter_graph.run.deadline.step_threads import pool
from jupyter_graph.run.deadline.watchdog import RunningCall
from jupyter_graph.run.event_errors import fail, late, new_id
from jupyter_graph.run.lifecycle import Opened
from jupyter_graph.threads.slots import Slot
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.event import Event

Result = TypeVar("Result")
get_ident = threading.get_ident


class Working(Opened):
    """An open graph that takes one event at a time, or many at once."""

    def _it(self, event: Event) -> Any:
        return event if self._plan.takes_event else event.body

    def _run_event(self, event: Event, function: Any = None) -> Any:
        if (order := self._order) is None:
            return self._run_now(event, function)
        turn = order.turn_of(event)
        try:
            try:
                order.wait(turn, event)
                return self._run_now(event, function)
            finally:
                order.leave(turn)
        finally:
            order.leave(turn)  # an interrupt may have come before the line above

    def _run_now(self, event: Event, function: Any) -> Any:
        self._opened()
        if self._is_forked:
            self._watch_again()
        _check_time_left(event)
        if self._plan.is_async:
            tasks = self._tasks_()
            work = tasks.run(function or self._function, self._it(event), event)
            found = tasks.wait(work, event)
            is_stream = isinstance(found, AsyncIterator)
            return tasks.iterated(found, event) if is_stream else found
        return self._run_sync(function or self._function, event)

    def _run_sync(self, function: Callable[[Any], Any], event: Event) -> Any:
        found = self._limited(function, self._it(event), event, takes_seat=True)
        if self._plan.streams and isinstance(found, Iterator):
            return self._guarded(found, event)
        return found

    def _limited(
        self,
        function: Callable[[Any], Any],
        it: Any,
        event: Event,
        *,
        takes_seat: bool = False,
    ) -> Any:
        """Call a function of the graph within the event's time."""
        is_main = get_ident() == self._main_id
        try:
            if is_main and self._is_inside and self._is_on_the_stack():
                return function(it)  # a step of this graph runs the graph again
            if takes_seat and not self._is_seated(is_main):
                return self._seated(function, it, event, is_main)
            return self._run_it(function, it, event, is_main)
        except BaseException as error:
            fail(error, event.id, self.spec.name, self.timeout_s, self)

    def _elsewhere(self, function: Callable[[Any], Any], it: Any, event: Event) -> Any:
        outcome, worker = pool.submit(function, it)
        step = pool.wait(self.timeout_s, outcome, worker)
        if step is None:
            return outcome.result()
        late(step, event.id, self.spec.name, self.timeout_s)

    def _is_seated(self, is_main: bool) -> bool:
        """The main thread has a seat of its own, unless there is only one."""
        return is_main and self.spec.max_in_flight > 1

    def _seated(
        self, function: Callable[[Any], Any], it: Any, event: Event, is_main: bool
    ) -> Any:
        slots, slot = self._slots, Slot()
        try:
            try:
                if not slots.take(slot, self.timeout_s):
                    raise NoSeatError(self.timeout_s)
                return self._run_it(function, it, event, is_main)
            finally:
                slots.leave(slot)
        finally:
            slots.leave(slot)  # an interrupt may have come before the line above

    def _run_it(
        self, function: Callable[[Any], Any], it: Any, event: Event, is_main: bool
    ) -> Any:
        if not is_main:
            return self._elsewhere(function, it, event)
        self._is_inside = True
        try:
            return function(it)
        finally:
            self._is_inside = False

    def _is_on_the_stack(self) -> bool:
        """Tell whether the caller is inside an event of this runner's.

        An interrupt may keep ``_is_inside`` from being taken back.
        """
        return RunningCall(Working._run_it.__code__).number(self) != 0

    async def _arun_event(self, event: Event) -> Any:
        if (order := self._order) is None:
            return await self._arun_now(event)
        turn = order.turn_of(event)
        try:
            await order.wait_on_loop(turn, event)
            return await self._arun_now(event)
        finally:
            order.leave(turn)

    async def _arun_now(self, event: Event) -> Any:
        self._opened()
        _check_time_left(event)
        if self._plan.is_async:
            tasks = self._tasks_()
            work = tasks.run(self._function, self._it(event), event)
            found = await tasks.hop(work, event)
            is_stream = isinstance(found, AsyncIterator)
            return tasks.aiterated(found, event) if is_stream else found
        if not self._own_loop:
            return self._run_sync(self._function, event)
        return await in_thread(self._run_now, event, None)

    def _guarded(self, items: Iterator[Any], event: Event) -> Iterator[Any]:
        """Yield a stream; each item has the time of an event, a failure is ours."""

        def following(rest: Iterator[Any]) -> Any:
            return next(rest, NOTHING)

        while (item := self._limited(following, items, event)) is not NOTHING:
            yield item

    def _unanswered(self, event_id: str | None) -> Any:
        """Return what the caller gets when no step answered."""
        return {"id": event_id or new_id()} if self._plan.responder is None else None


def _check_time_left(event: Event) -> None:
    """Refuse an event that nobody waits for any more."""
    if event.deadline is not None and event.deadline < time.monotonic():
        raise DeadlineError(
            "the event's time was up before it came here (X-Event-Time-Left-Ms)"
        )


async def in_thread(call: Callable[..., Result], *args: Any) -> Result:
    import asyncio

    return await asyncio.to_thread(call, *args)
