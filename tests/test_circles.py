"""No two modules import each other, however far around; any import counts."""

import ast
import functools
from pathlib import Path

import pytest

import jupyter_graph

PACKAGE = Path(jupyter_graph.__file__).parent
ALLOWED = tuple(
    frozenset(f"{room}.{name}" for name in names.split())
    for room, names in (
        ("cells.shipping", "notebook_calls shipping_analysis"),
        ("connectors.tables", "memory_tables redis_table sql_store table"),
        (
            "deployment",
            "bundle.single_file deployment host_process index targets "
            "targets.archive_target targets.local_target targets.nuclio_target",
        ),
        ("frontend", "api_handler front openai.openai_front"),
        ("processes", "process_pool subprocess_worker"),
        (
            "run",
            "batch.batch_run batch.dask_payload batch.dask_run batch.stateful_steps "
            "runner",
        ),
        ("run", "instantiate process_steps sub_flow tracer"),
        ("threads", "frames interrupts process_ends start"),
        ("values", "json_form json_pandas"),
    )
)
"""Circles of November 2026 that are being broken; none may be added."""


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


@functools.cache
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
    new = {c for c in circles() if not any(c <= allowed for allowed in ALLOWED)}

    assert not new


@pytest.mark.parametrize("circle", ALLOWED, ids=lambda circle: min(circle))
def test_a_circle_that_is_gone_is_not_allowed_any_more(circle):
    assert any(left <= circle for left in circles())
