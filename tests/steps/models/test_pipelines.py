"""What a folder of transformers is for, and what nobody may ask of a pipeline."""

import json

import pytest

from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.models.frameworks.huggingface import HuggingFaceModelServer
from jupyter_graph.steps.models.frameworks.pipelines import base_of, runs_code, task_of


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("BertForSequenceClassification", "text-classification"),
        ("BertForTokenClassification", "token-classification"),
        ("LlamaForCausalLM", "text-generation"),
        ("GPT2LMHeadModel", "text-generation"),
        ("BertForMaskedLM", "fill-mask"),
        ("ViTForImageClassification", "image-classification"),
        ("BertModel", "feature-extraction"),
    ],
)
def test_the_class_of_a_model_tells_its_task(tmp_path, name, task):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": [name]}))

    assert task_of(str(tmp_path)) == task


@pytest.mark.parametrize("config", ['{"architectures": ["T5ForConditional"]}', "[]"])
def test_a_class_that_tells_nothing_is_asked_about(tmp_path, config):
    (tmp_path / "config.json").write_text(config)

    with pytest.raises(SpecError, match="say task=, it cannot be told"):
        task_of(str(tmp_path))


def test_a_name_of_the_hub_tells_nothing():
    assert task_of("acme/mood") is None
    assert base_of("acme/mood") is None


def test_an_adapter_names_what_it_adapts(tmp_path):
    base = json.dumps({"base_model_name_or_path": "acme/base"})
    (tmp_path / "adapter_config.json").write_text(base)

    assert base_of(str(tmp_path)) == "acme/base"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"top_k": 2, "generate_kwargs": {"num_beams": 2}}, None),
        ({"trust_remote_code": True}, "trust_remote_code"),
        ({"a": [{"b": {"custom_generate": "x"}}]}, "custom_generate"),
        (None, None),
    ],
)
def test_arguments_that_run_code_are_found_at_any_depth(arguments, found):
    assert runs_code(arguments) == found


def test_options_that_run_code_are_refused():
    options = {"generate_kwargs": {"custom_generate": "acme/decoder"}}

    with pytest.raises(SpecError, match="options must not run code"):
        HuggingFaceModelServer(model_path="m", options=options)


@pytest.mark.parametrize(
    "inputs",
    [
        ["http://169.254.169.254/latest"],
        ["/etc/passwd"],
        [["data:image/png;base64,aaaa", "photo.png"]],
        [{"image": "file:///etc/passwd", "question": "who?"}],
        [
            {
                "text": [
                    {"role": "user", "content": [{"type": "image", "url": "http://a"}]}
                ]
            }
        ],
    ],
)
def test_a_request_opens_no_path_and_no_url(inputs):
    asked = []

    def pipeline(*found, **arguments):
        asked.append((found, arguments))
        return [{"label": "cat"}]

    pipeline.image_processor = object()
    server = HuggingFaceModelServer(name="m", model=pipeline)
    with pytest.raises(BadRequestError, match="no request opens a path or URL here"):
        server.predict({"inputs": inputs})
    assert asked == []

    question = {"image": "data:image/png;base64,aa", "question": "what is it?"}
    assert server.predict({"inputs": [question]}) == [{"label": "cat"}]


def test_texts_are_what_pipelines_for_texts_take():
    server = HuggingFaceModelServer(name="m", model=lambda texts: texts)

    assert server.predict({"inputs": ["/etc/passwd"]}) == ["/etc/passwd"]
