"""The open inference protocol: requests by tensor, answers by tensor."""

import json

import numpy as np
import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps import V2ModelServer
from jupyter_graph.steps.models.inference_protocol import (
    LENGTH_HEADER,
    health,
    is_inference,
    read_body,
)
from jupyter_graph.steps.models.tensors import Columns


class Plain(V2ModelServer):
    """Gives back what it was asked, and knows nothing of tensors."""

    def load(self):
        self.model = "loaded"

    def predict(self, request):
        return request["inputs"]

    def explain(self, request):
        return {"seen": request["inputs"]}


class Arrays(Plain):
    """Takes arrays, and gives two outputs by name."""

    takes_arrays = True

    def predict(self, request):
        array = request["inputs"]
        return Columns(total=array.sum(axis=1), kind=np.array(["a"] * len(array)))


@pytest.fixture
def asks(ask, serve):
    """Ask a model with tensors; give the body of the answer."""

    def send(server, *tensors, more=None, path="/infer", **args):
        body = {"inputs": list(tensors), **(more or {})}
        return ask(serve(server, **args), body, path, event_id="ev-1")

    return send


def test_a_request_by_tensor_is_answered_by_tensor(asks, tensor):
    answer = asks(Plain, tensor("x", "INT32", [2, 2], [1, 2, 3, 4]), more={"id": "a"})

    assert answer.body == {
        "model_name": "m",
        "id": "a",
        "outputs": [
            {
                "name": "output_0",
                "datatype": "INT64",
                "shape": [2, 2],
                "data": [1, 2, 3, 4],
            }
        ],
    }


def test_a_plain_request_is_answered_plainly(ask, serve):
    answer = ask(serve(Plain), {"inputs": [{"name": "ann", "age": 3}]})

    assert answer.body["outputs"] == [{"name": "ann", "age": 3}]


def test_the_events_id_stands_for_one_that_is_missing(asks, tensor):
    assert asks(Plain, tensor("x", "FP32", [1], [1])).body["id"] == "ev-1"


def test_a_version_stands_in_the_answer(ask, tensor):
    graph = Graph("models", topology="router")
    graph.add_model("m:2", Plain)
    body = {"inputs": [tensor("x", "BOOL", [1], [True])]}
    answer = ask(graph, body, "/v2/models/m/versions/2/infer").body

    assert (answer["model_name"], answer["model_version"]) == ("m", "2")


def test_several_tensors_are_rows_by_name(asks, tensor):
    ages = tensor("age", "INT64", [2], [30, 40])
    names = tensor("who", "BYTES", [2, 1], ["ann", "bob"])
    answer = asks(Plain, ages, names, path="/explain")

    assert answer.body["outputs"] == {
        "seen": [{"age": 30, "who": ["ann"]}, {"age": 40, "who": ["bob"]}]
    }


def test_a_model_may_take_arrays_and_name_its_outputs(asks, tensor):
    answer = asks(Arrays, tensor("x", "FP32", [2, 2], [1, 2, 3, 4])).body

    assert answer["outputs"] == [
        {"name": "total", "datatype": "FP32", "shape": [2], "data": [3.0, 7.0]},
        {"name": "kind", "datatype": "BYTES", "shape": [2], "data": ["a", "a"]},
    ]


def test_the_caller_may_choose_outputs(asks, tensor):
    wanted = {"outputs": [{"name": "kind"}]}
    answer = asks(Arrays, tensor("x", "FP32", [1, 1], [1]), more=wanted).body

    assert [one["name"] for one in answer["outputs"]] == ["kind"]


def test_outputs_have_the_names_and_types_that_are_told(asks, tensor):
    outputs = [{"name": "y", "datatype": "FP32"}]
    answer = asks(Plain, tensor("x", "INT8", [1], [7]), outputs=outputs).body

    assert answer["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [1], "data": [7.0]}
    ]


def test_an_answer_changed_afterwards_is_what_the_caller_gets(asks, tensor):
    class Posts(Plain):
        def postprocess(self, response):
            return {**response, "outputs": ["changed"]}

    answer = asks(Posts, tensor("x", "INT8", [1], [7])).body
    assert answer["outputs"][0]["data"] == ["changed"]


GOOD = {"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}


@pytest.mark.parametrize(
    ("tensors", "more", "message"),
    [
        ([{**GOOD, "datatype": "FP8"}], {}, "has the datatype 'FP8', known are BOOL"),
        ([{**GOOD, "shape": [-1]}], {}, "'shape' must be a list of sizes, got [-1]"),
        ([{**GOOD, "shape": 3}], {}, "'shape' must be a list of sizes, got 3"),
        ([{**GOOD, "data": [1, 2]}], {}, "has 2 values, but its shape [1] takes 1"),
        ([GOOD, {"name": "y"}], {}, "inputs[1] has no 'shape'"),
        ([GOOD, 7], {}, "inputs[1] must be an object, got 7"),
        ([GOOD, GOOD], {}, "two inputs have the same name: ['x', 'x']"),
        ([GOOD], {"outputs": "y"}, "'outputs' must be a list of objects with a name"),
        ([GOOD], {"outputs": [{"name": "y"}]}, "model m gives no output 'y', but"),
        (
            [GOOD, {**GOOD, "name": "y", "shape": [2], "data": [1, 2]}],
            {},
            "all inputs must have the same number of rows, got the shapes [[1], [2]]",
        ),
    ],
)
def test_a_wrong_tensor_is_answered_in_the_protocols_way(asks, tensors, more, message):
    answer = asks(Plain, *tensors, more=more)

    assert answer.status_code == 400
    assert message in answer.body["error"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"inputs": [GOOD]}, True),
        ({"inputs": [{"name": "x", "datatype": "FP8", "data": []}]}, True),
        ({"inputs": [{"name": "x", "shape": [1], "data": [1]}]}, False),
        ({"inputs": [[1]]}, False),
        ({"inputs": []}, False),
        ({"inputs": {"x": 1}}, False),
        ([GOOD], False),
        (None, False),
    ],
)
def test_a_request_is_known_by_its_shape(body, found):
    assert is_inference(body) is found


def binary(document, *pieces):
    text = json.dumps(document).encode()
    return b"".join([text, *pieces]), {LENGTH_HEADER: str(len(text))}


def sized(name, size):
    return {
        "name": name,
        "datatype": "FP32",
        "shape": [size // 4],
        "parameters": {"binary_data_size": size},
    }


def test_values_may_follow_in_binary_both_ways(ask, serve):
    raw = np.array([1.5, 2.5], "<f4").tobytes()
    wanted = {"parameters": {"binary_data_output": True}}
    body, headers = binary({"inputs": [sized("x", 8)], **wanted}, raw)
    kind = "application/octet-stream"
    answer = ask(serve(Plain), body, "/infer", headers=headers, content_type=kind)

    length = int(answer.headers[LENGTH_HEADER])
    [output] = json.loads(answer.body[:length])["outputs"]
    assert output["parameters"] == {"binary_data_size": 16}
    assert np.frombuffer(answer.body[length:]).tolist() == [1.5, 2.5]


def test_one_output_may_be_wanted_in_binary(ask, serve):
    outputs = [{"name": "kind", "parameters": {"binary_data": True}}, {"name": "total"}]
    body = {"inputs": [{**GOOD, "shape": [1, 1]}], "outputs": outputs}
    answer = ask(serve(Arrays), body, "/infer")

    length = int(answer.headers[LENGTH_HEADER])
    assert answer.body[length:] == b"\x01\0\0\0a"
    assert json.loads(answer.body[:length])["outputs"][1]["data"] == [1.0]


@pytest.mark.parametrize(
    ("document", "pieces", "header", "message"),
    [
        ({"inputs": [sized("x", 8)]}, [b"1234"], None, "is 8, but 4 bytes are left"),
        ({"inputs": [sized("x", -4)]}, [b""], None, "binary_data_size of input 'x'"),
        ({"outputs": []}, [], None, 'Expected key "inputs" in request body'),
        ({"inputs": []}, [], "-1", "must be the length of the JSON part, got '-1'"),
        ({"inputs": []}, [], "999", "must be the length of the JSON part, got '999'"),
        ({"inputs": []}, [], "3", "the JSON part of the body: "),
    ],
)
def test_a_wrong_binary_body_is_the_callers_fault(document, pieces, header, message):
    body, headers = binary(document, *pieces)

    with pytest.raises(BadRequestError, match=message):
        read_body(body, header or headers[LENGTH_HEADER])


def test_a_server_tells_of_itself():
    class Loading:
        ready = False

    assert health("live", [Loading]) == (200, {"live": True})
    assert health("ready", [Loading]) == (503, {"ready": False})
    assert health("ready", [print]) == (200, {"ready": True})
