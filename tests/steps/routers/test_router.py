"""ModelRouter: paths, versions, bodies, errors."""

import functools
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.event import Event
from jupyter_graph.picture.scene import scene
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.validate import validate
from jupyter_graph.steps import ModelRouter
from jupyter_graph.types import NOTHING

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
        ("/v2", "GET", {"name": "ModelRouter", "version": "v2", "extensions": []}),
        (
            "/v2/health/live",
            "GET",
            {"live": True},
        ),
        (
            "/v2/health/ready",
            "GET",
            {"ready": True},
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
        (f"{MODELS}/m1", {}, 400, 'Expected key "inputs" in request body'),
        ("/v2/health/live", TWO, 400, "illegal path prefix"),
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


class Named:
    def __init__(self, name, by):
        self.name, self.by = name, by

    def do(self, body):
        if not body["inputs"]:
            raise ValueError("nothing to multiply")
        return {"model": self.name, "inputs": [x * self.by for x in body["inputs"]]}


def with_routes_of_one_name():
    graph = Graph("twice")
    graph.add_step(name="m1", handler=lambda body: body)
    first = graph.add_router("first", after="m1")
    first.add_route("m1", class_name=Named, by=2)
    second = graph.add_router("second", after="first")
    second.add_route("m1", class_name=Named, by=10)
    second.add_route("second", class_name=Named, by=100)
    second.respond()
    return graph


def test_routes_of_two_routers_may_have_one_name(ask):
    graph = with_routes_of_one_name()

    assert ask(graph, TWO).body == {"model": "m1", "inputs": [20, 40]}
    assert ask(graph, {"inputs": []}).body["step"] == "first/m1"
    assert Graph.from_dict(graph.to_dict()).spec.steps == graph.spec.steps
    figures = scene(graph.spec).figures
    assert {"m1", "first/m1", "second/m1", "second/second"} <= figures.keys()


def test_routes_of_one_router_have_names_of_their_own():
    route = StepSpec(name="m", handler="f")
    router = StepSpec(name="r", kind="router", routes=(route, route))

    with pytest.raises(SpecError, match="2 routes of 'r' are named 'm'"):
        validate(GraphSpec(steps=(router,)))


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


def test_a_list_of_models_is_given_whatever_the_body_names(ask, models):
    answer = ask(models, {"model": "m2", "inputs": [1]}, MODELS)

    assert answer.body == {"models": ["m1", "m2", "m2:v2"]}


def test_the_repository_lists_models_and_versions(ask, models):
    index = ask(models, {}, "/v2/repository/index").body

    assert index[0] == {"name": "m1", "version": "", "state": "READY", "reason": ""}
    assert (index[2]["name"], index[2]["version"]) == ("m2", "v2")


def test_metadata_and_readiness_are_the_models_own(ask, models):
    assert ask(models, None, f"{MODELS}/m2/versions/v2", "GET").body["name"] == "m2"
    assert ask(models, None, f"{MODELS}/m2/versions/v2/ready", "GET").status_code == 200
    assert ask(models, None, f"{MODELS}/ghost/ready", "GET").status_code == 404


# -- called directly ------------------------------------------------------------


def echo(event):
    event.body = {"path": event.path, "body": event.body}
    return event


def asked(router, body=None, path="/", **facts):
    return router.do_event(Event(body, path=path, **facts)).body


@pytest.mark.parametrize(
    ("path", "body", "operation"),
    [
        ("/", {}, "infer"),
        (f"{MODELS}/m1", {}, ""),
        (f"{MODELS}/m1/infer", {}, "infer"),
        (f"{MODELS}/m1/a/b", {}, "a/b"),
        (f"{MODELS}/m1/infer", {"operation": "explain"}, "explain"),
    ],
)
def test_a_model_sees_its_operation_as_path(path, body, operation):
    router = ModelRouter(routes={"m1": echo})

    event = Event(body, path=path)
    assert router.do_event(event).body["path"] == operation
    assert event.path == path


def test_the_path_is_put_back_when_a_model_fails():
    def fail(event):
        raise OSError("broken")

    event = Event({}, path=f"{MODELS}/m1/infer")
    with pytest.raises(OSError, match="broken"):
        ModelRouter(routes={"m1": fail}).do_event(event)

    assert event.path == f"{MODELS}/m1/infer"


def test_images_become_inputs_to_read():
    router = ModelRouter(routes={"m1": echo})

    body = asked(router, b"\x89PNG", content_type="image/png")["body"]
    assert [sample.read() for sample in body["inputs"]] == [b"\x89PNG"]
    assert asked(router, b"{}", content_type="image/png")["body"].keys() == {"inputs"}


def test_protocol_v1_calls_inputs_instances():
    router = ModelRouter(routes={"m1": echo}, protocol="v1")

    assert "instances" in asked(router, b"GIF", content_type="image/gif")["body"]


def test_paths_in_the_arguments_work_as_those_of_the_step():
    router = ModelRouter(routes={"m1": echo}, input_path="d", result_path="r.s")

    found = asked(router, {"d": {"x": 1}, "r": {"t": 2}})
    assert found["r"] == {"t": 2, "s": {"path": "infer", "body": {"x": 1}}}


def test_a_subclass_may_be_written_as_for_mlrun():
    class Last(ModelRouter):
        def __init__(self, context=None, name=None, routes=None, limit=1, **more):
            super().__init__(context, name, routes, "v2", **more)
            self.limit = limit

        def parse_event(self, event):
            return {"parsed": event.body, "extra": self.kwargs["extra"]}

        def postprocess(self, event):
            return self.routes["m2"].run(event)

    router = Last(None, "mine", {"m1": echo, "m2": echo}, limit=3, extra=5)
    found = asked(router, "text")["body"]

    assert found["body"] == {"parsed": "text", "extra": 5}
    assert (router.name, router.limit) == ("mine", 3)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"routes": {}}, "ModelRouter has no routes"),
        ({"url_prefx": "/x"}, "takes no 'url_prefx'; did you mean 'url_prefix'?"),
        ({"data_url_prefixes": ["file:///"]}, "must look like 'https://"),
        ({"data_url_prefixes": "https://host"}, "got 'https://host'"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        ModelRouter(**{"routes": {"m1": echo}, **args})


# -- inputs by URL --------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """Serve a folder; give its URL."""
    (tmp_path / "a.txt").write_bytes(b"a sample")

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_may_name_its_input_by_an_allowed_url(files):
    router = ModelRouter(routes={"m1": echo}, data_url_prefixes=[files])

    body = asked(router, {"data_url": f"{files}a.txt"})["body"]
    assert [sample.read() for sample in body["inputs"]] == [b"a sample"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://127.0.0.1:9/x", "must begin with", id="elsewhere"),
        pytest.param("file:///etc/hosts", "must begin with", id="a-file"),
        pytest.param(7, "must begin with", id="no-text"),
        pytest.param("away", "must begin with", id="leads-elsewhere"),
        pytest.param("gone", "cannot be read: HTTP Error 404", id="not-there"),
    ],
)
def test_other_urls_are_refused(files, url, message):
    router = ModelRouter(routes={"m1": echo}, data_url_prefixes=files)
    url = files + url if url in ("away", "gone") else url

    with pytest.raises(BadRequestError, match=message):
        asked(router, {"data_url": url})


def test_without_prefixes_nothing_is_downloaded(files):
    with pytest.raises(BadRequestError, match="'data_url' is not allowed here"):
        asked(ModelRouter(routes={"m1": echo}), {"data_url": files})


def test_an_error_handler_gets_what_the_router_got(ask):
    def fail(body):
        raise OSError("cannot predict")

    graph = Graph("nested")
    router = graph.add_router("router", input_path="d")
    router.add_route("bad", handler=fail)
    router.error_handler("caught", handler=lambda body: {"caught": body})

    answer = ask(graph, {"d": TWO}, f"{MODELS}/bad")
    assert answer.body == {"caught": {"d": TWO}}


def test_a_route_may_drop_the_event(ask):
    class Drops:
        may_drop = True

        def do(self, body):
            return NOTHING

    graph = Graph("models", topology="router")
    graph.add_route("m", Drops)

    assert ask(graph, TWO, f"{MODELS}/m").status_code == 204


@pytest.mark.parametrize("path", ["/", "/v2/models", "/v2/health"])
def test_what_a_router_says_of_itself_has_no_result_path(path):
    router = ModelRouter(routes={"m1": echo}, result_path="r")

    found = router.do_event(Event(None, path=path, method="GET")).body

    assert "r" not in found


@pytest.mark.parametrize("path", ["//m1/infer", "/m1//infer", "/m1/infer/"])
def test_slashes_may_be_doubled(path):
    router = ModelRouter(routes={"m1": lambda event: Event(event.path)})

    event = Event({"inputs": []}, path=f"/v2/models{path}", method="POST")

    assert router.do_event(event).body == "infer"
