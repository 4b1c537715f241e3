"""A producer of Kafka for coroutines: a message is awaited until the broker has it."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from jupyter_graph.connectors.extras import needed
from jupyter_graph.errors import SpecError
from jupyter_graph.threads.interrupts import uninterrupted
from jupyter_graph.threads.reaper import Unclosed
from jupyter_graph.threads.start import start_thread

FULL_WAIT_S = 0.01
POLL_S = 0.2
logger = logging.getLogger("jupyter_graph")


class Message(NamedTuple):
    """A message on its way to a topic."""

    value: bytes
    key: str | None
    headers: Sequence[tuple[str, str]]


class Failed(NamedTuple):
    """A message that did not arrive, and librdkafka's error."""

    message: Message
    error: Any


class KafkaClient:
    """A producer with a thread that tells who waits; safe from several threads.

    Nothing is opened before the first message.

    Args:
        brokers: ``host:port``, several with commas between.
        settings: librdkafka's, by their names.

    Raises:
        SpecError: a setting is wrong, or confluent-kafka is not installed.
    """

    def __init__(self, brokers: str, settings: Mapping[str, Any]) -> None:
        self._errors: deque[Any] = deque(maxlen=8)
        self._kafka = needed("confluent_kafka", "kafka", "KafkaTarget")
        self._brokers = brokers
        self._settings = dict(settings)
        self._lock = threading.Lock()
        self._producer: Any = None
        self._polling: _Polling | None = None
        self._wakes: Wakes | None = None
        try:  # without brokers there is no connection, but all settings are read
            self._kafka.Producer(self._settings, logger=_Quiet())
        except (self._kafka.KafkaException, TypeError, ValueError) as error:
            cause = error.args[0]
            message = cause.str() if hasattr(cause, "str") else cause
            raise SpecError(f"KafkaTarget: {message}") from None

    async def send(self, topic: str, messages: Sequence[Message]) -> list[Failed]:
        """Return those that did not arrive, when it is known of all.

        A full queue of the client's is waited for.
        """
        producer, arrival = self._opened(), Arrival(self._wakes_here(), len(messages))
        for message in messages:
            delivered = arrival.of(message)
            while True:
                try:
                    producer.produce(
                        topic,
                        message.value,
                        message.key,
                        headers=list(message.headers),
                        on_delivery=delivered,
                    )
                except BufferError:
                    # librdkafka's own queue is full; the polling thread makes room, the
                    # loop goes on
                    await asyncio.sleep(FULL_WAIT_S)
                    continue
                except self._kafka.KafkaException as error:
                    delivered(error.args[0], None)
                break
        await arrival.future
        return arrival.failed

    def close(self, timeout_s: float) -> None:
        """Wait so long for messages on their way, then close; harmless twice."""
        with self._lock:
            producer, self._producer = self._producer, None
            polling, self._polling = self._polling, None
        if producer is not None:
            producer.flush(timeout_s)
        if polling is not None:
            polling.end()
            polling.thread.join()
            self._unclosed.closed()

    def _opened(self) -> Any:
        with uninterrupted(), self._lock:
            if self._producer is None:
                place = {
                    "bootstrap.servers": self._brokers,
                    "error_cb": self._errors.append,
                }
                settings = {**self._settings, **place}
                self._producer = self._kafka.Producer(settings, logger=_Quiet())
                self._polling = _Polling(self._producer)
                self._unclosed = Unclosed(self, self._polling.end)
            return self._producer

    @property
    def last_error(self) -> str:
        """The client's last message about its brokers, "" when there is none."""
        errors = list(self._errors)
        all_down = self._kafka.KafkaError._ALL_BROKERS_DOWN
        # "all brokers are down" follows every other error and says nothing of its cause
        telling = [one for one in errors if one.code() != all_down] or errors
        return str(telling[-1].str()) if telling else ""

    def _wakes_here(self) -> Wakes:
        loop = asyncio.get_running_loop()
        if self._wakes is None or self._wakes.loop is not loop:
            self._wakes = Wakes(loop)
        return self._wakes


class _Polling:
    """The thread in which a producer tells what arrived; it knows no client of ours."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.thread = start_thread(self._run, "jupyter_graph-kafka")

    def _run(self) -> None:
        # ``end`` may be called by the garbage collector: SimpleQueue.put is reentrant,
        # while Event.set takes a lock
        while self._ended.empty():
            self._producer.poll(POLL_S)

    def end(self) -> None:
        """Let the thread end soon."""
        self._ended.put(None)


class Arrival:
    """Some messages that are awaited together."""

    def __init__(self, wakes: Wakes, count: int) -> None:
        self.failed: list[Failed] = []
        self.future: asyncio.Future[None] = wakes.loop.create_future()
        self._wakes = wakes
        self._pending = [None] * count

    def of(self, message: Message) -> Any:
        """Return what the client's thread calls when a message has come to its end."""

        def delivered(error: Any, _: Any) -> None:
            if error is not None:
                self.failed.append(Failed(message, error))
            # reports come from several threads: pop() is atomic, a decrement is not
            self._pending.pop()
            if not self._pending:
                self._wakes.put(self.future)

        return delivered


class Wakes:
    """Futures that another thread sets; the loop is woken once for many of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._done: deque[asyncio.Future[None]] = deque()
        self._is_called = False

    def put(self, future: asyncio.Future[None]) -> None:
        """Set a future soon; from any thread."""
        # a deque's append and popleft are atomic; a missed flag costs one more wake,
        # never a future: ``_set`` clears it before it empties the deque
        self._done.append(future)
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop has ended, so nothing waits
                self.loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        self._is_called = False
        while self._done:
            future = self._done.popleft()
            if not future.done():
                future.set_result(None)


class _Quiet:
    """The client's own lines: errors are raised with the event that they fail."""

    def log(self, _: int, line: str, *args: Any) -> None:
        logger.debug(line, *args)
