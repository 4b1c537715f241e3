"""A graph behind a front, asked as a server would ask it."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.answer.problem import problem
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import (
    StreamedResponse,
    encode,
    is_stream,
    open_stream,
)
from jupyter_graph.errors import JupyterGraphError
from jupyter_graph.event import Event, read_event
from jupyter_graph.frontend.endpoint_adapters import EndpointAdapters
from jupyter_graph.frontend.factory import make_frontend
from jupyter_graph.types import NOTHING


class Fronted:
    """A front, and a runner behind it."""

    def __init__(self, graph: Any, api_handler: Any = None, openai: Any = None) -> None:
        front = make_frontend(api_handler, openai)
        assert front is not None
        self.front = front
        compiled = EndpointAdapters().compile(
            graph if isinstance(graph, Graph) else _one(graph)
        )
        self.runner = Runner(compiled, timeout_s=10.0, mlrun_status=True).open()

    async def wire(self, event: Event) -> RawResponse | StreamedResponse:
        """Answer one event; a stream is opened, not read."""
        try:
            exchange = self.front.enter(event)
            found = await self.runner.ahandle(event)
            if found.error is not None:
                raise found.error
            left = exchange.leave(found.value)
            if is_stream(left):
                return await open_stream(left)
            return RawResponse(status_code=204) if left is NOTHING else encode(left)
        except JupyterGraphError as error:
            plain = problem(error, event_id=event.id, mlrun_status=True)
            return self.front.problem(error, event, plain)

    async def whole(self, event: Event) -> RawResponse:
        wire = await self.wire(event)
        if isinstance(wire, RawResponse):
            return wire
        payload = b"".join([chunk async for chunk in wire.chunks])
        return RawResponse(payload, wire.status_code, wire.content_type, wire.headers)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Give status and decoded body; a failure's text instead of its document."""
        event = Event(body, path=path, method=method, id="e1")
        wire = asyncio.run(self.whole(event))
        found = wire.decoded()
        return wire.status_code, found["detail"] if wire.status_code >= 400 else found

    def events(self, path: str, body: Any) -> list[Any]:
        """Give the data of the server-sent events of an answer."""
        event = Event(body, path=path, method="POST", id="e1")
        text = asyncio.run(self.whole(event)).payload.decode()
        lines = [line for line in text.splitlines() if line.startswith("data: ")]
        texts = [line.removeprefix("data: ") for line in lines]
        return [text if text == "[DONE]" else json.loads(text) for text in texts]


def _one(handler: Callable[..., Any]) -> Graph:
    graph = Graph("api")
    kind = "class_name" if isinstance(handler, type) else "handler"
    graph.to(name="it", **{kind: handler}).respond()
    return graph


@pytest.fixture
def fronted() -> Iterator[Callable[..., Fronted]]:
    """Open a graph, or a graph of one handler, behind a front."""
    opened: list[Fronted] = []

    def open_one(graph: Any, api_handler: Any = None, openai: Any = None) -> Fronted:
        opened.append(Fronted(graph, api_handler, openai))
        return opened[-1]

    yield open_one
    for one in opened:
        one.runner.close()


@pytest.fixture
def serve(fronted) -> Iterator[Callable[..., str]]:
    """Serve a graph behind a front over HTTP; give the URL."""
    import uvicorn

    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(graph: Any, api_handler: Any = None, openai: Any = None) -> str:
        app = _app(fronted(graph, api_handler, openai))
        config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        socket = config.bind_socket()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{socket.getsockname()[1]}"

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join()


def _app(fronted: Fronted) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        query = scope["query_string"].decode()
        path = scope["path"] + (f"?{query}" if query else "")
        event = Event(
            body,
            path=path,
            method=scope["method"],
            content_type="application/json" if body else "",
        )
        wire = await fronted.wire(read_event(event))
        kind = [(b"content-type", wire.content_type.encode())]
        start = {"type": "http.response.start", "status": wire.status_code}
        await send({**start, "headers": kind})
        if isinstance(wire, StreamedResponse):
            async for chunk in wire.chunks:
                await send(
                    {"type": "http.response.body", "body": chunk, "more_body": True}
                )
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.body", "body": wire.payload})

    return app
