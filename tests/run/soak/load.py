"""Long loads, each in a process of its own: ``python -m tests.run.soak.load NAME N``.

Prints one line of JSON: what went wrong, and memory, threads and files before and
after, once the first fifth has warmed everything up.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_graph import Graph, Runner, StepError
from tests.run.soak.callers import callers, pressure
from tests.run.soak.measure import Measured
from tests.run.soak.six_steps import expected, parse, parse_async, six_steps

IN_FLIGHT = 256


def events_sync(count: int) -> dict[str, Any]:
    measured = Measured(count)
    with Runner(six_steps(parse)) as runner:
        for number in range(count):
            measured.wrong += runner.run({"n": number}) != expected(number)
            measured.at(number)
        seen = runner.step("enrich").seen
        return measured.told(seen=seen)


def events_async(count: int) -> dict[str, Any]:
    return asyncio.run(_events_async(count))


async def _events_async(count: int) -> dict[str, Any]:
    measured, numbers = Measured(count), iter(range(count))
    async with Runner(six_steps(parse_async)) as runner:

        async def caller() -> None:
            for number in numbers:
                found = await runner.arun({"n": number})
                measured.wrong += found != expected(number)
                measured.at(number)

        await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))
        return measured.told(seen=runner.step("enrich").seen)


def swaps(count: int) -> dict[str, Any]:
    """The same graph with a new version of a step, so many times."""
    measured = Measured(count)

    def version(number: int) -> Graph:
        def answer(body: Any) -> Any:
            return [body["n"], number]

        graph = six_steps(parse)
        graph.namespace["answer"] = answer
        return graph

    with Runner(version(0)) as runner:
        for number in range(count):
            runner.swap(version(number))
            measured.wrong += runner.run({"n": 1}) != [1, number]
            measured.at(number)
        return measured.told(seen=runner.step("enrich").seen)


def cells(count: int) -> dict[str, Any]:
    """A notebook's cell that runs again and again, an event after each time."""
    from jupyter_graph.cells.source import Cell
    from jupyter_graph.session.session import Session
    from jupyter_graph.session.step_options import StepOptions

    measured = Measured(count)
    session = Session({"__name__": "__main__"})
    known: dict[str, Cell] = {}
    session.cells = lambda: list(known.values())

    def define(source: str, cell_id: str, number: int) -> None:
        cell = Cell(source, number, cell_id)
        plan = session.plan_step(StepOptions(), cell)
        exec(source, session.user_ns)
        known[cell_id] = cell
        session.put_step(plan)

    define("def first(body): return body + 1", "one", 1)
    for number in range(count):
        source = f"def second(body):\n    return [body, {number}]"
        define(source, "two", number + 2)
        measured.wrong += session.run(1).value != [2, number]
        measured.at(number)
    found = measured.told()
    session.close()
    return found


OPEN: set[int] = set()
"""The generators that have begun and not ended."""


@contextmanager
def noted(number: int) -> Iterator[None]:
    OPEN.add(number)
    try:
        yield
    finally:
        OPEN.discard(number)


def items(body: Any) -> Any:
    with noted(body["n"]):
        for number in range(10):
            if body["n"] % 10 == 0 and number == 5:
                raise ValueError(body["n"])
            yield number


async def items_async(body: Any) -> Any:
    with noted(body["n"]):
        for number in items(body):
            yield number


def streams(code: Callable[[Any], Any]) -> Callable[[int], dict[str, Any]]:
    """Streams of which each tenth raises, and three of ten are left after two items."""

    def load(count: int) -> dict[str, Any]:
        graph = Graph("streams")
        graph.to(name="items", handler=code)
        graph.add_step(name="double", handler=lambda x: 2 * x).respond()
        measured = Measured(count)
        with Runner(graph) as runner:
            for number in range(count):
                measured.wrong += not _read(runner, number)
                measured.at(number)
            end = time.monotonic() + 5
            while OPEN and time.monotonic() < end:
                time.sleep(0.01)
            return measured.told(open=len(OPEN))

    return load


def _read(runner: Runner, number: int) -> bool:
    """Read one stream, or a part of it; tell whether all was right."""
    found = runner.run({"n": number})
    if number % 10 in (1, 2, 3):
        right = [next(found), next(found)] == [0, 2]
        del found
        return right
    try:
        return list(found) == list(range(0, 20, 2))
    except StepError as error:
        return number % 10 == 0 and error.step == "items"


LOADS: dict[str, Callable[[int], dict[str, Any]]] = {
    "events_sync": events_sync,
    "events_async": events_async,
    "swaps": swaps,
    "cells": cells,
    "streams_sync": streams(items),
    "streams_async": streams(items_async),
    "callers": callers,
    "pressure_sync": pressure("sync"),
    "pressure_async": pressure("async"),
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(LOADS[sys.argv[1]](int(sys.argv[2]))) + "\n")
