"""One step of storey's, called like any other: an event in, what it sends on out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from typing import Any

from jupyter_graph.compile.failing_step import DRIVERS, is_cancelled
from jupyter_graph.compile.runtime.streams import Several
from jupyter_graph.compile.signature_check import signature_of
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.event import Event
from jupyter_graph.run.aio.fair_lock import FairLock
from jupyter_graph.run.context import Context
from jupyter_graph.run.event_errors import settable
from jupyter_graph.types import NOTHING

DRIVERS.add(__file__)
SendLate = Callable[[Event], Coroutine[Any, Any, None]]


class StoreyStep:
    """Drives one storey step without a flow around it, and without its source queue.

    What the step sends on while it works on an event goes on as that event; what it
    sends later (a batch whose time is up, the rest at the end) goes to ``send_late``.
    Events enter one after the other, as in a flow of storey's; only steps that work on
    many at once (``ConcurrentExecution``, ``SendToHttp``, joins with tables) take the
    next one meanwhile.

    State: in memory, with the step; a table of storey's keeps its own. It is carried
    over a hot swap while code and arguments stay, and is lost with a restart.
    """

    def __init__(
        self, code: StepCode, arguments: Mapping[str, Any], context: Context
    ) -> None:
        self.name = code.step.name
        self.step = _new(code, arguments, context)
        self.send_late: SendLate | None = None
        self._is_beside = hasattr(self.step, "_lazy_init")
        self._turns = FairLock()
        self._call: _Call | None = None
        self._closeables: list[Any] | None = None
        self._select = self.step.select_outlets
        self._has_ended = False

    @property
    def reduces(self) -> bool:
        """Whether all that the step gives comes at the end."""
        import storey

        return isinstance(self.step, storey.Reduce)

    def select_outlets(self, body: Any) -> Any:
        """Name the followers that get the body."""
        return self._select(body)

    async def do_event(self, event: Event) -> Any:
        """Return the event that goes on, ``NOTHING`` or ``Several``."""
        if self._closeables is None:
            self._begin()
        call = _Call(self._is_beside)
        passing = _storey_event(event, call)
        if self._is_beside:
            try:
                await self.step._do(passing)
                await call.done()
            except asyncio.CancelledError:
                call.give_up()  # others behind it shall not wait for it any more
                raise
        else:
            if not self._turns.take():
                await self._turns.wait()
            self._call = call
            try:
                await self.step._do(passing)
            finally:
                self._call = None
                call.is_open = False
                self._turns.leave()
        return _as_ours(call, event)

    async def end(self) -> Any:
        """Let the step send on what it kept; give what storey calls its result."""
        from storey.dtypes import _termination_obj

        closeables = self._closeables
        if closeables is None:
            if self._has_ended or not self.reduces:
                return None
            closeables = self._begin()  # its result is there without events too
        self._has_ended = True
        found = await self.step._do(_termination_obj)
        for one in closeables:
            await one.close()
        self._closeables = None
        pool = getattr(self.step, "_executor", None)
        if pool is not None:  # storey 1.14 leaves its processes behind
            pool.shutdown(wait=False, cancel_futures=True)
        return found

    def _begin(self) -> list[Any]:
        """Connect the step to its surroundings, on the loop that it runs on."""
        import storey

        owner = self

        class Sink(storey.Flow):  # type: ignore[misc]  # storey has no types
            async def _do(self, event: Any) -> Any:
                return await owner._sent(event)

            _do_and_recover = _do

        step = self.step
        step._outlets, step._inlets = [], [None]
        if not self.reduces:  # nothing comes after it
            step._outlets = [Sink(name=f"after {self.name}")]
        step._create_name_to_outlet = False
        step.select_outlets = lambda _: None  # the graph's own code picks
        step._runnable = True
        if step._outlets:  # beside it, for steps that call super()._do_downstream
            step._do_downstream = self._sent
        makes = type(step)._user_fn_output_to_event
        is_plain = not (step._full_event or step._result_path)
        if is_plain and makes is storey.Flow._user_fn_output_to_event:
            step._user_fn_output_to_event = _with_body
        self._closeables = list(step.run())
        if self._is_beside:
            self._report_when_done()
        return self._closeables

    def _report_when_done(self) -> None:
        """Tell a call that its event is done or failed, also when the step drops it.

        Storey's worker sees no failure: it would not survive all of them.
        """
        process = self.step._process_event  # storey's own reads the error's text
        if self.step.retries:
            process = self.step._process_event_with_retries
        handle = self.step._handle_completed

        async def processed(event: Any) -> Any:
            call = event._awaitable_result
            if not isinstance(call, _Call):
                return await process(event)
            call.task = asyncio.current_task()
            try:
                return call if call.is_given_up else await process(event)
            except BaseException as error:
                if is_cancelled(error) and not call.is_given_up:
                    raise
                call._set_error(error)
                return call

        async def handled(event: Any, response: Any) -> None:
            call = event._awaitable_result
            if response is call and call is not None:
                return
            try:
                await handle(event, response)
            finally:
                if isinstance(call, _Call):
                    call.finish()

        self.step._process_event_with_retries = processed
        self.step._handle_completed = handled

    async def _sent(self, sent: Any, *_: Any, **__: Any) -> Any:
        """Take what the step sends on, in place of storey's search for an outlet."""
        call = getattr(sent, "_awaitable_result", None)
        if type(call) is not _Call or not call.is_open:
            if _is_an_end(sent):
                return None
            call = self._call
        if call is not None and call.is_open:
            call.sent.append(sent)
        elif self.send_late is not None:
            await self.send_late(_ours(sent, Event(id=sent.id)))
        return None


class _Call:
    """What storey calls an awaitable result: where the result of an event goes."""

    __slots__ = ("_future", "is_given_up", "is_open", "sent", "task")

    def __init__(self, is_beside: bool) -> None:
        self.sent: list[Any] = []
        self.is_open = True
        self.is_given_up = False
        self.task: asyncio.Task[Any] | None = None
        self._future: asyncio.Future[None] | None = None
        if is_beside:
            self._future = asyncio.get_running_loop().create_future()

    async def done(self) -> None:
        if self._future is not None:
            await self._future
        self.is_open = False

    def give_up(self) -> None:
        """End the work: its caller waits no more."""
        self.is_given_up = True
        if self.task is not None:
            self.task.cancel()

    def finish(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def _set_result(self, _: Any) -> None:
        self.finish()

    def _set_error(self, error: BaseException) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_exception(settable(error))

    def __deepcopy__(self, _: Any) -> _Call:
        return self  # the copies of an event are still this caller's


def _new(code: StepCode, arguments: Mapping[str, Any], context: Context) -> Any:
    spec = code.step
    options: dict[str, Any] = {"name": spec.name, "context": _for_storey(context)}
    for key in ("input_path", "result_path"):
        if getattr(spec, key) is not None:
            options[key] = getattr(spec, key)
    if spec.full_event is not None:
        options["full_event"] = spec.full_event
    elif code.code.__name__ == "Batch":
        options["full_event"] = arguments.get("full_event", True)  # storey asks for it
    signature = signature_of(code.code)
    takes = signature.parameters.values() if signature else ()
    if not any(p.kind is p.VAR_KEYWORD for p in takes):
        known = {p.name for p in takes}
        options = {key: value for key, value in options.items() if key in known}
    return code.code(**{**options, **arguments})


def _for_storey(context: Context) -> Context:
    """Return a context whose ``push_error`` tells storey that errors are dealt with.

    Its workers end for ever at the first error otherwise (storey 1.14); the caller's
    own answer says what happened.
    """
    return context.reporting(lambda *_: None)


def _storey_event(event: Event, call: _Call) -> Any:
    """Return an event of storey's; its constructor takes longer than most steps."""
    found = object.__new__(_storey_type())
    found.__dict__ = {
        "body": event.body,
        "key": event.key,
        "processing_time": event.time,
        "id": event.id,
        "headers": dict(event.headers),
        "method": event.method,
        "path": event.path,
        "content_type": event.content_type,
        "_awaitable_result": call,
        "error": None,
    }
    return found


def _with_body(event: Any, body: Any) -> Any:
    """Give a copy of storey's event with another body, ten times as fast as copy()."""
    found = object.__new__(type(event))
    found.__dict__ = {**event.__dict__, "body": body}
    return found


@cache
def _storey_type() -> Any:
    from storey import Event

    return Event


def _is_an_end(sent: Any) -> bool:
    """Tell what says that all events, or those of a stream, have been."""
    from storey.dtypes import StreamCompletion, _termination_obj

    return sent is _termination_obj or isinstance(sent, StreamCompletion)


def _as_ours(call: _Call, event: Event) -> Any:
    if len(call.sent) == 1:
        [sent] = call.sent
        is_own = getattr(sent, "_awaitable_result", None) is call
        return _ours(sent, event if is_own else Event(id=sent.id))
    if not call.sent:
        return NOTHING
    return Several([_ours(sent, event.twin()) for sent in call.sent])


def _ours(sent: Any, event: Event) -> Event:
    """Put into our event what a storey step may have changed."""
    event.body, event.key = sent.body, sent.key
    event.path, event.method = sent.path, sent.method or event.method
    if sent.id is not None:
        event.id = sent.id
    if sent.headers is not None:
        event.headers = sent.headers
    return event
