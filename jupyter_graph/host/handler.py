"""The two functions that Nuclio and the embedded host call."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from jupyter_graph.answer.problem import problem
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import (
    StreamedResponse,
    collect,
    is_stream,
    open_stream,
)
from jupyter_graph.errors import StatusError, said
from jupyter_graph.event import id_of, read_event
from jupyter_graph.host.bundle_loader import open_runner

InitContext: TypeAlias = Callable[[Any], Awaitable[None]]
Handler: TypeAlias = Callable[[Any, Any], Awaitable[Any]]

LONGEST_TRACE: Final = 20_000
"""Characters that the log keeps of a traceback, from its end."""


def serve(bundle: Path) -> tuple[InitContext, Handler]:
    """Return ``init_context`` and ``handler`` for the bundle in this folder.

    Nuclio finds ``init_context`` through the module that the handler says it is from,
    so both get the name of the module that calls this.
    """

    async def init_context(context: Any) -> None:
        """Open the graph once per worker, so that no event pays for it."""
        runner = open_runner(bundle, context)
        context.user_data.runner = runner
        end = getattr(context.platform, "set_termination_callback", None)
        if end is not None:
            is_awaited = getattr(context, "streams", False)  # our host's own context
            end(runner.aclose if is_awaited else runner.close)

    async def handler(context: Any, event: Any) -> Any:
        """Run one event through the graph; always answer with bytes of our own."""
        runner = context.user_data.runner
        try:
            read = read_event(event)
        except StatusError as error:
            return _response(context, problem(error, event_id=id_of(event)))
        answer = await runner.ahandle(read, at_once=True)
        if answer.error is not None:
            log_failure(context.logger, answer)
        if answer.error is None and is_stream(answer.value):
            return _response(context, await _stream(context, answer))
        return _response(context, answer.raw)

    # Frame 1 is the bundle's main.py, whose name is not known here otherwise.
    module = sys._getframe(1).f_globals.get("__name__", __name__)
    init_context.__module__ = handler.__module__ = module
    return init_context, handler


def log_failure(logger: Any, answer: Any) -> None:
    """Log an event that failed: one line with its id, step, error and traceback.

    What the caller did wrong (a status below 500) is his affair.

    Args:
        logger: the worker's; Nuclio's has ``error_with``, too.
        answer: the event's answer.
    """
    if answer.status_code < 500:
        return
    cause = answer.error.__cause__ or answer.error
    try:
        trace = "".join(traceback.format_exception(cause))
    except Exception:  # an error that cannot be looked at
        trace = "".join(traceback.format_tb(cause.__traceback__))
    logger.error_with(
        f"event {answer.event_id} failed",
        event_id=answer.event_id,
        step=getattr(answer.error, "step", None),
        error=said(cause),
        traceback=trace[-LONGEST_TRACE:],
    )


async def _stream(context: Any, answer: Any) -> RawResponse | StreamedResponse:
    """Return the pieces where the server can send them, else all of them at once."""
    can_stream = getattr(context, "streams", False)
    try:
        return await (open_stream if can_stream else collect)(answer.value)
    except Exception as error:
        message = f"stream of event {answer.event_id} failed: {said(error)}"
        context.logger.error(message)  # noqa: TRY400 - Nuclio's logger has no exception()
        return problem(error, event_id=answer.event_id)


def _response(context: Any, raw: RawResponse | StreamedResponse) -> Any:
    return context.Response(
        body=raw.payload if isinstance(raw, RawResponse) else raw.chunks,
        status_code=raw.status_code,
        headers=raw.headers,
        content_type=raw.content_type,
    )
