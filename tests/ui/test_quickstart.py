"""The quickstart in JupyterLab, as a newcomer runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"

pytestmark = [pytest.mark.ui, pytest.mark.slow, pytest.mark.timeout(300)]


def step_cells():
    cells = json.loads(QUICKSTART.read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [source for source in sources if source.lstrip().startswith("%%graph_step")]


def test_the_quickstart_runs_and_shows_badges_and_a_counted_picture(lab, open_notebook):
    shutil.copy(QUICKSTART, lab.folder)
    notebook = open_notebook(QUICKSTART.name)
    notebook.run_all()
    assert notebook.errors() == []

    badges = notebook.badges()
    assert len(badges) == len(step_cells()) > 0
    assert {badge.split(", ")[1] for badge in badges} == {"up to date"}

    notebook.show_output(".jg-figures >> text=event")
    notebook.keep_picture("quickstart")

    notebook.show_graph()
    panel = notebook.page.locator(".jg-graph-panel .jg-view")
    panel.locator(".jg-figures", has_text="event").first.wait_for()
    notebook.keep_picture("quickstart-panel")

    notebook.set_theme("JupyterLab Dark")
    notebook.keep_picture("quickstart-panel-dark")
    notebook.set_theme("JupyterLab Light")
