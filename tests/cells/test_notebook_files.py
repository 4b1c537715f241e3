"""Cells of saved notebooks and scripts."""

import json

import pytest

from jupyter_graph.cells import cells_from_notebook, cells_from_script
from jupyter_graph.errors import CellError

CODE = {
    "cell_type": "code",
    "id": "a",
    "metadata": {"tags": ["t"]},
    "source": ["x = 1\n", "y = 2"],
}
TEXT = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "# title"}


def notebook(*cells, **metadata):
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4})


def test_code_cells_are_numbered_by_their_place(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(
        notebook(TEXT, CODE, {**CODE, "id": "c", "source": "z = 3", "metadata": {}})
    )
    first, second = cells_from_notebook(path)

    assert (first.source, first.number, first.id, first.tags) == (
        "x = 1\ny = 2",
        1,
        "a",
        ("t",),
    )
    assert (second.source, second.number, second.tags) == ("z = 3", 2, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("not json", "is no notebook", id="no-json"),
        pytest.param("[]", "no list of cells", id="a-list"),
        pytest.param('{"cells": [1]}', "a cell in it is no object", id="odd-cell"),
        pytest.param(
            notebook(kernelspec={"language": "R"}),
            "a notebook in r, not in Python",
            id="in-r",
        ),
    ],
)
def test_what_is_no_python_notebook_is_refused(tmp_path, text, message):
    path = tmp_path / "a.ipynb"
    path.write_text(text)

    with pytest.raises(CellError, match=message):
        cells_from_notebook(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CellError, match="cannot read"):
        cells_from_notebook(tmp_path / "none.ipynb")


def test_notebooks_of_the_third_format_are_read(tmp_path):
    path = tmp_path / "old.ipynb"
    cell = {"cell_type": "code", "input": ["x = 1"], "language": "python"}
    path.write_text(json.dumps({"worksheets": [{"cells": [cell]}], "nbformat": 3}))

    assert [c.source for c in cells_from_notebook(path)] == ["x = 1"]


SCRIPT = '''\
# ---
# jupyter: {}
# ---

# %% [markdown]
# # Title

# %% first cell
import os
text = """
# %% no marker in here
"""

# %% tags=["x"]
# %%graph_step predict --after a
def predict(x):
    return x
#%%
# %% [raw]
# nothing
'''


def test_a_script_is_cut_at_its_markers(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(SCRIPT)
    first, second = cells_from_script(path)

    assert first.source.startswith("import os\ntext")
    assert "# %% no marker in here" in first.source
    assert second.source.startswith("%%graph_step predict --after a\ndef predict(x):")
    assert (first.number, second.number) == (1, 2)


def test_a_script_without_markers_is_one_cell(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")

    assert [cell.source for cell in cells_from_script(path)] == ["x = 1\n"]


def test_a_script_with_raw_magics_is_cut_too(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("# %%\n!echo it's\n# %%\nx = 1\n")

    assert [cell.source for cell in cells_from_script(path)] == [
        "!echo it's\n",
        "x = 1\n",
    ]
