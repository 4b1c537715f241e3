"""One event, and what a graph answered, as a line of JSON."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.errors import EventFileError, ValueShipError, said
from jupyter_graph.run.record import SENT, RecordedInput
from jupyter_graph.values import file_formats, tagged_pandas
from jupyter_graph.values.decode import JSON, media_type
from jupyter_graph.values.tagged_json import NotTaggable

MAX_DEPTH: Final = 250
"""Levels of JSON that a line may have: a body's hundred, and the tags among them."""

_FORMATS: Final = frozenset(("npy", "parquet"))
"""Formats of files that may stand inside a line: reading them runs nothing."""

_FACTS: Final = {"path": str, "method": str, "content_type": str, "headers": dict}


@dataclass(frozen=True, kw_only=True)
class RecordedEvent:
    """What came in, and what the caller got.

    Attributes:
        input: the event as its caller sent it.
        answer: what it was answered; None where that is not kept.
        time: when it was sent.
        is_whole: it went through the whole graph.
        step: the step that failed, None where none did.
        error: what went wrong, as text.
    """

    input: RecordedInput
    answer: RawResponse | None = None
    time: datetime
    is_whole: bool = True
    step: str | None = None
    error: str | None = None

    @property
    def request(self) -> str:
        """A text that two events share which ask the same."""
        event = _event(self.input)
        del event["event_id"]
        return _dumped(event)


def line_of(event: RecordedEvent) -> str:
    """Return the line of an event, without an end.

    What JSON has no word for stands there in its tagged form: bytes, times, decimals,
    tuples, arrays, frames.

    Raises:
        EventFileError: the body holds something that has no such form.

    >>> event = RecordedEvent(input=RecordedInput(body=(1,)), time=datetime.now(UTC))
    >>> event_of(line_of(event)).input.body
    (1,)
    """
    document: dict[str, Any] = {
        "event": _event(event.input),
        "time": event.time.isoformat(),
    }
    if event.answer is not None:
        document["answer"] = _answer(event.answer)
    if outputs := _outputs(event.input):
        document["outputs"] = outputs
    for name in ("step", "error"):
        if getattr(event, name) is not None:
            document[name] = getattr(event, name)
    if not event.is_whole:
        document["is_whole"] = False
    return _dumped(document)


def _dumped(document: Mapping[str, Any]) -> str:
    # ASCII: half a surrogate pair comes back, and no reader takes a line for two.
    return json.dumps(document, allow_nan=False)


def _event(given: RecordedInput) -> dict[str, Any]:
    known = {name: getattr(given, name) for name in SENT}
    where = f"the body of event {given.event_id or '(no id)'}"
    return {**known, "body": _tagged(given.body, where), "headers": dict(given.headers)}


def _outputs(given: RecordedInput) -> dict[str, Any]:
    """Return what steps with effects outside gave; what has no form is left out."""
    found: dict[str, Any] = {}
    for step, values in given.outputs.items():
        try:
            found[step] = _tagged(list(values), f"what step {step!r} gave")
        except EventFileError:
            continue
    return found


def _answer(answer: RawResponse) -> dict[str, Any]:
    return {
        "status_code": answer.status_code,
        "content_type": answer.content_type,
        "body": _tagged(_readable(answer), "the answer"),
    }


def _readable(answer: RawResponse) -> Any:
    """Return what an answer holds as people read it: JSON, else text, else bytes."""
    if _is_json(answer.content_type):
        return answer.decoded()
    try:
        return answer.payload.decode("utf-8")
    except UnicodeDecodeError:
        return answer.payload


def _is_json(content_type: str) -> bool:
    kind = media_type(content_type)
    return kind == JSON or kind.endswith("+json")


def _tagged(value: Any, where: str) -> Any:
    try:
        return tagged_pandas.Writer(_file).encode(value)
    except NotTaggable as error:
        raise EventFileError(f"{where} {error}") from None
    except ValueShipError as error:
        kind = getattr(error, "kind", type(value)).__name__
        at = f" at {error.where}" if hasattr(error, "where") else ""
        raise EventFileError(
            f"{where} holds a {kind}{at}, which no line can hold; send plain values, "
            "arrays and frames"
        ) from None


def _file(content: file_formats.Content) -> Any:
    if content.format not in _FORMATS:
        raise ValueShipError("models are files of their own")
    return [content.format, b64encode(content.data).decode("ascii")]


# -- and back -------------------------------------------------------------------


def event_of(text: str) -> RecordedEvent:
    """Return the event of a line.

    Nothing in it is run; arrays and frames are read in formats that run nothing.

    Raises:
        EventFileError: it is no line that ``line_of`` could have written.

    >>> event_of('{"event": {"bdoy": 1}}')
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.EventFileError: 'event' has no field 'bdoy' ... [JG140]
    """
    document = _object(_parsed(text), "the line")
    _only_known(document, _LINE, "the line")
    given = _object(document.get("event"), "'event'")
    outputs = _object(document.get("outputs") or {}, "'outputs'")
    return RecordedEvent(
        input=replace(_input(given), outputs=_outputs_of(outputs)),
        answer=_answer_of(document["answer"]) if "answer" in document else None,
        time=_time(document.get("time")),
        is_whole=_of(document, "is_whole", bool, default=True),
        step=_of(document, "step", str),
        error=_of(document, "error", str),
    )


_LINE: Final = ("event", "answer", "outputs", "time", "is_whole", "step", "error")
_ANSWER: Final = ("status_code", "content_type", "body")


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise EventFileError("is nested too deep") from None
    except ValueError as error:
        raise EventFileError(f"is no JSON: {error}") from None
    if depth_of(value) > MAX_DEPTH:
        raise EventFileError(f"is nested deeper than {MAX_DEPTH} levels")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def depth_of(value: Any) -> int:
    """Return how many levels a JSON value has, one more than the limit at most.

    >>> depth_of(5), depth_of({"a": [1]})
    (0, 2)
    """
    depth, level = 0, [value]
    while depth <= MAX_DEPTH:
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict | list):
                inner.append(one.values() if isinstance(one, dict) else one)
        if not inner:
            return depth
        depth += 1
        level = [item for items in inner for item in items]
    return depth


def _input(given: Mapping[str, Any]) -> RecordedInput:
    _only_known(given, SENT, "'event'")
    if "body" not in given:
        raise EventFileError("'event' has no 'body'")
    facts = {
        name: _of(given, name, kind, default=getattr(RecordedInput(), name))
        for name, kind in _FACTS.items()
    }
    headers = facts["headers"]
    if not all(isinstance(part, str) for pair in headers.items() for part in pair):
        raise EventFileError("'headers' of 'event' must hold texts")
    body = _untagged(given["body"], "'body' of 'event'")
    return RecordedInput(body=body, event_id=_of(given, "event_id", str), **facts)


def _outputs_of(given: Mapping[str, Any]) -> dict[str, list[Any]]:
    found = {}
    for step, values in given.items():
        where = f"what step {step!r:.60} gave"
        found[step] = _untagged(values, where)
        if not isinstance(found[step], list):
            raise EventFileError(f"{where} must be a list")
    return found


def _answer_of(given: Any) -> RawResponse:
    answer = _object(given, "'answer'")
    _only_known(answer, _ANSWER, "'answer'")
    status, kind = _of(answer, "status_code", int), _of(answer, "content_type", str)
    if status is None or kind is None or "body" not in answer:
        raise EventFileError(f"'answer' needs {', '.join(_ANSWER)}")
    return RawResponse(_payload(answer["body"], kind), status, kind)


def _payload(body: Any, content_type: str) -> bytes:
    where = "'body' of 'answer'"
    value = _untagged(body, where)
    if isinstance(value, bytes):  # also where a step called JSON what is none
        return value
    try:
        if _is_json(content_type):
            return json.dumps(value).encode()
        if isinstance(value, str):
            return value.encode()
    except (TypeError, ValueError) as error:
        raise EventFileError(f"{where} is no {content_type}: {error}") from None
    raise EventFileError(f"{where} must be a text or bytes with {content_type!r}")


def _untagged(value: Any, where: str) -> Any:
    try:
        return tagged_pandas.decode(value, _read_file)
    # Whatever the wrong content of a tag brings about in Python, numpy or pandas.
    except (Exception, RecursionError) as error:
        raise EventFileError(f"{where} cannot be read: {said(error)}") from None


def _read_file(content: Any) -> Any:
    kind, data = content
    if kind not in _FORMATS:
        raise ValueError(f"a file of the format {kind!r} is never kept in a line")
    return file_formats.read(kind, b64decode(data), ())


def _time(value: Any) -> datetime:
    if value is None:
        return datetime.now(UTC)
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise EventFileError(f"'time' must be ISO 8601, got {value!r:.60}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EventFileError(f"{where} must be an object, got {value!r:.60}")
    return value


def _only_known(given: Mapping[str, Any], known: Any, where: str) -> None:
    for name in given:
        if name not in known:
            raise EventFileError(
                f"{where} has no field {name!r:.60} (known: {', '.join(known)})"
            )


def _of(
    given: Mapping[str, Any],
    name: str,
    kind: Callable[..., Any],
    *,
    default: Any = None,
) -> Any:
    """Return a field of this very type, the default where it is missing or null."""
    value = given.get(name)
    if value is None:
        return default
    if type(value) is not kind:
        raise EventFileError(
            f"{name!r} must be {getattr(kind, '__name__', kind)}, got {value!r:.60}"
        )
    return value
