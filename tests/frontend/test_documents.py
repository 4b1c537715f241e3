"""MLRun's documents of an API handler."""

import json

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.handler_config import ApiHandlerConfig, api_handler_config

# as MLRun 1.12.1 wrote it at function.spec.api_handler_config
DOCUMENT = {
    "enabled": True,
    "endpoints": {
        "POST:/chat": {
            "path": "/chat",
            "http_method": "POST",
            "action": "allow",
            "description": "talk",
            "input_body_mappings": {
                "mappings": [
                    {
                        "source_path": "$.model",
                        "destination_path": "model",
                        "mandatory": True,
                    }
                ]
            },
        },
        "DELETE:/chat/*": {
            "path": "/chat/*",
            "http_method": "DELETE",
            "action": "forbid",
        },
    },
    "include_url_info": True,
}


def test_a_document_reads_and_writes_the_same():
    assert api_handler_config(DOCUMENT).to_dict() == DOCUMENT


def test_a_configuration_survives_json():
    config = api_handler_config(DOCUMENT)

    assert api_handler_config(json.loads(json.dumps(config.to_dict()))) == config


def test_an_object_that_gives_its_document_will_do():
    class Foreign:
        def to_dict(self):
            return DOCUMENT

    assert api_handler_config(Foreign()) == api_handler_config(DOCUMENT)


def test_an_empty_document_has_no_endpoints():
    assert api_handler_config({}) == ApiHandlerConfig()


def test_mappings_may_stand_as_a_plain_list():
    row = {"source_path": "a", "destination_path": "b"}
    one = {"path": "/a", "http_method": "GET", "output_body_mappings": [row]}

    found = api_handler_config({"endpoints": {"GET:/a": one}}).endpoints[0]

    assert found.output_body_mappings[0].destination_path == "b"


def endpoint(**fields):
    return {"path": "/a", "http_method": "GET", **fields}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param(7, "an API handler is an object of fields, got 7", id="number"),
        pytest.param({"endpoint": {}}, "did you mean 'endpoints'", id="field"),
        pytest.param({"endpoints": []}, None, id="empty-list-is-none"),
        pytest.param({"endpoints": ["a"]}, "object of METHOD:path", id="list"),
        pytest.param(
            {"endpoints": {"GET:/a": {"action": "allow"}}},
            "'GET:/a' needs the field 'path' and 'http_method'",
            id="old-format",
        ),
        pytest.param(
            {"endpoints": {"GET:/a": endpoint(pth="/a")}},
            "unknown field 'pth'; did you mean 'path'",
            id="endpoint-field",
        ),
        pytest.param(
            {"endpoints": {"POST:/b": endpoint()}},
            "'POST:/b' is 'GET:/a' by its path and http_method",
            id="key",
        ),
        pytest.param(
            {"endpoints": {"GET:/a": endpoint(input_body_mappings={"mappings": [{}]})}},
            "mapping 1 needs the field 'source_path' and 'destination_path'",
            id="mapping",
        ),
        pytest.param(
            {"endpoints": {"GET:/a": endpoint(input_body_mappings={"maps": []})}},
            "unknown field 'maps'; did you mean 'mappings'",
            id="mappings-field",
        ),
        pytest.param({"enabled": "yes"}, "enabled is true or false", id="enabled"),
    ],
)
def test_a_wrong_document_is_refused_and_says_what_would_be_right(document, said):
    if said is None:
        assert api_handler_config(document).endpoints == ()
        return
    with pytest.raises(SpecError, match=said):
        api_handler_config(document)


def test_all_problems_of_a_document_are_told_at_once():
    wrong = {"GET:/a": endpoint(action="no"), "GET:/b": {"path": "/b"}, "GET:/c": 3}

    with pytest.raises(SpecError) as caught:
        api_handler_config({"endpoints": wrong, "extra": 1})

    assert len(caught.value.problems) == 4
