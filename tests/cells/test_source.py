"""Cells are read as IPython reads them, with the line numbers the user sees."""

import ast

import pytest

from jupyter_graph.cells import Cell, parse_cell, step_definition
from jupyter_graph.errors import CellError

CELL = """

%%graph_step predict --after x

import os
%matplotlib inline
files = !ls \\
   -l
def f(x):
    '''
    !ls
    %magic
    '''
    # %not one
    !pwd
    return x
os?
value = await f(3)
%time y = f(4)
"""


def test_lines_stay_where_the_user_sees_them():
    parsed = parse_cell(Cell(CELL, 3))
    lines = {type(node).__name__: node.lineno for node in parsed.tree.body[:4]}

    assert parsed.magic == ("graph_step", "predict --after x")
    assert parsed.tree.body[0].lineno == 5
    assert lines["FunctionDef"] == 9
    assert parsed.tree.body[-1].lineno == 19
    assert parsed.is_async


def test_lines_in_the_syntax_of_ipython_are_known():
    assert parse_cell(Cell(CELL)).shell_lines == {
        6: "%matplotlib inline",
        7: "files = !ls \\",
        15: "!pwd",
        17: "os?",
        19: "%time y = f(4)",
    }


def test_strings_that_look_like_magics_are_kept():
    text = ast.get_docstring(parse_cell(Cell(CELL)).tree.body[3])

    assert text == "!ls\n%magic"


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\n\n",
        "# only a comment",
        "%%bash\nif [ 1 ]; then",
        "%%html\n<b>",
        "%%time",
        "%%",
    ],
)
def test_cells_without_python_are_empty(source):
    assert parse_cell(Cell(source)).tree.body == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        pytest.param("%%time\nx = 1", ["x"], id="time"),
        pytest.param("%%capture out --no-stderr\nx = 1", ["x"], id="capture"),
        pytest.param("%%graph_step\n%%time\nx = 1", ["x"], id="nested"),
        pytest.param("%%timeit\nx = 1", [], id="timeit-keeps-no-names"),
        pytest.param("%%javascript\nx = 1", [], id="javascript"),
    ],
)
def test_cell_magics_that_run_python_keep_their_body(source, names):
    body = parse_cell(Cell(source)).tree.body

    assert [node.targets[0].id for node in body] == names


def test_the_step_magic_is_found_inside_another():
    parsed = parse_cell(
        Cell("%%capture out\n%%graph_step a --respond\ndef a(x): return x")
    )

    assert parsed.magic == ("graph_step", "a --respond")
    assert parsed.captured == {"out": 1}


@pytest.mark.parametrize(
    "source", ["def f(:", "x = ((", "'''", "foo(\n)?", "\\", "x\x00y"]
)
def test_a_cell_that_is_not_python_is_an_error_with_its_place(source):
    with pytest.raises(CellError, match=r"cell 4.*: ") as caught:
        parse_cell(Cell(source, 4))

    assert caught.value.cell == 4


@pytest.mark.parametrize(
    ("source", "name", "found"),
    [
        pytest.param("def a(x): pass", None, "a", id="the-only-one"),
        pytest.param("def a(x): pass\nclass B: pass", None, "B", id="the-last"),
        pytest.param("def a(x): pass\nclass B: pass", "a", "a", id="the-named-one"),
        pytest.param("def a(x): pass\ndef b(x): pass", "c", "b", id="named-otherwise"),
        pytest.param(
            "%%graph_step\n@deco\nasync def a(x): pass", None, "a", id="async"
        ),
    ],
)
def test_the_step_of_a_cell_is_found(source, name, found):
    assert step_definition(Cell(source), name).name == found


@pytest.mark.parametrize(
    ("source", "kind", "is_async", "is_generator"),
    [
        ("def a(x): return x", "function", False, False),
        ("async def a(x): return x", "function", True, False),
        ("def a(x): yield x", "function", False, True),
        ("async def a(x):\n    for i in x: yield i", "function", True, True),
        ("def a(x):\n    def b(): yield 1\n    return b", "function", False, False),
        ("class A:\n    def do(self, x): yield x", "class", False, False),
    ],
)
def test_kinds_of_steps_are_told_apart(source, kind, is_async, is_generator):
    step = step_definition(Cell(source))

    assert (step.kind, step.is_async, step.is_generator) == (
        kind,
        is_async,
        is_generator,
    )


@pytest.mark.parametrize(
    "source", ["x = 1", "%%bash\ndef a(): pass", "f = lambda x: x"]
)
def test_a_cell_without_a_step_says_what_is_missing(source):
    with pytest.raises(CellError, match="cell 3 defines no function or class"):
        step_definition(Cell(source, 3))
