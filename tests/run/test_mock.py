"""The mock server does what MLRun's does."""

import types
from datetime import UTC, datetime

import pytest

from jupyter_graph import Graph, MockServer, Response, Runner
from jupyter_graph.errors import RunError
from jupyter_graph.run.record import RecordedInput


def echo(x):
    return x


def tell(event):
    event.body = [event.body, event.path, event.method, event.headers]
    return event


def busy(x):
    return Response("busy", 503)


def fails(x):
    raise ValueError("boom")


def server_of(step, **options):
    graph = Graph("g")
    full_event = step is tell
    graph.to(name="a", handler=step, full_event=full_event).respond()
    return MockServer(graph, **options)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        pytest.param({"body": {"a": 1}}, {"a": 1}, id="object"),
        pytest.param({"body": '{"a": 1}'}, {"a": 1}, id="json-text"),
        pytest.param({"body": b"[1]"}, [1], id="json-bytes"),
        pytest.param({"body": "plain"}, "plain", id="text"),
        pytest.param({"body": None}, None, id="nothing"),
    ],
)
def test_a_body_is_read_and_the_live_answer_given(call, found):
    with server_of(echo) as server:
        assert server.test(**call) == found


@pytest.mark.parametrize(("body", "method"), [({}, "POST"), (None, "GET")])
def test_the_method_follows_from_the_body(body, method):
    with server_of(tell) as server:
        assert server.test("/p", body=body) == [body, "/p", method, {}]


def test_a_failed_event_raises_with_status_and_cause():
    with server_of(fails) as server, pytest.raises(RunError) as caught:
        server.test(body=1)

    assert str(caught.value) == "failed (500): ValueError: boom [JG200]"


def test_a_silent_failure_is_a_response():
    with server_of(fails) as server:
        found = server.test(body=1, silent=True)

    assert (found.status_code, found.body) == (500, "ValueError: boom")


def test_a_bad_body_is_refused():
    with server_of(echo) as server:
        found = server.test(body="{", content_type="application/json", silent=True)

    assert found.status_code == 400


def test_a_response_of_a_step_keeps_its_status():
    with server_of(busy) as server:
        with pytest.raises(RunError, match=r"failed \(503\): busy"):
            server.test(body=1)
        assert server.test(body=1, silent=True, get_body=False).status_code == 503


def test_the_whole_response_may_be_had():
    with server_of(echo) as server:
        found = server.test(body=[1], get_body=False)

    assert (found.status_code, found.body) == (200, [1])


def test_a_module_may_be_the_namespace():
    module = types.ModuleType("steps")
    exec("def echo(x): return [x]", module.__dict__)
    graph = Graph.from_dict({"steps": {"a": {"handler": "echo", "responder": True}}})

    with MockServer(graph, namespace=module) as server:
        assert server.test(body=1) == [1]


def test_closing_ends_it():
    server = server_of(echo)
    assert server.wait_for_completion() is None

    with pytest.raises(RunError, match="failed"):
        server.test(body=1)


def test_a_recorded_input_keeps_its_own_copy():
    body = {"a": [1]}
    recorded = RecordedInput.of(body, path="/p", event_id="e1")
    body["a"].append(2)
    event = recorded.event()
    event.body["a"].append(3)

    assert recorded.event().body == {"a": [1]}
    assert (event.path, event.id) == ("/p", "e1")


def test_what_cannot_be_copied_is_recorded_itself():
    body = (item for item in [1])

    assert RecordedInput.of(body).body is body
    assert RecordedInput.of(body).event().body is body


@pytest.mark.parametrize(
    ("body", "content_type", "seen"),
    [
        ("null", None, None),
        (b" null\n", None, None),
        ("nil", None, "nil"),
        ("", None, ""),
        ("null", "text/plain", "null"),
    ],
)
def test_a_text_is_read_as_json_where_it_is_json(body, content_type, seen):
    with server_of(echo) as server:
        assert server.test(body=body, content_type=content_type) == seen


def test_an_empty_text_is_no_json():
    with server_of(echo) as server, pytest.raises(RunError, match="failed to json"):
        server.test(body="", content_type="application/json")


def test_an_event_without_a_path_came_to_the_root():
    with server_of(tell) as server:
        assert server.test("", body=1)[1] == "/"


def test_a_stream_that_fails_before_its_first_item_is_a_failure():
    def broken(body):
        raise ValueError("no words")
        yield body

    with server_of(broken) as server:
        found = server.test(body=1, silent=True)

    assert found.status_code == 500
    assert found.body == "ValueError: no words"


def three(body):
    yield from range(3)


def test_mlruns_streaming_lets_no_generator_feed_another():
    graph = Graph("streams")
    graph.to(name="first", handler=three).to(name="mid", handler=echo)
    graph.add_step(name="last", handler=three)

    with MockServer(graph, streaming=True) as server:
        found = server.test(body=1, silent=True)
    with MockServer(graph) as server:
        assert len(list(server.test(body=1))) == 9

    assert found.status_code == 500
    assert "'last' received a streaming event from 'first'" in found.body


def test_mlruns_streaming_lets_a_collected_stream_feed_another():
    graph = Graph("streams")
    graph.to(name="first", handler=three).to("Collector", "list")
    graph.add_step(name="last", handler=three)

    with MockServer(graph, streaming=True) as server:
        assert list(server.test(body=1)) == [0, 1, 2]


@pytest.mark.parametrize("step", ["a", None])
def test_an_error_handler_answers_only_where_a_step_does(step):
    document = {
        "steps": {
            "a": {"handler": "fails", "on_error": step and "c"},
            "b": {"handler": "echo", "after": ["a"]},
            "c": {"kind": "error_step", "handler": "echo"},
        },
        "on_error": None if step else "c",
    }
    names = {"fails": fails, "echo": echo}

    with MockServer(Graph.from_dict(document, names, (__name__,))) as server:
        assert server.test(body=1, event_id="e1") == {"id": "e1"}
    document["steps"]["b"]["responder"] = True
    with MockServer(Graph.from_dict(document, names, (__name__,))) as server:
        assert server.test(body=1) == 1


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("order", [("answers", "fails"), ("fails", "answers")])
def test_a_branch_that_fails_beside_the_answer_is_reported(order, is_async):
    async def echo_async(x):
        return x

    graph = Graph("branches")
    for name in order:
        graph.add_step(
            name=name, handler=fails if name == "fails" else echo, after="start"
        )
    if is_async:
        graph.add_step(name="beside", handler=echo_async, after="start")
    graph.change_step("answers", responder=True)

    with MockServer(graph) as server:
        found = server.test(body=1, event_id="e-1")
        server.close()
        [record] = server.error_stream

    assert found == 1
    assert (record["source"], record["message"]) == ("fails", "ValueError: boom")
    assert record["event"]["id"] == "e-1"
    with Runner(graph) as runner:
        assert runner.run(1) == 1
        assert runner.counters.beside == {"fails": 1}


def test_an_event_may_come_through_a_trigger():
    def seen(event):
        event.body = (event.trigger.kind, event.trigger.name, event.offset, event.time)
        return event

    class Told:
        kind, name = "kafka-cluster", "in"

    graph = Graph("told")
    graph.to(seen, full_event=True).respond()
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    with MockServer(graph) as server:
        for time in ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00", noon):
            found = server.test(body=1, trigger=Told(), offset=7, time=time)
            assert found == ("kafka-cluster", "in", 7, noon)
        assert server.test(body=1)[:3] == ("", "", None)
        with pytest.raises(RunError, match="time must be a moment such as '2026-"):
            server.test(body=1, time="noon")


# -- what comes back is what the step gave ------------------------------------------


class Live:
    """No JSON form."""


@pytest.mark.parametrize(
    "value",
    [Live(), Live, echo, {"a": Live()}, {1, 2}, b"x", float("nan"), [object()]],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("is_async", [False, True])
def test_live_objects_come_back_as_they_are(value, is_async):
    async def later(_body):
        return value

    graph = Graph("live")
    graph.to(name="it", handler=later if is_async else lambda _: value).respond()

    with MockServer(graph) as server:
        assert server.test(body=1) is value
        assert server.test(body=1, get_body=False).body is value


def test_live_items_of_a_stream_come_back_as_they_are():
    items = [Live(), Live()]

    def give(_body):
        yield from items

    graph = Graph("live")
    graph.to(name="it", handler=give).respond()

    with MockServer(graph) as server:
        assert list(server.test(body=1)) == items


@pytest.mark.parametrize("status", [200, 201, 202, 204, 302, 404])
@pytest.mark.parametrize("body", [{"a": 1}, None, "text"])
def test_a_response_keeps_its_status(status, body):
    graph = Graph("status")
    given = Response(body, status, {"X-A": "b"})
    graph.to(name="it", handler=lambda _: given).respond()

    with MockServer(graph) as server:
        found = server.test(body=1, silent=True, get_body=False)

    assert found is given


def test_a_streamed_response_keeps_status_and_headers():
    graph = Graph("status")
    graph.to(
        name="it", handler=lambda _: Response(iter("ab"), 201, {"X-A": "b"}, "text/csv")
    ).respond()

    with MockServer(graph) as server:
        found = server.test(body=1, get_body=False)

    assert (found.status_code, found.headers) == (201, {"X-A": "b"})
    assert found.content_type == "text/csv"
    assert list(found.body) == ["a", "b"]


@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("place", ["last", "first"])
def test_a_full_event_step_may_give_a_response(engine, is_async, place):
    def create(event):
        return Response({"id": event.body}, 201, {"Location": f"/{event.body}"})

    async def create_later(event):
        return create(event)

    graph = Graph("creates", engine=engine)
    step = create_later if is_async else create
    last = graph.to(name="create", handler=step, full_event=True)
    if place == "first":
        last = last.to(name="echo", handler=echo)
    last.respond()

    with MockServer(graph) as server:
        found = server.test(body=7, get_body=False)
    with Runner(graph) as runner:
        answer = runner.answer(7)

    assert (found.body, found.status_code) == ({"id": 7}, 201)
    assert (answer.status_code, answer.body) == (201, {"id": 7})
    assert answer.headers["Location"] == "/7"


def test_a_step_that_gives_no_event_is_told_so():
    graph = Graph("wrong")
    graph.to(name="it", handler=lambda event: 5, full_event=True).respond()

    with (
        MockServer(graph) as server,
        pytest.raises(RunError, match="must give an event"),
    ):
        server.test(body=1)
