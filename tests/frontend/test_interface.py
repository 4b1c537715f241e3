"""What every front end promises to the runner, and which one options choose."""

import ast
from pathlib import Path

import pytest

import jupyter_graph.frontend
from jupyter_graph.answer.problem import problem
from jupyter_graph.errors import NotFoundError, StatusError
from jupyter_graph.event import Event, Trigger
from jupyter_graph.frontend.factory import make_frontend

ENDPOINTS = {"endpoints": {"GET:/a": {"path": "/a", "http_method": "GET"}}}
OPTIONS = [
    pytest.param((ENDPOINTS, None), id="api-handler"),
    pytest.param((ENDPOINTS, True), id="openai"),
]


@pytest.fixture(params=OPTIONS)
def frontend(request):
    return make_frontend(*request.param)


def test_a_request_comes_in_and_its_result_leaves(frontend):
    exchange = frontend.enter(Event({"x": 1}, path="/a", method="GET"))

    assert exchange.leave({"y": 2}) == {"y": 2}
    assert exchange.leave({"y": 2}, whole=True) == {"y": 2}


def test_what_has_no_endpoint_is_refused_with_its_status(frontend):
    with pytest.raises(StatusError, match="/elsewhere") as refusal:
        frontend.enter(Event(None, path="/elsewhere", method="GET"))

    assert refusal.value.status_code == 404


def test_an_event_of_a_queue_has_no_endpoint_and_passes(frontend):
    event = Event({"x": 1}, path="/elsewhere", trigger=Trigger(kind="kafka-cluster"))
    exchange = frontend.enter(event)

    assert event.body == {"x": 1}
    assert exchange.leave("as it is") == "as it is"


def test_a_failure_keeps_its_status_and_detail(frontend):
    error = NotFoundError("no model 'm9'")
    answer = frontend.problem(error, Event(None), problem(error, event_id="e1"))

    assert answer.status_code == 404
    assert b"no model 'm9'" in answer.payload


@pytest.mark.parametrize("options", [(None, None), (None, False), ({}, None)])
def test_no_options_ask_for_no_front_end(options):
    assert make_frontend(*options) is None


def test_the_interface_knows_none_of_its_implementations():
    path = Path(jupyter_graph.frontend.__file__).parent / "interface.py"
    names = {
        node.module
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }

    assert not [name for name in names if name.startswith("jupyter_graph.frontend")]
