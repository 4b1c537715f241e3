"""V2ModelServer: what a model's subclass writes, and what its callers get."""

import asyncio
import threading
import time
from datetime import datetime

import pytest

from jupyter_graph import Event, Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.event import Trigger
from jupyter_graph.steps import V2ModelServer

TWO = {"inputs": [1, 2]}


def serve(class_name, **args):
    graph = Graph("one_model")
    graph.to(class_name, name="m", **args).respond()
    return graph


class Echo(V2ModelServer):
    def load(self):
        self.model = "loaded"

    def predict(self, request):
        return request["inputs"]


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
        ("/v2/models/m", [5, 10]),
        ("/v2/models/m/infer", [5, 10]),
        ("/v2/models/m/versions/3", [5, 10]),
        ("/v2/models/m/versions/3/explain", {"why": 2}),
        ("/explain", {"why": 2}),
    ],
)
def test_the_end_of_the_path_is_the_operation(ask, times, path, outputs):
    assert ask(serve(times, mult=5), TWO, path).body["outputs"] == outputs


@pytest.mark.parametrize(
    ("path", "body", "outputs"),
    [
        pytest.param("/", {"operation": "explain"}, {"why": 2}, id="body"),
        pytest.param("/infer", {"operation": "explain"}, [5, 10], id="path-wins"),
    ],
)
def test_the_body_may_say_the_operation(ask, times, path, body, outputs):
    answer = ask(serve(times, mult=5), {**TWO, **body}, path).body

    assert answer["outputs"] == outputs


def test_an_explanation_has_no_time(ask, times):
    answer = ask(serve(times), TWO, "/explain", event_id="ev-1").body

    assert answer == {"id": "ev-1", "model_name": "m", "outputs": {"why": 2}}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_model_has_operations_of_its_own(ask, times, method):
    answer = ask(serve(times, mult=5), {"x": 1}, "/custom", method)

    assert answer.body == {"custom": {"x": 1}, "mult": 5}


def test_a_get_asks_about_the_model(ask, times):
    answer = ask(serve(times), None, "/", "GET")

    assert answer.body == {
        "name": "m",
        "model_endpoint_uid": "",
        "inputs": [],
        "outputs": [],
    }


def test_a_model_that_knows_its_features_tells_them(ask, times):
    graph = serve(times, inputs=["age"], outputs=[{"name": "y", "datatype": "FP32"}])
    answer = ask(graph, None, "/", "GET").body

    assert answer["inputs"] == [{"name": "age"}]
    assert answer["outputs"] == [{"name": "y", "datatype": "FP32"}]
    assert (answer["versions"], answer["platform"]) == ([], "")


def test_a_loaded_model_is_ready(ask, times):
    answer = ask(serve(times), None, "/ready", "GET", event_id="ev-1")

    assert answer.body == b"Model m is ready (event_id = ev-1)"


@pytest.mark.parametrize("path", ["/infer", "/zip"])
def test_a_get_of_anything_else_is_not_allowed(ask, times, path):
    answer = ask(serve(times), None, path, "GET")

    assert answer.status_code == 405
    said = f"illegal model operation {path[1:]}, method=GET"
    assert said in answer.body["detail"]


def test_the_name_of_a_version_stands_in_an_explanation_alone(ask, models):
    path = "/v2/models/m2/versions/v2"

    assert ask(models, TWO, path).body["model_name"] == "m2"
    assert ask(models, TWO, f"{path}/explain").body["model_name"] == "m2:v2"
    assert ask(models, None, path, "GET").body["name"] == "m2"


class Careful(Echo):
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


def test_hooks_do_not_change_the_callers_body():
    class Adds(Echo):
        def preprocess(self, request, operation):
            request["inputs"] = [*request["inputs"], 3]
            return request

    body = {"inputs": [1]}
    model = Adds(name="m")
    assert model.do_event(event_of(body)).body["outputs"] == [1, 3]
    assert body == {"inputs": [1]}


def test_a_request_may_be_made_of_nothing():
    class Makes(Echo):
        def preprocess(self, request, operation):
            return request or {"inputs": [operation]}

    assert Makes(name="m").do_event(event_of(None)).body["outputs"] == ["infer"]


def event_of(body, path="/", method="POST"):
    return Event(body, path=path, method=method)


class Silent(V2ModelServer):
    """Neither predicts nor explains."""

    def load(self):
        self.model = 1


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/", TWO, 500, "NotImplementedError: Silent has no predict(self, request)"),
        ("/explain", TWO, 400, "model m does not explain (NotImplementedError"),
        ("/", [1], 400, "a model takes an object with 'inputs', got list"),
        ("/", {"x": 1}, 400, 'Expected key "inputs" in request body'),
        ("/", {"inputs": 5}, 400, 'Expected "inputs" to be a list'),
        ("/", None, 400, 'Expected key "inputs" in request body; the body is of type'),
        ("/", {"operation": 7}, 400, "'operation' must be a text, got 7"),
        ("/zip", TWO, 400, "illegal model operation zip, method=POST"),
        ("/a/b", TWO, 400, "illegal model operation a/b, method=POST"),
        ("/ready", TWO, 400, "illegal model operation ready, method=POST"),
        ("/__init__", TWO, 400, "illegal model operation __init__"),
        ("/infer_dict", TWO, 400, "provide `inputs=[...]`"),
    ],
)
def test_what_a_model_cannot_do_is_said(ask, path, body, status, message):
    answer = ask(serve(Silent), body, path)

    assert answer.status_code == status
    assert message in answer.body["detail"]


def test_another_protocol_checks_nothing(ask):
    class Anything(Echo):
        def predict(self, request):
            return sorted(request)

    answer = ask(serve(Anything, protocol="own"), {"b": 1, "a": 2}).body
    assert answer["outputs"] == ["a", "b"]


@pytest.mark.parametrize("operation", ["infer_dict", "predict_dict"])
@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ([{"b": 2, "a": 1}, {"a": 3, "b": 4, "c": 5}], [[1, 2], [3, 4]]),
        ({"b": 2, "a": 1}, [1, 2]),
    ],
)
def test_inputs_by_name_become_lists_in_order(ask, operation, inputs, outputs):
    graph = serve(Echo, inputs=["a", {"name": "b"}])
    answer = ask(graph, {"inputs": inputs}, f"/{operation}")

    assert answer.body["outputs"] == outputs


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([{"a": 1}], "doesn't contain ['b']; all the necessary input keys are"),
        ([[1, 2]], "must be of type list[dict] or dict, got list"),
        (7, "must be of type list[dict] or dict, got int"),
    ],
)
def test_inputs_by_name_that_do_not_fit_are_the_callers_fault(ask, inputs, message):
    graph = serve(Echo, inputs=["a", "b"])
    answer = ask(graph, {"inputs": inputs}, "/infer_dict")

    assert answer.status_code == 400
    assert message in answer.body["detail"]


class Broken(V2ModelServer):
    def load(self):
        raise OSError("model file missing")


class LateBroken(V2ModelServer):
    async def load(self):
        raise OSError("model file missing")


class NoLoad(V2ModelServer):
    def predict(self, request):
        return request["inputs"]


class HalfAsync(V2ModelServer):
    def do_event(self, event):
        return event

    async def predict(self, request):
        return []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Broken, "step 'm': failed to load model m: OSError: model file missing"),
        (LateBroken, "step 'm': failed to load model m: OSError: model file missing"),
        (NoLoad, "failed to load model m: ValueError: please write a load method"),
        (HalfAsync, "HalfAsync has coroutines, so its do_event must be one"),
    ],
)
def test_a_model_that_cannot_serve_stops_the_start(open_runner, model, message):
    with pytest.raises(SpecError, match=message):
        open_runner(serve(model))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"load_mode": "later"}, "load_mode must be 'sync' or 'async', got 'later'"),
        ({"inputs": "age"}, "inputs must be a list of names, got 'age'"),
        ({"outputs": [7]}, "outputs must be names, or mappings with a 'name', got 7"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        Echo(**args)


def test_a_model_is_loaded_once_and_before_the_first_event(open_runner):
    loads = []

    class Counting(Echo):
        def load(self):
            loads.append(self.model_path)

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


GATE = threading.Event()


class Slow(Echo):
    def load(self):
        assert GATE.wait(10)
        if self.get_param("fails", False):
            raise OSError("model file missing")


@pytest.fixture
def gate():
    GATE.clear()
    yield GATE
    GATE.set()


def until(condition):
    limit = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < limit


def test_a_model_that_loads_in_a_thread_refuses_until_it_is_ready(open_runner, gate):
    runner = open_runner(serve(Slow, load_mode="async"))
    early = runner.answer(TWO, silent=True)
    asked = runner.answer(None, path="/ready", method="GET", silent=True)
    gate.set()

    assert (early.status_code, early.body["detail"]) == (
        503,
        "model m is not ready yet",
    )
    assert (asked.status_code, asked.body) == (408, b"model not ready")
    until(lambda: runner.answer(TWO, silent=True).status_code == 200)


def test_a_model_that_failed_to_load_in_a_thread_says_why(open_runner, gate):
    runner = open_runner(serve(Slow, load_mode="async", fails=True))
    gate.set()

    said = "model m is not ready: OSError: model file missing"
    until(lambda: runner.answer(TWO, silent=True).body["detail"] == said)


def test_an_event_of_a_queue_waits_for_the_model(gate):
    model = Slow(name="m")
    model.post_init(mode="async")
    event = event_of(TWO)
    event.trigger = Trigger("kafka-cluster", "orders")
    threading.Timer(0.05, gate.set).start()

    assert model.do_event(event).body["outputs"] == [1, 2]


class Later(V2ModelServer):
    """Each hook is a coroutine."""

    async def load(self):
        await asyncio.sleep(0)
        self.model = 10

    async def preprocess(self, request, operation):
        await asyncio.sleep(0)
        return request

    async def validate(self, request, operation):
        return super().validate(request, operation)

    async def predict(self, request):
        await asyncio.sleep(0)
        return [x * self.model for x in request["inputs"]]

    async def explain(self, request):
        return "because"

    async def postprocess(self, response):
        return {**response, "post": True}

    async def op_custom(self, event):
        await asyncio.sleep(0)
        return {"custom": event.body}


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("/", "outputs", [10, 20]),
        ("/explain", "outputs", "because"),
        ("/infer", "post", True),
        ("/custom", "custom", TWO),
    ],
)
@pytest.mark.parametrize("place", ["step", "route"])
def test_hooks_may_be_coroutines(ask, place, path, key, value):
    graph = serve(Later)
    if place == "route":
        graph = Graph("models", topology="router")
        graph.add_model("m", Later)
        path = f"/v2/models/m{path}"

    assert ask(graph, TWO, path).body[key] == value


class OldStyle(Echo):
    """Names the paths itself, as MLRun's own servers do."""

    def __init__(
        self, context, name, model_path=None, input_path=None, result_path=None, **args
    ):
        super().__init__(
            context,
            name,
            model_path,
            input_path=input_path,
            result_path=result_path,
            **args,
        )

    def op_whole(self, event):
        return sorted(event.body)


@pytest.mark.parametrize("model", [Echo, OldStyle, Later])
def test_a_part_of_the_body_is_the_request_and_the_answer(ask, model):
    graph = serve(model, input_path="d.in", result_path="out")
    answer = ask(graph, {"d": {"in": TWO}, "more": 1}).body

    assert (answer["d"], answer["more"]) == ({"in": TWO}, 1)
    assert answer["out"]["outputs"] in ([1, 2], [10, 20])


def test_an_operation_of_its_own_gets_the_whole_event(ask):
    graph = serve(OldStyle, input_path="d", result_path="out")
    answer = ask(graph, {"d": TWO, "more": 1}, "/whole").body

    assert answer["out"] == ["d", "more"]


def test_a_subclass_without_coroutines_is_called_plainly():
    class Plain(Later):
        def preprocess(self, request, operation):
            return request

        validate = V2ModelServer.validate

        def predict(self, request):
            return ["plain"]

        def explain(self, request):
            return "plain"

        def postprocess(self, response):
            return response

        def op_custom(self, event):
            return None

    assert asyncio.iscoroutinefunction(Later.do_event)
    assert not asyncio.iscoroutinefunction(Plain.do_event)
    assert Plain(name="m").do_event(event_of(TWO)).body["outputs"] == ["plain"]


def test_a_parameter_comes_from_the_step_else_from_the_graph(open_runner):
    class Asking(Echo):
        def predict(self, request):
            return [self.get_param(key, "default") for key in request["inputs"]]

    runner = open_runner(
        serve(Asking, a="step"), parameters={"a": "graph", "b": "graph"}
    )
    answer = runner.run({"inputs": ["a", "b", "c"]})
    assert answer["outputs"] == ["step", "graph", "default"]


def test_a_model_works_without_a_graph():
    class Double(Echo):
        def predict(self, request):
            return [2 * x for x in request["inputs"]]

    model = Double(name="d:1")
    assert model.predict(TWO) == [2, 4]
    assert (model.name, model.version, model.get_param("x", 7)) == ("d:1", "1", 7)
    assert model.do_event(event_of(TWO)).body["model_name"] == "d"


class Watched:
    """A context that keeps the records."""

    worker_id = "3"

    def __init__(self):
        self.records = []
        self.push_prediction = self.records.append


def test_answers_and_failures_are_recorded_where_the_context_asks_for_it():
    class Picky(Echo):
        def predict(self, request):
            self.set_metric("rows", len(request["inputs"]))
            return [1 / x for x in request["inputs"]]

    watched = Watched()
    model = Picky(watched, "m", model=1, model_endpoint_uid="uid-1")
    answer = model.do_event(event_of({"inputs": [1, 2]})).body
    with pytest.raises(ZeroDivisionError):
        model.do_event(event_of({"inputs": [0]}))

    good, bad = watched.records
    assert answer["model_endpoint_uid"] == "uid-1"
    assert (good["class"], good["model"], good["op"]) == ("Picky", "m", "infer")
    assert good["resp"]["outputs"] == [1.0, 0.5]
    assert (good["metrics"], good["effective_sample_count"]) == ({"rows": 2}, 2)
    assert (bad["error"], bad["worker"]) == ("division by zero", "3")


def test_a_model_chooses_what_is_recorded():
    class Private(Echo):
        def logged_results(self, request, response, op):
            return ["hidden"], response["outputs"][:1]

    watched = Watched()
    Private(watched, "m", model=1).do_event(event_of({"id": "a", "inputs": [1, 2]}))

    [record] = watched.records
    assert record["request"] == {"id": "a", "inputs": ["hidden"]}
    assert record["resp"] == {"outputs": [1]}
