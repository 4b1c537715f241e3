"""The same work in the hands of others: storey, and MLRun where it is installed."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks.measure import Events, in_turn, in_turn_on

Inner = Callable[[Any], Any]
"""Adds the steps of a storey flow after a step and gives the last of them."""


def storey_async(stack: ExitStack, inner: Inner, body: Any) -> Events:
    """A storey flow behind ``AsyncEmitSource``: emit, await the answer, next."""
    emit, loop = storey_emit(stack, inner)
    return in_turn_on(loop, emit, body)


def storey_emit(
    stack: ExitStack, inner: Inner
) -> tuple[Callable[[Any], Any], asyncio.AbstractEventLoop]:
    """Give what sends an event into a storey flow and awaits its answer; its loop."""
    from storey import AsyncEmitSource, Complete

    source = AsyncEmitSource()
    inner(source).to(Complete())
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)

    async def start() -> Any:
        return source.run()

    controller = loop.run_until_complete(start())
    stack.callback(lambda: loop.run_until_complete(controller.terminate(wait=True)))
    return controller.emit, loop


def storey_sync(stack: ExitStack, inner: Inner, body: Any) -> Events:
    """A storey flow behind ``SyncEmitSource``: emit, wait for the answer, next."""
    from storey import Complete, SyncEmitSource

    source = SyncEmitSource()
    inner(source).to(Complete())
    controller = source.run()
    stack.callback(controller.await_termination)
    stack.callback(controller.terminate)
    return in_turn(lambda body: controller.emit(body).await_result(), body)


def has_mlrun() -> bool:
    return importlib.util.find_spec("mlrun") is not None


def mlrun_server(
    stack: ExitStack,
    engine: str,
    build: Callable[[Any], None],
    namespace: Mapping[str, Any],
) -> Any:
    """Give MLRun's mock server of the graph that ``build`` makes."""
    import mlrun

    function = mlrun.new_function("benchmark", kind="serving", image="none")
    build(function.set_topology("flow", engine=engine))
    with contextlib.redirect_stdout(None):
        server = function.to_mock_server(namespace=dict(namespace))
    if engine == "async":
        stack.callback(server.wait_for_completion)
    return server


def mlrun_run(server: Any, body: Any) -> Events:
    """Events through ``server.run``, the least that MLRun does for an event."""
    from mlrun.serving.server import MockEvent

    return in_turn(lambda body: server.run(MockEvent(body), get_body=True), body)


def mlrun_test(server: Any, body: Any) -> Events:
    """Events through ``server.test``, which waits for the asynchronous engine."""
    return in_turn(lambda body: server.test("/", body=body), body)
