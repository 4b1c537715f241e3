"""Many callers at once, and sources that are too fast."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from jupyter_graph import Graph, Runner
from tests.run.soak.measure import Measured

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
                on_their_way = max(on_their_way, len(runner._dispatcher.background))
                measured.at(number)
            measured.wrong += not runner.wait_for_completion(60)
            return measured.told(peak=peak.most, most=on_their_way, bound=BOUND)

    return load
