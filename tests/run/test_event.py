"""Events are read the same way wherever a graph runs."""

import copy
import datetime as dt
import pickle

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
            method="PUT",
            path="/orders",
            fields={"q": "1"},
            timestamp=stamp,
        )
    )

    assert (event.body, event.method, event.path) == ({"a": 1}, "PUT", "/orders")
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


@pytest.mark.parametrize(
    ("facts", "own"),
    [
        ({"_id": "n1"}, False),
        ({"_id": "n1", "trigger": nuclio_sdk.TriggerInfo("cron", "tick")}, False),
        ({"_id": "n1", "_type": "order.made"}, True),
        ({"_id": "n1", "trigger": nuclio_sdk.TriggerInfo("mqtt", "in")}, False),
    ],
)
def test_nuclios_id_counts_where_it_is_the_events_own(facts, own):
    """Requests of one worker come in one object, all with its id."""
    read = [read_event(nuclio_event(body=b"1", **facts)).id for _ in range(2)]

    assert (read == ["n1", "n1"]) is own
    assert (read[0] != read[1]) is not own


@pytest.mark.parametrize(
    ("target", "path", "fields"),
    [
        ("/a%20b?x=1&x=2&y=", "/a b", {"x": ["1", "2"], "y": ""}),
        ("/a%3Fb%23c%2Fd", "/a?b#c/d", {}),
        ("/100%", "/100%", {}),
        ("/?%C3%A9=%C3%B6", "/", {"é": "ö"}),
        ("", "/", {}),
        (None, "/", {}),
    ],
)
def test_a_request_has_the_path_and_fields_of_a_host(target, path, fields):
    event = Event.of_request(path=target)

    assert (event.path, event.fields) == (path, fields)


def test_headers_are_found_in_any_letters_and_kept_when_copied():
    event = Event.of_request(headers={"X-User": "ann", "Y": "2"})
    for one in (event, copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert one.headers.get("x-user") == one.headers["X-USER"] == "ann"
        assert "X-user" in one.headers
        assert dict(one.headers) == {"x-user": "ann", "y": "2"}
