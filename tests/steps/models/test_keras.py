"""Keras models, on whichever backend is there.

TensorFlow where these tests run alone; beside those of PyTorch it is PyTorch, for two
copies of LLVM end a process that has both.
"""

import hashlib
import os
import sys
import warnings
from importlib.util import find_spec

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.frameworks.keras import KerasModelServer

ORDER = ("tensorflow", "jax", "torch")
if "torch" in sys.modules:
    ORDER = ("torch",)
BACKEND = next((b for b in ORDER if find_spec(b)), None)
if not BACKEND or not find_spec("keras"):
    pytest.skip("needs keras and a backend", allow_module_level=True)
os.environ.setdefault("KERAS_BACKEND", BACKEND)

import keras  # noqa: E402
import numpy as np  # noqa: E402

TEXTS = keras.backend.backend() == "tensorflow"  # the others have no such tensors

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def line():
    """Give a model that has learnt y = 2 x0 + 3 x1 - 1."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((2,), name="x")
    model = keras.Model(inputs, keras.layers.Dense(1, name="y")(inputs))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    rows = np.random.default_rng(1).uniform(-1, 1, (256, 2)).astype("float32")
    model.fit(rows, rows @ [[2.0], [3.0]] - 1, epochs=60, verbose=0)
    return model


@pytest.fixture(scope="module")
def two():
    """Give a model of two inputs and two outputs."""
    a, b = keras.Input((1,), name="a"), keras.Input((1,), name="b")
    added = keras.layers.Add(name="sum")([a, b])
    return keras.Model([a, b], [added, keras.layers.Multiply(name="product")([a, b])])


def test_a_trained_model_answers(predict, line):
    found = predict(KerasModelServer, [[0, 0], [1, 1]], model=line)

    assert np.allclose(found, [[-1], [4]], atol=0.1)


def test_a_model_comes_from_its_file(predict, line, tmp_path):
    line.save(tmp_path / "model.keras")
    rows = [[0.5, 0.25]]

    found = predict(KerasModelServer, rows, model_path=str(tmp_path))
    assert found == predict(KerasModelServer, rows, model=line)


def test_answers_are_those_of_the_model_itself(ask, serve, tensor, line, tmp_path):
    line.save(tmp_path / "model.keras")
    rows = np.random.default_rng(2).uniform(-1, 1, (3, 2)).astype("float32")
    body = {"inputs": [tensor("x", "FP32", [3, 2], rows.ravel().tolist())]}
    graph = serve(KerasModelServer, model_path=str(tmp_path / "model.keras"))
    [output] = ask(graph, body, "/v2/models/m/infer").body["outputs"]

    assert (output["datatype"], output["shape"]) == ("FP32", [3, 1])
    assert output["data"] == line.predict_on_batch(rows).ravel().tolist()


def test_a_file_has_to_be_the_one_that_was_meant(ready, line, tmp_path):
    path = tmp_path / "model.keras"
    line.save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    assert ready(KerasModelServer, model_path=str(path), sha256=digest).ready
    with pytest.raises(SpecError, match="it is not the file that was meant"):
        ready(KerasModelServer, model_path=str(path), sha256="0" * 64)


def test_a_sequential_model_has_plain_names(ask, serve, tensor):
    layers = [keras.Input((2,)), keras.layers.Dense(1)]
    graph = serve(KerasModelServer, model=keras.Sequential(layers))
    body = {"inputs": [tensor("x", "FP32", [1, 2], [1, 2])]}
    metadata = ask(graph, None, "/", "GET").body

    assert ask(graph, body).body["outputs"][0]["name"] == "output_0"
    assert metadata["inputs"] == [
        {"name": "input_0", "datatype": "FP32", "shape": [-1, 2]}
    ]


def test_keys_of_mappings_are_the_names(ask, serve, tensor, tmp_path):
    a, b = keras.Input((1,), name="a"), keras.Input((1,), name="b")
    less = keras.layers.Subtract(name="layer")([b, a])
    keras.Model({"b": b, "a": a}, {"less": less}).save(tmp_path / "m.keras")
    graph = serve(KerasModelServer, model_path=str(tmp_path))
    tensors = [tensor("a", "FP32", [1, 1], [1]), tensor("b", "FP32", [1, 1], [5])]
    [output] = ask(graph, {"inputs": tensors}).body["outputs"]

    assert (output["name"], output["data"]) == ("less", [4.0])
    rows = [{"b": [5], "a": [1]}]
    assert ask(graph, {"inputs": rows}).body["outputs"] == [[4.0]]


class Pair(keras.Model):
    """A model that names neither inputs nor outputs."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x), x


def test_a_subclassed_model_has_numbers_for_names(ask, serve, tensor):
    model = Pair()
    graph = serve(KerasModelServer, model=model)
    body = {"inputs": [tensor("x", "FP32", [1, 2], [1, 2])]}
    outputs = ask(graph, body).body["outputs"]
    refused = ask(graph, {"inputs": [[1, 2, 3]]})

    assert [one["name"] for one in outputs] == ["output_0", "output_1"]
    assert [one["data"] for one in outputs] == [[3.0], [1.0, 2.0]]
    assert (refused.status_code, "incompatible" in refused.body["detail"]) == (
        400,
        True,
    )


@pytest.mark.skipif(not TEXTS, reason="this backend has no texts")
def test_texts_go_into_a_model_that_reads_them(ask, serve, tensor, tmp_path):
    words = keras.layers.TextVectorization(vocabulary=["good", "bad"])
    text = keras.Input((1,), dtype="string", name="text")
    keras.Model(text, words(text)).save(tmp_path / "m.keras")
    graph = serve(KerasModelServer, model_path=str(tmp_path))
    body = {"inputs": [tensor("text", "BYTES", [2, 1], ["bad good", "none"])]}
    [output] = ask(graph, body).body["outputs"]

    assert ask(graph, {"inputs": [["good"]]}).body["outputs"] == [[2]]
    assert output["data"] == [3, 2, 1, 0]
    assert ask(graph, None, "/", "GET").body["inputs"][0]["datatype"] == "BYTES"


@keras.saving.register_keras_serializable("test")
class Twice(keras.layers.Layer):
    def call(self, x):
        return x * 2


def test_layers_of_ones_own_are_named(predict, ready, tmp_path):
    x = keras.Input((1,))
    keras.Model(x, Twice()(x)).save(tmp_path / "m.keras")
    keras.saving.get_custom_objects().clear()

    with pytest.raises(SpecError, match=r"Keras cannot open 'm\.keras'"):
        ready(KerasModelServer, model_path=str(tmp_path))
    args = {"model_path": str(tmp_path), "custom_objects": {"test>Twice": Twice}}
    assert predict(KerasModelServer, [[2]], **args) == [[4.0]]


def test_a_router_finds_the_model(ask, tensor, line, two):
    graph = Graph("nets", topology="router")
    graph.add_model("net:v1", KerasModelServer, model=line)
    graph.add_model("two", KerasModelServer, model=two)
    body = {"inputs": [tensor("x", "FP32", [1, 2], [1, 1])]}
    answer = ask(graph, body, "/v2/models/net/versions/v1/infer").body

    assert answer["model_version"] == "v1"
    wanted = line.predict_on_batch(np.ones((1, 2))).ravel().tolist()
    assert answer["outputs"][0]["data"] == wanted


def test_models_vote(ask, line, tmp_path):
    line.save(tmp_path / "m.keras")
    vote = {"router_class": "VotingEnsemble"}
    vote["router_args"] = {"vote_type": "regression"}
    graph = Graph("vote", topology="router", **vote)
    graph.add_model("a", KerasModelServer, model=line)
    graph.add_model("b", KerasModelServer, model_path=str(tmp_path))
    [found] = ask(graph, {"inputs": [[1, 2]]}, "/v2/models/infer").body["outputs"]

    assert np.allclose(found, line.predict_on_batch(np.array([[1.0, 2.0]]))[0])


def test_a_request_by_tensor_gives_a_tensor(ask, serve, tensor, line):
    body = {"inputs": [tensor("any", "FP64", [1, 2], [0, 0])]}
    [output] = ask(serve(KerasModelServer, model=line), body).body["outputs"]

    assert (output["name"], output["datatype"]) == ("y", "FP32")
    assert output["shape"] == [1, 1]


@pytest.mark.parametrize("form", ["rows", "tensors"])
def test_several_inputs_go_in_by_name(ask, serve, tensor, two, form):
    inputs = {
        "rows": [{"b": [3], "a": [2]}],
        "tensors": [tensor("b", "FP32", [1, 1], [3]), tensor("a", "FP32", [1, 1], [2])],
    }[form]
    outputs = ask(serve(KerasModelServer, model=two), {"inputs": inputs}).body[
        "outputs"
    ]

    if form == "tensors":
        outputs = [one["data"] for one in outputs]
    assert np.ravel(outputs).tolist() == [5.0, 6.0]


def test_metadata_tell_the_tensors(ask, serve, two):
    metadata = ask(serve(KerasModelServer, model=two), None, "/", "GET").body

    assert metadata["inputs"][0] == {"name": "a", "datatype": "FP32", "shape": [-1, 1]}
    assert [one["name"] for one in metadata["outputs"]] == ["sum", "product"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[1, 2, 3]], "input 'x' has the shape [None, 2], got [1, 3]"),
        ([["a", "b"]], "input 'x': 'a' is a text, no number"),
        ([1, 2], "input 'x' has the shape [None, 2], got [2]"),
        ([[1, 2], [3]], "all inputs must have the same shape"),
    ],
)
def test_inputs_that_do_not_fit_are_the_callers_fault(
    ask, serve, line, inputs, message
):
    answer = ask(serve(KerasModelServer, model=line), {"inputs": inputs})

    assert answer.status_code == 400
    assert message in answer.body["detail"]


@pytest.mark.parametrize(
    ("inputs", "got"),
    [
        ([[1, 2]], "inputs without names"),
        ([{"a": [1]}], "['a']"),
        ([{"a": [1], "b": [1]}, {"b": [1]}], "['b']"),
    ],
)
def test_inputs_of_other_names_are_the_callers_fault(ask, serve, two, inputs, got):
    answer = ask(serve(KerasModelServer, model=two), {"inputs": inputs})

    assert answer.status_code == 400
    assert f"takes the inputs ['a', 'b'] by name, got {got}" in answer.body["detail"]


@pytest.mark.parametrize(
    ("kind", "value"), [("int32", 1.5), ("uint8", 300), ("uint8", -1)]
)
def test_a_number_that_a_type_cannot_hold_is_refused(ask, serve, kind, value):
    x = keras.Input((1,), dtype=kind, name="id")
    model = keras.Model(x, keras.layers.Embedding(8, 1)(x))
    answer = ask(serve(KerasModelServer, model=model), {"inputs": [[value]]})

    assert answer.status_code == 400
    assert f"input 'id': {value} is no {kind}" in answer.body["detail"]


def test_what_is_no_model_is_refused(ready):
    with pytest.raises(SpecError, match=r"must be a keras.Model, got a dict"):
        ready(KerasModelServer, model={"layers": []})


def test_hdf5_under_another_name_is_refused(ready, line, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        line.save(tmp_path / "model.h5")
    (tmp_path / "model.h5").rename(tmp_path / "model.keras")

    with pytest.raises(SpecError, match=r"Keras cannot open 'model\.keras'"):
        ready(KerasModelServer, model_path=str(tmp_path))


def test_a_file_that_holds_code_is_refused(ready, tmp_path):
    x = keras.Input((1,))
    hidden = keras.Model(x, keras.layers.Lambda(lambda value: value + 1)(x))
    hidden.save(tmp_path / "model.keras")

    with pytest.raises(SpecError, match=r"Keras cannot open 'model\.keras'"):
        ready(KerasModelServer, model_path=str(tmp_path))


@pytest.mark.parametrize("name", ["model.h5", "model.pb", "model.pkl"])
def test_another_format_is_refused(ready, tmp_path, name):
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(SpecError, match=r"\.keras"):
        ready(KerasModelServer, model_path=str(tmp_path / name))
