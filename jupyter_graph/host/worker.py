"""One worker process: opens the bundle, then accepts connections itself."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn

from jupyter_graph.errors import said
from jupyter_graph.host.admission import Admission
from jupyter_graph.host.asgi_app import App
from jupyter_graph.host.host_options import TOKEN, HostOptions
from jupyter_graph.host.logs import HostLogger, catch_prints, start_logging
from jupyter_graph.host.metrics import Metrics
from jupyter_graph.host.nuclio_context import HostContext
from jupyter_graph.host.pages import pages
from jupyter_graph.host.platform import inherited, loop_factory
from jupyter_graph.host.uvicorn_private import LimitedProtocol, QuietServer
from jupyter_graph.run.deadline.step_threads import pool
from jupyter_graph.threads.process_ends import die_with_parent

BEAT_S = 0.5
_ORPHAN_S = 35.0
_MOST_LEFT_BEHIND = 4
_SLOW_MS = BEAT_S * 500


class Pipe:
    """The worker's messages to its supervisor, one JSON document a line."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def send(self, **facts: Any) -> None:
        """Send facts; never wait for a full pipe, or a supervisor that is gone."""
        try:
            os.write(self._descriptor, json.dumps(facts).encode() + b"\n")
        except OSError:
            return

    def beat(self) -> None:
        """Report that the event loop of this worker runs."""
        self.send(beat=1)


def on_tick(pipe: Pipe, metrics: Metrics, log: logging.Logger) -> Callable[[int], bool]:
    """Return what a worker does ten times a second; it returns True at its end."""

    def tick(counter: int) -> bool:
        metrics.flush()
        if counter % 5 == 0:
            pipe.beat()
        # A step that ignores its deadline keeps its thread; a few of them take the
        # memory and the GIL of a worker that is otherwise well, so it is replaced.
        if counter % 10 or pool.left_behind < _MOST_LEFT_BEHIND:
            return False
        log.error("too many steps hang in threads; this worker is replaced")
        return True

    return tick


def main(words: list[str]) -> int:
    """Run a worker; the arguments are options, number, listening socket and pipe."""
    options = HostOptions.from_json(words[0])
    worker_id = words[1]
    listener, beats = inherited(*words[2:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor stops its workers
    die_with_parent(signal.SIGTERM)  # also when the supervisor is killed by SIGKILL
    pipe = Pipe(beats)
    logger = start_logging(options.log_file, worker_id)
    catch_prints()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_work(options, worker_id, listener, pipe, logger))
    except BaseException as error:
        logger.exception("the worker ended")
        pipe.send(failed=said(error))
        return 1
    return 0


async def _work(
    options: HostOptions,
    worker_id: str,
    listener: socket.socket,
    pipe: Pipe,
    logger: logging.Logger,
) -> None:
    context = HostContext(HostLogger(logger), worker_id=worker_id, name=options.name)
    module = _import_main(options.bundle)
    await _awaited(getattr(module, "init_context", lambda _: None)(context))
    runner = getattr(context.user_data, "runner", None)
    metrics = Metrics(options.name, f"{options.host}:{listener.getsockname()[1]}")

    def count(is_ok: bool, milliseconds: float) -> None:
        metrics.handled(is_ok, milliseconds)
        if milliseconds > _SLOW_MS:  # others may wait behind it in the same turn
            pipe.beat()

    app = App(
        module.handler,
        context,
        _admission(options),
        count=count,
        refuse=metrics.refused,
        pages=pages(runner, options.name),
    )
    server = QuietServer(_config(app), on_tick(pipe, metrics, logger))

    def stop() -> None:
        app.admission.is_draining = True
        server.should_exit = True

    _stop_on_signal(stop)
    # What was imported and opened stays until the end: the collector need not look at
    # it with every event.
    gc.collect()
    gc.freeze()
    pipe.send(ready=os.getpid(), timeout_s=getattr(runner, "timeout_s", 30.0))
    logger.info("worker is ready")
    await server.serve(sockets=[listener])
    metrics.flush()
    await _awaited(context.platform.callbacks.get("termination", lambda: None)())
    logger.info("worker has stopped")


def _import_main(bundle: str) -> Any:
    # First, so that the bundle's own modules are found before installed ones.
    if bundle not in sys.path:
        sys.path.insert(0, bundle)
    return importlib.import_module("main")


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _admission(options: HostOptions) -> Admission:
    names = frozenset((*options.allow_hosts, options.host.lower()))
    token = None if options.is_open else os.environ.get(TOKEN) or None
    return Admission(options.max_in_flight, names, token)


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=LimitedProtocol,
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=30,
    )


def _stop_on_signal(stop: Any) -> None:
    """Stop on SIGTERM, and when the supervisor is gone (standard input ends)."""
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, stop)

    def watch() -> None:
        while os.read(0, 1024):  # nothing is written: it waits for the end
            pass
        try:
            loop.call_soon_threadsafe(stop)
        except RuntimeError:  # the loop is closed: the worker is ending
            return
        # The loop drains now. If a step holds it, nobody is left to kill this worker.
        time.sleep(_ORPHAN_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
