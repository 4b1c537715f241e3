import pytest

import jupyter_graph
from jupyter_graph.errors import RunError


def registered(shell):
    formatter = shell.display_formatter.mimebundle_formatter
    return {
        "line": {"graph", "deploy"} & set(shell.magics_manager.magics["line"]),
        "cell": {"graph_step"} & set(shell.magics_manager.magics["cell"]),
        "matchers": len(shell.Completer.custom_matchers),
        "transformers": len(shell.input_transformers_post),
        "cleanups": len(shell.input_transformers_cleanup),
        "events": len(shell.events.callbacks["pre_run_cell"]),
        "shows": jupyter_graph.Graph in formatter.type_printers,
    }


def test_unloading_takes_everything_back(bare_shell):
    before = registered(bare_shell)
    bare_shell.run_cell("%load_ext jupyter_graph").raise_error()
    assert registered(bare_shell) != before

    bare_shell.run_cell("%unload_ext jupyter_graph").raise_error()

    assert registered(bare_shell) == before
    with pytest.raises(RunError, match="%load_ext jupyter_graph"):
        jupyter_graph.notebook()


def test_loading_twice_changes_nothing(shell, run, session):
    run("%%graph_step f\ndef f(b): return b")
    before = registered(shell)

    jupyter_graph.load_ipython_extension(shell)
    run("%reload_ext jupyter_graph")

    assert {**registered(shell), "events": 0} == {**before, "events": 0}


def test_loading_twice_keeps_the_graphs(shell, run, session):
    run("%%graph_step f\ndef f(b): return b")
    jupyter_graph.load_ipython_extension(shell)

    assert jupyter_graph.notebook() is session
    assert session.graph().spec.names() == ("f",)


def test_a_graph_shows_itself_as_a_picture(shell, run):
    graph = jupyter_graph.Graph("g")
    graph.to(name="a", handler=str)
    data, _ = shell.display_formatter.format(graph)

    assert data["image/svg+xml"].startswith("<svg")
    assert "a" in data["text/plain"]


def test_a_notebooks_first_graph_is_named_after_it(bare_shell, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/01 Fraud.ipynb")
    bare_shell.run_cell("%load_ext jupyter_graph").raise_error()

    assert jupyter_graph.notebook().graph().name == "_01_Fraud"
    assert str(jupyter_graph.notebook().folder) == "/home/me"
