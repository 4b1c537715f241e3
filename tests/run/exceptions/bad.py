"""The code that fails, of each kind and colour: for bodies that say ``bad``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph import Graph
from tests.run.exceptions.kinds import Kind

SYNC, ASYNC, THREADS = "sync", "async", "threads"
PROCESSES, SYNC_PROCESSES = "processes", "processes without a loop"
ALL = (SYNC, ASYNC, THREADS)
EVERYWHERE = (*ALL, PROCESSES, SYNC_PROCESSES)


def is_bad(body: Any) -> bool:
    return "bad" in repr(body)


def echo(x: Any) -> Any:
    return x


async def echo_async(x: Any) -> Any:
    return x


def fails(x: Any) -> Any:
    if is_bad(x):
        raise LookupError("to be handled")
    return x


@dataclass
class Bad:
    """The code that fails, of one kind and colour."""

    kind: Kind
    colour: str

    @property
    def call(self) -> Callable[..., Any]:
        def bad(x: Any) -> Any:
            if is_bad(x):
                self.kind.throw()
            return x

        async def bad_async(x: Any) -> Any:
            if is_bad(x):
                await self.kind.throw_on_loop()
            return x

        return bad_async if self.colour == ASYNC else bad

    @property
    def step(self) -> dict[str, Any]:
        """Give the arguments of ``add_step``."""
        options = {"blocking": True} if self.colour == THREADS else {}
        if self.colour in (PROCESSES, SYNC_PROCESSES):
            options = {"processes": 1}
        return {"name": "bad", "handler": self.call, **options}

    def check(self, x: Any) -> Any:
        """Fail in a function that is never awaited."""
        if is_bad(x):
            self.kind.throw()
        return x

    def graph(self, engine: str, **options: Any) -> Graph:
        return Graph("g", engine=engine, **options)

    def ended(self, graph: Graph, after: str) -> Graph:
        """Let a last step answer; in threads there must be a loop."""
        last = echo if self.colour in (SYNC, SYNC_PROCESSES) else echo_async
        graph.add_step(name="last", handler=last, after=after).respond()
        return graph
