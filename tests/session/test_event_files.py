"""Events in files: what they hold comes back, and what is no event is refused."""

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.errors import EventFileError, StepError
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.session.recorded import event_files
from jupyter_graph.session.recorded.event_files import read_events, write_events
from jupyter_graph.session.recorded.event_lines import (
    RecordedEvent,
    event_of,
    line_of,
)
from jupyter_graph.values.equal import same

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def event(body=None, answer=None, **facts):
    facts = {"event_id": "e1", **facts}
    return RecordedEvent(
        input=RecordedInput(body=body, **facts), answer=answer, time=NOW
    )


BODIES = [
    pytest.param({"a": [1, 2.5, None, True, "é"]}, id="json"),
    pytest.param((1, {2}, frozenset("a")), id="tuples-and-sets"),
    pytest.param({1: "a", (2,): "b", "$": "c"}, id="keys"),
    pytest.param(b"\x00\xff", id="bytes"),
    pytest.param([date(2026, 1, 2), NOW, Decimal("1.10"), UUID(int=5)], id="times"),
    pytest.param([math.inf, -0.0, 2**70], id="numbers"),
    pytest.param("\ud800\u2028\n", id="half-a-pair-and-line-ends"),
    pytest.param(np.arange(6, dtype="float32").reshape(2, 3), id="array"),
    pytest.param([np.int64(5), pd.Timestamp("2026-01-02", tz="UTC")], id="scalars"),
    pytest.param(pd.DataFrame({"a": [1, 2], "t": ["x", None]}), id="frame"),
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_comes_back_equal_and_of_its_type(body, tmp_path):
    path = tmp_path / "events.jsonl"
    write_events(path, [event(body)])
    [(line, back)] = read_events(path)

    assert line == 1
    assert same(back.input.body, body)
    assert path.read_text(encoding="ascii").count("\n") == 1


@pytest.mark.parametrize(
    "answer",
    [
        RawResponse(b'{"a": 1, "$": [2]}', 200, "application/json"),
        RawResponse("é".encode(), 201, "text/plain; charset=utf-8"),
        RawResponse(b"\x00\xff", 200, "application/octet-stream"),
        RawResponse(b"", 204, "text/plain; charset=utf-8"),
        RawResponse(b'{"title": "x"}', 422, "application/problem+json"),
        RawResponse(b'{"a": 1}\n{"a": 2}\n', 200, "application/x-ndjson"),
        RawResponse(b"\xe9", 200, "text/plain; charset=latin-1"),
        RawResponse(b"{half", 200, "application/json"),
    ],
)
def test_an_answer_comes_back(answer):
    back = event_of(line_of(event({"n": 1}, answer))).answer

    assert back.decoded() == answer.decoded()
    assert (back.status_code, back.content_type) == (
        answer.status_code,
        answer.content_type,
    )


def test_an_answer_is_written_as_people_read_it():
    problem = RawResponse(b'{"title": "x"}', 422, "application/problem+json")
    text = RawResponse("é\n".encode(), 200, "text/plain; charset=utf-8")
    bodies = [
        json.loads(line_of(event(1, it)))["answer"]["body"] for it in (problem, text)
    ]

    assert bodies == [{"title": "x"}, "é\n"]


def test_everything_about_a_request_comes_back():
    facts = {"path": "/a b?q=1", "method": "PUT", "headers": {"X-User": "ann"}}
    given = event(1, content_type="text/plain", **facts)

    assert event_of(line_of(given)) == given


def test_a_body_that_no_line_holds_is_named(tmp_path):
    path = tmp_path / "events.jsonl"
    write_events(path, [event(1)])
    before = path.read_bytes()
    with pytest.raises(EventFileError, match=r"event e1 holds a object at \['deep'\]"):
        write_events(path, [event(2), event({"deep": object()})])

    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["events.jsonl"]


def nested(depth):
    return "[" * depth + "]" * depth


def line(**event):
    return json.dumps({"event": {"body": 1, **event}})


HOSTILE = [
    pytest.param("{", "is no JSON", id="half"),
    pytest.param("[1]", "the line must be an object", id="list"),
    pytest.param("{}", "'event' must be an object, got None", id="empty"),
    pytest.param('{"event": {}}', "'event' has no 'body'", id="no-body"),
    pytest.param(line(bdoy=1), "'event' has no field 'bdoy'", id="unknown-field"),
    pytest.param('{"event": {"body": 1}, "x": 1}', "no field 'x'", id="unknown"),
    pytest.param(line(path=5), "'path' must be str, got 5", id="path"),
    pytest.param(line(headers={"a": 1}), "must hold texts", id="headers"),
    pytest.param(line(event_id=["x"]), "'event_id' must be str", id="id"),
    pytest.param('{"event": {"body": NaN}}', "NaN is no JSON", id="nan"),
    pytest.param(line(body={"$": "code", "of": "x"}), "cannot be read", id="tag"),
    pytest.param(line(body={"$": "int"}), "cannot be read", id="no-content"),
    pytest.param(line(body={"$": ["a"], "of": 1}), "cannot be read", id="odd-tag"),
    pytest.param(
        line(body={"$": "fraction", "of": [1, 0]}), "cannot be read", id="fraction"
    ),
    pytest.param(
        line(body={"$": "file", "of": ["pickle", "gASVBw=="]}),
        "'pickle' is never kept",
        id="pickle",
    ),
    pytest.param(
        line(body={"$": "file", "of": ["npy", "AAAA"]}), "cannot be read", id="npy"
    ),
    pytest.param(
        '{"event": {"body": ' + nested(260) + "}}", "nested deeper than 250", id="deep"
    ),
    pytest.param(
        '{"event": {"body": ' + nested(200_000) + "}}", "nested", id="very-deep"
    ),
    pytest.param('{"event": {"body": 1}, "time": "noon"}', "'time'", id="time"),
    pytest.param('{"event": {"body": 1}, "answer": 5}', "'answer'", id="answer"),
    pytest.param(
        '{"event": {"body": 1}, "answer": {"status_code": true}}',
        "'status_code' must be int",
        id="status",
    ),
    pytest.param(
        '{"event": {"body": 1}, "answer": {"status_code": 200, "body": 1, '
        '"content_type": "text/plain"}}',
        "must be a text or bytes",
        id="text-answer",
    ),
    pytest.param(
        '{"event": {"body": 1}, "answer": {"status_code": 200, "content_type": '
        '"application/json", "body": {"$": "set", "of": [1]}}}',
        "is no application/json",
        id="set-as-json",
    ),
]


@pytest.mark.parametrize(("text", "message"), HOSTILE)
def test_what_is_no_event_is_refused_with_its_line(text, message, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(f"{line()}\n\n{text}\n{line()}\n")

    with pytest.raises(EventFileError, match=r"events\.jsonl', line 3:? .*" + message):
        read_events(path)


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line().encode() + b"\n\xff\n")

    with pytest.raises(EventFileError, match="line 2 is no text in UTF-8"):
        read_events(path)


def test_a_huge_line_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "LONGEST_LINE", 1000)
    path = tmp_path / "events.jsonl"
    path.write_text(f"{line()}\n" + "x" * 5000)

    with pytest.raises(EventFileError, match="line 2 has more than 1,000 bytes"):
        read_events(path)
    with pytest.raises(EventFileError, match=r"event e1 takes .* bytes"):
        write_events(tmp_path / "out.jsonl", [event("x" * 5000)])


def test_a_line_of_the_largest_size_is_read(tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    path.write_text(f"{line()}\r\n{line()}")
    monkeypatch.setattr(event_files, "LONGEST_LINE", len(line()))

    assert [number for number, _ in read_events(path)] == [1, 2]


def test_too_many_lines_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "MOST_LINES", 2)
    path = tmp_path / "events.jsonl"
    path.write_text(f"{line()}\n" * 3)

    with pytest.raises(EventFileError, match="line 3: 2 lines are read at most"):
        read_events(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        EventFileError, match=r"cannot read .*gone.jsonl': No such file"
    ):
        read_events(tmp_path / "gone.jsonl")


# -- the ring of a session --------------------------------------------------------

HALF = "def half(body):\n    return {'half': 1 / body['n']}"


def test_saved_events_are_loaded_into_another_session(session, define, tmp_path):
    define(HALF)
    session.run({"n": 2})
    with pytest.raises(StepError):
        session.run({"n": 0})
    graph, path = session.graph().name, tmp_path / "events.jsonl"
    saved = session.event_ring.save(graph, path)
    before = list(session.events())
    session.event_ring.clear()
    loaded = session.event_ring.load(graph, path)
    good, bad = session.events()

    assert (saved, loaded) == (2, 2)
    assert [good.event_id, bad.event_id] == [one.event_id for one in before]
    assert (good.body, good.status, good.answer.body) == ({"n": 2}, 200, {"half": 0.5})
    assert (bad.status, bad.step) == (500, "half")
    assert "ZeroDivisionError: division by zero" in str(bad.error)
    assert session.replay(good.event_id).body == {"half": 0.5}


def test_events_that_are_there_are_not_loaded_twice(session, define, tmp_path):
    define(HALF)
    session.run({"n": 2})
    graph, path = session.graph().name, tmp_path / "events.jsonl"
    session.event_ring.save(graph, path)

    assert session.event_ring.load(graph, path) == 0
    assert len(session.events()) == 1


def test_nothing_of_a_broken_file_is_loaded(session, define, tmp_path):
    define(HALF)
    path = tmp_path / "events.jsonl"
    path.write_text(f"{line()}\n{{\n")
    with pytest.raises(EventFileError, match="line 2"):
        session.event_ring.load("g", path)

    assert list(session.event_ring) == []
