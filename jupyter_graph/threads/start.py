"""Starting threads of this package."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.outcome import Outcome

Result = TypeVar("Result")


def start_thread(target: Callable[..., Any], name: str, *args: Any) -> threading.Thread:
    """Start a daemon thread and return it.

    No exit of the process waits for it. An interrupt does not come in between: it
    would leave a thread in ``threading.enumerate()`` that never runs.

    Args:
        target: what it calls.
        name: its name, which begins with ``jupyter_graph``.
        *args: the arguments of ``target``.
    """
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    with uninterrupted():
        thread.start()
    return thread


def join(thread: threading.Thread, seconds: float) -> None:
    """Wait so long for the end of a thread, if it can end at all.

    It cannot wait for itself; at the very end of the process no other thread runs.
    """
    if thread is not threading.current_thread() and not sys.is_finalizing():
        thread.join(seconds)


def run_in_thread(call: Callable[..., Result], *args: Any) -> Result:
    """Call something in a fresh thread, and return what it returns.

    An interrupt ends the wait; the thread goes on to its end.
    """
    outcome = Outcome()

    def run() -> None:
        try:
            outcome.settle(call(*args))
        except BaseException as error:
            outcome.settle(None, error)

    start_thread(run, "jupyter_graph-call")
    result: Result = outcome.result()
    return result
