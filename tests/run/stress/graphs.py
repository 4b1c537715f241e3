"""One small graph for each way in which a runner works."""

import asyncio
from typing import Any

from jupyter_graph import Graph


def one(body: Any) -> Any:
    return body


def as_mapping(body: Any) -> Any:
    return {"v": body}


def two(body: Any) -> Any:
    return body


def many(bodies: list[Any]) -> list[Any]:
    return bodies


async def one_later(body: Any) -> Any:
    await asyncio.sleep(0)
    return body


async def two_later(body: Any) -> Any:
    await asyncio.sleep(0)
    return body


class Step:
    """A step that is closed, once."""

    def do(self, body: Any) -> Any:
        return body

    def close(self) -> None:
        return


def graph(kind: str, *, is_second: bool = False) -> Graph:
    """Return the graph of this kind; the second one has other code to swap to."""
    function = two if is_second else one
    options = {"one seat": {"max_in_flight": 1}, "ordered": {"order_by": "key"}}
    made = Graph("g", **options.get(kind, {}))
    if kind == "async":
        made.to(name="a", handler=two_later if is_second else one_later).respond()
    elif kind in ("processes", "blocking", "timed"):
        words = {"processes": 1, "blocking": True, "timeout_s": 5}
        key = "timeout_s" if kind == "timed" else kind
        made.to(name="a", handler=function, **{key: words[key]}).respond()
    elif kind == "micro-batch":
        made.to(name="a", handler=many, batch=4, batch_wait_ms=1).respond()
    elif kind == "batch":
        made.to("Batch", "a", class_args={"max_events": 3, "flush_after_s": 50})
        made.add_step(name="b", handler=function)
    elif kind == "storey":
        made.namespace.update(one=one, two=two)
        made.to("storey.Map", "a", class_args={"_fn": function.__name__}).respond()
    elif kind == "routes":
        router = made.add_router("a", "*ParallelRun", executor_type="thread")
        for name in "bc":
            router.add_route(name, handler=as_mapping)
        router.respond()
    else:
        made.to(name="a", class_name=Step).to(name="b", handler=function).respond()
    return made
