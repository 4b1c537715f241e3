"""What `jupyter_graph` offers, and what importing it costs."""

import importlib
import pkgutil
import subprocess
import sys
import types

import pytest

import jupyter_graph
import jupyter_graph.steps

ROOMS = [name for _, name, is_room in pkgutil.iter_modules(jupyter_graph.__path__)]
HEAVY = (
    "storey", "pandas", "numpy", "pyarrow", "IPython", "ipywidgets", "anywidget",
    "nuclio", "yaml", "asyncio", "requests", "uvicorn", "sklearn", "graphviz",
)  # fmt: skip

IN_USE = """
from jupyter_graph import Graph, Runner
graph = Graph("g")
graph.to(name="double", handler=lambda x: x * 2)
with Runner(graph) as runner:
    assert runner.run(2) == 4
"""


def test_the_public_names_are_sorted():
    names = jupyter_graph.__all__

    assert names == sorted(names, key=lambda name: (name.islower(), name))


@pytest.mark.parametrize("name", jupyter_graph.__all__)
def test_every_public_name_resolves(name):
    assert getattr(jupyter_graph, name) is not None
    assert name in dir(jupyter_graph)


@pytest.mark.parametrize("name", jupyter_graph.steps.__all__)
def test_every_public_step_resolves(name):
    assert getattr(jupyter_graph.steps, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Grapf'"):
        _ = jupyter_graph.Grapf
    with pytest.raises(AttributeError, match="no attribute 'Merg'"):
        _ = jupyter_graph.steps.Merg


@pytest.mark.parametrize("name", jupyter_graph.__all__)
def test_no_room_hides_a_public_name(name):
    rooms = [importlib.import_module(f"jupyter_graph.{room}") for room in ROOMS]
    value = getattr(jupyter_graph, name)

    assert rooms
    assert isinstance(value, types.ModuleType) == (name == "errors")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import jupyter_graph", id="import"),
        pytest.param(IN_USE, id="in-use"),
        pytest.param("import jupyter_graph.host.handler", id="in-a-function"),
    ],
)
def test_a_fresh_process_loads_nothing_heavy(code):
    tell = f"\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code + tell], capture_output=True, text=True, check=True
    )

    assert found.stdout.split() in ([], ["asyncio"])
