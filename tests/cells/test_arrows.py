"""The arrows inside the room: slice knows shipping, shipping knows scope."""

import ast
from pathlib import Path

import pytest

import jupyter_graph.cells

ROOM = Path(jupyter_graph.cells.__file__).parent
NAME = "jupyter_graph.cells."
BELOW = {"scope": set(), "shipping": {"scope"}, "slice": {"scope", "shipping"}}


@pytest.mark.parametrize("folder", BELOW)
def test_a_folder_of_cells_imports_only_the_folders_below_it(folder):
    imported = {
        node.module.removeprefix(NAME).partition(".")[0]
        for path in (ROOM / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(NAME)
    }

    assert imported - {folder} <= BELOW[folder] | {"source", "syntax"}
