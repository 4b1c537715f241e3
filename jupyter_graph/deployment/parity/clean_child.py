"""The clean process: loads one bundle and answers events, one JSON line each.

Started by its path, with the standard library alone: nothing of this package may be
imported here, the bundle brings its own. Only the modules that the bundle says it
needs can be imported; to all others the answer is the usual ModuleNotFoundError.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import inspect
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class OnlyAdmitted:
    """An import hook that finds what is admitted and nothing else."""

    def __init__(self, names: set[str], bundle: str, finders: list[Any]) -> None:
        self.names = names
        self.bundle = bundle
        self.own = {entry.stem for entry in Path(bundle).iterdir()}
        self.finders = finders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> Any:
        root = name.partition(".")[0]
        if path is None and root in self.own:
            path = [self.bundle]  # before an installed module of the same name
        elif root not in self.names and root not in self.own and not _is_built(root):
            return None
        specs = (find(name, path, target) for find in self._all("find_spec"))
        return next((spec for spec in specs if spec is not None), None)

    def find_distributions(self, *args: Any, **options: Any) -> Iterator[Any]:
        for find in self._all("find_distributions"):
            yield from find(*args, **options)

    def invalidate_caches(self) -> None:
        for invalidate in self._all("invalidate_caches"):
            invalidate()

    def _all(self, method: str) -> Iterator[Any]:
        return (getattr(f, method) for f in self.finders if hasattr(f, method))


def _is_built(name: str) -> bool:
    """Return whether it is the standard library's module named after the platform."""
    return name.startswith("_sysconfigdata_")


def admit_only(names: Sequence[str], bundle: str) -> None:
    """Make everything but the standard library, the bundle and ``names`` missing."""
    # The finders of before still do the work; this one decides what they are asked.
    admitted = {*names, *sys.stdlib_module_names, "__main__"}
    sys.meta_path[:] = [OnlyAdmitted(admitted, bundle, list(sys.meta_path))]


def make_context(response: Any) -> Any:
    """Return a context as Nuclio's, one that knows it is a parity check."""
    return SimpleNamespace(
        logger=make_logger(),
        user_data=SimpleNamespace(),
        Response=response,
        worker_id="0",
        trigger=SimpleNamespace(kind="http", name="parity"),
        trigger_name="parity",
        trigger_kind="http",
        platform=SimpleNamespace(
            kind="local",
            namespace="parity",
            set_termination_callback=lambda callback: None,
            set_drain_callback=lambda callback: None,
        ),
        is_parity=True,
    )


def make_logger() -> Any:
    """Return a logger with Nuclio's methods, which writes to stderr."""
    logger: Any = logging.getLogger("parity")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    for level in ("debug", "info", "warning", "error"):
        say = getattr(logger, level)
        with_fields = lambda text, *a, _say=say, **fields: _say(  # noqa: E731
            "%s %s", text, fields
        )
        setattr(logger, f"{level}_with", with_fields)
    logger.warn_with = logger.warning_with
    logger.bind = lambda **fields: logger
    return logger


async def settled(value: Any) -> Any:
    """Return a value, awaited where it is awaitable."""
    return await value if inspect.isawaitable(value) else value


async def collected(body: Any) -> bytes:
    """Return the bytes of an answer's body: bytes, text or a stream of them."""
    if hasattr(body, "__aiter__"):
        parts = [part async for part in body]
    elif inspect.isgenerator(body):
        parts = list(body)
    else:
        parts = [body if body is not None else b""]
    return b"".join(
        part if isinstance(part, bytes) else str(part).encode() for part in parts
    )


class Bundle:
    """The bundle's two functions, opened."""

    def __init__(self, folder: str) -> None:
        sys.path.insert(0, folder)
        # A step's constructor can tell the check from a deployment by it.
        os.environ["JUPYTER_GRAPH_PARITY"] = "1"
        main = importlib.import_module("main")
        response = importlib.import_module("jupyter_graph.answer.response").Response
        event = importlib.import_module("jupyter_graph.event").Event
        # A released runtime may be older than this file.
        self.event = getattr(event, "of_request", event)
        self.init_context = getattr(main, "init_context", lambda context: None)
        self.handler = main.handler
        self.context = make_context(response)

    async def open(self) -> None:
        await settled(self.init_context(self.context))

    def read(self, asked: dict[str, Any]) -> Any:
        return self.event(base64.b64decode(asked.pop("payload")), **asked)

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.pop("traced", False):
            return await self.trace(asked)
        answer = await settled(self.handler(self.context, self.read(asked)))
        payload = await collected(answer.body)
        return {
            "status_code": answer.status_code,
            "content_type": answer.content_type or "",
            "payload": base64.b64encode(payload).decode("ascii"),
        }

    async def trace(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what each step gave, as short texts."""
        reading = importlib.import_module("jupyter_graph.event").read_event
        runner = self.context.user_data.runner
        answer = await runner.ahandle(reading(self.read(asked)), traced=True)
        rows = answer.trace or ()
        return {"rows": [[row.step, row.error or str(row.output)] for row in rows]}


def failure(error: BaseException) -> dict[str, Any]:
    """Describe an error so that the notebook can say which cell it comes from."""
    lines = [
        [Path(frame.filename).name, frame.lineno or 0]
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {
        "kind": type(error).__name__,
        "text": f"{error}",
        "module": error.name if isinstance(error, ModuleNotFoundError) else None,
        "lines": lines,
    }


async def serve(order: dict[str, Any], channel: Any) -> None:
    """Load the bundle, then answer until there are no more questions."""

    def say(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message).encode() + b"\n")

    try:
        bundle = Bundle(order["bundle"])
        await bundle.open()
    except BaseException as error:
        say({"failed": failure(error)})
        return
    say({"ready": True})
    # Read in a thread: background work of the steps goes on between the events.
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        try:
            say(await bundle.answer(json.loads(line)))
        except BaseException as error:
            say({"failed": failure(error)})


def main() -> None:
    """Keep the real stdout for the answers; what steps print goes to stderr."""
    channel = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    order = json.loads(sys.stdin.buffer.readline())
    if order["admitted"] is not None:
        admit_only(order["admitted"], order["bundle"])
    asyncio.run(serve(order, channel))


if __name__ == "__main__":
    main()
    # Threads that steps left behind must not keep the check from ending.
    sys.stderr.flush()
    os._exit(0)
