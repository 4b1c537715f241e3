"""Operators are worked out again only where none of the user's code runs."""

import ast
import operator
import re
from pathlib import PurePosixPath

import pytest

from jupyter_graph.cells.shipping.operators import binary, is_type, unary
from jupyter_graph.cells.shipping.unchanged import (
    EqualObject,
    NotReproducible,
    SameObject,
)

FLAG = SameObject(re.I)
PATH = EqualObject(PurePosixPath("a"), operator.eq)


class Own:
    """A class whose operators are the user's."""

    def __or__(self, other):
        raise AssertionError


@pytest.mark.parametrize(
    ("text", "result"),
    [("1 + 2", 3), ("'a' * 2", "aa"), ("[1] + [2]", [1, 2]), ("{1} | {2}", {1, 2})],
)
def test_operators_on_data_give_data(text, result):
    node = ast.parse(text, mode="eval").body
    left, right = ast.literal_eval(node.left), ast.literal_eval(node.right)

    assert binary(node.op, left, right) == result


@pytest.mark.parametrize(
    ("op", "left", "right", "live"),
    [
        pytest.param(
            ast.BitOr(), SameObject(int), SameObject(str), int | str, id="type"
        ),
        pytest.param(ast.BitOr(), FLAG, SameObject(re.M), re.I | re.M, id="flag"),
        pytest.param(ast.Div(), PATH, "b", PurePosixPath("a/b"), id="path"),
    ],
)
def test_operators_on_types_flags_and_paths_are_recognised(op, left, right, live):
    assert binary(op, left, right).matches(live)


@pytest.mark.parametrize(
    ("op", "left", "right"),
    [
        pytest.param(ast.BitOr(), SameObject(Own()), SameObject(Own()), id="own"),
        pytest.param(ast.Add(), SameObject(Own()), 1, id="object-and-data"),
        pytest.param(ast.Pow(), 10, 10**10, id="large-power"),
        pytest.param(ast.LShift(), 1, 10**10, id="large-shift"),
    ],
)
def test_operators_of_others_and_large_ones_are_refused(op, left, right):
    with pytest.raises(NotReproducible):
        binary(op, left, right)


def test_signs_are_applied():
    assert unary(ast.USub(), 3) == -3


def test_classes_of_the_notebook_are_no_types_with_known_operators():
    own = type("Own", (), {"__module__": "__main__"})

    assert is_type(SameObject(int))
    assert not is_type(SameObject(own))
