"""A small kernel: cells are run one after the other in one namespace."""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import linecache
import sys
import textwrap
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_graph.cells.slice.module_slice import Slice, slice_cells
from jupyter_graph.cells.source import Cell, parse_cell

annotations = sys.modules["__future__"].annotations


class FakeShell:
    """What ``get_ipython()`` gives in these cells."""

    def system(self, command):
        return None

    def getoutput(self, command):
        return ["a.txt", "b.txt"]

    def run_line_magic(self, name, words):
        return None


@dataclass
class Kernel:
    """Runs cells as a notebook would, and slices them."""

    folder: Path
    cells: list[Cell] = field(default_factory=list)
    namespace: dict[str, Any] = field(default_factory=dict)
    flags: int = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def run(self, *sources: str) -> Kernel:
        for source in sources:
            cell = Cell(textwrap.dedent(source).strip("\n"), len(self.cells) + 1)
            self.cells.append(cell)
            text = "\n".join(parse_cell(cell).lines)
            name = f"<cell {cell.number} of {id(self)}>"
            linecache.cache[name] = (len(text), None, text.splitlines(True), name)
            code = compile(text, name, "exec", self.flags, dont_inherit=True)
            self.flags |= code.co_flags & annotations.compiler_flag
            result = eval(code, self.namespace)
            if inspect.iscoroutine(result):
                asyncio.run(result)
        return self

    def slice(self, *roots: str) -> Slice:
        return slice_cells(self.cells, roots, self.namespace, folder=self.folder)


def load(part: Slice, folder: Path) -> types.SimpleNamespace:
    """Save the values of a slice and run its source as the module ``steps``."""
    from jupyter_graph.host.artifacts import save_value  # what slices are made for

    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    for value in part.values:
        save_value(value.name, value.value, artifacts)
    path = folder / "steps.py"
    path.write_text(part.source)
    names = {"__name__": "steps", "__file__": str(path), "__builtins__": builtins}
    exec(compile(part.source, str(path), "exec", dont_inherit=True), names)
    return types.SimpleNamespace(**names)


@pytest.fixture
def kernel(tmp_path):
    """A kernel with an empty namespace."""
    namespace = {"__name__": "__main__", "get_ipython": FakeShell}
    return Kernel(tmp_path, namespace=namespace)


@pytest.fixture
def loaded(tmp_path):
    """Load a slice as the function would."""
    before = set(sys.modules)
    yield lambda part: load(part, tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("local_"):
            del sys.modules[name]
