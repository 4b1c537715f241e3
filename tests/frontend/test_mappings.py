"""Body mappings at work."""

import pytest

from jupyter_graph.errors import BadRequestError, UnprocessableError
from jupyter_graph.frontend.body_mappings import FieldMap, MissingFieldError, merged
from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping

OPTIONAL = [FieldMapping("$.a.b", "b"), FieldMapping("$.l[*]", "l")]


@pytest.mark.parametrize(
    ("body", "given"),
    [
        pytest.param({"a": {"b": 1}, "l": [1]}, {"b": 1, "l": 1}, id="one"),
        pytest.param({"l": [1, 2]}, {"l": [1, 2]}, id="several-are-a-list"),
        pytest.param({"a": {"b": None}}, {"b": None}, id="null-is-there"),
        pytest.param({"a": [{"b": 1}]}, {}, id="missing"),
        pytest.param("text", None, id="no-object"),
    ],
)
def test_input_leaves_out_what_is_not_there(body, given):
    assert FieldMap("input", OPTIONAL).apply(body) == given


def test_output_gives_none_for_what_is_not_there():
    assert FieldMap("output", OPTIONAL).apply({}) == {"b": None, "l": None}


def test_a_mandatory_field_that_is_missing_is_named():
    fields = FieldMap("input", [FieldMapping("$.m", "model", mandatory=True)])

    with pytest.raises(MissingFieldError, match="'model'") as caught:
        fields.apply({})

    assert (caught.value.field, caught.value.status_code) == ("model", 422)


def test_mandatory_fields_need_an_object():
    fields = FieldMap("output", [FieldMapping("$.m", "model", mandatory=True)])

    with pytest.raises(UnprocessableError, match=r"output .* got list"):
        fields.apply([1])


def test_an_expression_that_does_not_fit_a_body_refuses_it():
    above_the_root = FieldMapping("$.`parent`.a", "a")

    with pytest.raises(BadRequestError, match="cannot be applied"):
        FieldMap("input", [above_the_root]).apply({"a": 1})


def endpoint(path, **mappings):
    rows = tuple(FieldMapping(source, name) for name, source in mappings.items())
    return Endpoint(path, input_body_mappings=rows)


@pytest.mark.parametrize(
    ("near", "far", "given"),
    [
        pytest.param({"m": "$.a"}, {"n": "$.b"}, {"m": 1, "n": 2}, id="both"),
        pytest.param({"m": "$.a"}, {"m": "$.b"}, {"m": 1}, id="same-destination"),
        pytest.param({"m": "$.a"}, {"n": "$['a']"}, {"m": 1}, id="same-source"),
        pytest.param({}, {"n": "b"}, {"n": 2}, id="only-far"),
    ],
)
def test_the_closer_endpoint_holds_where_two_differ(near, far, given):
    fields = merged([endpoint("/x", **near), endpoint("/*", **far)], "input")

    assert fields.apply({"a": 1, "b": 2}) == given


def test_endpoints_without_mappings_have_none():
    assert merged([Endpoint("/a")], "output") is None
