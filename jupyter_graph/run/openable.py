"""What a runner does in ``with`` and ``async with`` statements."""

from __future__ import annotations

import sys
import weakref
from typing import Any, Self

from jupyter_graph.run.lifecycle import GraphInstance
from jupyter_graph.threads.interrupts import is_main_thread


class Openable:
    """An object over a graph's instance that is opened and closed with it."""

    _instance: GraphInstance

    def open(self) -> Self:
        """Build the steps; calling it twice is harmless.

        In a notebook, what an earlier run of the same cell opened, and nothing but
        that cell's variables holds, is closed before.

        Raises:
            RunError: a constructor failed.
        """
        self._instance.open()
        return self

    def belong_to(self, owner: Any) -> Self:
        """Let another object stand for this runner: that one is to be closed."""
        dispatcher = self._instance.dispatcher
        dispatcher.owner = weakref.ref(owner)
        dispatcher.belongs_to = type(owner).__name__
        return self

    def close(self) -> None:
        """Release steps, threads and the signal; calling it twice is harmless.

        Events that are still under way end in a ClosedError where they can be ended.
        An interrupt stops what it meets (a step that flushes, say); the rest is closed
        all the same.
        """
        self._instance.close()

    async def aclose(self) -> None:
        """``close`` from the loop that events run on; buffered steps flush before."""
        await self._instance.aclose()

    @property
    def is_open(self) -> bool:
        return self._instance.is_open

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):
            self.close()
        else:  # who stopped the block does not want to wait for what it sent
            self._instance.close_now()

    async def __aenter__(self) -> Self:
        if not self.is_open and is_main_thread() and not is_in_kernel():
            # Nobody interrupts a step that keeps a loop in another thread, and a
            # kernel must answer while a step works.
            import asyncio

            self._instance.dispatcher.lender = asyncio.get_running_loop()
        return self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def is_in_kernel() -> bool:
    """Tell whether this process is a notebook's kernel."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and bool(kernel.IPKernelApp.initialized())
