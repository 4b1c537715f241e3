"""Bodies that are written to a topic of Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import is_positive, require
from jupyter_graph.connectors.event_key import (
    MISSING_KEY,
    KeySpec,
    key_reader,
    key_text,
)
from jupyter_graph.connectors.queues.kafka_client import Failed, KafkaClient, Message
from jupyter_graph.connectors.rows import checked_text, json_texts
from jupyter_graph.errors import (
    ClosedError,
    GatewayTimeoutError,
    SpecError,
    TooLargeError,
)
from jupyter_graph.http_client.secrets import secret_of
from jupyter_graph.values.dataframe_rows import is_frame, rows_of_frame

EVENT_ID_HEADER = "x-event-id"
CARRIED = ("traceparent", "tracestate")
"""Headers of an event that travel on with its messages."""

SETTLED = frozenset(
    {
        "acks", "bootstrap.servers", "enable.idempotence", "message.timeout.ms",
        "sasl.password", "sasl.username", "security.protocol",
    }
)  # fmt: skip
"""Settings that have an argument of their own, or that the promise rests on."""

Headers = tuple[tuple[str, str], ...]
JSON: Headers = (("content-type", "application/json"),)
TEXT: Headers = (("content-type", "text/plain; charset=utf-8"),)
BYTES: Headers = (("content-type", "application/octet-stream"),)
TIME_IS_UP = frozenset({"_MSG_TIMED_OUT", "_TIMED_OUT", "REQUEST_TIMED_OUT"})


class KafkaTarget:
    """Write each body to a topic of Kafka; it goes on when the broker has it.

    Body in: anything that JSON can hold; bytes and text go as they are. A list is a
    batch of bodies, a frame a batch of rows, one message each. Body out: the same.

    The headers of a message say its ``content-type`` and the event's id
    (``x-event-id``), by which whoever reads it can tell a second copy; an event's
    ``traceparent`` and ``tracestate`` travel on.

    Promise: at least once. The event is answered after all in-sync replicas have its
    messages (``acks=all``), and fails when they do not have them in time. Retries of
    the client itself make no second copy (an idempotent producer); a caller that
    sends a failed event again may make one. Messages of one key keep their order,
    unless the broker refuses a batch for its size: its messages are sent once more, one
    by one, so that a large one hurts no other event.

    Args:
        brokers: ``host:port``, several with commas between.
        topic: the topic's name.
        key: the field that holds the key of a message, a list of fields, or a function
            of the body; by default the event's own key, and none if it has none.
        timeout_s: seconds until a message must be with the broker.
        security: ``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``.
        username: for SASL.
        password_secret: the name of the secret that holds its password.
        options: further settings of librdkafka, by their names there.

    Raises:
        SpecError: an argument or a setting is wrong, there is no such secret, or
            confluent-kafka is not installed.
        UnprocessableError: (from ``do_event``) a value has no form in JSON, or a text
            cannot be encoded.
        TooLargeError: a message is larger than the broker takes.
        GatewayTimeoutError: the broker does not have it in time.
        ClosedError: the target is closed.
        OSError: the broker refuses it; the text says why.

    State: messages on their way are in memory, and not yet reported as stored. A hot
    swap, a restart and more workers change nothing; a parity run writes nothing.

    Source: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md

    >>> KafkaTarget("localhost:9092", "orders", key="id").topic
    'orders'
    """

    def __init__(
        self,
        brokers: str,
        topic: str,
        *,
        key: KeySpec | None = None,
        timeout_s: float = 10.0,
        security: str = "PLAINTEXT",
        username: str | None = None,
        password_secret: str | None = None,
        options: Mapping[str, Any] | None = None,
        name: str = "",
        context: Any = None,
    ) -> None:
        self.topic = _text(topic, "topic", "a topic's name")
        self._brokers = _text(brokers, "brokers", "'host:port', with commas between")
        require(is_positive(timeout_s), "timeout_s must be seconds above 0", timeout_s)
        self._timeout_s = float(timeout_s)
        self._key_of = key_reader(key) if key is not None else None
        self._is_of_event = isinstance(key, str) and key.startswith("$")
        self._is_parity = bool(getattr(context, "is_parity", False))
        self._begin = f"step {name or 'KafkaTarget'!r} cannot write to topic {topic!r}"
        settings = {
            "linger.ms": 0,
            "reconnect.backoff.max.ms": 1000,
            **_further(options),
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": max(1, int(timeout_s * 1000)),
            "security.protocol": security,
        }
        if username is not None:
            settings["sasl.username"] = username
        if password_secret is not None:
            settings["sasl.password"] = secret_of(context, password_secret)
        self._client = KafkaClient(self._brokers, settings)
        self._one_by_one = KafkaClient(
            self._brokers, {**settings, "batch.num.messages": 1}
        )
        self._is_closed = False

    async def do_event(self, event: Any) -> Any:
        """Write the body of an event; give the event when the broker has all of it."""
        if self._is_parity:
            return event
        if self._is_closed:
            raise ClosedError(f"{self._begin}: it is closed")
        messages = self._messages(event)
        failed = await self._client.send(self.topic, messages) if messages else []
        large = [one.message for one in failed if _is_too_large(one)]
        others = [one for one in failed if not _is_too_large(one)]
        if large:  # the broker measures a batch: those beside the large one are fine
            others += await self._one_by_one.send(self.topic, large)
        if others:
            raise self._failure(others[0].error)
        return event

    def close(self) -> None:
        """Wait for messages on their way, then close; harmless twice."""
        self._is_closed = True
        for client in (self._client, self._one_by_one):
            client.close(self._timeout_s)

    # -- what is sent -------------------------------------------------------------

    def _messages(self, event: Any) -> list[Message]:
        body, headers = event.body, _headers_of(event)
        if isinstance(body, str):
            checked_text(body, f"{self._begin}: the body")
            return [Message(body.encode(), self._key(event, body), headers + TEXT)]
        if isinstance(body, bytes | bytearray):
            return [Message(bytes(body), self._key(event, body), headers + BYTES)]
        headers += JSON
        if is_frame(body):
            body = list(rows_of_frame(body))
        items = body if isinstance(body, list) else [body]
        texts = json_texts(items, self._begin)
        return [
            Message(text.encode(), self._key(event, item), headers)
            for item, text in zip(items, texts, strict=True)
        ]

    def _key(self, event: Any, item: Any) -> str | None:
        if self._key_of is None:
            key = key_text(event.key)
        else:
            key = self._key_of(event if self._is_of_event else item)
        checked_text(key, f"{self._begin}: the key")
        return None if key == MISSING_KEY else key

    def _failure(self, error: Any) -> Exception:
        """Return the error of ours for one of Kafka's, with the place and the cause."""
        message = error.str()
        if error.name() == "MSG_SIZE_TOO_LARGE":
            return TooLargeError(f"{self._begin}: {message}")
        if error.name() in TIME_IS_UP:
            last = self._client.last_error
            why = f" ({last})" if last else ""
            return GatewayTimeoutError(
                f"{self._begin}: {self._brokers} did not take it within "
                f"{self._timeout_s:g} s{why}"
            )
        return OSError(f"{self._begin}: {message}")


def _is_too_large(failed: Failed) -> bool:
    return bool(failed.error.name() == "MSG_SIZE_TOO_LARGE")


def _headers_of(event: Any) -> Headers:
    own = ((EVENT_ID_HEADER, event.id),)
    if not event.headers:
        return own
    given = {name.lower(): value for name, value in event.headers.items()}
    return own + tuple((name, str(given[name])) for name in CARRIED if name in given)


def _text(value: Any, argument: str, meaning: str) -> str:
    text = value.strip() if isinstance(value, str) else ""
    require(text != "", f"{argument} must be {meaning}", value)
    return text


def _further(options: Mapping[str, Any] | None) -> dict[str, Any]:
    if options is None:
        return {}
    is_object = isinstance(options, Mapping)
    require(is_object, "options must be an object of settings", options)
    if settled := [name for name in options if name in SETTLED]:
        raise SpecError(
            f"options has {settled[0]!r}, which KafkaTarget sets, by its arguments "
            "or for its promise"
        )
    return dict(options)
