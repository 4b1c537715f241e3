"""The runtime in a bundle is whole: no file of it imports a room that stays behind."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jupyter_graph
from jupyter_graph.deployment.bundle.runtime_rooms import ROOMS, runtime_files

PACKAGE = Path(jupyter_graph.__file__).parent
TRAVELLING = {Path(room).stem for room in ROOMS}
MODULES = [
    path
    for room in ROOMS
    for path in (
        [PACKAGE / room] if room.endswith(".py") else (PACKAGE / room).rglob("*.py")
    )
]


def imported(path: Path) -> set[str]:
    """Return the rooms that a file imports, also where it is called or typed only."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name.split(".")[1] for name in names if name.startswith("jupyter_graph.")}


@pytest.mark.slow
def test_every_import_of_the_runtime_is_of_the_runtime():
    ours = [path for path in MODULES if path != PACKAGE / "__init__.py"]
    outside = {
        str(path.relative_to(PACKAGE)): rooms
        for path in ours
        if (rooms := imported(path) - TRAVELLING)
    }

    assert outside == {}


def test_every_room_that_travels_is_there():
    assert [room for room in ROOMS if not (PACKAGE / room).exists()] == []


@pytest.fixture
def runtime(tmp_path):
    for path, content in runtime_files():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


CODE = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import jupyter_graph
for room in sys.argv[2:]:
    package = importlib.import_module(f"jupyter_graph.{room}")
    path, prefix = getattr(package, "__path__", ()), f"{package.__name__}."
    for info in pkgutil.walk_packages(path, prefix):
        if not info.name.endswith("__main__"):
            importlib.import_module(info.name)
print([
    name for name, module in sys.modules.items()
    if name.startswith("jupyter_graph") and not module.__file__.startswith(sys.argv[1])
])
"""


@pytest.mark.slow
def test_the_runtime_imports_alone(runtime):
    rooms = sorted(TRAVELLING - {"__init__"})
    command = [sys.executable, "-I", "-B", "-W", "ignore", "-c", CODE, str(runtime)]
    done = subprocess.run(
        [*command, *rooms], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
