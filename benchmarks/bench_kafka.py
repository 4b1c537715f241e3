"""What does it cost to write an event to a topic of Kafka, and to know it is there?

A broker of one node runs beside, on another core. Each event is answered after the
broker has its message.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

from benchmarks.bench_concurrency import add, in_flight
from benchmarks.kafka.broker import broker
from benchmarks.measure import Row, Variant, measure, one_core
from benchmarks.report import report, timed_parser
from jupyter_graph import Graph, Runner

PACKAGES = ("jupyter_graph", "confluent-kafka", "kafka-python")
WIDTHS = (1, 256)
WARM_UP = 3000

Call = Callable[[Any], Awaitable[Any]]


@contextmanager
def by_hand(url: str, topic: str) -> Iterator[Call]:
    """Produce with confluent-kafka, with a future for each message and a poller."""
    from confluent_kafka import Producer

    settings = {"acks": "all", "enable.idempotence": True, "linger.ms": 0}
    producer = Producer({"bootstrap.servers": url, **settings})
    is_over = threading.Event()

    def poll() -> None:
        while not is_over.is_set():
            producer.poll(0.1)

    async def one(body: Any) -> Any:
        body = add(body)
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def delivered(error: Any, _: Any) -> None:
            end, how = (error, future.set_exception) if error else (None, None)
            loop.call_soon_threadsafe(how or future.set_result, end)

        producer.produce(topic, json.dumps(body).encode(), on_delivery=delivered)
        await future
        return body

    poller = threading.Thread(target=poll)
    poller.start()
    yield one
    producer.flush(10)
    is_over.set()
    poller.join()


@contextmanager
def by_kafka_python(url: str, topic: str) -> Iterator[Call]:
    """Send with kafka-python, the client that MLRun and storey use."""
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=url, acks="all", linger_ms=0)

    async def one(body: Any) -> Any:
        body = add(body)
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        sent = producer.send(topic, json.dumps(body).encode())
        sent.add_callback(lambda _: loop.call_soon_threadsafe(future.set_result, None))
        sent.add_errback(
            lambda error: loop.call_soon_threadsafe(future.set_exception, error)
        )
        await future
        return body

    yield one
    producer.close()


def writing_graph(url: str, topic: str) -> Graph:
    graph = Graph("writing")
    step = graph.to(name="add", handler=add)
    step.to("KafkaTarget", "out", brokers=url, topic=topic).respond()
    return graph


def calls_of(stack: ExitStack, url: str) -> dict[str, tuple[Call, str]]:
    """Give each way to write, and the topic that it writes to."""
    here = Runner(writing_graph(url, "here"), own_loop=False)
    beside = Runner(writing_graph(url, "beside"))
    found: dict[str, tuple[Call, str]] = {
        "confluent-kafka by hand": (stack.enter_context(by_hand(url, "hand")), "hand"),
        "Runner.arun, the caller's loop": (stack.enter_context(here).arun, "here"),
        "Runner.arun, a loop of its own": (stack.enter_context(beside).arun, "beside"),
    }
    with suppress(ImportError):
        call = stack.enter_context(by_kafka_python(url, "python"))
        found["kafka-python by hand"] = (call, "python")
    return found


class Counted:
    """A call, and how many answers it gave."""

    def __init__(self, call: Call) -> None:
        self.call, self.answers = call, 0

    async def __call__(self, body: Any) -> Any:
        answer = await self.call(body)
        self.answers += 1
        return answer


def run(*, rounds: int, turn_s: float) -> list[Row]:
    with ExitStack() as stack:
        with one_core(min):  # the callers take the last one
            server = stack.enter_context(broker())
        with one_core():
            return measured(stack, server.url, rounds=rounds, turn_s=turn_s)


def measured(stack: ExitStack, url: str, *, rounds: int, turn_s: float) -> list[Row]:
    rows: list[Row] = []
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    made = calls_of(stack, url)
    counted = {name: Counted(call) for name, (call, _) in made.items()}
    for call in counted.values():
        in_flight(loop, call, 64)(WARM_UP)
    for width in WIDTHS:
        variants = [
            Variant(name, in_flight(loop, call, width), least=width)
            for name, call in counted.items()
        ]
        shape = f"{width} in flight, one topic"
        found = measure(shape, variants, rounds=rounds, turn_s=turn_s, clock="wall")
        rows += map(with_rate, found)
    for name, (_, topic) in made.items():
        there = messages(url, topic)
        if there != counted[name].answers:
            raise AssertionError(
                f"{name}: {counted[name].answers} answers, {there} messages"
            )
    return rows


def messages(url: str, topic: str) -> int:
    """Give how many messages a topic of one partition holds."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": url, "group.id": "count"})
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    consumer.close()
    return int(end)


def with_rate(row: Row) -> Row:
    assert row.wall_us is not None
    return replace(row, more={"events_s": round(1e6 / row.wall_us["median"])})


def main(words: Sequence[str] | None = None) -> None:
    options = timed_parser(__doc__, rounds=9).parse_args(words)
    rows = run(rounds=options.rounds, turn_s=options.turn_ms / 1000)
    report(rows, PACKAGES, options.json)


if __name__ == "__main__":
    main()
