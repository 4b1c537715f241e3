"""Endpoints and their rules."""

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping
from jupyter_graph.frontend.handler_config import ApiHandlerConfig


def test_an_endpoint_reads_its_path_method_and_action_in_any_spelling():
    endpoint = Endpoint("chat", "post", "ALLOW")

    assert (endpoint.key, endpoint.action) == ("POST:/chat", "allow")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/a/*/b", "only once and at the end", id="star-inside"),
        pytest.param("/a/**", "only once and at the end", id="two-stars"),
        pytest.param("/a/{x", "braces do not match", id="open-brace"),
        pytest.param("/a/}x{", "braces do not match", id="turned-braces"),
        pytest.param("/a/{}", "a Python name, got ''", id="no-name"),
        pytest.param("/a/{user-id}", "a Python name, got 'user-id'", id="no-word"),
        pytest.param("/a/{x}/{x}", "'x' stands there 2 times", id="twice"),
        pytest.param("/a/{x}/*", "takes no {parameters}", id="star-and-parameter"),
    ],
)
def test_a_wrong_path_is_refused(path, said):
    with pytest.raises(SpecError, match=said.replace("{", r"\{")):
        Endpoint(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"http_method": "PSOT"}, "did you mean 'POST'", id="method"),
        pytest.param({"action": "alow"}, "did you mean 'allow'", id="action"),
        pytest.param(
            {"input_body_mappings": [FieldMapping("a", "x"), FieldMapping("a", "y")]},
            "2 body mappings have the source_path 'a'",
            id="source-twice",
        ),
        pytest.param(
            {"output_body_mappings": [FieldMapping("a", "x"), FieldMapping("b", "x")]},
            "2 body mappings have the destination_path 'x'",
            id="destination-twice",
        ),
    ],
)
def test_a_wrong_value_of_an_endpoint_is_refused(options, said):
    with pytest.raises(SpecError, match=said):
        Endpoint("/a", **options)


@pytest.mark.parametrize(
    ("source", "destination", "said"),
    [
        pytest.param("", "x", "source_path .* got ''", id="no-source"),
        pytest.param("$.a", "", "destination_path .* got ''", id="no-destination"),
        pytest.param("$.a[", "x", r"'\$.a\[' is no JSONPath", id="no-jsonpath"),
        pytest.param(7, "x", "is a text, got 7", id="number"),
    ],
)
def test_a_wrong_mapping_is_refused(source, destination, said):
    with pytest.raises(SpecError, match=said):
        FieldMapping(source, destination)


def test_all_problems_of_an_endpoint_are_told_at_once():
    with pytest.raises(SpecError) as caught:
        Endpoint("/a/{x", "FOO", "perhaps")

    assert len(caught.value.problems) == 3


def test_two_templates_of_the_same_paths_contradict_each_other():
    with pytest.raises(SpecError, match="match the same set of paths"):
        ApiHandlerConfig((Endpoint("/a/{x}"), Endpoint("/a/{y}")))


def test_the_same_template_may_stand_for_two_methods():
    config = ApiHandlerConfig((Endpoint("/a/{x}", "GET"), Endpoint("/a/{y}", "POST")))

    assert len(config.endpoints) == 2


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("/users/{id}", id="same-endpoint"),
        pytest.param("/users/*", id="star-above"),
    ],
)
def test_a_name_may_not_come_from_path_and_body(other):
    mapped = Endpoint(other, input_body_mappings=(FieldMapping("$.id", "id"),))
    endpoints = {mapped.path: mapped, "/users/{id}": Endpoint("/users/{id}")}
    endpoints |= {mapped.path: mapped}

    with pytest.raises(SpecError, match="'id' is a parameter of the path and a"):
        ApiHandlerConfig(tuple(endpoints.values()))


def test_adding_an_endpoint_replaces_the_one_of_the_same_key():
    config = ApiHandlerConfig((Endpoint("/a"), Endpoint("/b")))

    found = config.adding(Endpoint("/a", action="forbid")).endpoints

    assert [(one.path, one.action) for one in found] == [
        ("/a", "forbid"),
        ("/b", "allow"),
    ]
