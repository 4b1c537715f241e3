"""The simplest of storey's steps, called directly: their function, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from jupyter_graph.compile.failing_step import DRIVERS
from jupyter_graph.compile.runtime.streams import Several
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.event import Event
from jupyter_graph.types import NOTHING

DRIVERS.add(__file__)
Call = Callable[[Event], Any]
GoOn = Callable[[Event, Any], Any]
"""Takes the event and what the function gave; gives what goes on."""


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
    return _of_function(step, step._fn, goes_on, code)


def _of_function(step: Any, fn: Any, goes_on: GoOn, code: StepCode) -> Call:
    element = _element(step)

    def run(event: Event) -> Any:
        return goes_on(event, fn(element(event)))

    async def run_async(event: Event) -> Any:
        return goes_on(event, await fn(element(event)))

    if code.is_async:
        return run_async
    return _plain_map(fn) if code.direct == "Map" and _is_plain(step) else run


def _plain_map(fn: Any) -> Call:
    def run(event: Event) -> Any:
        found = fn(event.body)
        if type(found) in STREAMS:
            return _streamed(event, found)
        event.body = found
        return event

    return run


def _of_class(step: Any, code: StepCode) -> Call:
    """A ``MapClass``: its ``do`` may call ``self.filter()``, which sets a flag."""
    element, goes_on, do = _element(step), _mapped(step), step.do
    lock = threading.Lock()  # storey calls it from one thread only, so may we

    def taken(event: Event, found: Any) -> Any:
        if step._filter:
            step._filter = False
            return NOTHING
        return goes_on(event, found)

    def run(event: Event) -> Any:
        with lock:
            return taken(event, do(element(event)))

    async def run_async(event: Event) -> Any:
        return taken(event, await do(element(event)))

    return run_async if code.is_async else run


def _with_state(step: Any) -> Call:
    """A function of body and state: one event at a time, as in a flow of storey's."""
    element, fn, lock = _element(step), step._fn, threading.Lock()
    goes_on = _mapped(step, streams=())  # a generator is a body as any other

    def run(event: Event) -> Any:
        with lock:
            found, step._state = fn(element(event), step._state)
        return goes_on(event, found)

    def run_plain(event: Event) -> Any:
        with lock:
            event.body, step._state = fn(event.body, step._state)
        return event

    return run_plain if _is_plain(step) else run


# -- in and out -----------------------------------------------------------------


def _is_plain(step: Any) -> bool:
    """Tell whether it takes the whole body and gives a new one."""
    return not (step._full_event or step._input_path or step._result_path)


STREAMS = (GeneratorType, AsyncGeneratorType)


def _element(step: Any) -> Callable[[Event], Any]:
    if step._full_event:
        return lambda event: event
    if step._input_path:
        return step._get_event_or_body  # type: ignore[no-any-return]  # storey's own
    return lambda event: event.body


def _mapped(step: Any, streams: tuple[type, ...] = STREAMS) -> GoOn:
    full, path = step._full_event, step._result_path

    def goes_on(event: Event, found: Any) -> Any:
        if full:
            return found
        if type(found) in streams:
            return _streamed(event, found)
        if path:
            return step._user_fn_output_to_event(event, found)
        event.body = found
        return event

    return goes_on


def _filtered(event: Event, keep: Any) -> Any:
    return event if keep else NOTHING


def _flattened(step: Any) -> GoOn:
    goes_on = _mapped(step)

    def several(event: Event, found: Iterable[Any]) -> Any:
        sent = [goes_on(event.twin(), item) for item in found]
        if not sent:
            return NOTHING
        return sent[0] if len(sent) == 1 else Several(sent)

    return several


def _extended(event: Event, found: Any) -> Any:
    for key, value in found.items():
        event.body[key] = value
    return event


def _streamed(event: Event, found: Any) -> Any:
    """A plain function that gives a generator: its items go on one by one."""
    if isinstance(found, AsyncGeneratorType):
        raise TypeError(
            "the function gave an async generator; declare it as one: async def with "
            "yield"
        )
    sent = []
    for item in found:
        twin = event.twin()
        twin.body = item
        sent.append(twin)
    return Several(sent) if len(sent) != 1 else sent[0]
