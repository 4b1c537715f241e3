"""The JupyterLab part: badges of step cells, the button and the graph's panel."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.ui, pytest.mark.slow, pytest.mark.timeout(180)]

LOAD = "%load_ext jupyter_graph"
CLEAN = "%%graph_step\ndef clean(body):\n    return {**body, 'clean': True}"
PREDICT = """\
%%graph_step predict --respond
class Model:
    def do(self, body):
        return body["x"] * 2
"""
BROKEN = "%%graph_step broken\ndef broken(body):\n    return body\n\n1 / 0"


def test_badges_follow_runs_edits_and_restarts(new_notebook):
    notebook = new_notebook("badges", LOAD, CLEAN, PREDICT, BROKEN, "x = 1")
    assert notebook.badges() == [
        "Graph step clean, not run yet",
        "Graph step predict, not run yet",
        "Graph step broken, not run yet",
    ]

    notebook.run_all()
    assert notebook.badges() == [
        "Graph step clean, up to date",
        "Graph step predict, up to date",
        "Graph step broken, last run failed",
    ]

    notebook.set_source(1, CLEAN.replace("clean(", "tidy("))
    notebook.set_source(2, PREDICT.replace("* 2", "* 3"))
    notebook.set_source(3, "x = 2")
    notebook.set_source(4, "%%graph_step last --after predict")
    notebook.keep_picture("badges")
    assert notebook.badges() == [
        "Graph step tidy, edited since last run",
        "Graph step predict, edited since last run",
        "Graph step last, not run yet",
    ]

    notebook.restart()
    assert notebook.badges() == [
        "Graph step tidy, not run yet",
        "Graph step predict, not run yet",
        "Graph step last, not run yet",
    ]


def test_the_button_shows_the_live_graph_of_the_notebook(new_notebook):
    notebook = new_notebook("panel", LOAD, CLEAN, PREDICT, "%graph run {'x': 2}")
    notebook.run_all()
    assert notebook.errors() == []

    notebook.show_graph()
    view = notebook.page.locator(".jg-graph-panel .jg-view")
    view.wait_for()
    text = view.text_content()
    assert "clean" in text
    assert "predict" in text

    notebook.command("notebook:run-all-cells")
    view.locator(".jg-figures", has_text="2 events").first.wait_for()
    notebook.keep_picture("panel")


def test_without_the_magics_the_panel_says_how_to_load_them(new_notebook):
    notebook = new_notebook("unloaded", LOAD, CLEAN)
    hint = notebook.page.locator(".jg-graph-panel-hint")

    notebook.command("jupyter-graph:show")
    hint.locator("text=not loaded").wait_for()
    notebook.keep_picture("panel-not-loaded")
    assert hint.locator("code").text_content() == LOAD

    notebook.run_all()
    assert notebook.errors() == []
    notebook.page.locator(".jg-graph-panel .jg-view").wait_for()

    notebook.restart()
    hint.locator("text=not loaded").wait_for()


def test_only_notebooks_with_steps_have_the_button(new_notebook):
    notebook = new_notebook("plain", "x = 1")
    button = notebook.page.locator(".jg-show-graph")
    button.wait_for(state="attached")
    assert not button.is_visible()

    notebook.set_source(0, CLEAN)
    button.wait_for(state="visible")

    notebook.set_source(0, "x = 1")
    button.wait_for(state="hidden")
    assert notebook.badges() == []


def test_a_name_is_shown_as_text_whatever_it_says(new_notebook):
    name = "<img/src=x/onerror=alert(1)>"
    notebook = new_notebook("markup", f"%%graph_step {name}")
    badge = notebook.page.locator(".jg-step-badge")

    assert badge.locator(".jg-step-badge-name").text_content() == name
    assert badge.locator("img").count() == 0
