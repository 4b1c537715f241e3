"""A step ships without ``@step``: where it stands is written in the graph."""

import pytest


@pytest.mark.parametrize(
    ("imported", "decorator"),
    [
        pytest.param("from jupyter_graph import step", "@step(graph=g)", id="called"),
        pytest.param("from jupyter_graph import step as s", "@s(g, 'a')", id="renamed"),
        pytest.param("import jupyter_graph as jg", "@jg.step(graph=g)", id="dotted"),
        pytest.param("from jupyter_graph import *", "@step(graph=g)", id="star"),
        pytest.param(
            "from jupyter_graph import step",
            "@step(\n    graph=g,\n    after='start',\n)",
            id="on-lines",
        ),
    ],
)
def test_a_step_ships_without_its_decorator(kernel, imported, decorator):
    kernel.run(f"{imported}\nfrom jupyter_graph import Graph\ng = Graph('made')")
    kernel.run(f"{decorator}\ndef first(body):\n    return body + 1")
    part = kernel.slice("first")

    assert part.source.endswith("def first(body):\n    return body + 1\n")
    assert "step" not in part.source
    assert "Graph" not in part.source
    assert part.names["first"] == (2, decorator.count("\n") + 2)


def test_other_decorators_stay(kernel, loaded):
    kernel.run(
        "from functools import lru_cache\nfrom jupyter_graph import Graph, step\n"
        "g = Graph('made')"
    )
    kernel.run(
        "@lru_cache\n@step(graph=g)\n@lru_cache(4)\ndef first(body): return body + 1"
    )
    first = loaded(kernel.slice("first")).first

    assert first(1) == 2
    assert first.__wrapped__.cache_info().maxsize == 4


def test_a_step_of_somebody_else_stays(kernel):
    kernel.run("from jupyter_graph import step\ndef step(code):\n    return code")
    kernel.run("@step\ndef first(body):\n    return body + 1")

    assert "@step\ndef first" in kernel.slice("first").source
