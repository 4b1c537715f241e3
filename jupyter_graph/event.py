"""One event on its way through a graph, and how it is read from what arrived."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, NamedTuple

from jupyter_graph.types import Headers
from jupyter_graph.values.content_encoding import unpacked
from jupyter_graph.values.decode import decode_body
from jupyter_graph.values.request_parts import (
    RequestHeaders,
    query_parameters,
    request_target,
)

EVENT_ID_HEADERS: Final = ("x-event-id", "mlrun-event-id")
"""Headers that carry the caller's own event id, the first one that is there wins."""

EVENT_PATH_HEADER: Final = "mlrun-event-path"
"""The header by which one function of a graph tells the next one the event's path."""

TIME_LEFT_HEADER: Final = "x-event-time-left-ms"
"""The header by which a caller says how many milliseconds he still waits."""

_STREAMS = frozenset(
    ("kafka-cluster", "kafka", "v3ioStream", "rabbit-mq", "rabbitMq", "nats", "mqtt")
)


_prefix = os.urandom(8).hex()
_numbers = count(int.from_bytes(os.urandom(4), "big"))


def new_id() -> str:
    """Return an event id of 32 hex digits that no other process gives.

    A random number per process and a count: making a uuid costs ten times as much.

    >>> len(new_id()), new_id() == new_id()
    (32, False)
    """
    return f"{_prefix}{next(_numbers):016x}"


def _forked() -> None:
    """Keep a forked process from repeating its parent's ids."""
    global _prefix
    _prefix = os.urandom(8).hex()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Trigger(NamedTuple):
    """What made the function run: ``Trigger("http", "default-http")``."""

    kind: str = ""
    name: str = ""


class Event:
    """A body and what is known about it; ``id`` and ``time`` are made when first read.

    A step of MLRun's sync engine that sets ``terminated`` ends the flow there.

    >>> event = Event({"a": 1}, headers={"X-User": "ann"})
    >>> event.body, event.path, event.header("x-user"), len(event.id)
    ({'a': 1}, '/', 'ann', 32)
    """

    __slots__ = (
        "_id",
        "_time",
        "body",
        "content_type",
        "deadline",
        "error",
        "fields",
        "headers",
        "key",
        "method",
        "offset",
        "origin_state",
        "path",
        "shard_id",
        "terminated",
        "topic",
        "trigger",
    )

    def __init__(
        self,
        body: Any = None,
        *,
        id: str | None = None,
        key: Any = None,
        path: str = "/",
        method: str = "POST",
        headers: Headers | None = None,
        content_type: str = "",
        time: datetime | None = None,
        error: Any = None,
        origin_state: str | None = None,
        trigger: Trigger | None = None,
        fields: Mapping[str, Any] | None = None,
        topic: str | None = None,
        shard_id: int | None = None,
        offset: int | None = None,
        deadline: float | None = None,
    ) -> None:
        self.body = body
        self._id = id
        self.key = key
        self.path = path
        self.method = method
        self.headers: Headers = {} if headers is None else headers
        self.content_type = content_type
        self._time = time
        self.error = error
        self.origin_state = origin_state
        self.trigger = trigger
        self.fields: Mapping[str, Any] = {} if fields is None else fields
        self.topic = topic
        self.shard_id = shard_id
        self.offset = offset
        self.deadline = deadline
        self.terminated = False

    @classmethod
    def of_request(
        cls,
        body: Any = None,
        *,
        path: str | None = "/",
        headers: Headers | None = None,
        **facts: Any,
    ) -> Event:
        """Return the event of a request, with path, fields and headers as a host does.

        Args:
            body: the body.
            path: what the request asks for, as it stands in a URL; a query in it
                becomes the event's fields.
            headers: the headers, in any letters.
            **facts: what else is known, as the class takes it.

        >>> event = Event.of_request(path="/a%20b?q=1", headers={"X-User": "ann"})
        >>> event.path, event.fields, event.headers["x-user"]
        ('/a b', {'q': '1'}, 'ann')
        """
        path = path or "/"
        known = RequestHeaders(headers) if headers else None
        if known is not None and not facts.get("content_type"):
            facts["content_type"] = known.get("content-type", "")
        if "?" not in path and "%" not in path:  # nearly all: nothing to read in it
            return cls(body, path=path, headers=known, **facts)
        path, fields = request_target(path)
        return cls(body, path=path, fields=fields, headers=known, **facts)

    @property
    def id(self) -> str:
        """The event's id; a fresh one when the caller gave none."""
        if self._id is None:
            self._id = new_id()
        return self._id

    @id.setter
    def id(self, value: str | None) -> None:
        self._id = value

    @property
    def time(self) -> datetime:
        """When the event came, with time zone."""
        if self._time is None:
            self._time = datetime.now(UTC)
        return self._time

    @time.setter
    def time(self, value: datetime | None) -> None:
        self._time = value

    @property
    def timestamp(self) -> datetime:
        """``time`` as Nuclio gives it: UTC without a time zone."""
        return self.time.astimezone(UTC).replace(tzinfo=None)

    def copy(self) -> Event:
        """Return an event of its own with the same body, id and everything else."""
        _ = self.id  # made when first read: both shall have the same
        return copy.copy(self)

    def take(self, other: Any) -> None:
        """Become what another process made of this event."""
        for name in self.__slots__:
            if hasattr(other, name):
                setattr(self, name, getattr(other, name))

    def header(self, name: str) -> str | None:
        """Return a header by its name in any case, None when it is not there."""
        return header_in(self.headers, name.lower())

    get_header = header  # Nuclio's word

    def __repr__(self) -> str:
        return f"Event({self.body!r}, path={self.path!r}, method={self.method!r})"


def header_in(headers: Headers, *names: str) -> str | None:
    """Return the first header that has one of these names, in small letters.

    >>> header_in({"Content-Type": "text/csv"}, "content-type")
    'text/csv'
    """
    for name, value in headers.items():
        if name.lower() in names:
            return value
    return None


def read_event(raw: Any) -> Event:
    """Return our event for a Nuclio event or for one of ours, its body decoded once.

    Raises:
        BadRequestError: the body is not what its content type or encoding says.
        TooLargeError: unpacked the body is larger than 4 MiB.
        UnsupportedMediaTypeError: the charset or the content encoding is not known.

    >>> read_event(Event(b'{"a": 1}', content_type="application/json")).body
    {'a': 1}
    """
    event = raw if isinstance(raw, Event) else _from_nuclio(raw)
    if isinstance(event.body, (bytes, bytearray, memoryview)):
        get = event.headers.get  # an event made by hand may have them as they were sent
        encoding = get("content-encoding") or get("Content-Encoding")
        body = unpacked(bytes(event.body), encoding) if encoding else event.body
        event.body = decode_body(body, event.content_type)
    elif event.body == "" and isinstance(event.body, str):
        event.body = None
    return event


def _from_nuclio(raw: Any) -> Event:
    pairs = (raw.headers or {}).items()
    headers = RequestHeaders((_text(key), _text(value)) for key, value in pairs)
    trigger = Trigger(_text(raw.trigger.kind), _text(raw.trigger.name))
    path, topic = _text(raw.path) or "/", _text(raw.topic) or None
    content_type = _text(raw.content_type)
    if trigger.kind in _STREAMS:  # their path is the topic, not a place in the graph
        path, topic = "/", topic or path
        content_type = content_type or header_in(headers, "content-type") or ""
    return Event(
        raw.body,
        id=own_id(headers) or _id_of_nuclio(raw),
        path=own_path(headers) or path,
        method=_text(raw.method) or "POST",
        headers=headers,
        content_type=content_type,
        time=_aware(raw.timestamp),
        trigger=trigger,
        fields=query_parameters(
            "", {_text(k): v for k, v in (raw.fields or {}).items()}
        ),
        topic=topic,
        shard_id=raw.shard_id,
        offset=raw.offset,
        deadline=deadline_in(headers),
    )


def _id_of_nuclio(raw: Any) -> str | None:
    """Return the id that came with an event, None where it is that of its worker.

    All events of a worker come in one object, with one id, but for CloudEvents, which
    have a type and bring their own.
    """
    return (_text(raw.id) or None) if getattr(raw, "type", None) else None


def id_of(raw: Any) -> str:
    """Return the id of an event that cannot be read: the caller's, else one of ours."""
    if isinstance(raw, Event):
        return raw.id
    headers = getattr(raw, "headers", None) or {}
    texts = {_text(key): _text(value) for key, value in headers.items()}
    return own_id(texts) or _id_of_nuclio(raw) or new_id()


def own_id(headers: Headers) -> str | None:
    r"""Return the id that the caller chose; None when there is none or it is unfit.

    >>> own_id({"X-Event-Id": "order-7"}), own_id({"x-event-id": "two\nlines"})
    ('order-7', None)
    """
    value = header_in(headers, *EVENT_ID_HEADERS)
    is_fit = value is not None and 0 < len(value) <= 128 and value.isprintable()
    return value if is_fit else None


def own_path(headers: Headers) -> str | None:
    """Return the path that another function of the graph asks for, None without one."""
    return header_in(headers, EVENT_PATH_HEADER) or None


def deadline_in(headers: Headers) -> float | None:
    """Return when the caller stops waiting, in ``time.monotonic``'s seconds.

    None where he does not say it, or says what is no number of milliseconds.
    """
    text = header_in(headers, TIME_LEFT_HEADER)
    try:
        left_ms = float("nan" if text is None else text)
    except ValueError:
        return None
    return time.monotonic() + left_ms / 1000 if math.isfinite(left_ms) else None


def _text(value: Any) -> str:
    """Return text for what Nuclio passes as text, bytes, a list of both, or None."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def _aware(stamp: Any) -> datetime | None:
    """Return the time with its zone; streams without one say 1970 or the year 1."""
    if not isinstance(stamp, datetime) or stamp.year <= 1970:
        return None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
