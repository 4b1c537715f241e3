"""V2ModelServer: what a model's subclass writes, and what its callers get."""

from datetime import datetime

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import V2ModelServer

TWO = {"inputs": [1, 2]}


def serve(class_name, **args):
    graph = Graph("one_model")
    graph.to(class_name, name="m", **args).respond()
    return graph


def test_a_prediction_tells_id_model_outputs_and_time(ask, times):
    answer = ask(serve(times, mult=5), TWO, event_id="ev-1").body

    assert datetime.fromisoformat(answer.pop("timestamp")).tzinfo
    assert answer == {"id": "ev-1", "model_name": "m", "outputs": [5, 10]}


@pytest.mark.parametrize(
    ("path", "outputs"),
    [
        ("/", [5, 10]),
        ("/infer", [5, 10]),
        ("/predict", [5, 10]),
        ("/v2/models/m/infer", [5, 10]),
        ("/explain", {"why": 2}),
    ],
)
def test_the_end_of_the_path_is_the_operation(ask, times, path, outputs):
    assert ask(serve(times, mult=5), TWO, path).body["outputs"] == outputs


def test_an_explanation_has_no_time(ask, times):
    answer = ask(serve(times), TWO, "/explain", event_id="ev-1").body

    assert answer == {"id": "ev-1", "model_name": "m", "outputs": {"why": 2}}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_model_has_operations_of_its_own(ask, times, method):
    answer = ask(serve(times, mult=5), {"x": 1}, "/custom", method)

    assert answer.body == {"custom": {"x": 1}, "mult": 5}


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, {"name": "m", "version": "", "inputs": [], "outputs": []}),
        ("/ready", 200, b""),
    ],
)
def test_a_get_asks_about_the_model(ask, times, path, status, body):
    answer = ask(serve(times), None, path, "GET")

    assert (answer.status_code, answer.body or b"") == (status, body)


def test_a_get_of_anything_else_is_not_allowed(ask, times):
    answer = ask(serve(times), None, "/infer", "GET")

    assert answer.status_code == 405
    assert "illegal model operation infer, method=GET" in answer.body["detail"]


def test_a_version_of_a_model_stands_in_its_answers(ask, models):
    path = "/v2/models/m2/versions/v2"
    answer = ask(models, TWO, path).body

    assert (answer["model_name"], answer["model_version"]) == ("m2", "v2")
    assert ask(models, None, path, "GET").body["version"] == "v2"


class Careful(V2ModelServer):
    def load(self):
        self.seen = []

    def preprocess(self, request, operation):
        self.seen.append(("preprocess", operation))
        return {**request, "inputs": [x + 100 for x in request["inputs"]]}

    def validate(self, request, operation):
        self.seen.append(("validate", operation))
        if len(request["inputs"]) > 3:
            raise ValueError("too many inputs")
        return super().validate(request, operation)

    def predict(self, request):
        return [*request["inputs"], *self.seen]

    def postprocess(self, response):
        return {**response, "op": "post"}


def test_a_request_is_changed_checked_answered_and_changed(ask):
    answer = ask(serve(Careful), {"inputs": [1]})

    assert answer.body["outputs"] == [
        101,
        ["preprocess", "infer"],
        ["validate", "infer"],
    ]
    assert answer.body["op"] == "post"


def test_a_request_that_the_model_refuses_fails(ask):
    answer = ask(serve(Careful), {"inputs": [1, 2, 3, 4]})

    assert answer.status_code == 500
    assert answer.body["detail"] == "ValueError: too many inputs"


class Silent(V2ModelServer):
    """Neither loads, predicts nor explains."""


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/", TWO, 500, "Silent has no predict(self, request)"),
        ("/explain", TWO, 400, "model m does not explain"),
        ("/", [1], 400, "a model takes an object with 'inputs', got list"),
        ("/zip", TWO, 400, "illegal model operation zip, method=POST"),
        ("/__init__", TWO, 400, "illegal model operation __init__"),
    ],
)
def test_what_a_model_cannot_do_is_said(ask, path, body, status, message):
    answer = ask(serve(Silent), body, path)

    assert answer.status_code == status
    assert message in answer.body["detail"]


class Broken(V2ModelServer):
    def load(self):
        raise OSError("model file missing")


class Later(V2ModelServer):
    async def predict(self, request):
        return []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Broken, "step 'm': failed to load model m: OSError: model file missing"),
        (Later, "step 'm': Later.predict must be a plain function"),
    ],
)
def test_a_model_that_cannot_serve_stops_the_start(open_runner, model, message):
    with pytest.raises(SpecError, match=message):
        open_runner(serve(model))


def test_a_model_is_loaded_once_and_before_the_first_event(open_runner):
    loads = []

    class Counting(V2ModelServer):
        def load(self):
            loads.append(self.model_path)

        def predict(self, request):
            return request["inputs"]

    runner = open_runner(serve(Counting, model_path="models/x"))
    assert loads == ["models/x"]
    runner.run(TWO)
    runner.run(TWO)
    assert loads == ["models/x"]


def test_a_model_given_as_an_object_is_not_loaded(ask):
    class Given(V2ModelServer):
        def load(self):
            raise AssertionError

        def predict(self, request):
            return [self.model(x) for x in request["inputs"]]

    assert ask(serve(Given, model=lambda x: -x), TWO).body["outputs"] == [-1, -2]


def test_a_parameter_comes_from_the_step_else_from_the_graph(open_runner):
    class Asking(V2ModelServer):
        def predict(self, request):
            return [self.get_param(key, "default") for key in request["inputs"]]

    runner = open_runner(
        serve(Asking, a="step"), parameters={"a": "graph", "b": "graph"}
    )
    answer = runner.run({"inputs": ["a", "b", "c"]})
    assert answer["outputs"] == ["step", "graph", "default"]


def test_a_model_works_without_a_graph():
    class Double(V2ModelServer):
        def predict(self, request):
            return [2 * x for x in request["inputs"]]

    model = Double(name="d:1")
    assert model.predict(TWO) == [2, 4]
    assert (model.name, model.version, model.get_param("x", 7)) == ("d", "1", 7)
