"""Events are read the same way wherever a graph runs."""

import copy
import datetime as dt

import nuclio_sdk
import pytest

from jupyter_graph.event import Event, new_id, own_id, read_event

JSON = "application/json"


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
