"""OpenAI's own client talks to a graph over HTTP."""

import pytest

from jupyter_graph import Graph

pytestmark = pytest.mark.slow

openai = pytest.importorskip("openai")

USAGE = {"prompt_tokens": 2, "completion_tokens": 3}
HI = [{"role": "user", "content": "hi"}]


def words(body):
    yield "hel"
    yield "lo"
    yield {"usage": USAGE}


def fails_late(body):
    yield "hel"
    raise RuntimeError("the model fell over")


async def fails_later(body):
    yield "hel"
    raise RuntimeError("the model fell over")


@pytest.fixture
def client(serve):
    clients = []

    def connect(handler):
        url = serve(handler, openai={"prefix": "/v1"})
        made = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        clients.append(made)
        return made

    yield connect
    for made in clients:
        made.close()


@pytest.mark.parametrize("handler", [words, lambda body: "hello"])
def test_a_chat_is_answered(client, handler):
    found = client(handler).chat.completions.create(model="m", messages=HI)

    assert found.choices[0].message.content == "hello"
    assert (found.model, found.choices[0].finish_reason) == ("m", "stop")


def test_a_chat_is_streamed(client):
    stream = client(words).chat.completions.create(
        model="m", messages=HI, stream=True, stream_options={"include_usage": True}
    )

    chunks = list(stream)

    said = [one.delta.content for row in chunks for one in row.choices]
    assert said == ["hel", "lo", None]
    assert chunks[-1].usage.total_tokens == 5


def test_a_stream_helper_gathers_the_message(client):
    with client(words).chat.completions.stream(model="m", messages=HI) as stream:
        stream.until_done()
        found = stream.get_final_completion()

    assert found.choices[0].message.content == "hello"


def test_tools_are_called(client):
    call = {"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}

    def answer(body, tools):
        yield {"tool_calls": [call]}

    tool = {"type": "function", "function": {"name": "add", "parameters": {}}}
    ask = client(answer).chat.completions.create
    whole = ask(model="m", messages=HI, tools=[tool])
    stream = list(ask(model="m", messages=HI, tools=[tool], stream=True))

    assert whole.choices[0].message.tool_calls[0].function.name == "add"
    assert stream[0].choices[0].delta.tool_calls[0].function.arguments == '{"a": 1}'
    assert stream[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("handler", [words, lambda body: "hello"])
def test_a_response_is_given(client, handler):
    found = client(handler).responses.create(model="m", input="hi")

    assert (found.output_text, found.status) == ("hello", "completed")


def test_a_response_is_streamed(client):
    with client(words).responses.stream(model="m", input="hi") as stream:
        kinds = [event.type for event in stream]
        found = stream.get_final_response()

    assert kinds.count("response.output_text.delta") == 2
    assert (found.output_text, found.usage.total_tokens) == ("hello", 5)


def test_a_call_is_streamed_as_an_item_of_a_response(client):
    def answer(body):
        yield {
            "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}]
        }

    with client(answer).responses.stream(model="m", input="hi") as stream:
        stream.until_done()
        [item] = stream.get_final_response().output

    assert (item.type, item.name, item.call_id) == ("function_call", "f", "c1")


def test_a_stored_completion_is_read_and_deleted(client):
    def store(body, completion_id):
        return {"id": completion_id, "deleted": True, "object": "x"}

    found = client(store).chat.completions.delete("c1")

    assert (found.id, found.deleted) == ("c1", True)


def test_a_refused_request_is_the_clients_own_error(client):
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client(words).chat.completions.create(model="m", messages=openai.NOT_GIVEN)

    assert caught.value.param == "messages"
    assert caught.value.code == "missing_required_parameter"


def test_an_unknown_path_is_the_clients_own_error(client):
    with pytest.raises(openai.NotFoundError, match="endpoint not found"):
        client(words).models.list()


@pytest.mark.parametrize("handler", [fails_late, fails_later])
def test_a_failure_in_a_stream_reaches_the_client(client, handler):
    ask = client(handler).chat.completions.create
    stream = iter(ask(model="m", messages=HI, stream=True))

    assert next(stream).choices[0].delta.content == "hel"
    with pytest.raises(openai.APIError, match="the model fell over"):
        next(stream)


def test_a_failed_response_says_so_in_its_last_event(client):
    stream = client(fails_late).responses.create(model="m", input="hi", stream=True)
    kinds = []

    with pytest.raises(openai.APIConnectionError):
        kinds.extend(event.type for event in stream)

    assert kinds[-1] == "response.failed"


def test_an_object_of_the_clients_own_may_be_the_answer(client):
    from openai.types.chat import ChatCompletionMessage

    def answer(body):
        return ChatCompletionMessage(role="assistant", content="hello")

    found = client(answer).chat.completions.create(model="m", messages=HI)

    assert found.choices[0].message.content == "hello"


@pytest.mark.parametrize("block", ["LLM", "LLMStream"])
def test_a_block_that_asks_a_model_is_asked_itself(client, serve, block):
    url = serve(words, openai={"prefix": "/v1"})
    graph = Graph("gateway")
    arguments = {
        "model": "m2",
        "base_url": f"{url}/v1",
        "allow_hosts": ["127.0.0.1"],
    }
    graph.to(class_name=block, name="ask", class_args=arguments).respond()

    ask = client(graph).chat.completions.create
    whole = ask(model="m", messages=HI)
    stream = list(ask(model="m", messages=HI, stream=True))

    assert whole.choices[0].message.content == "hello"
    said = [one.delta.content for row in stream for one in row.choices]
    assert "".join(text or "" for text in said) == "hello"
