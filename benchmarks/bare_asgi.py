"""Serve echoes with the host's server and options, but without graph or host."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from typing import Any

import uvicorn

from jupyter_graph.host.platform import bind, loop_factory
from jupyter_graph.host.worker import (
    _config,
)  # the very same options, whatever they are


async def echo_bytes(scope: Any, receive: Any, send: Any) -> None:
    """Send the body back as it came."""
    await answer(send, await whole_body(receive))


async def echo_json(scope: Any, receive: Any, send: Any) -> None:
    """Send the body back through ``json.loads`` and ``json.dumps``."""
    found = json.loads(await whole_body(receive))
    await answer(send, json.dumps(found).encode())


async def whole_body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(send: Any, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


APPS: dict[str, Any] = {"bytes": echo_bytes, "json": echo_json}


async def serve(name: str) -> None:
    listener = bind("127.0.0.1", 0)
    gc.collect()
    gc.freeze()
    print(listener.getsockname()[1], flush=True)
    await uvicorn.Server(_config(APPS[name])).serve(sockets=[listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(sys.argv[1]))
