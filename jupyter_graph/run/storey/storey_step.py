"""One step of storey's, called like any other: an event in, what it sends on out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from jupyter_graph.compile.failing_step import DRIVERS, is_cancelled
from jupyter_graph.compile.runtime.streams import Several
from jupyter_graph.compile.signature_check import signature_of
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.event import Event
from jupyter_graph.run.aio.fair_lock import FairLock
from jupyter_graph.run.context import Context
from jupyter_graph.run.event_errors import settable
from jupyter_graph.run.storey import private_api
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
        self._drive = private_api.drive(self.step)
        self._is_beside = private_api.has_worker(self.step)
        self._lock = FairLock()
        self._call: _Call | None = None
        self._closeables: list[Any] | None = None
        # Its own: `connect` sets another.
        self.select_outlets = self.step.select_outlets
        self._has_ended = False

    @property
    def reduces(self) -> bool:
        """Whether all that the step sends on comes at the end."""
        import storey

        return isinstance(self.step, storey.Reduce)

    async def do_event(self, event: Event) -> Any:
        """Return the event that goes on, ``NOTHING`` or ``Several``."""
        if self._closeables is None:
            self._begin()
        call = _Call(self._is_beside)
        passing = _storey_event(event, call)
        if self._is_beside:
            try:
                await self._drive(passing)
                await call.done()
            except asyncio.CancelledError:
                call.give_up()  # others behind it shall not wait for it any more
                raise
        else:
            if not self._lock.take():
                await self._lock.wait()
            self._call = call
            try:
                await self._drive(passing)
            finally:
                self._call = None
                call.is_open = False
                self._lock.leave()
        return _as_ours(call, event)

    async def end(self) -> Any:
        """Let the step send on what it kept; return what storey calls its result."""
        closeables = self._closeables
        if closeables is None:
            if self._has_ended or not self.reduces:
                return None
            closeables = self._begin()  # its result is there without events too
        self._has_ended = True
        result = await self._drive(private_api.end_mark())
        for one in closeables:
            await one.close()
        self._closeables = None
        private_api.shut_pool(self.step)
        return result

    def _begin(self) -> list[Any]:
        """Connect the step to its surroundings, on the loop that it runs on."""
        name, is_last = f"after {self.name}", self.reduces
        self._closeables = private_api.connect(
            self.step, self._sent, name=name, is_last=is_last
        )
        if self._is_beside:
            private_api.watch_worker(self.step, self._processed, self._handled)
        return self._closeables

    async def _processed(self, process: private_api.Handler, event: Any) -> Any:
        """Work on an event in storey's worker, and report its failure to the caller.

        The worker sees no failure: it would not survive all of them.
        """
        call = private_api.result_of(event)
        if not isinstance(call, _Call):
            return await process(event)
        call.task = asyncio.current_task()
        try:
            return call if call.is_given_up else await process(event)
        except BaseException as error:
            if is_cancelled(error) and not call.is_given_up:
                raise
            call.fail(error)
            return call

    async def _handled(
        self, handle: private_api.Handler, event: Any, response: Any
    ) -> None:
        """Send the result on, and report that the event is done, also when it drops.

        What fails here, a join function say, is the failure of this event, too.
        """
        call = private_api.result_of(event)
        if response is call and call is not None:
            return
        if not isinstance(call, _Call):
            await handle(event, response)
            return
        try:
            await handle(event, response)
        except BaseException as error:
            call.fail(error)
            if is_cancelled(error):
                raise
        finally:
            call.finish()

    async def _sent(self, sent: Any, *_: Any, **__: Any) -> Any:
        """Take what the step sends on, in place of storey's search for an outlet."""
        call = private_api.result_of(sent)
        if type(call) is not _Call or not call.is_open:
            if private_api.is_an_end(sent):
                return None
            call = self._call
        if call is not None and call.is_open:
            call.sent.append(sent)
        elif self.send_late is not None:
            await self.send_late(_ours(sent, Event(id=sent.id)))
        return None


class _Call(private_api.AwaitableResult):
    """A call of the step with one event: what it sent on, whether it is done."""

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

    def fail(self, error: BaseException) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_exception(settable(error))

    def __deepcopy__(self, _: Any) -> _Call:
        return self  # the copies of an event are still this caller's


def _new(code: StepCode, arguments: Mapping[str, Any], context: Context) -> Any:
    spec = code.step
    # A context that drops errors, which are dealt with here: storey's workers end for
    # ever at the first one otherwise (storey 1.14). The caller's answer says what
    # happened.
    silent = context.reporting(lambda *_: None)
    options: dict[str, Any] = {"name": spec.name, "context": silent}
    for key in ("input_path", "result_path", "full_event"):
        if getattr(spec, key) is not None:
            options[key] = getattr(spec, key)
    if code.code.__name__ == "Batch":  # storey asks for it
        options.setdefault("full_event", arguments.get("full_event", True))
    signature = signature_of(code.code)
    takes = signature.parameters.values() if signature else ()
    if not any(p.kind is p.VAR_KEYWORD for p in takes):
        known = {p.name for p in takes}
        options = {key: value for key, value in options.items() if key in known}
    return code.code(**{**options, **arguments})


def _storey_event(event: Event, call: _Call) -> Any:
    """Return an event of storey's for one of ours."""
    fields = {
        "body": event.body,
        "key": event.key,
        "processing_time": event.time,
        "id": event.id,
        "headers": dict(event.headers),
        "method": event.method,
        "path": event.path,
        "content_type": event.content_type,
        "error": None,
    }
    return private_api.new_event(fields, call)


def _as_ours(call: _Call, event: Event) -> Any:
    if len(call.sent) == 1:
        [sent] = call.sent
        is_own = private_api.result_of(sent) is call
        return _ours(sent, event if is_own else Event(id=sent.id))
    if not call.sent:
        return NOTHING
    return Several([_ours(sent, event.copy()) for sent in call.sent])


def _ours(sent: Any, event: Event) -> Event:
    """Put into our event what a storey step may have changed."""
    event.body, event.key = sent.body, sent.key
    event.path, event.method = sent.path, sent.method or event.method
    if sent.id is not None:
        event.id = sent.id
    if sent.headers is not None:
        event.headers = sent.headers
    return event
