"""Calls of the notebook's own code are recognised without calling it."""

import pytest

from jupyter_graph.cells.scope.program import read_program
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.shipping.unchanged import NotReproducible, SameObject
from jupyter_graph.cells.source import Cell

CELLS = """
from dataclasses import dataclass, field
from typing import NamedTuple
def connect(): raise AssertionError
class Plain:
    def __init__(self, limit=3, *, name='a'):
        self.limit = limit
        self.name = name
class Busy:
    def __init__(self): self.link = connect()
class Slotted:
    __slots__ = ('a',)
@dataclass
class Row:
    a: int
    b: list = field(default_factory=list)
@dataclass
class Odd:
    a: int = field(default_factory=connect)
class Pair(NamedTuple):
    a: int
    b: int = 2
def factory(limit):
    def step(x): return x > limit
    return step
def busy(limit):
    connect()
    return limit
"""


@pytest.fixture
def notebook(tmp_path):
    """Return the namespace of the cells, and the calls of what they define."""
    namespace = {"__name__": "__main__"}
    exec(CELLS, namespace)
    program = read_program([Cell(CELLS, 1)], tmp_path, is_live=True)
    return namespace, ShippingAnalysis(program, namespace).calls


@pytest.mark.parametrize(
    ("name", "args", "named"),
    [
        pytest.param("Plain", [], {}, id="defaults"),
        pytest.param("Plain", [4], {"name": "b"}, id="arguments"),
        pytest.param("Row", [1], {}, id="dataclass"),
        pytest.param("Pair", [1], {}, id="named-tuple"),
        pytest.param("factory", [3], {}, id="closure"),
    ],
)
def test_what_a_call_gave_is_recognised(notebook, name, args, named):
    namespace, calls = notebook
    expected = calls.result(SameObject(namespace[name]), args, named)

    assert expected.matches(namespace[name](*args, **named))


@pytest.mark.parametrize(
    ("name", "args", "other"),
    [("Plain", [3], [4]), ("Row", [1], [2]), ("Pair", [1], [2]), ("factory", [3], [4])],
)
def test_what_another_call_gave_is_told_apart(notebook, name, args, other):
    namespace, calls = notebook
    expected = calls.result(SameObject(namespace[name]), args, {})

    assert not expected.matches(namespace[name](*other))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        pytest.param("Busy", [], id="constructor-that-calls"),
        pytest.param("Slotted", [], id="slots"),
        pytest.param("Odd", [], id="default-that-is-made"),
        pytest.param("busy", [1], id="function-that-calls"),
        pytest.param("Plain", [1, 2, 3], id="arguments-that-do-not-fit"),
    ],
)
def test_a_call_that_does_more_is_not_recognised(notebook, name, args):
    namespace, calls = notebook

    with pytest.raises(NotReproducible):
        calls.result(SameObject(namespace[name]), args, {})


def test_functions_of_libraries_are_not_called(notebook):
    _, calls = notebook

    with pytest.raises(NotReproducible):
        calls.result(SameObject(print), ["x"], {})
