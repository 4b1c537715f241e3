"""Graphs that answer as OpenAI's API does."""

import asyncio
import json

import pytest

from jupyter_graph import Response
from jupyter_graph.errors import NotFoundError, TooManyRequestsError
from jupyter_graph.event import Event, Trigger

CHAT, RESPONSES = "/chat/completions", "/responses"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
INPUT = {"model": "m", "input": "hi", "temperature": 0.5}
STREAM = {**ASKED, "stream": True}
USAGE = {"prompt_tokens": 2, "completion_tokens": 3}


def chosen(found):
    return [
        (one["message"]["content"], one["finish_reason"]) for one in found["choices"]
    ]


def event_of(body):
    return Event(body, path=CHAT)


def words(body):
    yield "hel"
    yield {"content": "lo", "finish_reason": "length"}
    yield {"usage": USAGE}


async def words_later(body):
    yield "hel"
    yield {"content": "lo", "finish_reason": "length"}
    yield {"usage": USAGE}


@pytest.mark.parametrize(
    ("value", "choices"),
    [
        pytest.param("hello", [("hello", "stop")], id="text"),
        pytest.param({"content": "hello"}, [("hello", "stop")], id="message"),
        pytest.param(["a", {"content": "b"}], [("a", "stop"), ("b", "stop")], id="two"),
        pytest.param(
            {"content": "a", "finish_reason": "length"}, [("a", "length")], id="finish"
        ),
    ],
)
def test_what_a_graph_gives_becomes_a_completion(fronted, value, choices):
    status, found = fronted(lambda body: value, openai=True).ask("POST", CHAT, ASKED)

    assert status == 200
    assert chosen(found) == choices
    assert (found["id"], found["model"], found["object"]) == (
        "chatcmpl-e1",
        "m",
        "chat.completion",
    )


def test_a_completion_of_the_graphs_own_keeps_its_fields(fronted):
    own = {"id": "x", "choices": [], "created": 1, "model": "n", "object": "o"}

    _, found = fronted(lambda body: own, openai=True).ask("POST", CHAT, ASKED)

    assert found == {**own, "service_tier": None, "usage": None}


def test_choices_alone_are_completed(fronted):
    one = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}

    _, found = fronted(lambda body: {"choices": [one]}, openai=True).ask(
        "POST", CHAT, ASKED
    )

    assert (found["id"], found["choices"]) == ("chatcmpl-e1", [one])


def test_usage_is_summed(fronted):
    given = {"content": "a", "usage": USAGE}

    _, found = fronted(lambda body: given, openai=True).ask("POST", CHAT, ASKED)

    assert found["usage"] == {**USAGE, "total_tokens": 5}


@pytest.mark.parametrize("value", [{"body": 1}, 7, None, [1]])
def test_what_is_no_completion_is_refused(fronted, value):
    status, _ = fronted(lambda body: value, openai=True).ask("POST", CHAT, ASKED)

    assert status == 422


@pytest.mark.parametrize("handler", [words, words_later])
def test_a_stream_is_gathered_for_who_asks_for_the_whole(fronted, handler):
    status, found = fronted(handler, openai=True).ask("POST", CHAT, ASKED)

    assert status == 200
    assert chosen(found) == [("hello", "length")]
    assert found["usage"]["total_tokens"] == 5


@pytest.mark.parametrize("handler", [words, words_later])
def test_a_stream_leaves_chunk_by_chunk(fronted, handler):
    *chunks, last = fronted(handler, openai=True).events(CHAT, STREAM)

    rows = [
        (one["delta"], one["finish_reason"]) for row in chunks for one in row["choices"]
    ]
    assert rows == [
        ({"role": "assistant", "content": "hel"}, None),
        ({"content": "lo"}, "length"),
    ]
    assert {row["object"] for row in chunks} == {"chat.completion.chunk"}
    assert last == "[DONE]"


def test_the_usage_comes_last_when_it_is_asked_for(fronted):
    asked = {**STREAM, "stream_options": {"include_usage": True}}

    *_, usage, _ = fronted(words, openai=True).events(CHAT, asked)

    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 5)


def test_a_whole_answer_leaves_as_a_stream_of_one_chunk(fronted):
    def answer(body):
        return "hello"

    [chunk, last] = fronted(answer, openai=True).events(CHAT, STREAM)

    assert chunk["choices"][0]["delta"] == {"role": "assistant", "content": "hello"}
    assert chunk["choices"][0]["finish_reason"] == "stop"
    assert last == "[DONE]"


def test_an_empty_stream_is_an_empty_message(fronted):
    def nothing(body):
        yield from ()

    *chunks, last = fronted(nothing, openai=True).events(CHAT, STREAM)

    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert last == "[DONE]"


def test_a_stream_that_fails_at_once_has_its_status(fronted):
    def fails(body):
        raise NotFoundError("no model 'm'")
        yield

    status, detail = fronted(fails, openai=True).ask("POST", CHAT, STREAM)

    assert (status, detail) == (404, "no model 'm'")


def test_a_stream_can_be_gathered_here_and_now(fronted):
    exchange = fronted(words, openai=True).front.enter(event_of(ASKED))

    assert chosen(exchange.leave(words({}), whole=True)) == [("hello", "length")]


def test_a_caller_who_leaves_closes_the_graphs_stream(fronted):
    closed = []

    def endless(body):
        try:
            while True:
                yield "more"
        finally:
            closed.append(True)

    left = (
        fronted(endless, openai=True).front.enter(event_of(STREAM)).leave(endless({}))
    )
    next(left.body)
    left.body.close()

    assert closed == [True]


def test_an_asynchronous_stream_is_closed_too(fronted):
    closed = []

    async def endless(body):
        try:
            while True:
                yield "more"
        finally:
            closed.append(True)

    async def ask():
        exchange = fronted(endless, openai=True).front.enter(event_of(STREAM))
        left = exchange.leave(endless({}))
        await anext(left.body)
        await left.body.aclose()

    asyncio.run(ask())

    assert closed == [True]


# -- responses ------------------------------------------------------------------


def test_what_a_graph_gives_becomes_a_response(fronted):
    status, found = fronted(lambda body: "hello", openai=True).ask(
        "POST", RESPONSES, INPUT
    )

    [item] = found["output"]
    assert status == 200
    assert (item["role"], item["content"][0]["text"]) == ("assistant", "hello")
    assert (found["status"], found["temperature"], found["tool_choice"]) == (
        "completed",
        0.5,
        "auto",
    )


def test_calls_become_items_of_a_response(fronted):
    call = {"id": "c1", "function": {"name": "f", "arguments": "{}"}}

    _, found = fronted(lambda body: {"tool_calls": [call]}, openai=True).ask(
        "POST", RESPONSES, INPUT
    )

    [item] = found["output"]
    assert (item["type"], item["call_id"], item["name"]) == ("function_call", "c1", "f")


def test_a_response_that_was_cut_is_incomplete(fronted):
    _, found = fronted(words, openai=True).ask("POST", RESPONSES, INPUT)

    assert found["status"] == "incomplete"
    assert found["incomplete_details"] == {"reason": "max_output_tokens"}
    assert found["usage"]["total_tokens"] == 5


@pytest.mark.parametrize("handler", [words, words_later])
def test_a_response_leaves_event_by_event(fronted, handler):
    found = fronted(handler, openai=True).events(RESPONSES, {**INPUT, "stream": True})

    assert [one["type"].removeprefix("response.") for one in found] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "incomplete",
    ]
    assert [one["sequence_number"] for one in found] == list(range(10))


def test_a_refusal_is_a_part_of_a_response(fronted):
    def refuse(body):
        return {"refusal": "no"}

    found = fronted(refuse, openai=True).events(RESPONSES, {**INPUT, "stream": True})

    kinds = [one["type"].removeprefix("response.") for one in found]
    assert kinds[3:7] == [
        "content_part.added",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
    ]


def test_further_choices_have_no_place_in_a_response(fronted):
    def two(body):
        yield {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}

    found = fronted(two, openai=True).events(RESPONSES, {**INPUT, "stream": True})

    assert found[-1]["response"]["output_text"] == "a"


def test_events_of_the_graphs_own_pass(fronted):
    def own(body):
        yield {"type": "response.created", "response": {"id": "r"}}
        yield {"type": "response.completed", "response": {"id": "r"}}

    found = fronted(own, openai=True).events(RESPONSES, {**INPUT, "stream": True})

    assert [one["type"] for one in found] == ["response.created", "response.completed"]


def test_a_whole_response_leaves_as_events(fronted):
    def own(body):
        reasoning = {"type": "reasoning", "id": "rs", "summary": []}
        call = {"type": "function_call", "id": "f", "arguments": "{}", "name": "f"}
        return {"output": [reasoning, call]}

    found = fronted(own, openai=True).events(RESPONSES, {**INPUT, "stream": True})

    assert [one["type"].removeprefix("response.") for one in found[2:]] == [
        "output_item.added",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]


# -- the rest -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("GET", f"{CHAT}/c1", None, 422, id="not-a-completion"),
        pytest.param("DELETE", f"{RESPONSES}/r1", None, 200, id="unmapped"),
        pytest.param("PUT", CHAT, {}, 405, id="method"),
        pytest.param("POST", "/other", {}, 404, id="path"),
        pytest.param("POST", CHAT, {"model": "m"}, 422, id="no-messages"),
        pytest.param("POST", CHAT, "text", 422, id="no-object"),
    ],
)
def test_other_requests_answer_as_the_endpoints_say(
    fronted, method, path, body, status
):
    front = fronted(lambda body, **parameters: {"ok": True}, openai=True)

    assert front.ask(method, path, body)[0] == status


def test_a_handler_gets_the_fields_that_it_names(fronted):
    def answer(body, messages, temperature=1.0):
        return f"{messages[-1]['content']} {temperature} {body['seed']}"

    asked = {**ASKED, "temperature": 0.2, "top_p": 0.1, "seed": 7}
    _, found = fronted(answer, openai=True).ask("POST", CHAT, asked)

    assert chosen(found) == [("hi 0.2 7", "stop")]


def test_a_response_with_a_status_leaves_as_it_is(fronted):
    def busy(body):
        return Response({"error": {"message": "busy"}}, 503)

    exchange = fronted(busy, openai=True).front.enter(event_of(ASKED))

    assert exchange.leave(busy({})).body == {"error": {"message": "busy"}}


def test_a_response_keeps_its_headers_around_a_completion(fronted):
    def answer(body):
        return Response("hello", 200, {"X-Cost": "3"})

    exchange = fronted(answer, openai=True).front.enter(event_of(ASKED))
    left = exchange.leave(answer({}))

    assert (left.headers, left.body["choices"][0]["message"]["content"]) == (
        {"X-Cost": "3"},
        "hello",
    )


def test_an_event_from_a_queue_has_no_endpoint(fronted):
    event = Event({"a": 1}, trigger=Trigger("kafka-cluster", "k"))

    exchange = fronted(words, openai=True).front.enter(event)

    assert exchange.leave("hello") == "hello"


def test_a_stream_of_the_graphs_own_type_leaves_as_it_is(fronted):
    own = Response((text for text in ["data: x\n\n"]), content_type="text/event-stream")

    exchange = fronted(words, openai=True).front.enter(event_of(STREAM))

    assert exchange.leave(own) is own


def test_a_failure_speaks_both_languages(fronted):
    def busy(body):
        raise TooManyRequestsError("slowly")

    wire = asyncio.run(fronted(busy, openai=True).whole(event_of(ASKED)))
    document = json.loads(wire.payload)

    assert (wire.status_code, wire.content_type) == (429, "application/json")
    assert document["detail"] == document["error"]["message"] == "slowly"
    assert document["error"]["type"] == "rate_limit_error"
    assert wire.headers["Retry-After"] == "1"
