"""Servers whose framework is not installed say how it would be."""

import sys

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps import load_block

FRAMEWORKS = [
    pytest.param("sklearn", "skops.io", "m.skops", "sklearn", id="sklearn"),
    pytest.param("xgboost", "xgboost", "m.ubj", "xgboost", id="xgboost"),
    pytest.param("lightgbm", "lightgbm", "m.txt", "lightgbm", id="lightgbm"),
    pytest.param("onnx", "onnxruntime", "m.onnx", "onnx", id="onnx"),
    pytest.param("torch", "torch", "m.ts", "torch", id="torch"),
    pytest.param("tensorflow", "keras", "m.keras", "tensorflow", id="keras"),
    pytest.param("huggingface", "transformers", "", "huggingface", id="huggingface"),
]


@pytest.mark.parametrize(("block", "package", "file", "extra"), FRAMEWORKS)
def test_a_missing_framework_is_named_with_its_extra(
    open_runner, serve, monkeypatch, tmp_path, block, package, file, extra
):
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / file
    if file:
        path.write_bytes(b"")

    with pytest.raises(SpecError) as caught:
        open_runner(serve(load_block(block), model_path=str(path)))
    assert caught.value.text().endswith(f'pip install "jupyter_graph[{extra}]"')


@pytest.mark.parametrize(("block", "package", "file", "extra"), FRAMEWORKS)
def test_a_server_needs_a_model(block, package, file, extra):
    with pytest.raises(SpecError, match="needs a model: give model=, or model_path="):
        load_block(block)(name="m")


@pytest.mark.parametrize(
    ("block", "args", "message"),
    [
        ("torch", {"model_class": "Net"}, "must be a class or a function, got 'Net'"),
        ("torch", {"model_args": [3]}, r"model_args must be a mapping, got \[3\]"),
        ("torch", {"dtype": 32}, "dtype must be the name of a type, got 32"),
        (
            "torch",
            {"trust_pickle": True, "sha256": "0" * 64},
            "trust_pickle=True means nothing here: PyTorchModelServer opens no pickles",
        ),
        ("tensorflow", {"custom_objects": []}, "custom_objects must be a mapping"),
        ("huggingface", {"options": 3}, "options must be a mapping, got 3"),
    ],
)
def test_a_wrong_argument_is_refused_without_the_framework(block, args, message):
    with pytest.raises(SpecError, match=message):
        load_block(block)(model_path="m", **args)


def test_a_name_of_the_hub_is_not_downloaded_unasked():
    server = load_block("huggingface")(model_name="acme/mood", model_path="x")

    with pytest.raises(SpecError, match=r"allow_download=True"):
        server.file()
