"""Pipelines of transformers, from a folder."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.frameworks.huggingface import HuggingFaceModelServer

if "tensorflow" in sys.modules:
    pytest.skip("TensorFlow is in this process", allow_module_level=True)
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(90),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "very"]
TINY = {
    "vocab_size": len(WORDS),
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
TEXTS = ["very good", "bad"]


def saved(path, kind="BertForSequenceClassification", **config):
    """Make a tiny model of this class and a tokenizer of eight words."""
    path.mkdir(exist_ok=True)
    (path / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizerFast(str(path / "vocab.txt")).save_pretrained(path)
    transformers.set_seed(1)
    model = getattr(transformers, kind)(transformers.BertConfig(**TINY, **config))
    model.eval().save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give the folder of a tiny classifier of texts."""
    labels = {"id2label": {0: "negative", 1: "positive"}}
    labels["label2id"] = {"negative": 0, "positive": 1}
    return saved(tmp_path_factory.mktemp("model"), **labels)


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """Give the folder of a tiny model that writes texts."""
    path = tmp_path_factory.mktemp("writer")
    return saved(path, "BertLMHeadModel", is_decoder=True)


def scores_of(folder, texts):
    """Give what the model itself thinks of each text, without a pipeline."""
    tokens = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        logits = model(**tokens(texts, padding=True, return_tensors="pt")).logits
    return [
        dict(zip(["negative", "positive"], row, strict=True))
        for row in logits.softmax(-1).tolist()
    ]


def test_answers_are_those_of_the_model_itself(ask, serve, folder):
    graph = serve(HuggingFaceModelServer, model_path=folder)
    found = ask(graph, {"inputs": TEXTS}, "/v2/models/m/infer").body["outputs"]

    for one, scores in zip(found, scores_of(folder, TEXTS), strict=True):
        assert one["label"] == max(scores, key=scores.get)
        assert one["score"] == pytest.approx(max(scores.values()), abs=1e-5)


def test_options_go_into_each_call(predict, folder):
    args = {"model_path": folder, "options": {"top_k": 2}}
    found = predict(HuggingFaceModelServer, TEXTS, **args)
    by_argument = [{"inputs": "very good", "top_k": 1}]

    assert [[one["label"] for one in row] for row in found] == [
        sorted(scores, key=scores.get, reverse=True)
        for scores in scores_of(folder, TEXTS)
    ]
    assert predict(HuggingFaceModelServer, by_argument, **args) == [found[0][0]]


@pytest.mark.parametrize(
    ("kind", "text", "shape"),
    [
        pytest.param("BertForMaskedLM", "very [MASK]", ["score", "token"], id="mask"),
        pytest.param(
            "BertForTokenClassification", "good", ["entity", "score"], id="ner"
        ),
    ],
)
def test_a_model_knows_its_task(predict, tmp_path, kind, text, shape):
    path = saved(tmp_path / "model", kind)
    [found] = predict(HuggingFaceModelServer, [text], model_path=path)

    assert isinstance(found, list)
    assert {*shape} < set(found[0])


def test_a_model_gives_vectors_where_it_has_no_head(predict, tmp_path):
    path = saved(tmp_path / "model", "BertModel")
    [found] = predict(HuggingFaceModelServer, ["very good"], model_path=path)

    assert (len(found), len(found[0])) == (4, TINY["hidden_size"])


def test_a_model_writes_what_it_would_itself(predict, writer):
    options = {"max_new_tokens": 3, "do_sample": False}
    options["suppress_tokens"] = list(range(5))  # only words
    args = {"model_path": writer, "options": {**options, "return_full_text": False}}
    found = predict(HuggingFaceModelServer, TEXTS[:1], **args)

    tokens = transformers.AutoTokenizer.from_pretrained(writer)
    model = transformers.AutoModelForCausalLM.from_pretrained(writer)
    given = tokens(TEXTS[0], return_tensors="pt")["input_ids"]
    ids = model.generate(given, attention_mask=torch.ones_like(given), **options)[0]
    written = tokens.decode(ids[given.shape[1] :], skip_special_tokens=True)
    assert len(written.split()) == 3
    assert found[0]["generated_text"].strip() == written


def test_many_may_ask_at_once(ready, folder):
    server = ready(HuggingFaceModelServer, model_path=folder)
    cut = {"truncation": True, "max_length": 4}  # the tokenizer itself keeps these
    inputs = [[{"inputs": "very " * 300 + "bad", **more}] for more in ({}, cut)] * 40
    alone = [server.predict({"inputs": one}) for one in inputs]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: server.predict({"inputs": one}), inputs))
    assert found == alone


class Labels(HuggingFaceModelServer):
    def predict(self, request):
        return [one["label"] for one in super().predict(request)]


def test_models_vote_for_labels_behind_a_router(ask, folder):
    vote = {"router_class": "VotingEnsemble"}
    vote["router_args"] = {"vote_type": "classification"}
    graph = Graph("vote", topology="router", **vote)
    for name in ("a", "b", "c"):
        graph.add_model(name, Labels, model_path=folder)
    [label] = ask(graph, {"inputs": ["bad"]}, "/v2/models/infer").body["outputs"]
    alone = ask(graph, {"inputs": ["bad"]}, "/v2/models/b/infer").body["outputs"]

    scores = scores_of(folder, ["bad"])[0]
    assert [label] == alone == [max(scores, key=scores.get)]


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


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_a_request_by_tensor_gives_texts_of_json(ask, serve, tensor, folder, shape):
    graph = serve(HuggingFaceModelServer, model_path=folder, task="text-classification")
    body = {"inputs": [tensor("text", "BYTES", shape, TEXTS)]}
    [output] = ask(graph, body).body["outputs"]

    assert (output["datatype"], output["shape"]) == ("BYTES", [2])
    labels = [json.loads(one)["label"] for one in output["data"]]
    assert labels == [max(one, key=one.get) for one in scores_of(folder, TEXTS)]


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


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param([1, 2], "the pipeline of model m does not take it", id="numbers"),
        pytest.param([{"wrong": "x"}], "does not take it", id="argument"),
        pytest.param(
            [{"inputs": "x"}, "y"],
            "must all be objects of arguments, got 'y'",
            id="mixed",
        ),
        pytest.param({"text": "x"}, 'Expected "inputs" to be a list', id="no-list"),
    ],
)
def test_inputs_that_do_not_fit_are_the_callers_fault(
    ask, serve, folder, inputs, message
):
    answer = ask(serve(HuggingFaceModelServer, model_path=folder), {"inputs": inputs})

    assert answer.status_code == 400
    assert message in answer.body["detail"]


@pytest.fixture
def decoder(tmp_path):
    """Give a folder whose code says that it ran, and the file that would tell."""
    touched = tmp_path / "touched"
    code = tmp_path / "code" / "custom_generate"
    code.mkdir(parents=True)
    (code / "generate.py").write_text(
        f"open({str(touched)!r}, 'w')\ndef generate(model, input_ids, **_):\n"
        "    return input_ids\n"
    )
    return str(tmp_path / "code"), touched


@pytest.mark.parametrize("is_nested", [False, True])
def test_a_request_cannot_make_a_pipeline_run_code(
    ask, serve, writer, decoder, is_nested
):
    path, touched = decoder
    code = {"custom_generate": path, "trust_remote_code": True}
    one = {"text_inputs": "good", **({"generate_kwargs": code} if is_nested else code)}
    answer = ask(serve(HuggingFaceModelServer, model_path=writer), {"inputs": [one]})

    assert answer.status_code == 400
    assert "no input may say 'custom_generate'" in answer.body["detail"]
    assert not touched.exists()


def test_options_cannot_run_code_either():
    with pytest.raises(SpecError, match="options must not run code"):
        HuggingFaceModelServer(model_path="m", options={"trust_remote_code": True})


def test_code_beside_a_model_does_not_run(ready, tmp_path):
    path, touched = tmp_path / "model", tmp_path / "touched"
    saved(path)
    (path / "own.py").write_text(f"open({str(touched)!r}, 'w')\n")
    config = json.loads((path / "config.json").read_text())
    config["model_type"] = "own"
    config["auto_map"] = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    (path / "config.json").write_text(json.dumps(config))

    with pytest.raises(SpecError, match="transformers cannot open"):
        ready(HuggingFaceModelServer, model_path=str(path))
    assert not touched.exists()


def test_weights_in_a_pickle_are_refused(ready, tmp_path):
    path = tmp_path / "model"
    kind = transformers.AutoModelForSequenceClassification
    weights = kind.from_pretrained(saved(path)).state_dict()
    torch.save(weights, path / "pytorch_model.bin")
    (path / "model.safetensors").unlink()

    with pytest.raises(SpecError, match="transformers cannot open"):
        ready(HuggingFaceModelServer, model_path=str(path))


def test_nothing_is_downloaded_unasked(ready, folder, tmp_path):
    path = tmp_path / "adapter"
    path.mkdir()
    base = json.dumps({"base_model_name_or_path": "acme/base"})
    (path / "adapter_config.json").write_text(base)

    with pytest.raises(SpecError, match="is an adapter of 'acme/base', which is not"):
        ready(HuggingFaceModelServer, model_path=str(path))
    with pytest.raises(SpecError, match="there is no folder 'acme/words'"):
        ready(HuggingFaceModelServer, model_path=folder, tokenizer_name="acme/words")


def test_a_task_that_a_class_does_not_tell_is_asked_for(ready, tmp_path):
    path = saved(tmp_path / "model", "BertForNextSentencePrediction")

    with pytest.raises(SpecError, match="say task=, it cannot be told of a model of"):
        ready(HuggingFaceModelServer, model_path=path)
