"""The HTTP side of a worker: a raw ASGI app around Nuclio's two functions."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

from jupyter_graph.answer.problem import problem
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.errors import JupyterGraphError, MethodNotAllowedError
from jupyter_graph.event import Event
from jupyter_graph.host.admission import Admission
from jupyter_graph.host.asgi import Receive, Scope, Send
from jupyter_graph.host.nuclio_context import HostContext
from jupyter_graph.host.read_request import GoneError, discard, read_request
from jupyter_graph.host.send_response import send_raw, send_result
from jupyter_graph.host.uvicorn_private import cycle_of, has_begun, hung_up

Page: TypeAlias = Callable[[], RawResponse | Awaitable[RawResponse]]

logger = logging.getLogger("jupyter_graph.host")


@dataclass(eq=False)
class App:
    """ASGI application of one worker.

    Args:
        handler: Nuclio's ``handler(context, event)``, a coroutine function or not.
        context: what ``init_context`` was given.
        admission: decides who comes in.
        count: called with (is_ok, milliseconds) for each event.
        refuse: called with the status of each request that is turned away.
        pages: path to the host's own pages.
    """

    handler: Callable[[Any, Any], Any]
    context: HostContext
    admission: Admission
    _: KW_ONLY
    count: Callable[[bool, float], None]
    refuse: Callable[[int], None]
    pages: dict[str, Page]

    def __post_init__(self) -> None:
        self._is_async = asyncio.iscoroutinefunction(self.handler)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; it always gets an answer, unless its caller left."""
        admission = self.admission
        admission.in_flight += 1  # before the first await: nobody slips in between
        try:
            headers = admission.admit(scope)
            page = self.pages.get(scope["path"])
            if page is not None:
                await send_raw(send, await _page(page, scope["method"]))
                return
            event = await read_request(scope, receive, headers)
        except JupyterGraphError as error:
            await self._turn_away(error, scope, receive, send)
        except GoneError:
            return
        else:
            await self._answer(event, receive, send)
        finally:
            admission.in_flight -= 1

    async def _turn_away(
        self, error: JupyterGraphError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request that never reached the graph."""
        headers = dict(scope["headers"])
        raw = problem(error, event_id=None)
        self.refuse(raw.status_code)
        if raw.status_code == 401:
            raw.headers["WWW-Authenticate"] = "Bearer"
        # A body that nobody read would be taken for the next request's head. A caller
        # that expects "100 Continue" has not sent his yet.
        has_body = b"content-length" in headers or b"transfer-encoding" in headers
        if has_body or raw.status_code in (400, 421):
            raw.headers["Connection"] = "close"
            if has_body and b"expect" not in headers:
                await discard(receive)
        await send_raw(send, raw)

    async def _answer(self, event: Event, receive: Receive, send: Send) -> None:
        """Run the handler and send what it returns."""
        started = time.perf_counter()
        cycle = cycle_of(receive)
        if cycle is not None:
            cycle.task = asyncio.current_task()  # cancelled when the caller hangs up
        sent: Any = None  # what has the status
        try:
            result = self.handler(self.context, event)
            if self._is_async or asyncio.iscoroutine(result):
                result = await result
            sent = await send_result(result, receive, send)
        except asyncio.CancelledError:
            # Of a caller who hung up this is the end; any other cancels the worker.
            if not hung_up(cycle):
                raise
        except BaseException as error:
            logger.exception("event %s failed in the host", event.id)
            if has_begun(cycle):
                raise  # uvicorn breaks the connection off, so that the caller sees it
            sent = problem(error, event_id=event.id)
            await send_raw(send, sent)
        finally:
            if cycle is not None:
                cycle.task = None
            is_ok = sent is not None and sent.status_code < 500
            self.count(is_ok, (time.perf_counter() - started) * 1000)


async def _page(page: Page, method: str) -> RawResponse:
    if method not in ("GET", "HEAD"):
        error = MethodNotAllowedError("this page takes GET and HEAD")
        refusal = problem(error, event_id=None)
        refusal.headers["Allow"] = "GET, HEAD"
        return refusal
    raw = page()
    return raw if isinstance(raw, RawResponse) else await raw
