"""LLModel: a language model as one of a runner's models, against a real server."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.event import Event
from jupyter_graph.steps.model_runner.llm_model import LLModel
from jupyter_graph.steps.model_runner.model_runner_step import ModelRunnerStep


class Peer(BaseHTTPRequestHandler):
    """Answers a chat request with what it was asked last."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = {"role": "assistant", "content": asked["messages"][-1]["content"]}
        answer = {
            "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        }
        payload = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def answered(models, body):
    async def run():
        step = ModelRunnerStep(models)
        step.post_init()
        try:
            return (await step.do_event(Event(body))).body
        finally:
            step.close()

    return asyncio.run(run())


def test_a_prompt_is_filled_and_asked(url):
    arguments = {
        "model": "tiny",
        "prompt": "{{days}} days in {{city}}",
        "input_path": "trip",
        "result_path": "plan.text",
        "invocation_config": {"base_url": url, "temperature": 0},
    }
    body = {"trip": {"days": 3, "city": "Rome"}, "id": 7}
    found = answered({"llm": [LLModel, arguments]}, body)

    assert found["plan"]["text"]["answer"] == "3 days in Rome"
    assert found["plan"]["text"]["usage"]["total_tokens"] == 3
    assert (found["id"], found["trip"]) == (7, body["trip"])


def test_a_body_may_bring_its_messages(url):
    arguments = {"model": "tiny", "invocation_config": {"base_url": url}}
    body = {"messages": [{"role": "user", "content": "Hello"}]}

    assert answered({"llm": [LLModel, arguments]}, body)["answer"] == "Hello"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"artifact_uri": "store://llm-prompts/p"}, "needs MLRun's store"),
        ({"model": ""}, "model must be the name of a model"),
        (
            {"model": "m", "invocation_config": {"base_urk": "x"}},
            "invocation_config: .*base_urk",
        ),
        ({"model": "m", "prompt": 5}, "prompt must be a text or a list of messages"),
    ],
)
def test_a_wrong_argument_is_refused(arguments, message):
    with pytest.raises(SpecError, match=message):
        answered({"llm": [LLModel, arguments]}, {})
