"""A notebook without Jupyter: cells that ran, and a state folder of its own."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_graph.cells.source import Cell
from jupyter_graph.deployment.index import records
from jupyter_graph.deployment.nuclio.fake_dashboard import FakeDashboard
from jupyter_graph.deployment.sources import Sources
from jupyter_graph.deployment.targets.target_registry import load_target
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph


def ran(graph: Graph, *bodies: Any, **facts: Any) -> list[RecordedInput]:
    """Run events through a graph here; return them as recorded."""
    with Runner(graph) as runner:
        return [RecordedInput.ran(runner, body, **facts) for body in bodies]


@dataclass
class Notebook:
    """Cells that run one after the other in one namespace, as in a kernel."""

    path: Path
    cells: list[Cell] = field(default_factory=list)
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def run(self, source: str) -> None:
        number = len(self.cells) + 1
        exec(compile(source, f"<cell {number}>", "exec"), self.namespace)
        self.cells.append(Cell(source, number=number))

    def __getitem__(self, name: str) -> Any:
        return self.namespace[name]

    def graph(self, *names: str, name: str = "math") -> Graph:
        """Return the linear graph of these functions and classes."""
        graph = Graph(name)
        for step in names:
            code = self.namespace[step]
            if isinstance(code, type):
                graph.add_step(code, step.lower())
            else:
                graph.add_step(None, step, code)
        return graph

    @property
    def sources(self) -> Sources:
        return Sources(tuple(self.cells), self.namespace, str(self.path))


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Return every test a state folder; what still runs at its end is stopped."""
    folder = tmp_path / "state"
    monkeypatch.setenv("JUPYTER_GRAPH_STATE_DIR", str(folder))
    yield folder
    for record in records():
        if record.target == "local":
            load_target("local").delete(record)


@pytest.fixture
def notebook(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return Notebook(folder / "math.ipynb")


@pytest.fixture
def doubling(notebook):
    """Return a notebook whose graph doubles ``n`` and adds one."""
    notebook.run("def double(body):\n    return {'n': body['n'] * 2}\n")
    notebook.run("STEP = 1\ndef add_one(body):\n    return {'n': body['n'] + STEP}\n")
    return notebook


@pytest.fixture
def dashboard(monkeypatch):
    with FakeDashboard() as found:
        monkeypatch.setenv("NUCLIO_DASHBOARD_URL", found.url)
        yield found


@pytest.fixture
def python():
    return f"python:{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def local_module(notebook, monkeypatch):
    """Return a function that writes a module beside the notebook, first on the path."""
    folder = notebook.path.parent
    monkeypatch.syspath_prepend(folder)
    # Bundles without a name of their own for it leave theirs.
    monkeypatch.delitem(sys.modules, "steps", raising=False)
    written: list[str] = []

    def write(name: str, source: str) -> Path:
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        written.append(name.partition("/")[0])
        importlib.invalidate_caches()
        return path

    yield write
    for name in {*sys.modules}:
        if name.partition(".")[0] in written:
            del sys.modules[name]
