"""Bodies are read off the wire the same way wherever a graph runs."""

import copy
import datetime as dt

import nuclio_sdk
import pytest

from jupyter_graph.errors import BadRequestError, UnsupportedMediaTypeError
from jupyter_graph.event import Event, new_id, own_id, read_event
from jupyter_graph.values.decode import decode_body

JSON = "application/json"


@pytest.mark.parametrize(
    ("payload", "content_type", "body"),
    [
        pytest.param(b'{"a": 1}', JSON, {"a": 1}, id="json"),
        pytest.param(b'{"a": 1}', f"{JSON}; charset=utf-8", {"a": 1}, id="charset"),
        pytest.param(b'{"a": 1}', "Application/JSON", {"a": 1}, id="any-case"),
        pytest.param(b'{"a": 1}', "application/ld+json", {"a": 1}, id="plus-json"),
        pytest.param(b" [1]\n", JSON, [1], id="blanks-around"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', JSON, {"a": 1}, id="byte-order-mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), JSON, {"a": 1}, id="utf-16"),
        pytest.param(b'{"a": 1}', "", {"a": 1}, id="no-type-json"),
        pytest.param(b"a,b", "", b"a,b", id="no-type-other"),
        pytest.param("plain", "", "plain", id="no-type-text"),
        pytest.param(b"\xff", "", b"\xff", id="no-type-bytes"),
        pytest.param(
            b'{"a": 1}', "application/x-www-form-urlencoded", {"a": 1}, id="curl-d"
        ),
        pytest.param(
            b"a=1", "application/x-www-form-urlencoded", b"a=1", id="a-real-form"
        ),
        pytest.param("hé".encode(), "text/plain", "hé", id="text"),
        pytest.param(b"h\xe9", "text/csv; charset=latin-1", "hé", id="text-latin-1"),
        pytest.param(b"{}", "application/octet-stream", b"{}", id="bytes"),
        pytest.param(b"", JSON, None, id="empty"),
        pytest.param("", "", None, id="empty-text"),
        pytest.param({"a": 1}, JSON, {"a": 1}, id="decoded-already"),
        pytest.param(bytearray(b"[1]"), JSON, [1], id="bytearray"),
        pytest.param(b"1" * 4300, "", int("1" * 4300), id="longest-integer"),
    ],
)
def test_a_body_is_decoded_by_its_content_type(payload, content_type, body):
    assert decode_body(payload, content_type) == body


@pytest.mark.parametrize(
    ("payload", "content_type", "said"),
    [
        pytest.param(b'{"a":', JSON, "at line 1 column 6", id="cut-off"),
        pytest.param(b'{"a": 1} x', JSON, "Extra data at line 1 column 10", id="rest"),
        pytest.param(b"\xff\xfe\xfd", JSON, "body is not JSON", id="not-text"),
        pytest.param(b"[" * 100_000, JSON, "nested too deep", id="deep"),
        pytest.param(b"1" * 5000, JSON, "too many digits", id="huge-integer"),
        pytest.param(b"\xff", "text/plain", "byte 0 is not utf-8", id="not-utf-8"),
    ],
)
def test_a_broken_body_is_the_callers_fault(payload, content_type, said):
    with pytest.raises(BadRequestError, match=said):
        decode_body(payload, content_type)


def test_an_unknown_charset_is_said():
    with pytest.raises(UnsupportedMediaTypeError, match="unknown charset 'zz'"):
        decode_body(b"x", "text/plain; charset=zz")


def nuclio_event(**facts):
    return nuclio_sdk.Event(
        **{"trigger": nuclio_sdk.TriggerInfo("http", "web"), **facts}
    )


def test_an_event_of_nuclio_becomes_ours():
    stamp = dt.datetime(2026, 1, 2, 3, 4)

    event = read_event(
        nuclio_event(
            body=b'{"a": 1}',
            content_type=f"{JSON}; charset=utf-8",
            headers={"X-User": "ann"},
            _id="n1",
            method="PUT",
            path="/orders",
            fields={"q": "1"},
            timestamp=stamp,
        )
    )

    assert (event.body, event.id, event.method, event.path) == (
        {"a": 1}, "n1", "PUT", "/orders",
    )  # fmt: skip
    assert (event.header("x-USER"), event.fields, event.trigger.kind) == (
        "ann", {"q": "1"}, "http",
    )  # fmt: skip
    assert event.time == stamp.replace(tzinfo=dt.UTC)
    assert event.timestamp == stamp


def test_an_event_of_a_stream_has_its_topic_and_the_root_path():
    event = read_event(
        nuclio_event(
            body=b'{"a": 1}',
            content_type="",
            headers={b"Content-Type": b"application/json", "x-event-id": b"order-7"},
            _id="fresh-at-each-delivery",
            path="orders",
            method="",
            topic="orders",
            offset=5,
            shard_id=2,
            trigger=nuclio_sdk.TriggerInfo("kafka-cluster", "q"),
        )
    )

    assert (event.body, event.path, event.topic) == ({"a": 1}, "/", "orders")
    assert (event.id, event.offset, event.shard_id) == ("order-7", 5, 2)


@pytest.mark.parametrize("body", [None, b"", ""], ids=repr)
def test_an_empty_body_is_none(body):
    assert read_event(nuclio_event(body=body, content_type=JSON)).body is None


def test_reading_twice_changes_nothing():
    event = Event(b'"[1]"', content_type=JSON)

    assert read_event(read_event(event)).body == "[1]"


@pytest.mark.parametrize("value", ["", "x" * 129, "two\nlines", "\x1b[2J"], ids=repr)
def test_an_unfit_event_id_of_the_caller_is_not_taken(value):
    assert own_id({"X-Event-Id": value}) is None


def test_ids_are_made_once_and_differ():
    first, second = Event(), Event()

    assert first.id == first.id
    assert first.id != second.id
    assert len({new_id() for _ in range(1000)}) == 1000


def test_a_copied_event_is_a_twin():
    event = Event({"a": [1]}, path="/x")
    twin = copy.deepcopy(event)
    twin.body["a"].append(2)

    assert (event.body, twin.path) == ({"a": [1]}, "/x")
