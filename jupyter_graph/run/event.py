"""One event on its way through a graph, and how its body is read off the wire."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import Any, Final, NamedTuple

from jupyter_graph.errors import BadRequestError, UnsupportedMediaTypeError
from jupyter_graph.types import Headers

EVENT_ID_HEADERS: Final = ("x-event-id", "mlrun-event-id")
"""Headers that carry the caller's own event id, the first one that is there wins."""

_STREAMS = frozenset(
    ("kafka-cluster", "kafka", "v3ioStream", "rabbit-mq", "rabbitMq", "nats", "mqtt")
)
_FORM = "application/x-www-form-urlencoded"
_scan_json: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


_prefix = os.urandom(8).hex()
_numbers = count(int.from_bytes(os.urandom(4), "big"))


def new_id() -> str:
    """Give an event id of 32 hex digits that no other process gives.

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

    def header(self, name: str) -> str | None:
        """Give a header by its name in any case, None when it is not there."""
        wanted = name.lower()
        for key, value in self.headers.items():
            if key.lower() == wanted:
                return value
        return None

    get_header = header  # Nuclio's word

    def __repr__(self) -> str:
        return f"Event({self.body!r}, path={self.path!r}, method={self.method!r})"


def read_event(raw: Any) -> Event:
    """Give our event for a Nuclio event or for one of ours, its body decoded once.

    Raises:
        BadRequestError: the body is not what its content type says.
        UnsupportedMediaTypeError: the content type names an unknown charset.

    >>> read_event(Event(b'{"a": 1}', content_type="application/json")).body
    {'a': 1}
    """
    event = raw if isinstance(raw, Event) else _from_nuclio(raw)
    if isinstance(event.body, (bytes, bytearray, memoryview)):
        event.body = decode_body(event.body, event.content_type)
    elif event.body == "" and isinstance(event.body, str):
        event.body = None
    return event


def _from_nuclio(raw: Any) -> Event:
    headers = _headers(raw.headers)
    trigger = Trigger(_text(raw.trigger.kind), _text(raw.trigger.name))
    path, topic = _text(raw.path) or "/", _text(raw.topic) or None
    if trigger.kind in _STREAMS:  # their path is the topic, not a place in the graph
        path, topic = "/", topic or path
    event = Event(
        raw.body,
        id=_text(raw.id) or None,
        path=path,
        method=_text(raw.method) or "POST",
        headers=headers,
        content_type=_text(raw.content_type),
        time=_aware(raw.timestamp),
        trigger=trigger,
        fields={_text(key): value for key, value in (raw.fields or {}).items()},
        topic=topic,
        shard_id=raw.shard_id,
        offset=raw.offset,
    )
    event.id = own_id(headers) or event._id
    if trigger.kind in _STREAMS and not event.content_type:
        event.content_type = event.header("content-type") or ""
    return event


def own_id(headers: Headers) -> str | None:
    r"""Give the id that the caller chose; None when there is none or it is unfit.

    >>> own_id({"X-Event-Id": "order-7"}), own_id({"x-event-id": "two\nlines"})
    ('order-7', None)
    """
    for key, value in headers.items():
        if key.lower() in EVENT_ID_HEADERS:
            return value if 0 < len(value) <= 128 and value.isprintable() else None
    return None


def _headers(raw: Mapping[Any, Any] | None) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in (raw or {}).items()}


def _text(value: Any) -> str:
    """Give text for what Nuclio passes as text, bytes, a list of both, or None."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def _aware(stamp: Any) -> datetime | None:
    """Give the time with its zone; streams without one say 1970 or the year 1."""
    if not isinstance(stamp, datetime) or stamp.year <= 1970:
        return None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def decode_body(payload: Any, content_type: str) -> Any:
    """Give the Python value of a body; what is neither text nor bytes stays as it is.

    Without a content type the body is JSON when it parses and stays as it came when
    not; so does a form that begins like JSON, because ``curl -d`` sends one unasked.

    Raises:
        BadRequestError: the body is not JSON, or not text in its charset.
        UnsupportedMediaTypeError: the charset is not known.

    >>> decode_body(b'{"a": 1}', "application/json; charset=utf-8")
    {'a': 1}
    >>> decode_body(b"a,b", ""), decode_body(b"a,b", "text/csv"), decode_body(b"", "")
    (b'a,b', 'a,b', None)
    """
    if isinstance(payload, (bytearray, memoryview)):
        payload = bytes(payload)
    elif not isinstance(payload, (bytes, str)):
        return payload
    if not payload:
        return None
    kind, options = _kind_of(content_type)
    if kind == "json":
        return _parse(payload)
    if not kind or (kind == _FORM and payload[:1] in (b"{", b"[", "{", "[")):
        try:
            return _parse(payload)
        except BadRequestError:
            return payload
    if kind.startswith("text/") and isinstance(payload, bytes):
        return _decode_text(payload, charset_of(options))
    return payload


@lru_cache(maxsize=256)
def _kind_of(content_type: str) -> tuple[str, str]:
    """Give the media type, ``json`` for all kinds of JSON, and its options."""
    kind, _, options = content_type.partition(";")
    kind = kind.strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    return ("json" if is_json else kind), options


def _parse(payload: bytes | str) -> Any:
    try:
        text = payload if isinstance(payload, str) else payload.decode()
        value, end = _scan_json(text, 0)
        if end == len(text):
            return value
    except (ValueError, RecursionError, StopIteration):
        pass
    return _parse_slowly(payload)  # blanks around it, not UTF-8, or wrong


def _parse_slowly(payload: bytes | str) -> Any:
    try:
        return json.loads(payload)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise BadRequestError(f"body is not JSON: {error.msg} at {where}") from None
    except UnicodeDecodeError as error:
        said = f"byte {error.start} is not {error.encoding}"
        raise BadRequestError(f"body is not JSON: {said}") from None
    except RecursionError:
        raise BadRequestError("body is not usable JSON: nested too deep") from None
    except ValueError:  # the interpreter's limit on the digits of an integer
        said = "an integer with too many digits"
        raise BadRequestError(f"body is not usable JSON: {said}") from None


def charset_of(options: str) -> str:
    """Give the charset that the options of a content type name, else UTF-8.

    >>> charset_of(' charset="latin-1"; x=1'), charset_of("")
    ('latin-1', 'utf-8')
    """
    for option in options.split(";"):
        name, _, value = option.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'") or "utf-8"
    return "utf-8"


def _decode_text(payload: bytes, charset: str) -> str:
    try:
        return str(payload, charset)
    except UnicodeDecodeError as error:
        said = f"byte {error.start} is not {charset}"
        raise BadRequestError(f"body is not text: {said}") from None
    except (LookupError, ValueError):
        raise UnsupportedMediaTypeError(f"unknown charset {charset!r}") from None
