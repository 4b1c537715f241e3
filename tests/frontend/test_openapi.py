"""The OpenAPI description of endpoints."""

import pytest

from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping
from jupyter_graph.frontend.openai.openai_endpoints import OpenAIOptions
from jupyter_graph.frontend.openapi import api_paths

CHAT = Endpoint(
    "/rooms/{room}/chat",
    description="say something",
    input_body_mappings=(
        FieldMapping("$.model", "model", mandatory=True),
        FieldMapping("$.opt.t", "temp"),
        FieldMapping("$..deep", "deep", mandatory=True),
    ),
    output_body_mappings=(FieldMapping("$.said", "said"),),
)


@pytest.fixture
def chat():
    return api_paths([CHAT])["/rooms/{room}/chat"]["post"]


def test_a_request_is_described_by_its_input_mappings(chat):
    assert chat["requestBody"]["required"]
    assert chat["requestBody"]["content"]["application/json"]["schema"] == {
        "type": "object",
        "required": ["model"],
        "properties": {
            "model": {},
            "opt": {"type": "object", "properties": {"t": {}}},
        },
    }


def test_an_answer_is_described_by_its_output_mappings(chat):
    schema = chat["responses"]["200"]["content"]["application/json"]["schema"]

    assert (schema["required"], chat["summary"]) == (["said"], "say something")


def test_the_parameters_of_the_path_are_described(chat):
    [parameter] = chat["parameters"]

    assert (parameter["name"], parameter["in"]) == ("room", "path")


def test_a_star_is_a_parameter_and_a_forbidden_endpoint_is_left_out():
    paths = api_paths([Endpoint("/files/*", "GET"), Endpoint("/x", action="forbid")])

    assert paths.keys() == {"/files/{rest}"}
    assert "requestBody" not in paths["/files/{rest}"]["get"]


def test_the_methods_of_a_path_stand_together():
    table = OpenAIOptions(("responses",)).table()

    assert api_paths(table)["/responses/{response_id}"].keys() == {"get", "delete"}


def test_the_description_is_valid_openapi():
    validator = pytest.importorskip("openapi_spec_validator")
    document = {
        "openapi": "3.1.0",
        "info": {"title": "f", "version": "1"},
        "paths": api_paths([CHAT, *OpenAIOptions().table()]),
    }

    validator.validate(document)
