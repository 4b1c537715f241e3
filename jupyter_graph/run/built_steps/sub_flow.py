"""What a router calls for one of its routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_graph.compile.failing_step import NAMING, tag
from jupyter_graph.compile.runtime.event_paths import get_path, put_path, same_event
from jupyter_graph.compile.runtime.streams import stream, stream_async
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.run.built_steps.step_instances import BuiltStep
from jupyter_graph.run.context import Context
from jupyter_graph.types import NOTHING

Call = Callable[..., Any]


class PlainRoute:
    """A route that another process can have: it builds the step there, anew."""

    def __init__(
        self, step: BuiltStep, context: Context, run: Call, build: Call
    ) -> None:
        self._step, self._build = step, build
        self._context = context
        self._run = run

    def __call__(self, event: Any) -> Any:
        return self._run(event)

    @property
    def instance(self) -> Any:
        """The step instance, for routers that ask whether it is ready."""
        return self._step.instance

    def __reduce__(self) -> Any:
        arguments = dict(self._step.arguments)
        return self._build, (self._step.code, arguments, self._context.elsewhere())


def route_of(step: BuiltStep, context: Context, build: Call) -> Call:
    """Return what a router calls: an event in, the event with the route's result out.

    Args:
        step: the route's step.
        context: the surroundings.
        build: makes the route once more in another process, of the step's code, its
            arguments and a context.
    """
    spec, call, code = step.code.step, step.call, step.code
    assert call is not None  # routes are never mere choices: inspect_step saw to it
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

    from jupyter_graph.run.tracer import watched

    NAMING.update((run.__code__, run_async.__code__))
    if code.is_awaited:
        route: Any = watched(name, run_async, is_async=True)
        route.instance = step.instance
        return route  # type: ignore[no-any-return]
    return PlainRoute(step, context, watched(name, run, is_async=False), build)


def _given(event: Any, code: StepCode) -> Any:
    """Return the part of the body that the route gets."""
    path = code.step.input_path
    return get_path(event.body, path) if path else event.body


def _put(result: Any, event: Any, code: StepCode) -> Any:
    """Return the event with the route's result as its body, or in it."""
    if result is NOTHING:
        event.body = NOTHING
        return event
    if code.is_stream and not code.either:
        by = stream_async if code.on_loop else stream
        result = by(result, code.step.name)
    if code.step.result_path:
        result = put_path(event.body, code.step.result_path, result)
    event.body = result
    return event


def _event(returned: Any, event: Any, code: StepCode) -> Any:
    """Return the event of a route; one without a body where the route dropped it."""
    if returned is NOTHING:
        event.body = NOTHING
        return event
    return same_event(returned, code.step.name, event)
