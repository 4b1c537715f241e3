import base64
from xml.etree import ElementTree

import graphviz
import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.picture.forms.mimebundle import mimebundle
from jupyter_graph.picture.forms.png import png
from jupyter_graph.picture.layout import graphviz_engine
from jupyter_graph.picture.plot import plot

PNG = b"\x89PNG\r\n"

needs_program = pytest.mark.skipif(
    graphviz_engine.available() is None, reason="neither dot nor graphviz-pure is there"
)


def parse(body):
    return body


def test_plot_takes_a_graph_as_users_hold_it():
    graph = Graph("mine")
    graph.to(name="parse", handler=parse).respond()
    picture = plot(graph, rankdir="TB")

    assert isinstance(picture, graphviz.Digraph)
    assert '"start" -> "parse"' in picture.source
    assert '"rankdir"="TB"' in picture.source


def test_plot_refuses_what_is_no_graph():
    with pytest.raises(SpecError, match="plot takes a Graph"):
        plot("fraud")


def test_it_has_the_visual_grammar_of_mlrun(graph):
    source = plot(graph("router")).source + plot(graph("errors")).source

    assert '"start" [label="start", shape="egg"' in source
    assert 'subgraph "cluster_models" {' in source
    assert '"validate" -> "fix" [style=dashed' in source
    assert 'shape="cylinder"' in plot(graph("branch")).source


def test_without_dot_it_shows_our_own_svg(graph, no_programs):
    bundle = plot(graph("linear"))._repr_mimebundle_()

    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "jg-title" in bundle["image/svg+xml"]


def test_wanted_and_unwanted_forms_are_minded(graph):
    picture = plot(graph("linear"))

    assert set(picture._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert "image/svg+xml" not in picture._repr_mimebundle_(exclude=["image/svg+xml"])


@needs_program
def test_every_graph_becomes_a_png(any_graph):
    assert png(any_graph).startswith(PNG)


@needs_program
def test_the_bundle_holds_a_png_where_a_program_draws_one(graph):
    bundle = mimebundle(graph("errors"))

    assert base64.b64decode(bundle["image/png"]).startswith(PNG)
    assert set(bundle) == {"image/png", "image/svg+xml", "text/plain"}


def test_without_a_program_a_png_is_refused_with_the_line_that_installs_one(
    graph, no_programs
):
    with pytest.raises(SpecError, match=r'pip install "jupyter_graph\[layout\]"'):
        png(graph("linear"))


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("graph.svg", b"<"),
        ("graph.mmd", b"flowchart LR"),
        ("graph.txt", "branch · flow".encode()),
        ("graph.gv", b"digraph branch {"),
        pytest.param("graph.png", PNG, marks=needs_program),
    ],
)
def test_a_file_is_written_as_its_ending_says(graph, tmp_path, name, begins):
    plot(graph("branch"), filename=tmp_path / name)

    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_format_may_be_given_apart_from_the_name(graph, tmp_path):
    plot(graph("branch"), tmp_path / "picture", "svg")

    ElementTree.parse(tmp_path / "picture.svg")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param(
            "graph.pgn", "unknown picture format 'pgn'; did you mean", id="typo"
        ),
        pytest.param("no/folder/graph.txt", "cannot write the picture", id="no-folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_clear_error(graph, tmp_path, name, says):
    with pytest.raises(SpecError, match=says):
        plot(graph("branch"), filename=tmp_path / name)


def test_the_package_draws_without_importing_graphviz():
    import subprocess
    import sys

    code = (
        "import sys; from jupyter_graph.picture.forms.svg import svg; "
        "from jupyter_graph.picture.forms.text_picture import text; "
        "from jupyter_graph.picture.plot import plot; "
        "print(sorted({'graphviz', 'IPython', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
