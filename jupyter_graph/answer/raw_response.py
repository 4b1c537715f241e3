"""An answer as it travels: bytes, a status, a content type and headers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_graph.errors import AnswerError, StatusError
from jupyter_graph.event import decode_body
from jupyter_graph.threads.start import run_in_thread
from jupyter_graph.values.json_form import is_plain, to_jsonable

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False)


@dataclass(slots=True)
class RawResponse:
    """What leaves a function; the same in the notebook, the host and Nuclio."""

    payload: bytes = b""
    status_code: int = 200
    content_type: str = TEXT
    headers: dict[str, str] = field(default_factory=dict)


def to_json(value: Any, path: str = "answer") -> bytes:
    """Return the JSON bytes of any value of the table.

    Raises:
        AnswerError: a value is not in the table; the text names the key that holds it.

    >>> to_json({"n": 1.5, "names": ("ann", "é")}).decode()
    '{"n": 1.5, "names": ["ann", "é"]}'
    """
    try:
        if is_plain(value):
            return _dump(value)
    except ValueError:  # NaN, infinity, an integer with too many digits
        pass
    except RecursionError:
        return run_in_thread(_dump, value)
    value = to_jsonable(value, path)
    try:
        return _dump(value)
    except RecursionError:
        return run_in_thread(_dump, value)


def _write_json() -> Callable[[Any], str]:
    """Return the encoder's C part where there is one: making it anew costs a µs."""
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, "encode_basestring", None)
    if make is None or text is None:
        return _ENCODER.encode
    pieces = make(None, _ENCODER.default, text, None, ": ", ", ", False, False, False)
    return lambda value: "".join(pieces(value, 0))


_write = _write_json()


def _dump(value: Any) -> bytes:
    try:
        return _write(value).encode()
    except UnicodeEncodeError:  # half a surrogate pair: JSON can say it in ASCII only
        return json.dumps(value, allow_nan=False, check_circular=False).encode()


def to_text(value: str, charset: str, path: str = "answer") -> bytes:
    """Return the bytes of a text in a charset.

    Raises:
        AnswerError: the charset is not known or has no such character.
    """
    try:
        return value.encode(charset)
    except UnicodeEncodeError as error:
        said = f"character {error.start} of the text does not exist in {charset}"
        raise AnswerError(f"{path}: {said}") from None
    except (LookupError, ValueError):
        raise AnswerError(f"{path}: unknown charset {charset!r}") from None


def decode_wire(wire: RawResponse) -> Any:
    r"""Return the value a caller reads from an answer.

    >>> decode_wire(RawResponse(b'{"a": 1}', content_type="application/json"))
    {'a': 1}
    >>> decode_wire(RawResponse(b'1\n2\n', content_type="application/x-ndjson"))
    [1, 2]
    """
    kind = wire.content_type.partition(";")[0].strip().lower()
    if kind == NDJSON:
        return [json.loads(line) for line in wire.payload.splitlines() if line]
    try:
        return decode_body(wire.payload, wire.content_type or BYTES)
    except StatusError:  # a Response may call anything JSON
        return wire.payload
