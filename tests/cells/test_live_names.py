"""The cells beside the kernel: which line a live value comes from."""

import ast

import pytest

from jupyter_graph.cells.scope.program import read_program
from jupyter_graph.cells.shipping.live_names import LiveNames
from jupyter_graph.cells.source import Cell


@pytest.fixture
def names(tmp_path):
    """Return the names of cells that ran, and of those that failed."""

    def names(*sources, failed=()):
        cells = [Cell(text, number) for number, text in enumerate(sources, 1)]
        namespace = {"__name__": "__main__"}
        for cell in cells:
            exec(cell.source, namespace)
        cells += [Cell(text, 99) for text in failed]
        return LiveNames(read_program(cells, tmp_path, is_live=True), namespace)

    return names


def test_the_last_binding_is_final(names):
    assert names("x = 1", "x = 2").final("x").number == 2


def test_a_definition_that_never_ran_is_not_final(names):
    live = names("def f(x): return x", failed=["1 / 0\ndef f(x): return -x"])

    assert live.final("f").number == 1
    assert live.is_from_cells("f", live.final("f"))


def test_a_name_means_the_binding_above_the_place(names):
    live = names("x = 1", "y = x", "x = 2")

    assert live.version("x", 1).number == 1
    assert live.version("x", None).number == 3


def test_a_function_from_elsewhere_is_not_from_the_cells(names):
    live = names("def f(x): return x", "exec('def f(x): return x + 1')")

    assert not live.is_from_cells("f", live.final("f"))


@pytest.mark.parametrize(
    ("line", "is_settled"),
    [
        pytest.param("pass", True, id="never-set"),
        pytest.param("Config.other = 2", True, id="another-set"),
        pytest.param("Config.limit = 2", False, id="set"),
        pytest.param("setattr(Config, 'lim' + 'it', 2)", False, id="any-set"),
    ],
)
def test_an_attribute_is_settled_when_no_line_sets_it(names, line, is_settled):
    live = names("class Config:\n    limit = 1", line)

    assert live.is_settled(live.values["Config"], "limit") is is_settled


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("P", "pathlib.Path"),
        ("o.path.join", "os.path.join"),
        ("len", "builtins.len"),
        ("x.y", None),
        ("f().y", None),
    ],
)
def test_dotted_names_follow_the_imports(names, text, full):
    live = names("from pathlib import Path as P", "import os as o", "x = 1")

    assert live.dotted(ast.parse(text, mode="eval").body, None) == full
