"""How an event's work is done: in which thread, on which loop, within what time."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.errors import ClosedError, DeadlineError
from jupyter_graph.run.deadline.interrupt import MainThreadInterrupter
from jupyter_graph.run.deadline.running_call import RunningCall
from jupyter_graph.run.deadline.step_threads import pool
from jupyter_graph.run.deadline.watchdog import unwatch, watch
from jupyter_graph.run.event_errors import fail, late
from jupyter_graph.run.owned_resources import OwnedResources, refuse
from jupyter_graph.threads.slots import Slots
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    import asyncio

    from jupyter_graph.event import Event
    from jupyter_graph.run.aio.event_tasks import EventTasks
    from jupyter_graph.run.emit import BackgroundEvents
    from jupyter_graph.run.order_by import OrderBy

Result = TypeVar("Result")
Function = Callable[[Any], Any]
get_ident = threading.get_ident


class Dispatcher:
    """Runs the events of one graph, one at a time or many at once.

    It knows the graph's function and nothing of its steps; ``GraphInstance`` sets it.
    The watchdog looks at it to keep the deadlines of the main thread.

    Args:
        compiled: the graph.
        timeout_s: seconds an event may take.
        own_loop: False lets all events run on the calling loop.
        owner: the runner; held weakly.

    Attributes:
        owner: returns what the user is to close.
        belongs_to: the class of the owner where that is no runner, else "".
        compiled: the graph that runs now, or will when it is opened.
        function: its function; it refuses events while the graph is closed.
        quick: the function, and whether it takes events, where a coroutine may call it
            on its own loop and nothing is to be done before; else None.
        fast_id: the main thread while an event there needs no more than a call of
            ``function``, else -1.
        order: what lets events of one key in one after the other, or None.
        owned: threads, loop, processes and the signal.
        background: the events that were sent without waiting, or None.
        lender: a loop that lets events of its coroutines run on it, or None.
        changing: held while the graph is opened, swapped or closed; constructors of the
            user's run meanwhile.
        lock: held for some assignments; this is the one that events want.
    """

    codes: ClassVar[dict[CodeType, str]] = {}
    """The code of what runs an event in the main thread, and the variable in which each
    has its dispatcher."""

    def __init__(
        self, compiled: CompiledGraph, *, timeout_s: float, own_loop: bool, owner: Any
    ) -> None:
        self.compiled = compiled
        self.timeout_s = timeout_s
        self.own_loop = own_loop
        self.owner: Callable[[], Any] = weakref.ref(owner)
        self.belongs_to = ""
        self.is_open = False
        self.order: OrderBy | None = None
        self.order = self._order_of(compiled)
        self.function: Function = refuse
        self.quick: tuple[Function, bool] | None = None
        self.fast_id = -1
        self.owned = OwnedResources()
        self.background: BackgroundEvents | None = None
        self.lender: asyncio.AbstractEventLoop | None = None
        self.changing = threading.RLock()
        self.lock = threading.RLock()
        self._slots = Slots(1)
        self._is_plain = False
        self._is_forked = False
        self._is_inside = False  # the main thread, with an event of this graph
        self._main_id = -1
        self._running = RunningCall(self.codes)

    # -- the graph --------------------------------------------------------------

    def take_over(self, compiled: CompiledGraph, function: Function) -> None:
        """Run further events through this graph."""
        order, limit = self._order_of(compiled), compiled.spec.max_in_flight
        if not self.is_open or limit != self.compiled.spec.max_in_flight:
            self._slots = Slots(max(1, limit - 1))  # one is the main thread's
            if self.owned.tasks is not None:
                self.owned.tasks.bound(limit)
        self.compiled, self.function, self.order = compiled, function, order
        self.is_open = True
        runs_here = self._lend() is not None or not self.own_loop
        is_quick = compiled.is_async and runs_here and not (compiled.streams or order)
        self.quick = (function, compiled.takes_event) if is_quick else None
        is_plain = not (compiled.is_async or compiled.takes_event or compiled.streams)
        self._is_plain = is_plain and limit > 1 and order is None
        self.fast_id = self._main_id if self._is_plain else -1

    def _order_of(self, compiled: CompiledGraph) -> OrderBy | None:
        order_by = compiled.spec.order_by
        if order_by is None:
            return None
        if self.order is not None and self.order.order_by == order_by:
            return self.order  # those who wait there keep their places
        from jupyter_graph.run.order_by import OrderBy

        return OrderBy(order_by, self.timeout_s)

    def refuse(self) -> None:
        """Take no more events."""
        self.function, self.quick, self.fast_id = refuse, None, -1

    def check_open(self) -> None:
        """Raise ClosedError unless the graph is open."""
        if self.is_open:
            return
        name = self.compiled.spec.name
        if self.belongs_to:
            raise ClosedError(f"this {self.belongs_to} of graph {name!r} is closed")
        raise ClosedError(
            f"the runner of graph {name!r} is not open; "
            "use it in a with statement, or call open()"
        )

    @property
    def is_busy(self) -> bool:
        """Whether an event is inside."""
        tasks, background = self.owned.tasks, self.background
        return bool(
            self._slots.taken
            or (background is not None and len(background))
            or (tasks is not None and tasks.is_busy)
            or RunningCall(self.codes).number(self)
        )

    # -- deadlines in the main thread -------------------------------------------

    def watch(self) -> None:
        """Hold deadlines from now on; a child process asks for it with an event."""
        self._is_forked = False
        if MainThreadInterrupter.install(self.owned):
            self._main_id = get_ident()
            self.fast_id = self._main_id if self._is_plain else -1
        watch(self)

    def unwatch(self) -> None:
        """Hold no more deadlines."""
        self._main_id = self.fast_id = -1
        unwatch(self)
        self._running.forget()

    def mark(self) -> int:
        """Return the number of the event in the main thread, 0 while there is none."""
        return self._running.number(self) if self._main_id >= 0 else 0

    def expire(self, mark: int) -> None:
        """Interrupt that event; the watchdog calls this."""
        running = self._running
        MainThreadInterrupter.throw(lambda: running.is_still(mark), self)

    def forked(self) -> None:
        """Go on in a child process, which has none of the threads.

        Locks that another thread held are taken for ever there, so all are new. What
        steps kept is not flushed by time, and processes of steps are the parent's.
        """
        self.changing, self.lock = threading.RLock(), threading.RLock()
        self.owned, self.background = OwnedResources(), None
        self._slots = Slots(max(1, self.compiled.spec.max_in_flight - 1))
        self._is_forked, self._main_id, self.fast_id = True, -1, -1

    # -- from a thread ----------------------------------------------------------

    def run(self, event: Event, function: Function | None = None) -> Any:
        """Run one event and return the bare result, ``NOTHING`` where there is none.

        Args:
            event: the event.
            function: a traced version of the graph's function, to be called instead.
        """
        if (order := self.order) is None:
            return self._run_now(event, function)
        turn = order.turn_of(event)
        with turn, turn:
            order.wait(turn, event)
            return self._run_now(event, function)

    def _run_now(self, event: Event, function: Function | None) -> Any:
        self.check_open()
        if self._is_forked:
            self.watch()
        _check_time_left(event)
        if not self.compiled.is_async:
            return self._run_sync(function or self.function, event)
        tasks = self.tasks()
        work = tasks.run(function or self.function, self.argument_of(event), event)
        result = tasks.wait(work, event)
        is_stream = isinstance(result, AsyncIterator)
        return tasks.iterated(result, event) if is_stream else result

    def _run_sync(self, function: Function, event: Event) -> Any:
        it = self.argument_of(event)
        result = self.limited(function, it, event, takes_slot=True)
        if self.compiled.streams and isinstance(result, Iterator):
            return self._guarded(result, event, self.owner())
        return result

    def limited(
        self, function: Function, it: Any, event: Event, *, takes_slot: bool = False
    ) -> Any:
        """Call a function of the graph within the event's time."""
        is_main, spec = get_ident() == self._main_id, self.compiled.spec
        try:
            if is_main and self._is_inside and self._is_on_the_stack():
                return function(it)  # a step of this graph runs the graph again
            # The main thread has a slot of its own, unless there is only one.
            if not takes_slot or (is_main and spec.max_in_flight > 1):
                return self._run_it(function, it, event, is_main)
            slot = self._slots.slot()
            with slot, slot:
                slot.take(self.timeout_s)
                return self._run_it(function, it, event, is_main)
        except BaseException as error:
            fail(error, event.id, spec.name, self.timeout_s, self)

    def _run_it(self, function: Function, it: Any, event: Event, is_main: bool) -> Any:
        if not is_main:
            return self._elsewhere(function, it, event)
        self._is_inside = True  # no counter: a step of this graph may run it again
        try:
            return function(it)
        finally:
            self._is_inside = False

    def _is_on_the_stack(self) -> bool:
        """Tell whether the caller is inside an event of this graph.

        An interrupt may keep ``_is_inside`` from being taken back.
        """
        code = Dispatcher._run_it.__code__
        return RunningCall({code: self.codes[code]}).number(self) != 0

    def _elsewhere(self, function: Function, it: Any, event: Event) -> Any:
        outcome, worker = pool.submit(function, it)
        step = pool.wait(self.timeout_s, outcome, worker)
        if step is None:
            return outcome.result()
        late(step, event.id, self.compiled.spec.name, self.timeout_s)

    def _guarded(self, items: Iterator[Any], event: Event, owner: Any) -> Iterator[Any]:
        """Yield a stream; each item has the time of an event, a failure is ours.

        Who has the stream keeps ``owner`` open, before the first item is read, too.
        """

        def following(rest: Iterator[Any]) -> Any:
            return next(rest, NOTHING)

        while (item := self.limited(following, items, event)) is not NOTHING:
            yield item

    # -- from a coroutine -------------------------------------------------------

    async def arun(self, event: Event, function: Function | None = None) -> Any:
        """``run`` from a coroutine."""
        if (order := self.order) is None:
            return await self._arun_now(event, function)
        turn = order.turn_of(event)
        with turn:
            await order.wait_on_loop(turn, event)
            return await self._arun_now(event, function)

    async def _arun_now(self, event: Event, function: Function | None) -> Any:
        self.check_open()
        _check_time_left(event)
        if self.compiled.is_async:
            tasks = self.tasks()
            it = self.argument_of(event)
            work = tasks.run(function or self.function, it, event)
            result = await tasks.hop(work, event)
            is_stream = isinstance(result, AsyncIterator)
            return tasks.aiterated(result, event) if is_stream else result
        if not self.own_loop:
            return self._run_sync(function or self.function, event)
        return await in_thread(self, self._run_now, event, function)

    def tasks(self) -> EventTasks:
        """Return what runs the events of an asynchronous graph, made with the first."""
        from jupyter_graph.run.aio.event_tasks import EventTasks

        with self.lock:
            self.check_open()
            if self.owned.tasks is None:
                spec = self.compiled.spec
                self.owned.tasks = EventTasks(
                    graph=spec.name,
                    limit_s=self.timeout_s,
                    max_in_flight=spec.max_in_flight,
                    own_loop=self.own_loop,
                )
                self._lend()
            return self.owned.tasks

    def _lend(self) -> asyncio.AbstractEventLoop | None:
        """Let events of coroutines run on the loop that opened the graph; return it.

        Not where steps keep something: that belongs to one loop, which flushes it.
        """
        lender = None if self.compiled.keeps else self.lender
        if self.owned.tasks is not None:
            self.owned.tasks.lender = lender
        return lender

    # -- in and out -------------------------------------------------------------

    def argument_of(self, event: Event) -> Any:
        """Return what the graph's function is called with."""
        return event if self.compiled.takes_event else event.body

    def unanswered(self, event_id: str | None) -> Any:
        """Return what the caller gets when no step answered."""
        if self.compiled.responder is not None:
            return None
        from jupyter_graph.event import new_id

        return {"id": event_id or new_id()}


# The watchdog looks for these frames on the main thread's stack.
Dispatcher.codes[Dispatcher._run_it.__code__] = "self"


def _check_time_left(event: Event) -> None:
    """Refuse an event that nobody waits for any more."""
    if event.deadline is not None and event.deadline < time.monotonic():
        raise DeadlineError(
            "the event's time was up before it came here (X-Event-Time-Left-Ms)"
        )


async def in_thread(
    dispatcher: Dispatcher, work: Callable[..., Result], *args: Any
) -> Result:
    """Do the work in a thread, which keeps the dispatcher's owner open meanwhile."""
    import asyncio

    return await asyncio.to_thread(_holding, dispatcher.owner(), work, *args)


def _holding(owner: Any, work: Callable[..., Result], *args: Any) -> Result:
    """Do the work; this frame is what holds the owner meanwhile."""
    return work(*args)
