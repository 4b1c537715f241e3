"""Plain expressions answer as the library does."""

import jsonpath_ng
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.jsonpath import json_path

NAMES = st.sampled_from(["a", "b", "c_1", "_d", "A"])
PLAIN = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)
OTHERS = ["$", "$.*", "$..a", "$.a[0]", "$.a[*].b", "$['a']", "a.`parent`.b"]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.one_of(PLAIN, PLAIN.map("$.{}".format)), st.dictionaries(NAMES, VALUES))
def test_a_plain_expression_finds_what_the_library_finds(expression, body):
    wanted = [found.value for found in jsonpath_ng.parse(expression).find(body)]

    path = json_path(expression)

    assert path.keys
    assert path.find(body) == wanted


@pytest.mark.parametrize("expression", OTHERS)
@settings(max_examples=30, deadline=None)
@given(body=st.dictionaries(NAMES, VALUES))
def test_other_expressions_are_the_librarys(expression, body):
    wanted = [found.value for found in jsonpath_ng.parse(expression).find(body)]

    assert json_path(expression).find(body) == wanted


@pytest.mark.parametrize("expression", ["where", "$.a.where", "a wherenot b"])
def test_reserved_words_are_left_to_the_library(expression):
    try:
        keys = json_path(expression).keys
    except SpecError:
        keys = None

    assert keys is None


def test_two_spellings_have_one_text():
    assert json_path("$['a']").text == json_path("$.a").text == "$.a"
