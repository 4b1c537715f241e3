"""ModelRouter: paths, versions, bodies, errors."""

from dataclasses import replace

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import ModelRouter

MODELS = "/v2/models"
TWO = {"inputs": [1, 2]}


def with_router(spec, **fields):
    return replace(spec, router=replace(spec.router, **fields))


@pytest.mark.parametrize(
    ("path", "outputs"),
    [
        (f"{MODELS}/m1/infer", [2, 4]),
        (f"{MODELS}/m2/predict", [3, 6]),
        (f"{MODELS}/m2", [3, 6]),
        (f"{MODELS}/m2/", [3, 6]),
        ("v2/models/m2", [3, 6]),
        (f"{MODELS}/m2:v2/infer", [30, 60]),
        (f"{MODELS}/m2/versions/v2", [30, 60]),
        (f"{MODELS}/m2/versions/v2/infer", [30, 60]),
        ("/", [2, 4]),
        ("", [2, 4]),
    ],
)
def test_a_path_leads_to_a_model(ask, models, path, outputs):
    answer = ask(models, TWO, path)

    assert (answer.status_code, answer.body["outputs"]) == (200, outputs)


@pytest.mark.parametrize(
    ("path", "body", "outputs"),
    [
        ("/", {"model": "m2"}, [3, 6]),
        ("/", {"model": "m2:v2"}, [30, 60]),
        (MODELS, {"model": "m2"}, [3, 6]),
        ("/", {"operation": "explain"}, {"why": 2}),
        ("/", {"model": "m1", "operation": "predict"}, [2, 4]),
        (f"{MODELS}/m1/infer", {"operation": "explain"}, {"why": 2}),
        (f"{MODELS}/m1/infer", {"model": "m2"}, [2, 4]),
    ],
)
def test_a_body_may_name_model_and_operation(ask, models, path, body, outputs):
    assert ask(models, {**TWO, **body}, path).body["outputs"] == outputs


@pytest.mark.parametrize(
    ("path", "method", "answer"),
    [
        (MODELS, "GET", {"models": ["m1", "m2", "m2:v2"]}),
        (MODELS, "POST", {"models": ["m1", "m2", "m2:v2"]}),
        ("/", "GET", {"name": "ModelRouter", "version": "v2", "extensions": []}),
        (
            "/v2/health",
            "GET",
            {"name": "ModelRouter", "version": "v2", "extensions": []},
        ),
        (
            "/v2/health/live",
            "POST",
            {"name": "ModelRouter", "version": "v2", "extensions": []},
        ),
    ],
)
def test_the_router_answers_for_itself(ask, models, path, method, answer):
    assert ask(models, None, path, method).body == answer


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/bad/m1", TWO, 400, "illegal path prefix '/bad/m1', must start with"),
        ("/v2/model/m1", TWO, 400, "/v2/models or /v2/health"),
        ("/v2/modelsx", TWO, 400, "illegal path prefix"),
        (
            f"{MODELS}/ghost",
            TWO,
            404,
            "model ghost doesnt exist, available models: m1 | m2 | m2:v2",
        ),
        (f"{MODELS}/m11/infer", TWO, 404, "did you mean 'm1'?"),
        (f"{MODELS}/m1/versions/9", TWO, 404, "model m1:9 doesnt exist"),
        ("/", {**TWO, "model": "ghost"}, 404, "model ghost doesnt exist"),
        ("/", {**TWO, "model": ["m1"]}, 400, "'model' must be a model's name"),
        ("/", {**TWO, "model": 5}, 400, "got 5"),
        (f"{MODELS}/m1/fly", TWO, 400, "illegal model operation fly, method=POST"),
        (f"{MODELS}/m1", [1, 2], 400, "Unrecognized request format"),
        (f"{MODELS}/m1", 7, 400, "a router takes an object, got int"),
        (f"{MODELS}/m1", "garbage", 400, "Unrecognized request format: Expecting"),
        (f"{MODELS}/m1", b"\xff", 400, "Unrecognized request format"),
        (f"{MODELS}/m1", "[1]", 400, "a router takes an object, got list"),
        (f"{MODELS}/m1", {"x": 1}, 400, 'Expected key "inputs" in request body'),
        (f"{MODELS}/m1", {"inputs": 5}, 400, 'Expected "inputs" to be a list'),
        (f"{MODELS}/m1", None, 400, 'Expected key "inputs" in request body'),
    ],
)
def test_a_wrong_request_is_the_callers_fault(ask, models, path, body, status, message):
    answer = ask(models, body, path)

    assert answer.status_code == status
    assert message in answer.body["detail"]


@pytest.mark.parametrize("body", ['{"inputs": [1, 2]}', b'{"inputs": [1, 2]}'])
def test_texts_and_bytes_of_json_are_read(ask, models, body):
    assert ask(models, body, f"{MODELS}/m1").body["outputs"] == [2, 4]


def test_the_bodys_id_wins_over_the_events(ask, models):
    plain = ask(models, TWO, event_id="ev-1")
    own = ask(models, {**TWO, "id": "mine"}, event_id="ev-1")

    assert (plain.body["id"], own.body["id"]) == ("ev-1", "mine")


@pytest.mark.parametrize(
    ("args", "path"),
    [
        ({"protocol": "v1"}, "/v1/models/m1/infer"),
        ({"url_prefix": "/serve"}, "/serve/m1/infer"),
        ({"url_prefix": "a/b/"}, "/a/b/m1"),
    ],
)
def test_the_prefix_may_be_another(ask, models, args, path):
    graph = Graph.from_spec(with_router(models.spec, class_args=args), models.namespace)

    assert ask(graph, TWO, path).body["outputs"] == [2, 4]
    assert ask(graph, TWO, f"{MODELS}/m1").status_code == 400


def test_a_router_without_routes_is_refused(open_runner):
    with pytest.raises(SpecError, match="router 'router' has no routes"):
        open_runner(Graph("empty", topology="router"))


class PathRouter(ModelRouter):
    def preprocess(self, event):
        event.body = {**event.body, "inputs": [10]}
        return event

    def postprocess(self, event):
        event.body = {**event.body, "post": True}
        return event


def test_a_subclass_may_work_before_and_after(ask, times):
    graph = Graph("models", topology="router", router_class=PathRouter)
    graph.add_model("m1", times, mult=2)

    answer = ask(graph, TWO).body
    assert (answer["outputs"], answer["post"]) == ([20], True)


def test_routes_may_be_functions_and_coroutines(ask):
    async def later(body):
        return {"later": body["inputs"]}

    graph = Graph("mixed", topology="router")
    graph.add_route("now", handler=lambda body: {"now": body["inputs"]})
    graph.add_route("later", handler=later)

    assert ask(graph, TWO, f"{MODELS}/now").body == {"now": [1, 2]}
    assert ask(graph, TWO, f"{MODELS}/later").body == {"later": [1, 2]}


def flow_with_routers(times, *, second=False):
    graph = Graph("nested")
    graph.to(name="pre", handler=lambda body: body)
    graph.add_router("router")
    graph.add_route("m1", times, router_step="router", mult=2)
    graph.add_route("m2", times, router_step="router", mult=3)
    if second:
        graph.add_step(name="again", handler=lambda body: {"inputs": body["outputs"]})
        graph.add_router("router2")
        graph.add_route("n1", times, router_step="router2", mult=100)
    graph.add_step(name="post", handler=lambda body: body)
    return graph


@pytest.mark.parametrize(
    ("path", "method", "key", "value"),
    [
        (f"{MODELS}/m2/infer", "POST", "outputs", [3, 6]),
        ("/", "POST", "outputs", [2, 4]),
        (MODELS, "GET", "models", ["m1", "m2"]),
        ("/", "GET", "name", "ModelRouter"),
    ],
)
def test_a_router_is_a_step_of_a_flow(ask, times, path, method, key, value):
    assert ask(flow_with_routers(times), TWO, path, method).body[key] == value


def test_a_second_router_of_a_flow_finds_the_path_as_it_came(ask, times):
    answer = ask(flow_with_routers(times, second=True), TWO)

    assert answer.body["outputs"] == [200, 400]


def test_a_router_takes_and_fills_a_part_of_the_body(ask, models):
    spec = with_router(models.spec, input_path="d", result_path="res")
    graph = Graph.from_spec(spec, models.namespace)

    answer = ask(graph, {"d": TWO}, f"{MODELS}/m1").body
    assert answer["d"] == TWO
    assert answer["res"]["outputs"] == [2, 4]


def test_a_failing_model_names_itself_and_goes_to_the_routers_handler(ask):
    def fail(body):
        raise OSError("cannot predict")

    graph = Graph("nested")
    router = graph.add_router("router")
    router.add_route("bad", handler=fail)
    plain = ask(graph, TWO, f"{MODELS}/bad")
    assert (plain.status_code, plain.body["step"]) == (500, "bad")
    assert "cannot predict" in plain.body["detail"]

    router.error_handler("caught", handler=lambda body: {"caught": body["inputs"]})
    assert ask(graph, TWO, f"{MODELS}/bad").body == {"caught": [1, 2]}
