"""What a router calls for one of its routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.failing_step import NAMING, tag
from jupyter_graph.compile.runtime.event_paths import get_path, put_path, same_event
from jupyter_graph.compile.runtime.streams import stream, stream_async
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.run.context import Context
from jupyter_graph.run.tracer import watched
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.run.instantiate import BuiltStep

Call = Callable[..., Any]


class PlainRoute:
    """A route that another process can have: it builds the step there, anew."""

    def __init__(self, step: BuiltStep, context: Context, run: Call) -> None:
        self._step = step
        self._context = context
        self._run = run

    def __call__(self, event: Any) -> Any:
        return self._run(event)

    @property
    def instance(self) -> Any:
        """The step instance, for routers that ask whether it is ready."""
        return self._step.instance

    def __reduce__(self) -> Any:
        from jupyter_graph.run.instantiate import route_anew  # which builds this

        arguments = dict(self._step.arguments)
        return route_anew, (self._step.code, arguments, self._context.elsewhere())


def route_of(step: BuiltStep, context: Context) -> Call:
    """Give what a router calls: an event in, the event with the route's result out."""
    spec, call, code = step.code.step, step.call, step.code
    assert call is not None  # routes are never mere choices: look_at saw to it
    name = spec.name

    async def run_async(event: Any) -> Any:
        try:
            if code.takes_event:
                return _event(await call(event), event, code)
            return _put(await call(_given(event, code)), event, code)
        except BaseException as error:
            tag(error, name)
            raise

    def run(event: Any) -> Any:
        try:
            if code.takes_event:
                return _event(call(event), event, code)
            return _put(call(_given(event, code)), event, code)
        except BaseException as error:
            tag(error, name)
            raise

    NAMING.update((run.__code__, run_async.__code__))
    if code.is_awaited:
        found: Any = watched(spec.name, run_async, is_async=True)
        found.instance = step.instance
        return found  # type: ignore[no-any-return]
    return PlainRoute(step, context, watched(spec.name, run, is_async=False))


def _given(event: Any, code: StepCode) -> Any:
    """Return the part of the body that the route gets."""
    path = code.step.input_path
    return get_path(event.body, path) if path else event.body


def _put(found: Any, event: Any, code: StepCode) -> Any:
    """Return the event with the route's result as its body, or in it."""
    if found is NOTHING:
        event.body = NOTHING
        return event
    if code.is_stream:
        by = stream_async if code.on_loop else stream
        found = by(found, code.step.name)
    if code.step.result_path:
        found = put_path(event.body, code.step.result_path, found)
    event.body = found
    return event


def _event(given: Any, event: Any, code: StepCode) -> Any:
    """Return the event that a route gave; one without a body when it dropped it."""
    if given is NOTHING:
        event.body = NOTHING
        return event
    return same_event(given, code.step.name)
