"""Keras models, on whichever backend is there."""

import os
from importlib.util import find_spec

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.keras import KerasModelServer

BACKEND = next((b for b in ("tensorflow", "jax", "torch") if find_spec(b)), None)
if not BACKEND or not find_spec("keras"):
    pytest.skip("needs keras and a backend", allow_module_level=True)
os.environ.setdefault("KERAS_BACKEND", BACKEND)

import keras  # noqa: E402
import numpy as np  # noqa: E402

pytestmark = pytest.mark.slow


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
        ([["a", "b"]], "input 'x': could not convert string to float"),
    ],
)
def test_inputs_that_do_not_fit_are_the_callers_fault(
    ask, serve, line, inputs, message
):
    answer = ask(serve(KerasModelServer, model=line), {"inputs": inputs})

    assert answer.status_code == 400
    assert message in answer.body["detail"]


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
