"""VotingEnsemble: votes, weights, paths, members that fail."""

import asyncio
import random

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import (
    BadRequestError,
    MethodNotAllowedError,
    NotFoundError,
    SpecError,
    StatusError,
)
from jupyter_graph.event import Event
from jupyter_graph.steps import VotingEnsemble
from jupyter_graph.steps.routers.votes import majority, mean, weights_of

MODELS = "/v2/models"
TWO = {"inputs": [0, 0]}


def says(outputs, **more):
    def model(event):
        event.body = {"outputs": outputs, "op": event.path, **more}
        return event

    return model


def fail(event):
    raise OSError("no answer")


def ensemble(*outputs, **args):
    routes = {f"e{i}": says(found) for i, found in enumerate(outputs)}
    return VotingEnsemble(routes=routes, executor_type="array", **args)


def asked(router, body=TWO, path="/", **facts):
    return router.do_event(Event(body, path=path, **facts)).body


@pytest.mark.parametrize(
    ("outputs", "args", "votes"),
    [
        pytest.param([[1, 2], [2, 2], [2, 1]], {}, [2, 2], id="classes"),
        pytest.param([[3], [1], [2]], {}, [1], id="a-tie-gives-the-lowest"),
        pytest.param([[1.5], [2.5], [3.5]], {}, [2.5], id="floats-are-regression"),
        pytest.param([[1.0], [2.0], [2.0]], {}, [2], id="whole-floats-are-classes"),
        pytest.param([["b"], ["a"], ["b"]], {}, ["b"], id="texts"),
        pytest.param([[-1], [-1], [2]], {}, [-1], id="negative-classes"),
        pytest.param(
            [[1.7], [1.2]], {"vote_type": "classification"}, [1], id="cut-to-classes"
        ),
        pytest.param([[1], [2]], {"vote_type": "regression"}, [1.5], id="mean"),
        pytest.param(
            [[[1, 2]], [[3, 4]]], {"vote_type": "regression"}, [[2.0, 3.0]], id="lists"
        ),
        pytest.param([[], []], {}, [], id="no-inputs"),
    ],
)
def test_models_vote(outputs, args, votes):
    assert asked(ensemble(*outputs, **args))["outputs"] == votes


@pytest.mark.parametrize(
    ("weights", "vote_type", "vote"),
    [
        ({"e0": 0.6, "e1": 0.2, "e2": 0.2}, "classification", 1),
        ({"e0": 0.6, "e1": 0.2, "e2": 0.2}, "regression", 1.6),
        ({"e0": 0.2, "e1": 0.2}, "regression", 1.5),
        ({"e1": 1}, "regression", 2),
        ({"e0": 2, "e1": 3}, "regression", 8),
    ],
)
def test_votes_have_weights(weights, vote_type, vote):
    router = ensemble([1], [2], [3], weights=weights, vote_type=vote_type)

    assert asked(router)["outputs"] == [pytest.approx(vote)]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"e00": 1}, "weights has 'e00', which is no route; did you mean 'e0'"),
        ({"e0": "1"}, "the weight of 'e0' must be a number, got '1'"),
        ({"e0": float("nan")}, "must be a number, got nan"),
        ({"e0": 0}, "weights must sum to more than 0"),
        ({}, "weights must sum to more than 0"),
        ([1], "weights must be numbers by route, got"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(SpecError, match=message):
        ensemble([1], [2], weights=weights)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"vote_type": "mode"}, "vote_type must be classification or regression"),
        ({"executor": "thread"}, "VotingEnsemble takes no 'executor'"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        ensemble([1], **args)


@pytest.mark.parametrize("seed", range(5))
def test_votes_are_those_of_the_formulas(seed):
    numpy = pytest.importorskip("numpy")
    chance = random.Random(seed)
    weights = [chance.random() for _ in range(4)]
    rows = [[chance.randrange(5) for _ in range(4)] for _ in range(20)]
    one_hot = (numpy.arange(5) == numpy.array(rows)[..., None]).astype(int)
    by_class = numpy.einsum("smc,m->sc", one_hot, weights)

    assert majority(rows, weights) == by_class.argmax(axis=1).tolist()
    assert mean(rows, weights) == pytest.approx((numpy.array(rows) @ weights).tolist())


def test_the_first_answer_decides_the_kind_of_vote():
    router = ensemble([1], [2])
    asked(router)
    router.routes["e0"].call = says([1.9])

    assert asked(router)["outputs"] == [1]


# -- paths ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "operation"),
    [
        ("/", TWO, "infer"),
        (f"{MODELS}/infer", TWO, "infer"),
        (f"{MODELS}/predict", TWO, "predict"),
        (f"{MODELS}/VotingEnsemble", TWO, ""),
        (f"{MODELS}/VotingEnsemble/predict", TWO, "predict"),
        ("/", {**TWO, "operation": "predict"}, "predict"),
        ("/", {**TWO, "model": "e0"}, "infer"),
    ],
)
def test_a_path_leads_to_all_models(path, body, operation):
    seen = []

    class Noted(VotingEnsemble):
        def merge(self, event, replies):
            seen.extend(reply.body["op"] for reply in replies.values())
            return super().merge(event, replies)

    routes = {"e0": says([1]), "e1": says([1])}
    answer = asked(Noted(routes=routes, name="VotingEnsemble"), body, path, id="7")

    assert answer == {"id": "7", "model_name": "VotingEnsemble", "outputs": [1]}
    assert seen == [operation] * 2


@pytest.mark.parametrize(
    ("path", "outputs"),
    [(f"{MODELS}/e1", [2]), (f"{MODELS}/e1/infer", [2]), (f"{MODELS}/e0", [1])],
)
def test_a_path_may_lead_to_one_model(path, outputs):
    assert asked(ensemble([1], [2]), path=path)["outputs"] == outputs


def test_models_and_weights_are_listed():
    router = ensemble([1], [2], weights={"e1": 1})

    answer = asked(router, path=MODELS, method="GET")
    assert answer == {
        "models": ["e0", "e1", "VotingEnsemble"],
        "weights": {"e1": 1, "e0": 0},
    }
    assert asked(ensemble([1]), path=MODELS)["weights"] is None


def test_metadata_is_that_of_the_models():
    def meta(event):
        event.body = {"name": "m", "inputs": ["x"], "outputs": []}
        return event

    router = VotingEnsemble(routes={"bad": fail, "a": meta}, executor_type="thread")
    answer = asked(router, None, f"{MODELS}/VotingEnsemble", method="GET")
    router.close()

    assert answer == {
        "name": "VotingEnsemble",
        "model_endpoint_uid": "",
        "inputs": ["x"],
        "outputs": [],
    }


def test_the_ensemble_is_ready():
    path = f"{MODELS}/VotingEnsemble/ready"

    assert asked(ensemble([1]), None, path, method="GET") == b""


@pytest.mark.parametrize(
    ("body", "path", "method", "error", "message"),
    [
        (TWO, f"{MODELS}/ghost", "POST", NotFoundError, "e0 . VotingEnsemble or an op"),
        (TWO, "/foo", "POST", BadRequestError, "illegal path prefix"),
        ({"x": 1}, "/", "POST", BadRequestError, 'Expected key "inputs"'),
        (None, "/", "POST", BadRequestError, 'Expected key "inputs"'),
        ({"inputs": 1}, "/", "POST", BadRequestError, 'Expected "inputs" to be a list'),
        (None, f"{MODELS}/infer", "GET", MethodNotAllowedError, "infer, method=GET"),
    ],
)
def test_a_wrong_request_is_the_callers_fault(body, path, method, error, message):
    with pytest.raises(error, match=message):
        asked(ensemble([1]), body, path, method=method)


# -- what the models give -------------------------------------------------------


def test_outputs_may_have_a_column_name():
    named = ensemble({"prediction": [1, 2]}, {"prediction": [1, 2]})
    flag = {"format_response_with_col_name_flag": True}
    asked_for = ensemble({"prediction": [1]}, {"prediction": [1]}, **flag)
    other = ensemble({"y": [1]}, prediction_col_name="y", vote_type="regression")

    assert asked(named)["outputs"] == {"prediction": [1, 2]}
    assert asked(asked_for)["outputs"] == {"prediction": [1]}
    assert asked(other)["outputs"] == {"y": [1.0]}
    with pytest.raises(TypeError, match=r"models give their outputs as.*got list"):
        asked(ensemble([1], [1], **flag))


@pytest.mark.parametrize(
    ("outputs", "error", "message"),
    [
        ([{"y": [1]}], ValueError, "the outputs have no 'prediction'"),
        ([[1, 2], [1]], ValueError, "different numbers of outputs: {'e0': 2, 'e1': 1}"),
        ([5], TypeError, "outputs must be a list, got int"),
    ],
)
def test_outputs_that_cannot_vote_fail_the_event(outputs, error, message):
    with pytest.raises(error, match=message):
        asked(ensemble(*outputs))


def test_a_member_that_is_no_model_fails_the_event():
    router = VotingEnsemble(routes={"a": lambda event: event}, executor_type="array")

    with pytest.raises(TypeError, match="model 'a' must answer with an object that"):
        asked(router)


def test_arrays_are_outputs_too():
    numpy = pytest.importorskip("numpy")

    assert asked(ensemble(numpy.array([1, 2]), [1, 2]))["outputs"] == [1, 2]


def test_a_subclass_may_vote_with_arrays():
    pytest.importorskip("numpy")

    class Least(VotingEnsemble):
        def logic(self, predictions, weights):
            return predictions.min(axis=1) * weights.sum()

    routes = {"a": says([3, 1]), "b": says([2, 5])}
    assert asked(Least(routes=routes, executor_type="array"))["outputs"] == [2.0, 1.0]


def test_a_subclass_may_ask_for_the_usual_vote():
    pytest.importorskip("numpy")

    class Plus(VotingEnsemble):
        def logic(self, predictions, weights):
            return [vote + 1 for vote in super().logic(predictions, weights)]

    routes = {"a": says([3]), "b": says([3])}
    assert asked(Plus(routes=routes, executor_type="array"))["outputs"] == [4]


# -- members that fail ----------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "vote"),
    [(None, 3.0), ({"a": 0.25, "b": 0.25, "bad": 0.5}, 3.0), ({"a": 3, "bad": 1}, 8.0)],
)
def test_the_others_take_the_weight_of_one_that_fails(weights, vote):
    router = VotingEnsemble(
        routes={"a": says([2.0]), "b": says([4.0]), "bad": fail},
        vote_type="regression",
        weights=weights,
    )

    assert asked(router)["outputs"] == [pytest.approx(vote)]
    router.close()


def test_models_without_weight_cannot_vote_alone():
    router = VotingEnsemble(
        routes={"a": says([2]), "bad": fail}, weights={"bad": 1}, vote_type="regression"
    )

    with pytest.raises(ValueError, match="only models without weight answered"):
        asked(router)
    router.close()


def test_an_ensemble_whose_models_all_fail_fails():
    router = VotingEnsemble(routes={"a": fail, "b": fail})

    with pytest.raises(StatusError, match="all routes of 'VotingEnsemble' failed: a"):
        asked(router)
    router.close()


def test_coroutines_vote():
    async def model(event):
        await asyncio.sleep(0)
        event.body = {"outputs": [3]}
        return event

    router = VotingEnsemble(routes={"a": model, "b": says([3])})
    answered = asyncio.run(router.do_event_async(Event(TWO)))
    one = asyncio.run(router.do_event_async(Event(TWO, path=f"{MODELS}/a")))
    router.close()

    assert (answered.body["outputs"], one.body) == ([3], {"outputs": [3]})


def test_models_vote_in_a_graph(ask, times):
    graph = Graph("vote", topology="router", router_class=VotingEnsemble)
    graph.add_model("m1", times, mult=2)
    graph.add_model("m2", times, mult=2)
    graph.add_model("m3", times, mult=5)

    answer = ask(graph, {"inputs": [1, 3]}, event_id="ev-1").body
    assert answer["outputs"] == [2, 6]
    assert answer["id"] == "ev-1"
    assert ask(graph, {"inputs": [1]}, f"{MODELS}/m3").body["outputs"] == [5]


def test_weights_below_one_are_scaled_up():
    found = weights_of({"a": 0.1}, {"a": 1, "b": 2})

    assert found == {"a": 1.0, "b": 0.0}
