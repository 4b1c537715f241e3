"""The clean process: loads one bundle and answers events, one JSON line each.

Started by its path, with the standard library alone: nothing of this package may be
imported here, the bundle brings its own. Only the modules that the bundle says it
needs can be imported; to all others the answer is the usual ModuleNotFoundError. An
audit hook refuses whatever would change something outside.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import inspect
import io
import json
import logging
import os
import pickle
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

FOLDER: list[str] = []
"""The bundle's folder, once it is known."""


class OnlyAdmitted:
    """An import hook that finds what is admitted and nothing else."""

    def __init__(self, names: set[str], bundle: str, finders: list[Any]) -> None:
        self.names = names
        self.folders = (bundle, str(Path(bundle, "modules")))
        self.own = {name for one in self.folders for name in _modules_in(Path(one))}
        self.finders = finders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> Any:
        root = name.partition(".")[0]
        if path is None and root in self.own:
            # Before an installed module of the same name.
            path = [entry for entry in sys.path if entry in self.folders]
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


def _modules_in(folder: Path) -> list[str]:
    """Return the names of the modules in a folder; none when it is not there."""
    entries = folder.iterdir() if folder.is_dir() else ()
    endings = (".py", ".so", ".pyd")
    return [one.stem for one in entries if one.is_dir() or one.suffix in endings]


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


class OfNotebook(pickle.Unpickler):
    """Reads an object of the notebook; its own classes are those of the bundle."""

    def find_class(self, module: str, name: str) -> Any:
        steps = sys.modules.get("_graph_steps") or sys.modules.get("steps")
        if module == "__main__" and hasattr(steps, name.partition(".")[0]):
            found: Any = steps
            for part in name.split("."):
                found = getattr(found, part)
            return found
        return super().find_class(module, name)


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

    def tables(self) -> list[str]:
        """Return the places of the tables outside that steps read."""
        runner = getattr(self.context.user_data, "runner", None)
        recorded = getattr(runner, "recorded", None)
        return list(getattr(recorded, "tables", ()))

    def read(self, asked: dict[str, Any]) -> Any:
        if "pickled" in asked:  # from the notebook that started this process
            pickled = io.BytesIO(base64.b64decode(asked.pop("pickled")))
            return self.event(OfNotebook(pickled).load(), **asked)
        return self.event(base64.b64decode(asked.pop("payload")), **asked)

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what the handler answers; with ``traced`` also what each step gave."""
        traced, outputs = asked.pop("traced", False), asked.pop("outputs", {})
        runner = getattr(self.context.user_data, "runner", None)
        if outputs and runner is not None:  # a released runtime may not know of them
            runner.recorded.expect_tagged(outputs)
        if traced:
            is_read = "pickled" in asked
            return await self.traced(runner, self.read(asked), is_read=is_read)
        answer = await settled(self.handler(self.context, self.read(asked)))
        payload = await collected(answer.body)
        kind = answer.content_type or ""
        headers = getattr(answer, "headers", {})
        return _reply(payload, answer.status_code, kind, headers)

    async def traced(self, runner: Any, event: Any, *, is_read: bool) -> dict[str, Any]:
        reading = importlib.import_module("jupyter_graph.event").read_event
        event = event if is_read and type(event.body) is not bytes else reading(event)
        response = importlib.import_module("jupyter_graph.answer.response")
        answer = await runner.ahandle(event, traced=True)
        raw = answer.raw
        if answer.error is None and response.is_stream(answer.value):
            raw = await response.collect(answer.value)
        facts = raw.payload, raw.status_code, raw.content_type, raw.headers
        rows = [_row(row) for row in answer.trace or ()]
        return {**_reply(*facts), "rows": rows, "error": _error(answer.error)}


def _reply(
    payload: bytes, status: int, content_type: str, headers: Any
) -> dict[str, Any]:
    return {
        "status_code": status,
        "content_type": content_type,
        "payload": base64.b64encode(payload).decode("ascii"),
        "headers": {str(name): str(text) for name, text in dict(headers or {}).items()},
    }


def _row(row: Any) -> dict[str, Any]:
    output = row.output and [row.output.text, row.output.type, row.output.size]
    return {
        "step": row.step,
        "upstream": row.upstream,
        "input": [row.input.text, row.input.type, row.input.size],
        "output": output,
        "error": row.error,
        "duration_s": row.duration_s,
    }


def _error(error: BaseException | None) -> dict[str, Any] | None:
    """Describe what a step raised: its kind, its text, and where it was."""
    if error is None:
        return None
    cause = error.__cause__ or error
    step = getattr(error, "step", None)
    return {**failure(cause), "step": step if isinstance(step, str) else None}


def failure(error: BaseException) -> dict[str, Any]:
    """Describe an error so that the notebook can say which cell it comes from.

    Files of the bundle are named by their paths in it, others by their names.
    """
    lines = [
        [_file_in_bundle(frame.filename), frame.lineno or 0]
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be read)"
    return {
        "kind": type(error).__name__,
        "text": text,
        "module": error.name if isinstance(error, ModuleNotFoundError) else None,
        "lines": lines,
    }


def _file_in_bundle(file: str) -> str:
    folder = os.path.join(FOLDER[0], "") if FOLDER else ""  # noqa: PTH118 - as a text
    is_inside = bool(folder) and file.startswith(folder)
    return file[len(folder) :].replace(os.sep, "/") if is_inside else Path(file).name


def guard_effects(order: dict[str, Any]) -> Any:
    """Refuse from now on what would change something; return the guard."""
    spec = spec_from_file_location("effect_guard", order["guard"])
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = module_from_spec(spec)
    sys.modules["effect_guard"] = module  # so that its error can come from a process
    spec.loader.exec_module(module)
    places = order["bundle"], order["scratch"], order["notes"]
    return module.EffectGuard(*places).install()


async def serve(order: dict[str, Any], channel: Any) -> None:
    """Load the bundle, then answer until there are no more questions."""
    guard = guard_effects(order)

    def say(message: dict[str, Any]) -> None:
        message["effects"] = guard.taken()
        channel.write(json.dumps(message).encode() + b"\n")

    try:
        bundle = Bundle(order["bundle"])
        await bundle.open()
    except BaseException as error:
        say({"failed": failure(error)})
        return
    say({"ready": True, "tables": bundle.tables()})
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
    FOLDER.append(order["bundle"])
    sys.path += order["paths"]
    if order["admitted"] is not None:
        admit_only(order["admitted"], order["bundle"])
    asyncio.run(serve(order, channel))


if __name__ == "__main__":
    main()
    # Threads that steps left behind must not keep the check from ending.
    sys.stderr.flush()
    os._exit(0)
