"""No two modules import each other, however far around; any import counts."""

import ast
import functools
from pathlib import Path

import jupyter_graph

PACKAGE = Path(jupyter_graph.__file__).parent


@functools.cache
def modules():
    """Return the path of each module of the package by its dotted name."""
    files = [p for p in PACKAGE.rglob("*.py") if "labextension" not in p.parts]
    parts = {p: p.relative_to(PACKAGE).with_suffix("").parts for p in files}
    return {".".join(p).removesuffix(".__init__"): path for path, p in parts.items()}


def imports(path):
    """Yield what a module imports: at its top, in functions and for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [n if own(n) in modules() else node.module for n in inside]
        else:
            continue
        yield from (own(name) for name in names if own(name) in modules())


def own(name):
    return name.removeprefix("jupyter_graph.") if name.startswith("jupyter_g") else ""


def circles():
    """Return the sets of modules in which each leads to every other one."""
    ways = {name: set(imports(path)) - {name} for name, path in modules().items()}
    ahead = {name: reached(name, ways) for name in ways}
    groups = {
        frozenset(other for other in ahead[name] if name in ahead[other])
        for name in ways
        if name in ahead[name]
    }
    return {frozenset(group) for group in groups}


def reached(first, ways):
    seen, todo = set(), [first]
    while todo:
        for name in ways[todo.pop()] - seen:
            seen.add(name)
            todo.append(name)
    return seen


def test_no_modules_import_each_other():
    assert circles() == set()
