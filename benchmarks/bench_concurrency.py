"""What share of plain asyncio's rate is left when many events wait at once?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from typing import Any

from benchmarks import peers
from benchmarks.bench_chain import fused_of
from benchmarks.measure import Events, Row, Variant, measure
from benchmarks.report import run_timed, timed_parser
from jupyter_graph import Graph, Runner

PACKAGES = ("jupyter_graph", "storey")
WIDTHS = (1, 16, 256)
WAIT_S = 0.001
LIMIT_S = 30.0
BODY = {"x": 1}

Call = Callable[[Any], Awaitable[Any]]


def add(body: Any) -> Any:
    return {"x": body["x"] + 1}


async def wait(body: Any) -> Any:
    await asyncio.sleep(WAIT_S)
    return body


async def plain(body: Any) -> Any:
    return add(await wait(add(body)))


def bounded() -> Call:
    """Promise by hand what a runner promises: a bound, and a deadline for each."""
    slots = asyncio.Semaphore(1024)

    async def one(body: Any) -> Any:
        async with slots, asyncio.timeout(LIMIT_S):
            return await plain(body)

    return one


def waiting_graph() -> Graph:
    graph = Graph("waiting")
    step = graph.to(name="first", handler=add).to(name="wait", handler=wait)
    step.to(name="last", handler=add).respond()
    return graph


def in_flight(loop: asyncio.AbstractEventLoop, call: Call, width: int) -> Events:
    """Keep so many events inside: each caller awaits an answer, then sends the next."""

    async def caller(turns: Iterator[int], answers: list[Any]) -> None:
        for _ in turns:
            answers.append(await call(BODY))

    async def all_of_them(count: int) -> Any:
        turns, answers = iter(range(count)), []
        await asyncio.gather(*(caller(turns, answers) for _ in range(width)))
        if answers != [answers[0]] * count:
            raise AssertionError(f"{count} equal events have answers that differ")
        return answers[0]

    return lambda count: loop.run_until_complete(all_of_them(count))


def opened_on(
    stack: ExitStack, loop: asyncio.AbstractEventLoop, runner: Runner
) -> Runner:
    """Open a runner by ``async with`` on a loop, which then runs its events."""
    whole = AsyncExitStack()
    stack.callback(lambda: loop.run_until_complete(whole.aclose()))
    return loop.run_until_complete(whole.enter_async_context(runner))


def variants_of(stack: ExitStack, width: int) -> list[Variant]:
    graph, loop = waiting_graph(), asyncio.new_event_loop()
    stack.callback(loop.close)
    here = opened_on(stack, loop, Runner(graph))
    beside = stack.enter_context(Runner(graph))
    calls: dict[str, Call] = {
        "plain asyncio": plain,
        "plain asyncio, bounded": bounded(),
        "fused function": fused_of(graph),
        "Runner.arun, the caller's loop": here.arun,
        "Runner.arun, a loop of its own": beside.arun,
    }
    found = [Variant(name, in_flight(loop, calls[name], width)) for name in calls]
    for name, waiting in storey_flows(width).items():
        emit, on = peers.storey_emit(stack, waiting)
        found.append(Variant(name, in_flight(on, emit, width)))
    return [replace(each, least=width) for each in found]


def storey_flows(width: int) -> dict[str, peers.Inner]:
    """Give the flows of storey's: one event after the other, and many at once."""
    from storey import ConcurrentExecution, Map

    def maps(last: Any) -> Any:
        last = last.to(Map(add, name="first")).to(Map(wait, name="wait"))
        return last.to(Map(add, name="last"))

    def at_once(last: Any) -> Any:
        many = ConcurrentExecution(
            wait, concurrency_mechanism="asyncio", max_in_flight=width, name="wait"
        )
        return last.to(Map(add, name="first")).to(many).to(Map(add, name="last"))

    return {"storey AsyncEmitSource": maps, "storey ConcurrentExecution": at_once}


def run(*, rounds: int, turn_s: float) -> list[Row]:
    rows: list[Row] = []
    for width in WIDTHS:
        shape = f"{width} in flight, {WAIT_S * 1000:g} ms awaits"
        with ExitStack() as stack:
            variants = variants_of(stack, width)
            found = measure(shape, variants, rounds=rounds, turn_s=turn_s, clock="wall")
            rows += map(with_share, found)
    return rows


def with_share(row: Row) -> Row:
    """Say the rate too, and which share of plain asyncio's it is."""
    assert row.wall_us is not None
    rate = round(1e6 / row.wall_us["median"])
    return replace(row, more={"events_s": rate, "share": round(1 / row.ratio, 3)})


def main(words: Sequence[str] | None = None) -> None:
    run_timed(run, timed_parser(__doc__, rounds=9).parse_args(words), PACKAGES)


if __name__ == "__main__":
    main()
