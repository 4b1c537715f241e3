"""What the bytes of a body mean, by their content type."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from jupyter_graph.errors import (
    BadRequestError,
    StatusError,
    UnsupportedMediaTypeError,
)
from jupyter_graph.values.json_private_api import json_scanner

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
TAGGED: Final = "application/vnd.jupyter-graph+json"
"""Bodies that our own client sends: ``tagged_json`` says what its objects mean."""

BYTES: Final = "application/octet-stream"
_FORM: Final = "application/x-www-form-urlencoded"
_OF_JSON: Final = frozenset(("utf-8", "utf8", "utf-16", "utf-32", "us-ascii", "ascii"))
"""The charsets that JSON's own bytes tell apart."""
_scan_json: Final = json_scanner()


def decode_body(payload: Any, content_type: str) -> Any:
    """Return the Python value of a body; what is neither text nor bytes stays as it is.

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
        charset = charset_of(options) if options else "utf-8"
        if isinstance(payload, bytes) and charset.lower() not in _OF_JSON:
            payload = _decode_text(payload, charset)
        return _parse(payload)
    if kind == TAGGED:
        return _untagged(_parse(payload))
    if not kind or (kind == _FORM and payload[:1] in (b"{", b"[", "{", "[")):
        try:
            return _parse(payload)
        except BadRequestError:
            return payload
    if kind.startswith("text/") and isinstance(payload, bytes):
        return _decode_text(payload, charset_of(options))
    return payload


def decode_payload(payload: bytes, content_type: str) -> Any:
    r"""Return what a caller reads from an answer: as ``decode_body``, without errors.

    JSON lines are a list; bytes that are not what their content type says stay bytes.

    >>> decode_payload(b'1\n[2]\n', NDJSON), decode_payload(b"{", JSON)
    ([1, [2]], b'{')
    """
    try:
        if media_type(content_type) == NDJSON:
            return [json.loads(line) for line in payload.splitlines() if line]
        return decode_body(payload, content_type or BYTES)
    except (StatusError, ValueError):  # a Response may call anything JSON
        return payload


def media_type(content_type: str) -> str:
    """Return a content type without its options, in small letters.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def _kind_of(content_type: str) -> tuple[str, str]:
    """Return the media type, ``json`` for all kinds of JSON, and its options."""
    kind = media_type(content_type)
    is_json = kind == JSON or (kind.endswith("+json") and kind != TAGGED)
    return ("json" if is_json else kind), content_type.partition(";")[2]


def _parse(payload: bytes | str) -> Any:
    try:
        text = payload if isinstance(payload, str) else payload.decode()
        value, end = _scan_json(text, 0)
        if end == len(text):
            return value
    except (ValueError, RecursionError, StopIteration):
        pass
    return _parse_slowly(payload)  # blanks around it, not UTF-8, or wrong


def _untagged(value: Any) -> Any:
    from jupyter_graph.values import tagged_json

    try:
        return tagged_json.decode(value, _unknown_tag)
    except Exception as error:  # a tag around what it does not hold
        raise BadRequestError(f"body is not tagged JSON: {error}") from None


def _unknown_tag(value: Any) -> Any:
    raise ValueError(f"unknown tag {str(value.get('$'))[:40]!r}")


def _parse_slowly(payload: bytes | str) -> Any:
    try:
        return json.loads(payload)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        problem = f"not JSON: {error.msg} at {where}"
    except UnicodeDecodeError as error:
        problem = f"not JSON: byte {error.start} is not {error.encoding}"
    except RecursionError:
        problem = "not usable JSON: nested too deep"
    except ValueError:  # the interpreter's limit on the digits of an integer
        problem = "not usable JSON: an integer with too many digits"
    raise BadRequestError(f"body is {problem}")


def charset_of(options: str) -> str:
    """Return the charset that the options of a content type name, else UTF-8.

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
        problem = f"byte {error.start} is not {charset}"
        raise BadRequestError(f"body is not text: {problem}") from None
    except (LookupError, ValueError):
        raise UnsupportedMediaTypeError(f"unknown charset {charset!r}") from None
