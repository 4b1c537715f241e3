"""ONNX models, from scikit-learn and made by hand."""

import hashlib

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.frameworks.onnx import ONNXModelServer

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

import numpy as np  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, inputs, outputs):
    graph = helper.make_graph(nodes, "graph", inputs, outputs)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


@pytest.fixture(scope="session")
def flower_model(flowers):
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(max_iter=500).fit(*flowers)
    kind = skl2onnx.common.data_types.FloatTensorType([None, 4])
    return fitted, skl2onnx.to_onnx(
        fitted, initial_types=[("X", kind)], options={"zipmap": False}
    )


@pytest.fixture(scope="session")
def adds():
    """Give a model of two inputs and two outputs: their sum, and the text."""
    floats, texts = TensorProto.FLOAT, TensorProto.STRING
    return model_of(
        [
            helper.make_node("Add", ["a", "b"], ["sum"]),
            helper.make_node("Identity", ["who"], ["echo"]),
        ],
        [value(name, floats, [None]) for name in "ab"] + [value("who", texts, [None])],
        [value("sum", floats, [None]), value("echo", texts, [None])],
    )


def test_a_model_of_scikit_learn_answers_the_same(predict, flower_model, flowers):
    fitted, model = flower_model
    rows = flowers[0][::30]
    label, probabilities = predict(ONNXModelServer, rows.tolist(), model=model)

    assert label == fitted.predict(rows).tolist()
    assert np.allclose(probabilities, fitted.predict_proba(rows), atol=1e-5)


def test_one_wanted_output_gives_its_rows(predict, flower_model, flowers):
    rows = flowers[0][[0, 75, 140]].tolist()
    args = {"model": flower_model[1], "output_names": ["label"]}

    assert predict(ONNXModelServer, rows, **args) == [0, 1, 2]


def test_mlruns_list_of_inputs_gives_a_list_of_outputs(predict, flower_model, flowers):
    rows = flowers[0][[0, 75, 140]].tolist()
    args = {"model": flower_model[1], "output_names": ["label"]}

    assert predict(ONNXModelServer, [rows], **args) == [[0, 1, 2]]


@pytest.mark.parametrize("form", ["path", "bytes", "session"])
def test_a_model_has_many_forms(predict, flower_model, flowers, tmp_path, form):
    raw = flower_model[1].SerializeToString()
    path = tmp_path / "model.onnx"
    path.write_bytes(raw)
    args = {
        "path": {
            "model_path": str(tmp_path),
            "sha256": hashlib.sha256(raw).hexdigest(),
        },
        "bytes": {"model": raw},
        "session": {"model": runtime.InferenceSession(raw)},
    }[form]

    rows = flowers[0][:1].tolist()
    assert predict(ONNXModelServer, rows, **args, output_names=["label"]) == [0]


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param([[1, 2], [10, 20], ["x", "y"]], id="input-by-input"),
        pytest.param(
            [{"b": 10, "a": 1, "who": "x"}, {"a": 2, "b": 20, "who": "y"}], id="rows"
        ),
    ],
)
def test_several_inputs_give_several_outputs(predict, adds, inputs):
    found = predict(ONNXModelServer, inputs, model=adds)

    assert found == [[11.0, 22.0], ["x", "y"]]


def test_tensors_go_in_and_come_out_by_name(ask, serve, tensor, adds):
    tensors = [
        tensor("who", "BYTES", [1], ["x"]),
        tensor("b", "INT32", [1], [10]),
        tensor("a", "FP32", [1], [1.5]),
    ]
    answer = ask(serve(ONNXModelServer, model=adds), {"inputs": tensors}).body

    assert answer["outputs"] == [
        {"name": "sum", "datatype": "FP32", "shape": [1], "data": [11.5]},
        {"name": "echo", "datatype": "BYTES", "shape": [1], "data": ["x"]},
    ]


def test_a_single_input_takes_a_tensor_of_any_name(ask, serve, tensor, flower_model):
    body = {
        "inputs": [tensor("any", "FP64", [1, 4], [5.1, 3.5, 1.4, 0.2])],
        "outputs": [{"name": "label"}],
    }
    answer = ask(serve(ONNXModelServer, model=flower_model[1]), body).body

    assert answer["outputs"][0]["data"] == [0]


def test_a_class_for_each_row_may_be_a_mapping(predict, flowers):
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.linear_model import LogisticRegression

    model = skl2onnx.to_onnx(
        LogisticRegression(max_iter=500).fit(*flowers), flowers[0][:1].astype("float32")
    )
    _, [mapping] = predict(ONNXModelServer, flowers[0][:1].tolist(), model=model)
    assert sorted(mapping) == [0, 1, 2]


def test_metadata_tell_the_tensors(ask, serve, adds):
    metadata = ask(serve(ONNXModelServer, model=adds), None, "/", "GET").body

    assert metadata["platform"] == "onnx_onnxruntime"
    assert metadata["inputs"][2] == {"name": "who", "datatype": "BYTES", "shape": [-1]}
    assert metadata["outputs"][0] == {"name": "sum", "datatype": "FP32", "shape": [-1]}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[1, 2]], "takes the inputs ['a', 'b', 'who'], got 1 values"),
        ([{"a": 1}], "an input lacks ['b', 'who']"),
        ([["x"], [1], ["y"]], "input 'a': 'x' is a text, no number"),
        ([[[1]], [1], ["y"]], "input 'a' has the shape [None], got [1, 1]"),
    ],
)
def test_inputs_that_do_not_fit_are_the_callers_fault(
    ask, serve, adds, inputs, message
):
    answer = ask(serve(ONNXModelServer, model=adds), {"inputs": inputs})

    assert answer.status_code == 400
    assert message.replace("None", "") in answer.body["detail"].replace("None", "")


def test_rows_of_another_width_are_the_callers_fault(ask, serve, flower_model):
    graph = serve(ONNXModelServer, model=flower_model[1])
    answer = ask(graph, {"inputs": [[1, 2, 3]]})

    assert answer.status_code == 400
    assert "input 'X' has the shape" in answer.body["detail"]


def test_tensors_of_other_names_are_the_callers_fault(ask, serve, tensor, adds):
    tensors = [tensor("x", "FP32", [1], [1]), tensor("y", "FP32", [1], [1])]
    answer = ask(serve(ONNXModelServer, model=adds), {"inputs": tensors})

    assert answer.status_code == 400
    assert answer.body["error"].endswith("got ['x', 'y']")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"threads": 0}, "threads must be a number of at least 1, got 0"),
        ({"trust_pickle": True, "sha256": "0" * 64}, "opens no pickles"),
        ({"output_names": "y"}, "output_names must be a list, got 'y'"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        ONNXModelServer(model=b"", **args)


def test_a_model_that_cannot_be_served_is_refused(ready, adds, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"nonsense")

    with pytest.raises(SpecError, match="ONNX Runtime cannot open the model"):
        ready(ONNXModelServer, model_path=str(tmp_path))
    with pytest.raises(SpecError, match=r"no output \['y'\]; the outputs are \['sum'"):
        ready(ONNXModelServer, model=adds, output_names=["y"])
