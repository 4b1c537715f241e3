"""Every private name of storey's, and what stands behind it; none is met elsewhere.

A step of storey's is made to be part of a flow of its own. Driving it alone means to
know where it looks for its neighbours, what it calls with an event, and how it reports
that an event is done. ``pyproject.toml`` bounds the versions; ``tests/run/storey`` has
the list of these names, and says what a new version has not any more. Tried with 1.12.6
and 1.14.1.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from jupyter_graph.values.dotted_path import copied_along

Handler = Callable[..., Awaitable[Any]]


# -- what a step was made with --------------------------------------------------


def paths_of(step: Any) -> tuple[Any, Any, Any]:
    """Return a step's ``full_event``, ``input_path`` and ``result_path``."""
    return step._full_event, step._input_path, step._result_path


def function_of(step: Any) -> Any:
    """Return the user's function in a step."""
    return step._fn


def reads(step: Any) -> Callable[[Any], Any]:
    """Return what finds the part of an event that a step works on."""
    full, path, _ = paths_of(step)
    if full:
        return lambda event: event
    return step._get_event_or_body if path else lambda event: event.body


def puts(step: Any) -> Callable[[Any, Any], Any]:
    """Return what puts a result into a copy of an event, at the step's path."""
    put: Callable[[Any, Any], Any] = step._user_fn_output_to_event
    return _into_a_copy(put, step._result_path) if step._result_path else put


def _into_a_copy(
    put: Callable[[Any, Any], Any], path: str
) -> Callable[[Any, Any], Any]:
    """Return ``put`` for a body that stays as it is; storey's own changes it."""

    def put_into_a_copy(event: Any, result: Any) -> Any:
        event.body = copied_along(event.body, path)
        return put(event, result)

    return put_into_a_copy


def with_state(step: Any) -> Callable[[Any], Any]:
    """Return what calls the function of a ``MapWithState`` and keeps its state."""
    fn = step._fn

    def call(element: Any) -> Any:
        result, step._state = fn(element, step._state)
        return result

    return call


def body_with_state(
    step: Any, lock: AbstractContextManager[Any]
) -> Callable[[Any], Any]:
    """Return ``with_state`` for whole bodies, one event at a time.

    In one function: a call more costs an event a tenth of its time.
    """
    fn = step._fn

    def run(event: Any) -> Any:
        with lock:
            event.body, step._state = fn(event.body, step._state)
        return event

    return run


def unless_filtered(
    step: Any, goes_on: Callable[[Any, Any], Any], dropped: Any
) -> Callable[[Any, Any], Any]:
    """Return ``goes_on``, but ``dropped`` where the step has called ``filter()``."""

    def taken(event: Any, result: Any) -> Any:
        if step._filter:  # a flag that stands until the next event otherwise
            step._filter = False
            return dropped
        return goes_on(event, result)

    return taken


# -- a step driven alone --------------------------------------------------------


def drive(step: Any) -> Handler:
    """Return what does a step's work with an event, or ends it with ``end_mark()``."""
    return step._do  # type: ignore[no-any-return]


def has_worker(step: Any) -> bool:
    """Tell whether a task of the step's own works on many events at once."""
    return hasattr(step, "_process_event_with_retries")


def connect(step: Any, send: Handler, *, name: str, is_last: bool) -> list[Any]:
    """Begin a step as if it stood in a flow; return what is to be closed at its end.

    Args:
        step: the step.
        send: is called with each event that the step sends on.
        name: what the step behind it is called.
        is_last: nothing can follow it.
    """
    import storey

    class Sink(storey.Flow):  # type: ignore[misc]  # storey has no types
        async def _do(self, event: Any) -> Any:
            return await send(event)

        _do_and_recover = _do  # storey's own would report failures a second time

    step._outlets = [] if is_last else [Sink(name=name)]
    step._inlets = [None]  # one: it ends with the first mark of an end
    step._create_name_to_outlet = False
    step.select_outlets = lambda _: None  # the graph's own code picks
    step._runnable = True  # else only a source may begin
    if step._outlets:  # beside it, for steps that call super()._do_downstream
        step._do_downstream = send
    own = type(step)._user_fn_output_to_event
    is_plain = not (step._full_event or step._result_path)
    if is_plain and own is storey.Flow._user_fn_output_to_event:
        step._user_fn_output_to_event = _with_body
    elif step._result_path and not step._full_event:
        step._user_fn_output_to_event = puts(step)
    return list(step.run())


def watch_worker(
    step: Any,
    work: Callable[[Handler, Any], Awaitable[Any]],
    done: Callable[[Handler, Any, Any], Awaitable[None]],
) -> None:
    """Put functions around what a step's worker calls.

    Args:
        step: a step with a worker.
        work: is called with storey's own function and an event, to work on it.
        done: is called with storey's own, the event and its result, behind that.
    """
    process = step._process_event  # that with retries reads the error's text
    if step.retries:
        process = step._process_event_with_retries
    handle = step._handle_completed

    async def processed(event: Any) -> Any:
        return await work(process, event)

    async def handled(event: Any, response: Any) -> None:
        await done(handle, event, response)

    step._process_event_with_retries = processed
    step._handle_completed = handled


def shut_pool(step: Any) -> None:
    """End the processes of a step, which storey 1.14 leaves behind."""
    pool = getattr(step, "_executor", None)
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)


# -- storey's events ------------------------------------------------------------


class AwaitableResult:
    """Where storey puts the result of an event; subclasses say what becomes of it."""

    __slots__ = ()

    def finish(self) -> None:
        """The event is done."""
        raise NotImplementedError

    def fail(self, error: BaseException) -> None:
        """The event has failed."""
        raise NotImplementedError

    def _set_result(self, _: Any) -> None:
        self.finish()

    def _set_error(self, error: BaseException) -> None:
        self.fail(error)


def result_of(event: Any) -> Any:
    """Return the ``AwaitableResult`` of an event, None where it has none."""
    return getattr(event, "_awaitable_result", None)


def new_event(fields: dict[str, Any], result: AwaitableResult) -> Any:
    """Return an event of storey's; its constructor takes longer than most steps."""
    event = object.__new__(_event_type())
    fields["_awaitable_result"] = result
    event.__dict__ = fields
    return event


def _with_body(event: Any, body: Any) -> Any:
    """Return a copy of an event with another body, ten times as fast as copy()."""
    other = object.__new__(type(event))
    other.__dict__ = {**event.__dict__, "body": body}
    return other


@cache
def _event_type() -> Any:
    from storey import Event

    return Event


def end_mark() -> Any:
    """Return what a step gets when no more events come."""
    from storey.dtypes import _termination_obj

    return _termination_obj


def is_an_end(sent: Any) -> bool:
    """Tell what says that all events, or those of a stream, have been."""
    from storey import dtypes

    stream_end = getattr(dtypes, "StreamCompletion", ())  # new in 1.14
    return sent is end_mark() or isinstance(sent, stream_end)
