"""Long loads, each in a process of its own: ``python -m tests.run.soak.load NAME N``.

Prints one line of JSON: what went wrong, and memory, threads and files before and
after, once the first fifth has warmed everything up.
"""

import asyncio
import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from jupyter_graph import Graph, Runner, StepError

PROCESS = psutil.Process()
IN_FLIGHT = 256


# -- six steps -------------------------------------------------------------------------


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


# -- measuring -------------------------------------------------------------------------


def state() -> dict[str, int]:
    gc.collect()
    return {
        "rss": PROCESS.memory_info().rss,
        "threads": threading.active_count(),
        "files": PROCESS.num_fds() if hasattr(PROCESS, "num_fds") else 0,
    }


class Measured:
    """What a load found: call ``at`` with the number of each piece of work."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.wrong = 0
        self.before: dict[str, int] = {}
        self.began = time.perf_counter()

    def at(self, number: int) -> None:
        if number == self.count // 5:
            self.before = state()

    def told(self, **more: Any) -> dict[str, Any]:
        after, took_s = state(), time.perf_counter() - self.began
        return {
            "wrong": self.wrong,
            "rss_growth": round(after["rss"] / self.before["rss"] - 1, 4),
            "rss_mb": round(after["rss"] / 2**20, 1),
            "threads": [self.before["threads"], after["threads"]],
            "files": [self.before["files"], after["files"]],
            "per_s": round(self.count / took_s),
            **more,
        }


# -- loads -----------------------------------------------------------------------------


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
    from jupyter_graph.session.options import StepOptions
    from jupyter_graph.session.session import Session

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


# -- many callers ----------------------------------------------------------------------

BOUND = 64


class Peak:
    """How many were inside at once, at most."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1


def bounded(peak: Peak, wait_s: float, kind: str) -> Graph:
    """A graph whose one step waits: in a thread, on the loop, or before a stream."""

    def wait(body: Any) -> Any:
        with peak:
            time.sleep(wait_s)
        return body

    async def wait_async(body: Any) -> Any:
        with peak:
            await asyncio.sleep(wait_s)
        return body

    def two(body: Any) -> Any:
        yield body
        yield -body

    graph = Graph(kind, max_in_flight=BOUND)
    graph.to(name="wait", handler=wait if kind == "sync" else wait_async)
    if kind == "stream":
        graph.add_step(name="two", handler=two)
    graph.change_step("two" if kind == "stream" else "wait", responder=True)
    return graph


def callers(count: int) -> dict[str, Any]:
    """64 threads and so many tasks call a sync, an async and a streaming graph."""
    measured = Measured(count)
    peaks = {kind: Peak() for kind in ("sync", "async", "stream")}
    runners = [
        Runner(bounded(peak, 0.001, kind), timeout_s=120).open()
        for kind, peak in peaks.items()
    ]
    calls, lock = iter(range(count)), threading.Lock()

    def told(number: int, found: Any) -> None:
        right = [number, -number] if number % 3 == 2 else number
        with lock:
            measured.wrong += found != right

    def in_thread() -> None:
        for number in taken(calls, lock):
            found = runners[number % 3].run(number)
            told(number, list(found) if number % 3 == 2 else found)
            measured.at(number)

    async def in_task(number: int) -> None:
        found = await runners[number % 3].arun(number)
        if number % 3 == 2:
            found = [item async for item in found]
        told(number, found)

    async def in_tasks() -> None:
        await asyncio.gather(*(in_task(number) for number in range(count)))

    threads = [threading.Thread(target=in_thread) for _ in range(64)]
    for thread in threads:
        thread.start()
    asyncio.run(in_tasks())
    for thread in threads:
        thread.join()
    for runner in runners:
        runner.close()
    return measured.told(peaks=[peak.most for peak in peaks.values()], bound=BOUND)


def taken(numbers: Iterator[int], lock: Any) -> Iterator[int]:
    while True:
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        yield number


def pressure(kind: str) -> Callable[[int], dict[str, Any]]:
    """A source that sends ten times as fast as its events are worked on."""

    def load(count: int) -> dict[str, Any]:
        measured, peak, on_their_way = Measured(count), Peak(), 0
        with Runner(bounded(peak, 0.002, kind), timeout_s=60) as runner:
            for number in range(count):
                runner.emit(number)
                on_their_way = max(on_their_way, len(runner._emitted))
                measured.at(number)
            measured.wrong += not runner.wait_for_completion(60)
            return measured.told(peak=peak.most, most=on_their_way, bound=BOUND)

    return load


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
