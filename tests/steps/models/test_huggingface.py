"""Pipelines of transformers, from a folder."""

import json

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.huggingface import HuggingFaceModelServer

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(90),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "very"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give the folder of a tiny classifier of texts."""
    path = tmp_path_factory.mktemp("model")
    (path / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizerFast(str(path / "vocab.txt")).save_pretrained(path)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
    )
    transformers.set_seed(1)
    model = transformers.BertForSequenceClassification(config)
    model.save_pretrained(path, safe_serialization=True)
    assert json.loads((path / "config.json").read_text())["model_type"] == "bert"
    return str(path)


@pytest.mark.parametrize(
    "args",
    [
        pytest.param({"task": "text-classification"}, id="task"),
        pytest.param(
            {
                "task": "text-classification",
                "model_class": "AutoModelForSequenceClassification",
                "tokenizer_class": "AutoTokenizer",
            },
            id="classes",
        ),
    ],
)
def test_a_pipeline_answers_each_text(predict, folder, args):
    found = predict(
        HuggingFaceModelServer, ["very good", "bad"], model_path=folder, **args
    )

    assert [set(one) for one in found] == [{"label", "score"}] * 2


def test_a_request_by_tensor_gives_texts_of_json(ask, serve, tensor, folder):
    graph = serve(HuggingFaceModelServer, model_path=folder, task="text-classification")
    body = {"inputs": [tensor("text", "BYTES", [1], ["very good"])]}
    [output] = ask(graph, body).body["outputs"]

    assert output["datatype"] == "BYTES"
    assert "label" in json.loads(output["data"][0])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"model_name": "acme/none"}, "there is no folder 'acme/none'"),
        ({"model_class": "Nothing"}, "no model or tokenizer class 'Nothing'"),
        ({"task": "no-such-task"}, "transformers cannot open"),
    ],
)
def test_what_cannot_be_served_is_refused(ready, folder, args, message):
    with pytest.raises(SpecError, match=message):
        ready(HuggingFaceModelServer, model_path=folder, **args)
