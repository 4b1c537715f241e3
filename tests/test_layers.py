"""The arrows of the house go down only."""

import ast
import functools
from collections import Counter
from pathlib import Path

import pytest

import jupyter_graph

PACKAGE = Path(jupyter_graph.__file__).parent
LOW = {
    "errors", "types", "argument_checks", "event", "values", "http_client", "spec",
    "threads",
}  # fmt: skip
ALL = {
    *LOW, "processes", "cells", "steps", "connectors", "picture", "compile", "answer",
    "frontend", "run", "host", "deployment", "session", "widgets", "magics", "cli",
    "mlrun_names", "__init__", "__main__",
}  # fmt: skip
MAY_IMPORT = {
    "errors": set(),
    "types": {"errors"},
    "threads": {"errors"},
    "argument_checks": {"errors", "types"},
    "values": {"errors", "types", "threads"},
    "event": {"errors", "types", "values"},
    "http_client": {"errors", "types", "threads", "argument_checks"},
    "spec": {"errors", "types"},
    "processes": {"errors", "threads", "spec"},  # spec: whose graphs @step names
    "cells": LOW,
    "steps": LOW | {"connectors", "processes"},  # connectors: where a step keeps state
    "connectors": LOW,
    "picture": LOW,
    "compile": LOW | {"steps", "connectors"},
    "answer": LOW,
    "frontend": LOW | {"answer", "compile"},
    "run": LOW | {"connectors", "processes", "compile", "answer", "frontend"},
    "mlrun_names": LOW | {"steps", "run", "answer"},
    "host": LOW
    | {"connectors", "compile", "answer", "frontend", "run", "picture", "mlrun_names"},
    "deployment": LOW
    | {"cells", "steps", "connectors", "compile", "answer", "frontend", "run", "host"}
    | {"mlrun_names"},
    "session": LOW | {"cells", "compile", "answer", "frontend", "run", "deployment"},
    "widgets": LOW | {"picture", "answer", "run", "session"},
    "magics": ALL - {"cli", "__main__"},
    "cli": ALL - {"widgets"},
    "__init__": ALL,
    "__main__": {"cli"},
}


@functools.cache
def imports(path: Path, *, top: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(str(node.module))
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def rooms_of(path: Path) -> set[str]:
    names = imports(path)
    is_root = path.parent == PACKAGE
    assert is_root or "jupyter_graph" not in names, f"{path} imports the package root"
    return {name.split(".")[1] for name in names if name.startswith("jupyter_graph.")}


def files_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    found = folder.rglob("*.py") if folder.is_dir() else [PACKAGE / f"{room}.py"]
    return sorted(path for path in found if path.exists())


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_the_rooms_below_it(room):
    allowed = MAY_IMPORT[room] | {room}
    extra = {
        f"{path.relative_to(PACKAGE.parent)} imports {name}"
        for path in files_of(room)
        for name in rooms_of(path) - allowed
    }

    assert not extra


def test_every_room_has_its_arrows():
    rooms = {path.stem for path in PACKAGE.glob("*.py")}
    rooms |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert rooms <= set(MAY_IMPORT)


def test_the_map_of_rooms_names_every_room():
    design = (PACKAGE.parent / "DESIGN.md").read_text(encoding="utf-8")
    rooms = {path.name for path in PACKAGE.glob("*.py") if path.stem[0] != "_"}
    rooms |= {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}

    assert {room for room in rooms if f"`{room}`" not in design} == set()


def own_files() -> list[Path]:
    return [
        path
        for path in PACKAGE.rglob("*.py")
        if "labextension" not in path.parts and path.stem[0] != "_"
    ]


def test_a_file_name_means_one_thing():
    names = Counter(path.name for path in own_files())

    assert [name for name, count in names.items() if count > 1] == []


def test_no_folder_is_crowded():
    folders = Counter(path.parent for path in own_files())

    assert [folder for folder, count in folders.items() if count > 20] == []


def test_no_class_is_crowded():
    crowded = {
        f"{node.name} in {path.relative_to(PACKAGE)}"
        for room in MAY_IMPORT
        for path in files_of(room)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and len(_methods(node)) > 25
    }

    assert not crowded


def _methods(node):
    """Give the names of a class's methods, an AST visitor's visits not counted."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = [one.name for one in node.body if isinstance(one, functions)]
    return [name for name in names if not name.startswith("visit_")]


HEAVY = {
    "IPython", "anywidget", "asyncio", "graphviz", "ipywidgets", "nuclio", "numpy",
    "nuclio_sdk", "pandas", "prometheus_client", "pyarrow", "requests", "sklearn",
    "skops", "storey", "uvicorn", "uvloop", "yaml",
}  # fmt: skip
ON_THE_WAY = ("__init__", "errors", "types", "spec", "steps", "compile")
"""What every process that runs a graph imports."""


@pytest.mark.parametrize("room", ON_THE_WAY)
def test_heavy_packages_are_imported_where_they_are_used(room):
    found = {
        f"{path.relative_to(PACKAGE.parent)} imports {name}"
        for path in files_of(room)
        for name in imports(path, top=True)
        if name.split(".")[0] in HEAVY
    }

    assert not found


ONLY_IN = {
    "IPython": {"cells", "magics"},  # cells: how IPython reads a cell's text
    "anywidget": {"widgets"},
    "ipywidgets": set(),
}


@pytest.mark.parametrize("package", ONLY_IN)
def test_what_belongs_to_the_notebook_stays_in_its_room(package):
    found = {
        room
        for room in MAY_IMPORT
        for path in files_of(room)
        if package in {name.split(".")[0] for name in imports(path)}
    }

    assert found <= ONLY_IN[package]
