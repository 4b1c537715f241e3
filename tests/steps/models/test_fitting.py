"""Inputs by name, values of a type, shapes."""

import pytest

from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps.models.input_conversion import by_name, cast, check_shape
from jupyter_graph.steps.models.tensors import Columns

np = pytest.importorskip("numpy")


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param(Columns(b=[3, 4], a=[1, 2]), id="columns"),
        pytest.param([{"b": 3, "a": 1}, {"a": 2, "b": 4}], id="rows"),
    ],
)
def test_inputs_come_in_the_order_of_the_model(inputs):
    assert list(by_name(inputs, ["a", "b"], "m").items()) == [
        ("a", [1, 2]),
        ("b", [3, 4]),
    ]


@pytest.mark.parametrize(
    ("inputs", "got"),
    [
        (Columns(a=[1]), r"\['a'\]"),
        (Columns(a=[1], b=[1], c=[1]), r"\['a', 'b', 'c'\]"),
        ([{"a": 1, "b": 1}, {"a": 1}], r"\['a'\]"),
        ([[1, 2]], "inputs without names"),
        ([], "nothing"),
    ],
)
def test_other_names_are_refused(inputs, got):
    with pytest.raises(BadRequestError, match=rf"\['a', 'b'\] by name, got {got}"):
        by_name(inputs, ["a", "b"], "m")


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        ([1, 2.0], "int64", [1, 2]),
        ([1, 2.5], "float32", [1.0, 2.5]),
        ([0, 1.0], "bool", [False, True]),
        ([255], "uint8", [255]),
        ([[True]], "int8", [[1]]),
        (["a"], "object", ["a"]),
    ],
)
def test_numbers_become_those_of_a_type(value, kind, wanted):
    found = cast(value, kind)

    assert (found.dtype, found.tolist()) == (np.dtype(kind), wanted)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ([1.5], "int64", "1.5 is no int64"),
        ([-1], "uint8", "-1 is no uint8"),
        ([2], "bool", "2 is no bool"),
        ([float("nan")], "int64", "nan is no int64"),
        ([2**63], "int64", "9223372036854775808 is no int64"),
        (["1"], "float32", "'1' is a text, no number"),
        ([[1], [1, 2]], "float32", "inhomogeneous"),
    ],
)
def test_a_value_that_a_type_cannot_hold_is_refused(value, kind, message):
    with pytest.raises(ValueError, match=message):
        cast(value, kind)


@pytest.mark.parametrize("have", [(3,), (2, 3, 1), (2, 4)])
def test_another_shape_is_refused(have):
    with pytest.raises(BadRequestError, match=r"'x' has the shape \[-1, 3\], got"):
        check_shape("x", [-1, 3], have)


def test_any_size_fits_where_none_is_said():
    check_shape("x", [None, 3, -1], (0, 3, 7))
