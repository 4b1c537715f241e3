"""A graph of six steps: state, a choice, an error handler that leads on."""

import asyncio
from typing import Any

from jupyter_graph import Graph


def parse(body: Any) -> Any:
    return {"n": int(body["n"]), "tags": ["a", "b"]}


async def parse_async(body: Any) -> Any:
    if body["n"] % 10 == 0:
        await asyncio.sleep(0)
    return parse(body)


class Enrich:
    """Counts its events, to have a state."""

    def __init__(self) -> None:
        self.seen = 0

    def do(self, body: Any) -> Any:
        self.seen += 1
        return {**body, "square": body["n"] ** 2}


class Choose:
    def select_outlets(self, body: Any) -> str:
        return "even" if body["n"] % 2 == 0 else "odd"


def even(body: Any) -> Any:
    return {**body, "half": body["n"] // 2}


def odd(body: Any) -> Any:
    if body["n"] % 100 == 99:
        raise ValueError(body["n"])
    return {**body, "half": None}


def answer(body: Any) -> Any:
    return [body["n"], body["half"]]


def mended(body: Any) -> Any:
    return {**body, "half": -1}


def six_steps(first: Any) -> Graph:
    graph = Graph("six")
    graph.to(name="parse", handler=first)
    graph.add_step(Enrich, "enrich").to(Choose, name="choose")
    graph.add_step(name="even", handler=even, after="choose")
    graph.add_step(name="odd", handler=odd, after="choose")
    graph.add_step(name="answer", handler=answer, after=["even", "odd"]).respond()
    return graph.error_handler("mended", handler=mended, step="odd", before="answer")


def expected(n: int) -> Any:
    return [n, n // 2 if n % 2 == 0 else -1 if n % 100 == 99 else None]
