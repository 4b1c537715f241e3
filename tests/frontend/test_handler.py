"""Requests through an API handler and a graph."""

import asyncio

import pytest

from jupyter_graph import Graph, Response
from jupyter_graph.errors import SpecError
from jupyter_graph.event import Event, Trigger
from jupyter_graph.frontend.api_handler import ApiFrontend
from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping
from jupyter_graph.frontend.handler_config import ApiHandlerConfig


def tell(body, **parameters):
    return {"body": body, "parameters": parameters}


def fields(*rows, mandatory=False):
    return tuple(FieldMapping(*row, mandatory) for row in rows)


CONFIG = ApiHandlerConfig(
    (
        Endpoint(
            "/chat",
            input_body_mappings=(
                *fields(("$.model", "model"), mandatory=True),
                *fields(("$.opt.t", "temp")),
            ),
        ),
        Endpoint("/items/{item_id}", "GET"),
        Endpoint("/closed/*", action="forbid"),
        Endpoint("/closed/door"),
        Endpoint("/star/*"),
        Endpoint(
            "/shaped",
            output_body_mappings=fields(("$.parameters", "args"), ("$.no", "no")),
        ),
        Endpoint(
            "/strict",
            output_body_mappings=fields(("$.result", "result"), mandatory=True),
        ),
    )
)


@pytest.fixture
def ask(fronted):
    return fronted(tell, CONFIG).ask


@pytest.mark.parametrize(
    ("method", "path", "body", "parameters"),
    [
        pytest.param("POST", "/chat", {"model": "m"}, {"model": "m"}, id="mandatory"),
        pytest.param(
            "POST",
            "/chat",
            {"model": "m", "opt": {"t": 1}},
            {"model": "m", "temp": 1},
            id="optional",
        ),
        pytest.param("GET", "/items/7", None, {"item_id": "7"}, id="path"),
        pytest.param("get", "/items/a%20b", None, {"item_id": "a b"}, id="decoded"),
        pytest.param(
            "GET",
            "/items/7?q=a&q=b&z=1",
            None,
            {"q": ["a", "b"], "z": "1", "item_id": "7"},
            id="query",
        ),
        pytest.param("POST", "/star/x/y", {"a": 1}, {}, id="star"),
        pytest.param("POST", "/closed/door", {}, {}, id="exact-before-forbidden-star"),
    ],
)
def test_a_handler_gets_the_body_and_the_parameters(
    ask, method, path, body, parameters
):
    assert ask(method, path, body) == (200, {"body": body, "parameters": parameters})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        pytest.param("POST", "/chat", {}, 422, "mandatory field 'model'", id="missing"),
        pytest.param("POST", "/chat", "text", 422, "got str", id="no-object"),
        pytest.param("POST", "/items/7", {}, 405, "the path takes GET", id="method"),
        pytest.param("POST", "/ghost", {}, 404, "not found: POST /ghost", id="path"),
        pytest.param("POST", "/closed/a", {}, 403, "access forbidden", id="forbidden"),
        pytest.param("FETCH", "/chat", {}, 400, "method: 'FETCH'", id="no-method"),
        pytest.param(
            "GET",
            "/items/7?item_id=8",
            None,
            400,
            "'item_id' appears in query and path",
            id="conflict",
        ),
        pytest.param(
            "POST", "/chat?model=x", {"model": "m"}, 400, "body_map", id="body-conflict"
        ),
        pytest.param("POST", "/strict", {}, 422, "mandatory field 'result'", id="out"),
    ],
)
def test_what_does_not_fit_is_refused(ask, method, path, body, status, said):
    found, detail = ask(method, path, body)

    assert found == status
    assert said in detail


@pytest.mark.parametrize("openai", [None, True])
def test_a_wrong_method_is_told_the_right_ones(fronted, openai):
    event = Event(path="/items/7", method="PATCH")

    wire = asyncio.run(fronted(tell, CONFIG, openai).whole(event))

    assert (wire.status_code, wire.headers["Allow"]) == (405, "GET")


def test_the_answer_is_made_of_the_mapped_fields(ask):
    assert ask("POST", "/shaped?zz=1", {}) == (200, {"args": {"zz": "1"}, "no": None})


def test_url_info_tells_a_handler_which_endpoint_was_asked(fronted):
    config = ApiHandlerConfig(
        (Endpoint("/r/{id}", "GET"), Endpoint("/r/{id}", "DELETE")),
        include_url_info=True,
    )

    _, found = fronted(tell, config).ask("DELETE", "/r/a%20b?x=1")

    assert found["parameters"] == {
        "x": "1",
        "id": "a b",
        "mlrun_request_path": "/r/a b",
        "mlrun_request_method": "DELETE",
    }


def strict(path="/a"):
    mapped = fields(("$.v", "v"), mandatory=True)
    return ApiHandlerConfig((Endpoint(path, output_body_mappings=mapped),))


@pytest.mark.parametrize(
    ("status", "given"),
    [
        pytest.param(201, (201, {"v": 1}), id="success-is-mapped"),
        pytest.param(302, (302, {"v": 1, "w": 2}), id="others-are-not"),
    ],
)
def test_a_response_keeps_its_status(fronted, status, given):
    def answer(body):
        return Response({"v": 1, "w": 2}, status)

    assert fronted(answer, strict()).ask("POST", "/a", {}) == given


def test_a_text_of_a_response_becomes_json_when_it_is_mapped(fronted):
    def answer(body):
        return Response({"v": 1}, 200, {"X-A": "b"}, "text/plain")

    front = fronted(answer, strict()).front
    left = front.enter(Event({}, path="/a")).leave(answer({}))

    assert (left.body, left.content_type, left.headers) == (
        {"v": 1},
        None,
        {"X-A": "b"},
    )


def test_a_stream_leaves_as_it_is(fronted):
    def count(body):
        yield from ({"n": n} for n in range(3))

    status, found = fronted(count, strict()).ask("POST", "/a", {})

    assert (status, found) == (200, [{"n": 0}, {"n": 1}, {"n": 2}])


def test_a_result_path_leaves_the_parameters_where_they_are(fronted):
    graph = Graph("api")
    first = graph.to(name="a", handler=lambda body, id: id, result_path="found")
    first.to(name="b", handler=tell).respond()
    config = ApiHandlerConfig((Endpoint("/{id}", "GET"),))

    _, found = fronted(graph, config).ask("GET", "/7", {"x": 1})

    assert found == {"body": {"x": 1}, "parameters": {"id": "7", "found": "7"}}


def test_an_event_from_a_queue_has_no_endpoint():
    event = Event({"a": 1}, trigger=Trigger("kafka-cluster", "k"))

    exchange = ApiFrontend(CONFIG).enter(event)

    assert (event.body, exchange.leave("x")) == ({"a": 1}, "x")


def test_a_path_that_a_server_decoded_is_not_decoded_again():
    event = Event(path="/items/%41", method="GET", trigger=Trigger("http", "h"))
    ApiFrontend(CONFIG).enter(event)

    assert event.body == {"item_id": "%41"}


def test_a_front_that_is_not_enabled_lets_everything_through():
    event = Event({"a": 1}, path="/nowhere")

    exchange = ApiFrontend({"enabled": False, "endpoints": {}}).enter(event)

    assert (event.body, exchange.leave(1)) == ({"a": 1}, 1)


def test_a_wrong_configuration_is_refused_when_the_front_is_made():
    with pytest.raises(SpecError, match="did you mean 'endpoints'"):
        ApiFrontend({"endpoint": {}})
