"""A call on its way to another process, and what a pool's processes share."""

from __future__ import annotations

import queue
from typing import Any, Protocol

from jupyter_graph.errors import said
from jupyter_graph.processes.transport import dumps
from jupyter_graph.threads.outcome import Task


class Worker(Protocol):
    """Takes care of the process that a call is in."""

    def end(self, call: Call | None = None) -> None:
        """End the process now, if it still is at this call; from any thread."""


class Call(Task):
    """A call of a target: on its way, or in the process that ``worker`` has."""

    def __init__(self, name: str, args: tuple[Any, ...], limit_s: float) -> None:
        super().__init__()
        self.limit_s = limit_s
        self.worker: Worker | None = None
        try:
            self.data = dumps((name, args))
        except Exception as error:
            raise TypeError(
                f"what it gets cannot go to another process: {said(error)}"
            ) from error


class CallQueue:
    """The calls that wait for a process of one pool, and what each process gets first.

    Args:
        payload: the pool's targets, pickled.
        logger: gets the records of the package's loggers in the processes.
    """

    def __init__(self, payload: bytes, logger: Any) -> None:
        self.payload, self.logger = payload, logger
        self.inbox: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self.is_over = False
