"""Small steps and graphs, for graphs that are pinned down."""

import asyncio

import pytest

from jupyter_graph import Graph
from jupyter_graph.types import NOTHING


def inc(x):
    return x + 1


async def inc_async(x):
    await asyncio.sleep(0)
    return x + 1


def double(x):
    return 2 * x


def three(x):
    yield from (x, x + 1, x + 2)


def two(x):
    yield from (x, x + 10)


def breaks_off(x):
    yield x
    raise ValueError(x)


def fails(x):
    raise ValueError(x)


def last(x):
    return ("last", x)


def caught(x):
    return ("caught", x)


class Odd:
    """Drops even bodies."""

    may_drop = True

    def do(self, x):
        return x if x % 2 else NOTHING


class DropsAll:
    may_drop = True

    def do(self, x):
        return NOTHING


class Keeps:
    """Keeps every body back."""

    may_drop = True

    def __init__(self):
        self.kept = []

    def do(self, x):
        self.kept.append(x)
        return NOTHING

    def flush(self, *, end):
        kept, self.kept = self.kept, []
        return kept


COLOURS = pytest.mark.parametrize("inc", [inc, inc_async], ids=["sync", "async"])


def fan_out(first, left, right, end="Merge", **join):
    """``first`` to ``left`` and ``right``, then ``end``."""
    graph = Graph("g")
    graph.to(name="first", handler=first)
    for name, step in (("left", left), ("right", right)):
        kind = "class_name" if isinstance(step, type) else "handler"
        graph.add_step(name=name, after="first", **{kind: step})
    kind = "class_name" if end == "Merge" else "handler"
    after = ["left", "right"]
    graph.add_step(name="end", after=after, **{kind: end}, **join).respond()
    return graph


def collected(*steps):
    """A chain; texts are Collectors."""
    graph = Graph("g")
    for at, step in enumerate(steps):
        kind = "class_name" if step == "Collector" else "handler"
        graph.add_step(name=f"s{at}", **{kind: step})
    return graph


def around(*steps, respond=None):
    inner = collected(*steps)
    inner.name = "inner"
    if respond:
        inner.change_step(respond, responder=True)
    graph = Graph("g")
    graph.to(name="first", handler=lambda x: x)
    graph.add_step(inner, "inner", after="first").to(name="last", handler=last)
    graph.change_step("last", responder=True)
    return graph


def flat_map(**options):
    graph = Graph("g")
    graph.add_step("storey.FlatMap", "both", class_args={"_fn": "both"}, **options)
    graph.namespace["both"] = lambda x: [x, x + 1]
    return graph


def answers(run_graph, graph, bodies):
    found = run_graph(graph, bodies)
    return [list(one) if hasattr(one, "__next__") else one for one in found]
