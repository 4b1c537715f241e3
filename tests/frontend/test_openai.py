"""Which of OpenAI's endpoints there are, and what their fields are."""

import json
from pathlib import Path

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.endpoints import Endpoint
from jupyter_graph.frontend.factory import make_frontend
from jupyter_graph.frontend.handler_config import ApiHandlerConfig, api_handler_config
from jupyter_graph.frontend.openai.openai_endpoints import (
    OpenAIOptions,
    openai_options,
)
from jupyter_graph.frontend.openai.openai_frontend import OpenAIFrontend

# what MLRun 1.12.1 wrote after set_openai_frontend()
RECORDED = Path(__file__).parent / "data" / "openai_frontend.json"


def test_the_endpoints_and_their_mappings_are_mlruns():
    recorded = api_handler_config(json.loads(RECORDED.read_text(encoding="utf-8")))

    assert OpenAIFrontend(OpenAIOptions()).config == recorded


def test_a_prefix_stands_before_every_path():
    table = OpenAIOptions(prefix="/v1").table()

    assert all(endpoint.path.startswith("/v1/") for endpoint in table)


@pytest.mark.parametrize(
    ("options", "groups"),
    [
        pytest.param(True, ("responses", "chat_completions"), id="true"),
        pytest.param({}, ("responses", "chat_completions"), id="empty"),
        pytest.param(["responses"], ("responses",), id="list"),
        pytest.param("responses", ("responses",), id="text"),
        pytest.param({"endpoints": ["responses"]}, ("responses",), id="object"),
    ],
)
def test_options_name_groups_of_endpoints(options, groups):
    assert openai_options(options).groups == groups


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["response"], "did you mean 'responses'", id="group"),
        pytest.param({"prefix": "v1"}, "starts with /, got 'v1'", id="prefix"),
        pytest.param({"prefix": "/v1/*"}, "is plain", id="star"),
        pytest.param({"prefx": "/v1"}, "did you mean 'prefix'", id="field"),
        pytest.param(7, "got 7", id="number"),
        pytest.param([7], r"got \[7\]", id="list-of-numbers"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(SpecError, match=said):
        openai_options(options)


@pytest.mark.parametrize("nothing", [None, False])
def test_no_options_make_no_front(nothing):
    assert make_frontend(nothing, nothing) is None
    assert make_frontend({"enabled": False}, nothing) is None


def test_further_endpoints_stand_beside_those_of_openai():
    config = ApiHandlerConfig(
        (Endpoint("/health", "GET"), Endpoint("/responses", action="forbid"))
    )

    found = {
        one.key: one for one in OpenAIFrontend(OpenAIOptions(), config).config.endpoints
    }

    assert "GET:/health" in found
    assert found["POST:/responses"].action == "allow"
