"""What asyncio has and does not document; each name here has a public slow path.

Tested with CPython 3.11 to 3.14 (``tests/run/aio/test_asyncio_private.py``).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

CurrentTask = Callable[[asyncio.AbstractEventLoop], Any]


def _current_task() -> CurrentTask:
    """Return the fastest way to ask for the task that runs on a loop.

    ``asyncio.current_task`` is written in C from 3.12 on. On 3.11 it is a function in
    Python that asks this table, and costs an event as much as one of its steps.
    """
    if sys.version_info < (3, 12):
        table = getattr(asyncio.tasks, "_current_tasks", None)
        if isinstance(table, dict):
            return table.get
    return asyncio.current_task


current_task: CurrentTask = _current_task()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, None where there is none.

    The public ``get_running_loop`` raises an error instead.
    """
    get: Any = getattr(asyncio, "_get_running_loop", None)
    if get is not None:
        loop: asyncio.AbstractEventLoop | None = get()
        return loop
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
