"""The steps of language models against a real server of the protocol."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import GatewayTimeoutError, SpecError, StatusError
from jupyter_graph.run.context import Context
from jupyter_graph.steps.llm.llm import LLM, LLMStream

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
KEY = "sk-canary-123"


class ChatPeer(BaseHTTPRequestHandler):
    """A chat server; the model's name says how it behaves."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(length))
        self.server.seen.append((asked, dict(self.headers)))
        model = asked["model"]
        if self.path != "/v1/chat/completions":
            self.fail(404, f"no path {self.path}")
        elif model.startswith("status-") and self.is_failing(model):
            self.fail(int(model.split("-")[1]), "not now")
        elif model == "quota":
            self.fail(429, "pay first", code="insufficient_quota")
        elif model == "locked" and self.headers.get("Authorization") != f"Bearer {KEY}":
            self.fail(401, f"wrong key {self.headers.get('Authorization')}")
        elif model == "odd":
            self.send(200, b'["no object"]')
        elif asked.get("stream"):
            self.stream(asked)
        else:
            self.complete(asked)

    def is_failing(self, model):
        """status-503-2 fails twice."""
        times = int(model.split("-")[2])
        return sum(asked["model"] == model for asked, _ in self.server.seen) <= times

    def text(self, asked):
        if asked["model"] == "json":
            return '{"city": "Rome"}'
        if asked["model"] == "prose":
            return "no JSON"
        return f"You said: {asked['messages'][-1]['content']}"

    def complete(self, asked):
        if asked["model"] == "slow":
            self.server.gate.wait(5)
        message = {"role": "assistant", "content": self.text(asked)}
        if asked.get("tools"):
            call = {"name": "weather", "arguments": '{"city": "Rome"}'}
            message["content"] = None
            message["tool_calls"] = [
                {"id": "call-1", "type": "function", "function": call}
            ]
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        choice["logprobs"] = None
        self.send(
            200,
            json.dumps(self.head(asked, "") | {"choices": [choice], "usage": USAGE}),
        )

    def head(self, asked, kind):
        return {
            "id": "chat-1",
            "object": f"chat.completion{kind}",
            "created": 1,
            "model": asked["model"],
        }

    def stream(self, asked):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        head = self.head(asked, ".chunk")
        self.chunk(b": a comment\r\n\r\n")
        for word in self.text(asked).split():
            delta = {"index": 0, "delta": {"content": f"{word} "}}
            delta["finish_reason"] = None
            self.event(head | {"choices": [delta]})
        if asked["model"] == "cut":
            self.close_connection = True
            return
        if asked["model"] == "short":
            self.chunk(b"")
            return
        if asked["model"] == "stuck":
            self.server.gate.wait(5)
        if asked["model"] == "sorry":
            self.event({"error": {"message": "out of memory"}})
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self.event(head | {"choices": [last]})
        if asked.get("stream_options", {}).get("include_usage"):
            self.event(head | {"choices": [], "usage": USAGE})
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def event(self, piece):
        text = f"data: {json.dumps(piece)}\n\n".encode()
        self.chunk(text[:9])  # cut where no line ends
        self.chunk(text[9:])

    def chunk(self, data):
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def fail(self, status, message, code=None):
        error = {"message": message, "type": "error", "param": None, "code": code}
        self.send(status, json.dumps({"error": error}), {"Retry-After": "0"})

    def send(self, status, payload, headers=None):
        data = payload if isinstance(payload, bytes) else payload.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def chat():
    server = ThreadingHTTPServer(("127.0.0.1", 0), ChatPeer)
    server.daemon_threads, server.seen = True, []
    server.handle_error = lambda *_: None
    server.gate = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


def ask(step, body=None):
    return asyncio.run(step.do(body))


def pieces_of(step, body=None):
    async def collect():
        return [piece async for piece in step.do(body)]

    return asyncio.run(collect())


# -- the server here speaks the protocol ----------------------------------------


def test_openais_own_client_understands_the_server_here(chat):
    openai = pytest.importorskip("openai")

    with openai.OpenAI(api_key="k", base_url=chat.url) as client:
        messages = [{"role": "user", "content": "hi"}]
        whole = client.chat.completions.create(model="m", messages=messages)
        pieces = list(
            client.chat.completions.create(
                model="m",
                messages=messages,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="locked", messages=messages)

    assert whole.choices[0].message.content == "You said: hi"
    assert whole.usage.total_tokens == pieces[-1].usage.total_tokens == 8
    assert "".join(p.choices[0].delta.content or "" for p in pieces[:-1]) == (
        "You said: hi "
    )


# -- whole answers --------------------------------------------------------------


def test_a_step_gives_answer_and_usage(run_graph, chat):
    graph = Graph("greets")
    graph.to("llm", "ask", model="m", prompt="Hi {{name}}", base_url=chat.url).respond()

    [answer] = run_graph(graph, [{"name": "Ann"}])

    assert answer == {
        "answer": "You said: Hi Ann",
        "usage": USAGE,
        "model": "m",
        "finish_reason": "stop",
    }


def test_the_request_has_the_fields_that_were_set_and_no_other(chat):
    step = LLM(
        "m",
        "Hi",
        system="Be {{tone}}.",
        base_url=chat.url,
        temperature=0,
        max_tokens=5,
        options={"seed": 1},
    )

    ask(step, {"tone": "brief"})

    assert chat.seen[0][0] == {
        "model": "m",
        "temperature": 0,
        "max_tokens": 5,
        "seed": 1,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
    }


def test_the_result_goes_into_a_field_of_a_new_body(chat):
    step = LLM("m", "{{q}}", base_url=chat.url, result_field="said")
    body = {"q": "why"}

    found = ask(step, body)

    assert found["said"]["answer"] == "You said: why"
    assert found["q"] == "why"
    assert body == {"q": "why"}


def test_tokens_are_summed_over_events(chat):
    step = LLM("m", "{{.}}", base_url=chat.url)

    ask(step, "one")
    ask(step, "two")

    assert step.usage.totals() == {
        "requests": 2,
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 16,
    }


@pytest.mark.parametrize(
    "wanted", ["json", {"type": "json_schema", "json_schema": {"name": "c"}}]
)
def test_json_is_asked_for_and_read(chat, wanted):
    step = LLM("json", "Where?", base_url=chat.url, response_format=wanted)

    assert ask(step, {})["data"] == {"city": "Rome"}
    assert chat.seen[0][0]["response_format"]["type"].startswith("json_")


def test_an_answer_that_is_not_the_json_asked_for_is_a_502(chat):
    step = LLM("prose", "Where?", base_url=chat.url, response_format="json")

    with pytest.raises(StatusError, match="answer is not JSON") as failed:
        ask(step, {})

    assert failed.value.status_code == 502
    assert step.usage.totals()["requests"] == 1


def test_tools_pass_through(chat):
    tools = [{"type": "function", "function": {"name": "weather"}}]
    step = LLM("m", "Where?", base_url=chat.url, tools=tools, tool_choice="auto")

    found = ask(step, {})

    assert found["answer"] is None
    assert found["tool_calls"][0]["function"]["name"] == "weather"
    assert chat.seen[0][0]["tools"] == tools


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("hi", id="text"),
        pytest.param([{"role": "user", "content": "hi"}], id="messages"),
        pytest.param({"messages": [{"role": "user", "content": "hi"}]}, id="object"),
    ],
)
def test_without_a_prompt_the_body_is_the_conversation(chat, body):
    assert ask(LLM("m", base_url=chat.url), body)["answer"] == "You said: hi"


@pytest.mark.parametrize("body", [None, 5, [], {"a": 1}, [{"role": "king"}], ["hi"]])
def test_without_a_prompt_and_a_conversation_nothing_is_sent(chat, body):
    with pytest.raises(StatusError, match=r"without a prompt|message 1") as failed:
        ask(LLM("m", base_url=chat.url), body)

    assert failed.value.status_code == 400
    assert chat.seen == []


def test_a_missing_field_is_the_callers_fault(open_runner, chat):
    graph = Graph("greets")
    graph.to("LLM", "ask", model="m", prompt="Hi {{name}}", base_url=chat.url).respond()

    answer = open_runner(graph).answer({"nam": "Ann"}, silent=True)

    assert answer.status_code == 422
    assert "needs the field 'name'; did you mean 'nam'?" in answer.body["detail"]
    assert chat.seen == []


# -- failures -------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_what_may_get_better_is_tried_again(chat, status):
    step = LLM(f"status-{status}-2", "Hi", base_url=chat.url, backoff_factor=0)

    assert ask(step, {})["answer"] == "You said: Hi"
    assert len(chat.seen) == 3


@pytest.mark.parametrize(
    ("model", "attempts", "status", "message"),
    [
        pytest.param("status-429-9", 3, 503, r"429: not now \(3 attempts\)", id="busy"),
        pytest.param("status-500-9", 3, 502, r"500: not now", id="broken"),
        pytest.param("status-400-9", 1, 502, r"400: not now", id="refused"),
        pytest.param("quota", 1, 502, r"429: pay first", id="quota"),
        pytest.param("odd", 1, 502, r"no chat completions", id="no-object"),
    ],
)
def test_what_stays_bad_is_told(chat, model, attempts, status, message):
    step = LLM(model, "Hi", base_url=chat.url, backoff_factor=0)

    with pytest.raises(StatusError, match=message) as failed:
        ask(step, {})

    assert failed.value.status_code == status
    assert len(chat.seen) == attempts


def test_a_slow_server_is_a_504(chat):
    step = LLM("slow", "Hi", base_url=chat.url, timeout=0.05, retries=0)

    with pytest.raises(GatewayTimeoutError, match="timed out"):
        ask(step, {})


# -- keys -----------------------------------------------------------------------


def test_the_key_is_a_secret_of_the_runner(open_runner, chat):
    graph = Graph("locked")
    graph.to(
        "LLM", "ask", model="locked", base_url=chat.url, api_key_secret="CHAT_KEY"
    ).respond()
    runner = open_runner(graph, secrets={"CHAT_KEY": KEY})

    assert runner.run("hi")["answer"] == "You said: hi"
    assert KEY not in json.dumps(graph.to_dict())


def test_a_server_that_says_the_key_is_not_quoted(chat):
    context = Context(secrets={"CHAT_KEY": "sk-other-canary"})
    step = LLM("locked", base_url=chat.url, api_key_secret="CHAT_KEY", context=context)

    with pytest.raises(StatusError, match=r"wrong key Bearer \*\*\*"):
        ask(step, "hi")


def test_openais_key_goes_to_no_other_server(chat, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    ask(LLM("m", base_url=chat.url), "hi")

    assert "Authorization" not in chat.seen[0][1]


def test_openais_own_server_needs_a_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(SpecError, match="without a value: OPENAI_API_KEY"):
        LLM("gpt")


def test_a_parity_check_sends_nothing_and_needs_no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    context = Context(is_parity=True)

    assert ask(LLM("gpt", context=context), {"a": 1}) == {"a": 1}
    assert pieces_of(LLMStream("gpt", context=context), {"a": 1}) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": ""}, "model must be"),
        ({"prompt": "{{a b}}"}, "no field"),
        ({"prompt": []}, "list of messages"),
        ({"prompt": [{"role": "king", "content": "x"}]}, "role must be"),
        ({"prompt": [{"role": "user", "content": "{{a b}}"}]}, "message 1"),
        ({"prompt": [{"role": "user"}]}, "content must be"),
        ({"system": 5}, "system must be"),
        ({"temperature": 3}, "temperature must be 0 to 2"),
        ({"temperature": True}, "temperature must be 0 to 2, got True"),
        ({"max_tokens": 0}, "max_tokens must be 1"),
        ({"response_format": "yaml"}, "response_format must be"),
        ({"tools": {}}, "tools must be"),
        ({"tool_choice": "auto"}, "there are none"),
        ({"options": {"stream": True}}, "may not hold 'stream'"),
        ({"options": 5}, "options must be"),
        ({"base_url": "ftp://x"}, "other schemes"),
        ({"base_url": "http://169.254.169.254/v1"}, "closed here"),
        ({"api_key_secret": "sk-123"}, "never the key itself"),
        ({"stream": True}, "LLMStream"),
        ({"retries": -1}, "retries"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_a_wrong_argument_is_refused_before_any_event(arguments, message):
    given = {"model": "m", "base_url": "http://localhost:1/v1", **arguments}

    with pytest.raises(SpecError, match=message):
        LLM(**given)


def test_a_deployed_function_reaches_loopback_only_by_a_list():
    context = Context()
    context.is_deployed = True
    url = "http://127.0.0.1:11434/v1"

    with pytest.raises(SpecError, match="allow_hosts opens it"):
        LLM("m", base_url=url, context=context)

    assert LLM("m", base_url=url, allow_hosts=["127.0.0.1"], context=context)


# -- streams --------------------------------------------------------------------


def test_a_stream_gives_the_text_as_it_comes(open_runner, chat):
    graph = Graph("streams")
    graph.to("LLMStream", "ask", model="m", base_url=chat.url).respond()
    runner = open_runner(graph)

    assert list(runner.run("hi")) == ["You ", "said: ", "hi "]


def test_a_stream_counts_its_tokens(chat):
    step = LLMStream("m", "Hi", base_url=chat.url)

    assert "".join(pieces_of(step, {})) == "You said: Hi "
    assert step.usage.totals()["total_tokens"] == 8


def test_a_server_that_cannot_count_is_not_asked_to(chat):
    step = LLMStream("m", "Hi", base_url=chat.url, count_tokens=False)

    pieces_of(step, {})

    assert "stream_options" not in chat.seen[0][0]
    assert step.usage.totals() == {
        "requests": 1,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
    }


def test_the_beginning_of_a_stream_is_tried_again(chat):
    step = LLMStream("status-503-2", "Hi", base_url=chat.url, backoff_factor=0)

    assert "".join(pieces_of(step, {})) == "You said: Hi "


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param("cut", "broke off", id="the-line-is-cut"),
        pytest.param("short", "ended before the answer", id="the-end-is-missing"),
        pytest.param("sorry", "broke off: out of memory", id="the-server-says-so"),
    ],
)
def test_a_stream_that_breaks_off_is_an_error(chat, model, message):
    with pytest.raises(StatusError, match=message) as failed:
        pieces_of(LLMStream(model, "Hi", base_url=chat.url, retries=0), {})

    assert failed.value.status_code == 502


def test_a_stream_that_stands_still_is_a_504(chat):
    step = LLMStream("stuck", "Hi", base_url=chat.url, timeout=0.1, retries=0)

    with pytest.raises(GatewayTimeoutError, match=r"sent nothing for 0\.1 s"):
        pieces_of(step, {})


def test_a_stream_that_nobody_reads_on_lets_go(chat):
    step = LLMStream("stuck", "Hi", base_url=chat.url)

    async def first():
        pieces = step.do({})
        found = await anext(pieces)
        await pieces.aclose()
        return found

    assert asyncio.run(first()) == "You "


def test_a_stream_that_is_refused_names_its_step(open_runner, chat):
    graph = Graph("streams")
    graph.to("llm_stream", "ask", model="status-400-9", base_url=chat.url).respond()

    with pytest.raises(StepError, match=r"step 'ask' failed.*400: not now"):
        list(open_runner(graph).run("hi"))
