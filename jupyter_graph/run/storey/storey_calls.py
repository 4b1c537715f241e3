"""The simplest of storey's steps, called directly: their function, and nothing else."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from jupyter_graph.compile.call_kind import awaiting
from jupyter_graph.compile.failing_step import DRIVERS
from jupyter_graph.compile.runtime.streams import Several
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.event import Event
from jupyter_graph.run.storey import private_api
from jupyter_graph.types import NOTHING

DRIVERS.add(__file__)
Call = Callable[[Event], Any]
GoOn = Callable[[Event, Any], Any]
"""Takes the event and what the function returned; returns what goes on."""


def direct_call(step: Any, code: StepCode) -> Call:
    """Return what a step does with an event, without storey's own five coroutines.

    Only for the steps that ``compile.code`` calls direct: ``Map``, ``Filter``,
    ``FlatMap``, ``Extend``, ``MapWithState`` and subclasses of ``MapClass``.
    """
    kind = code.direct
    if kind == "MapWithState":
        return _with_state(step)
    if kind == "MapClass":
        return _of_class(step, code)
    goes_on: GoOn = {
        "Map": _mapped(step),
        "Filter": _filtered,
        "FlatMap": _flattened(step),
        "Extend": _extended,
    }[kind]
    return _of_function(step, private_api.function_of(step), goes_on, code)


def _of_function(step: Any, fn: Any, goes_on: GoOn, code: StepCode) -> Call:
    element = private_api.reads(step)
    if code.is_async and not inspect.iscoroutinefunction(fn):
        fn = awaiting(fn)

    def run(event: Event) -> Any:
        return goes_on(event, fn(element(event)))

    async def run_async(event: Event) -> Any:
        return goes_on(event, await fn(element(event)))

    if code.is_async:
        return run_async
    return _plain_map(fn) if code.direct == "Map" and _is_plain(step) else run


def _plain_map(fn: Any) -> Call:
    def run(event: Event) -> Any:
        result = fn(event.body)
        if type(result) in STREAMS:
            return _streamed(event, result)
        event.body = result
        return event

    return run


def _of_class(step: Any, code: StepCode) -> Call:
    """A ``MapClass``: its ``do`` may call ``self.filter()``, which sets a flag."""
    element, do = private_api.reads(step), step.do
    if code.is_async and not inspect.iscoroutinefunction(do):
        do = awaiting(do)
    lock = threading.Lock()  # storey calls it from one thread only, so may we
    taken = private_api.unless_filtered(step, _mapped(step), NOTHING)

    def run(event: Event) -> Any:
        with lock:
            return taken(event, do(element(event)))

    async def run_async(event: Event) -> Any:
        return taken(event, await do(element(event)))

    return run_async if code.is_async else run


def _with_state(step: Any) -> Call:
    """A function of body and state: one event at a time, as in a flow of storey's."""
    lock = threading.Lock()
    if _is_plain(step):
        return private_api.body_with_state(step, lock)
    element, call = private_api.reads(step), private_api.with_state(step)
    goes_on = _mapped(step, streams=())  # a generator is a body as any other

    def run(event: Event) -> Any:
        with lock:
            result = call(element(event))
        return goes_on(event, result)

    return run


# -- in and out -----------------------------------------------------------------


def _is_plain(step: Any) -> bool:
    """Tell whether it takes the whole body and returns a new one."""
    return not any(private_api.paths_of(step))


STREAMS = (GeneratorType, AsyncGeneratorType)


def _mapped(step: Any, streams: tuple[type, ...] = STREAMS) -> GoOn:
    full, _, path = private_api.paths_of(step)
    put = private_api.puts(step)

    def goes_on(event: Event, result: Any) -> Any:
        if full:
            return result
        if type(result) in streams:
            return _streamed(event, result)
        if path:
            return put(event, result)
        event.body = result
        return event

    return goes_on


def _filtered(event: Event, keep: Any) -> Any:
    return event if keep else NOTHING


def _flattened(step: Any) -> GoOn:
    goes_on = _mapped(step)

    def several(event: Event, items: Iterable[Any]) -> Any:
        sent = [goes_on(event.copy(), item) for item in items]
        if not sent:
            return NOTHING
        return sent[0] if len(sent) == 1 else Several(sent)

    return several


def _extended(event: Event, fields: Any) -> Any:
    for key, value in fields.items():
        event.body[key] = value
    return event


def _streamed(event: Event, items: Any) -> Any:
    """Return the items of a generator that a plain function returned, as events."""
    if isinstance(items, AsyncGeneratorType):
        raise TypeError(
            "the function gave an async generator; declare it as one: async def with "
            "yield"
        )
    sent = []
    for item in items:
        copied = event.copy()
        copied.body = item
        sent.append(copied)
    return Several(sent) if len(sent) != 1 else sent[0]
