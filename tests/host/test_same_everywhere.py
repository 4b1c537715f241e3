"""A value has the same status, type and bytes in the notebook, Nuclio and the host."""

import asyncio
import base64
import importlib.util
import json
from pathlib import Path

import nuclio_sdk
import nuclio_sdk.json_encoder
import pytest
import requests

from jupyter_graph.host.handler import serve
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph

VALUES = Path(__file__).parent / "data" / "values"
spec = importlib.util.spec_from_file_location("steps", VALUES / "steps.py")
value_steps = importlib.util.module_from_spec(spec)
spec.loader.exec_module(value_steps)
names = pytest.mark.parametrize("name", list(value_steps.VALUES))


@pytest.fixture(scope="module")
def in_the_notebook():
    """Return (status, type, bytes, headers) of a value as a notebook answers."""
    graph = Graph("values", engine="sync")
    graph.to(name="give", handler=value_steps.give)
    with Runner(graph) as runner:

        def answer(name):
            found = runner.answer(name, event_id="e1", silent=True)
            headers = {key.lower(): value for key, value in found.headers.items()}
            return found.status_code, found.content_type, found.payload, headers

        yield answer


@pytest.fixture(scope="module")
def in_nuclio():
    """Return the same through nuclio-sdk's own objects, as Nuclio's wrapper does."""
    init_context, handler = serve(VALUES)
    context = nuclio_sdk.Context(
        nuclio_sdk.Logger(40),
        nuclio_sdk.Platform("local"),
        "0",
        nuclio_sdk.TriggerInfo("http", "default-http"),
    )
    encoder = nuclio_sdk.json_encoder.Encoder().encode
    with asyncio.Runner() as loop:
        loop.run(init_context(context))

        def answer(name):
            event = nuclio_sdk.Event(
                body=name,
                content_type="application/json",
                headers={"X-Event-Id": "e1"},
                trigger=context.trigger,
                _id="n1",
                method="POST",
            )
            output = loop.run(handler(context, event))
            found = nuclio_sdk.Response.from_entrypoint_output(encoder, output)
            json.dumps(found)  # what the wrapper writes to the processor
            assert found["body_encoding"] == "base64"
            headers = {key.lower(): value for key, value in found["headers"].items()}
            body = base64.b64decode(found["body"])
            return found["status_code"], found["content_type"], body, headers

        yield answer
        context.user_data.runner.close()


@pytest.fixture(scope="module")
def over_http(values_host):
    """Return the same through the embedded host."""
    with requests.Session() as session:
        session.headers["X-Event-Id"] = "e1"
        own = {"content-type", "content-length", "date", "connection"}

        def answer(name):
            found = session.post(values_host.url, json=name, timeout=15)
            headers = {key.lower(): value for key, value in found.headers.items()}
            kept = {key: value for key, value in headers.items() if key not in own}
            kind = found.headers.get("content-type")
            return found.status_code, kind, found.content, kept

        yield answer


@names
def test_nuclio_answers_as_the_notebook(in_the_notebook, in_nuclio, name):
    assert in_nuclio(name) == in_the_notebook(name)


@names
@pytest.mark.slow
def test_the_host_answers_as_the_notebook(in_the_notebook, over_http, name):
    assert over_http(name) == in_the_notebook(name)
