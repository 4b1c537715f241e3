"""Parameters of path, query and body."""

import copy
import json

import pytest

from jupyter_graph.errors import BadRequestError
from jupyter_graph.frontend.parameters import (
    MappedBody,
    joined,
    split_path,
)
from jupyter_graph.values.json_form import to_json
from jupyter_graph.values.request_parts import query_parameters


@pytest.mark.parametrize(
    ("query", "fields", "given"),
    [
        pytest.param("q=a&q=b", {}, {"q": ["a", "b"]}, id="twice"),
        pytest.param("q=a%20b&z=", {}, {"q": "a b", "z": ""}, id="decoded-and-blank"),
        pytest.param("", {"q": ["a"]}, {"q": "a"}, id="of-the-server"),
        pytest.param("", {"z": ["b", "c"]}, {"z": ["b", "c"]}, id="a-list-stays-one"),
        pytest.param("", {"q": "a", "n": []}, {"q": "a", "n": None}, id="plain-fields"),
        pytest.param("q=1", {"z": "2"}, {"q": "1"}, id="the-path-goes-first"),
        pytest.param("&&q", {}, {"q": ""}, id="odd"),
    ],
)
def test_query_parameters_are_texts_or_lists_of_texts(query, fields, given):
    assert query_parameters(query, fields) == given


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("/a?b=c?d#e", ("/a", "b=c?d"), id="query-and-fragment"),
        pytest.param("?a=1", ("/", "a=1"), id="no-path"),
        pytest.param("//a/b", ("//a/b", ""), id="two-slashes-are-no-host"),
    ],
)
def test_a_path_is_split_at_its_question_mark(text, parts):
    assert split_path(text) == parts


def test_a_name_from_two_places_is_refused():
    with pytest.raises(BadRequestError, match="'q' appears in body_map and query"):
        joined({"q": 1}, {"q": "2"}, {"id": "3"})


@pytest.mark.parametrize("by", [copy.copy, copy.deepcopy])
def test_a_copy_keeps_the_original_body(by):
    found = by(MappedBody({"a": 1}, {"whole": True}, frozenset("a")))

    assert (type(found), found, found.original_body) == (
        MappedBody,
        {"a": 1},
        {"whole": True},
    )


def test_the_parameters_can_be_an_answer():
    assert json.loads(to_json(MappedBody({"a": 1}, "x"))) == {"a": 1}
