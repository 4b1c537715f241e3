"""Values become answers here and nowhere else: bytes, status, type, headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from types import AsyncGeneratorType, GeneratorType
from typing import Any, Final

from jupyter_graph.answer.raw_response import TEXT, RawResponse, to_text
from jupyter_graph.errors import AnswerError
from jupyter_graph.values.decode import BYTES, JSON, NDJSON, charset_of
from jupyter_graph.values.json_form import to_json

_WHOLE: Final = frozenset((dict, list, str, bytes, int, float, bool, type(None)))
_NO_BODY: Final = frozenset((204, 205, 304))
_END: Final = object()
_MANY: Final = (list, tuple, set, frozenset, dict)
# A server frames the message itself; a second length would end it too early or late.
_FRAMING: Final = frozenset(
    ("content-length", "transfer-encoding", "connection", "keep-alive", "upgrade")
)


class Response:
    """An answer that chooses its own status, headers and content type.

    Args:
        body: any value of the table in the docs; None is an empty body.
        status_code: 200 to 599.
        headers: names to values, or pairs of them, of which several may have one name
            (``Set-Cookie``); those that frame the message are the server's own.
        content_type: by default that of the body.

    >>> Response({"id": 7}, 201, {"Location": "/orders/7"}).status_code
    201
    """

    __slots__ = ("body", "content_type", "headers", "status_code")

    def __init__(
        self,
        body: Any = None,
        status_code: int = 200,
        headers: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        content_type: str | None = None,
    ) -> None:
        self.body = body
        self.status_code = status_code
        is_pairs = headers is not None and not isinstance(headers, Mapping)
        self.headers: Any = list(headers or ()) if is_pairs else dict(headers or {})
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"Response({self.body!r}, status_code={self.status_code})"


@dataclass(slots=True)
class StreamedResponse:
    """An answer that leaves piece by piece."""

    chunks: AsyncIterator[bytes]
    status_code: int = 200
    content_type: str = NDJSON
    headers: dict[str, str] = field(default_factory=dict)


def encode(value: Any) -> RawResponse:
    """Return the answer that a value becomes; a generator is collected.

    Raises:
        AnswerError: a value is not in the table; the text names the key that holds it.

    >>> encode({"n": 1}).payload, encode("hi").content_type, encode(b"x").content_type
    (b'{"n": 1}', 'text/plain; charset=utf-8', 'application/octet-stream')
    """
    kind = type(value)
    if kind is dict or kind is list:
        return RawResponse(to_json(value), 200, JSON, {})
    if _is_response(kind):
        return _encode_response(value)
    if isinstance(value, AsyncGeneratorType):
        raise AnswerError("answer: an async generator can only leave as a stream")
    if isinstance(value, GeneratorType):
        with closing(value):
            return collected(None, value)
    return _encode_body(value, None)


def is_stream(value: Any) -> bool:
    """Return whether a value is a generator, or a Response around one.

    >>> is_stream(number for number in range(3)), is_stream([1, 2])
    (True, False)
    """
    if type(value) in _WHOLE:
        return False
    body = value.body if _is_response(type(value)) else value
    return isinstance(body, (GeneratorType, AsyncGeneratorType))


async def open_stream(value: Any) -> StreamedResponse:
    """Start a stream: its first item says whether it is text, bytes or JSON lines.

    Raises:
        AnswerError: (also later, from ``chunks``) an item has no place in the stream.
    """
    items = _items(value.body if _is_response(type(value)) else value)
    chunker = _Chunker()
    item = await anext(items, _END)  # the first one decides the content type
    first = b"" if item is _END else chunker.chunk(item)
    head = _stream_head(value, chunker)
    return StreamedResponse(_chunks(first, items, chunker), *head)


async def collect(value: Any) -> RawResponse:
    """Return a stream as one answer, for servers that cannot send it in pieces.

    Raises:
        AnswerError: an item has no place in the stream.
    """
    opened = await open_stream(value)
    payload = b"".join([chunk async for chunk in opened.chunks])
    return RawResponse(payload, opened.status_code, opened.content_type, opened.headers)


def collected(value: Any, items: Iterable[Any]) -> RawResponse:
    """Return a stream as one answer, from its items and its own status and headers.

    Each item becomes bytes before the next is asked for: a step may change it then.
    """
    chunker = _Chunker()
    payload = b"".join([chunker.chunk(item) for item in items])
    return RawResponse(payload, *_stream_head(value, chunker))


def _stream_head(value: Any, chunker: _Chunker) -> tuple[int, str, dict[str, str]]:
    """Return status, content type and headers of a stream, once its items are known."""
    if not _is_response(type(value)):
        return 200, chunker.content_type, {}
    status, content_type, headers = _head(value)
    if content_type and chunker.content_type == TEXT:
        content_type = _with_charset(content_type)
    return status, content_type or chunker.content_type, headers


class _Chunker:
    """Turns the items of one stream into bytes; the first decides the content type."""

    def __init__(self) -> None:
        self.content_type = NDJSON
        self.count = 0

    def chunk(self, item: Any) -> bytes:
        path = f"answer[{self.count}]"
        if _is_response(type(item)):
            item = item.body
        if not self.count:
            is_bytes = isinstance(item, (bytes, bytearray))
            is_text = isinstance(item, str)
            self.content_type = BYTES if is_bytes else TEXT if is_text else NDJSON
        self.count += 1
        if self.content_type == NDJSON:
            return to_json(item, path) + b"\n"
        if isinstance(item, str):
            return to_text(item, "utf-8", path)
        if isinstance(item, (bytes, bytearray)):
            return bytes(item)
        began = f"a stream that began as {self.content_type}"
        raise AnswerError(f"{path}: {began} cannot go on with a {type(item).__name__}")


async def _items(value: Any) -> AsyncIterator[Any]:
    if isinstance(value, AsyncGeneratorType):
        async for item in value:
            yield item
    else:
        for item in value:
            yield item


async def _chunks(
    first: bytes, items: AsyncIterator[Any], chunker: _Chunker
) -> AsyncIterator[bytes]:
    if chunker.count:
        yield first
    async for item in items:
        yield chunker.chunk(item)


def _is_response(kind: type) -> bool:
    """Return whether a type is our Response, Nuclio's or MLRun's."""
    if issubclass(kind, Response):
        return True
    root = kind.__module__.partition(".")[0]
    return kind.__name__ == "Response" and root in ("nuclio_sdk", "mlrun")


def _encode_response(response: Any) -> RawResponse:
    status, content_type, headers = _head(response)
    body = response.body
    if isinstance(body, GeneratorType | AsyncGeneratorType):
        whole = encode(body)
        content_type = content_type or whole.content_type
        return RawResponse(whole.payload, status, content_type, headers)
    if not isinstance(response, Response) and not isinstance(body, str | bytes):
        # Nuclio's Response has text/plain as its default, also for a dict.
        content_type = None
    empty = RawResponse(content_type=content_type or TEXT)
    whole = empty if body is None else _encode_body(body, content_type)
    # HTTP forbids one for some statuses, and clients would read it as the next answer
    payload = b"" if status in _NO_BODY else whole.payload
    return RawResponse(payload, status, whole.content_type, headers)


def _head(response: Any) -> tuple[int, str | None, dict[str, str]]:
    """Return status, content type and headers of a Response, all checked."""
    status = response.status_code
    if isinstance(status, bool) or not isinstance(status, int):
        raise AnswerError(f"answer: status_code must be a number, got {status!r}")
    if not 200 <= status <= 599:
        raise AnswerError(f"answer: status_code must be 200 to 599, got {status}")
    content_type = response.content_type or None
    headers: dict[str, str] = {}
    for name, value in header_pairs(response.headers):
        text = _header_text(name, value)
        if name.lower() == "content-type":
            content_type = content_type or text
        elif name.lower() not in _FRAMING:
            _put_header(headers, name, text)
    if content_type is not None:
        _line("answer.content_type", content_type)
    return int(status), content_type, headers


def header_pairs(headers: Any) -> list[tuple[str, Any]]:
    """Return names and values of a Response's headers, whichever way they are given.

    Raises:
        AnswerError: they are neither a mapping nor pairs.
    """
    try:
        pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
        return [(str(name), value) for name, value in pairs]
    except (TypeError, ValueError):
        raise AnswerError(
            "answer.headers must be names and values, "
            f"{{'Retry-After': 3}} or [('Set-Cookie', 'a=1')], got {headers!r}"
        ) from None


def _header_text(name: str, value: Any) -> str:
    where = f"answer.headers[{name!r}]"
    if value is None or isinstance(value, (bytes, *_MANY)):
        raise AnswerError(
            f"{where}: must be a text, got {value!r}; leave out a header without one, "
            f"and give several of a name as pairs: headers=[({name!r}, 'a'), …]"
        )
    _line("answer.headers", name)
    return _line(where, str(value))


def _put_header(headers: dict[str, str], name: str, text: str) -> None:
    """Add a header; of a name that is there already it is one more."""
    known = {other.lower(): other for other in headers}
    lower = name.lower()
    if lower not in known:
        headers[name] = text
    elif lower != "set-cookie":  # one line may hold several values of all others
        headers[known[lower]] += f", {text}"
    else:
        # Nuclio takes a mapping only. Names are the same in whatever letters, so each
        # cookie has its own spelling of this one.
        spellings = map("".join, product(*zip("set-cookie", "SET-COOKIE", strict=True)))
        headers[next(one for one in spellings if one not in headers)] = text


def _line(path: str, text: str) -> str:
    """Return a text that fits into one header line."""
    # A line break would begin a header, or a body, of the caller's choosing.
    if not text.isascii() or any(ord(char) < 32 and char != "\t" for char in text):
        raise AnswerError(f"{path}: must be one line of ASCII text, got {text!r}")
    return text


def _with_charset(content_type: str) -> str:
    """Return a content type with the charset that texts are sent in.

    Browsers read a text without one as Latin-1; an event stream is UTF-8 always.
    """
    kind = content_type.lower()
    if not kind.startswith("text/") or "charset" in kind or "event-stream" in kind:
        return content_type
    return f"{content_type}; charset=utf-8"


def _encode_body(value: Any, content_type: str | None) -> RawResponse:
    while isinstance(value, Enum) and not isinstance(value, (str, bytes)):
        value = value.value
    if isinstance(value, str):
        kind = _with_charset(content_type) if content_type else TEXT
        text = str.__str__(value)
        return RawResponse(to_text(text, charset_of(kind.partition(";")[2])), 200, kind)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return RawResponse(bytes(value), 200, content_type or BYTES)
    return RawResponse(to_json(value), 200, content_type or JSON)
