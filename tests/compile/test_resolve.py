"""Names in a document reach what the notebook defined, and nothing else."""

import functools
import math
import os
import subprocess
import sys
import types
from os import system

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.compile.plan import compile_graph
from jupyter_graph.errors import SpecError, UnknownStepError
from jupyter_graph.spec.values import value_of


def notebook(code="", **more):
    """The namespace of a notebook that ran this code."""
    names = {"__name__": "__main__", **more}
    exec(code, names)
    return names


MINE = """
def double(x): return x * 2
class Adds:
    def __init__(self, n=1, model=None): self.n, self.model = n, model
    def do(self, x): return x + self.n
    def other(self, x): return x - self.n
"""
DANGEROUS = notebook(
    MINE + "import os, subprocess\nfrom os import system\nfrom math import sqrt\n",
    alias=system,
    run=subprocess.run,
    popen=subprocess.Popen,
    part=functools.partial(system, "true"),
    method="x".upper,
    module=types.ModuleType("m"),
    number=5,
)


def document(**step):
    return {"steps": {"a": {"responder": True, **step}}}


@pytest.fixture
def no_command(monkeypatch):
    """A command that runs would fail the test."""

    def ran(*_, **__):
        pytest.fail("a command was run")

    monkeypatch.setattr(os, "system", ran)
    monkeypatch.setattr(subprocess, "Popen", ran)


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ({"handler": "double"}, 8),
        ({"class_name": "Adds"}, 5),
        ({"class_name": "Adds", "class_args": {"n": 3}}, 7),
        ({"class_name": "Adds", "handler": "other"}, 3),
    ],
)
def test_a_document_reaches_what_the_notebook_defined(open_runner, step, found):
    graph = Graph.from_dict(document(**step), notebook(MINE))

    assert open_runner(graph).run(4) == found


@pytest.mark.parametrize(
    "step",
    [
        {"handler": "os.system"},
        {"handler": "os"},
        {"handler": "system"},
        {"handler": "alias"},
        {"handler": "run"},
        {"handler": "subprocess.run"},
        {"handler": "subprocess"},
        {"handler": "part"},
        {"handler": "method"},
        {"handler": "module"},
        {"handler": "number"},
        {"handler": "sqrt"},
        {"handler": "math.sqrt"},
        {"handler": "eval"},
        {"handler": "exec"},
        {"handler": "__import__"},
        {"handler": "__builtins__"},
        {"handler": "builtins.eval"},
        {"handler": "double.__globals__"},
        {"handler": "(__import__('os').system('true'))"},
        {"handler": "lambda x: x"},
        {"handler": "jupyter_graph.run.runner.Runner"},
        {"class_name": "popen"},
        {"class_name": "subprocess.Popen"},
        {"class_name": "Adds.__init__"},
        {"class_name": "storey.flow.os.system"},
        {"class_name": "storey.asyncio.subprocess.Process"},
        {"class_name": "jupyter_graph.steps.load_block"},
        {"class_name": "Adds", "handler": "__class__"},
        {"class_name": "Adds", "handler": "__reduce__"},
        {"class_name": "Adds", "handler": "__init__"},
        {"class_name": "Adds", "class_args": {"model": value_of("os")}},
        {"class_name": "Adds", "class_args": {"model": value_of("system")}},
        {"class_name": "Adds", "class_args": {"model": value_of("part")}},
        {"class_name": "Adds", "class_args": {"model": value_of("popen")}},
        {"class_name": "Adds", "class_args": {"model": value_of("__builtins__")}},
        {"class_name": "Adds", "class_args": {"model": value_of("nowhere")}},
        {"class_name": "storey.Map", "class_args": {"_fn": "system"}},
        {"class_name": "storey.Map", "class_args": {"_fn": "os.system"}},
        {"class_name": "storey.Map", "class_args": {"_fn": "(event.system)"}},
    ],
    ids=str,
)
def test_a_document_reaches_nothing_else(no_command, step):
    graph = Graph.from_dict(document(**step), DANGEROUS)

    with pytest.raises(SpecError, match="step 'a'"):
        compile_graph(graph)


def test_reading_and_compiling_a_document_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "trap_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    graph = Graph.from_dict(document(handler="trap_module.f"), notebook(MINE))

    with pytest.raises(UnknownStepError, match=r"allow_imports=\('trap_module',\)"):
        compile_graph(graph)

    assert "trap_module" not in sys.modules


def test_an_allowed_module_is_imported_by_name(open_runner):
    graph = Graph.from_dict(document(handler="json.dumps"), {}, allow_imports=["json"])

    assert open_runner(graph).run([1]) == "[1]"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        pytest.param("json.decoder.scanner", "json", id="an-inner-import"),
        pytest.param("jsonx.dumps", "json", id="a-longer-name"),
        pytest.param("json.nothing", "json", id="nothing-there"),
        pytest.param("json.codecs", "json", id="another-package"),
        pytest.param("no_such_module_x.f", "no_such_module_x", id="no-module"),
    ],
)
def test_allowing_a_module_allows_no_other(name, allowed):
    graph = Graph.from_dict(document(handler=name), {}, allow_imports=[allowed])

    with pytest.raises(SpecError, match="step 'a'"):
        compile_graph(graph)


def test_what_an_allowed_module_gave_the_notebook_may_be_named(open_runner):
    names = notebook("from json import dumps")
    graph = Graph.from_dict(document(handler="dumps"), names, allow_imports=["json"])

    assert open_runner(graph).run([1]) == "[1]"


def test_who_builds_a_graph_may_use_what_is_imported(open_runner):
    graph = Graph("g")
    graph.to(name="a", handler=math.sqrt)

    assert open_runner(graph).run(9) == 3.0


def test_a_notebooks_value_reaches_a_constructor(open_runner):
    step = {"class_name": "Adds", "class_args": {"n": value_of("clf")}}
    graph = Graph.from_dict(document(**step), notebook(MINE, clf=10))

    assert open_runner(graph).run(1) == 11


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("duoble", "did you mean 'double'"),
        ("MergE", "did you mean 'Merge'"),
        ("ModelRoutr", "did you mean 'ModelRouter'"),
        ("zzz", "'zzz' is no function or class of this notebook and no block"),
    ],
)
def test_an_unknown_name_has_a_suggestion(name, said):
    graph = Graph.from_dict(document(handler=name), notebook(MINE))

    with pytest.raises(UnknownStepError, match=said):
        compile_graph(graph)


def test_all_unknown_names_are_told_at_once():
    steps = {"a": {"handler": "f"}, "b": {"handler": "double"}, "c": {"handler": "g"}}
    graph = Graph.from_dict({"steps": steps}, notebook(MINE))

    with pytest.raises(UnknownStepError) as caught:
        compile_graph(graph)

    assert [problem[:10] for problem in caught.value.problems] == [
        "step 'a': ",
        "step 'c': ",
    ]


@pytest.mark.parametrize(
    "name", ["mlrun.serving.ModelRouter", "mlrun.serving.routers.ModelRouter", ""]
)
def test_mlruns_names_stand_for_our_blocks(open_runner, name):
    route = {"handler": "double", "input_path": "x"}
    graph = Graph.from_dict(
        {"kind": "router", "class_name": name, "routes": {"m": route}}, notebook(MINE)
    )

    assert open_runner(graph).run({"x": 2}) == 4


def test_a_runners_namespace_adds_to_the_graphs():
    graph = Graph.from_dict(document(handler="double"))

    with Runner(graph, namespace=notebook(MINE)) as runner:
        assert runner.run(2) == 4
