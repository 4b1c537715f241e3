"""Steps whose result tells whether it is a stream: plain wrappers of generators."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from jupyter_graph.compile.failing_step import DRIVERS
from jupyter_graph.compile.runtime.streams import (
    bodies,
    bodies_async,
    stream,
    stream_async,
)
from jupyter_graph.compile.step_code import StepCode

Call = Callable[..., Any]
DRIVERS.add(__file__)


def as_stream(call: Call, code: StepCode) -> Call:
    """Return a call that makes a stream of ours of a generator that it returns.

    What it returns else goes on as it is. A step that takes events gets the event back,
    with the stream as its body.
    """
    name = code.step.name
    of_items, of_events = (
        (stream_async, bodies_async) if code.on_loop else (stream, bodies)
    )

    def streamed(it: Any, found: Any) -> Any:
        if not (inspect.isgenerator(found) or inspect.isasyncgen(found)):
            return found
        if not code.takes_event:
            return of_items(found, name)
        given = it.copy()
        given.body = of_items(of_events(found, name), name)
        return given

    def run(it: Any) -> Any:
        return streamed(it, call(it))

    async def run_async(it: Any) -> Any:
        return streamed(it, await call(it))

    return run_async if code.is_async else run
