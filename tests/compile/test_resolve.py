"""What the names of a graph stand for; what a document's names never reach."""

import builtins
import functools
import json
import os
import subprocess
import sys
from os import system
from pathlib import Path
from types import ModuleType

import pytest

import jupyter_graph.steps
from jupyter_graph import Graph
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.compile.resolve import Resolver, resolve
from jupyter_graph.errors import SpecError, UnknownStepError
from jupyter_graph.spec.argument_values import value_of
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.steps import BLOCKS


def own(body):
    return body


class Own:
    def __init__(self, fn=None):
        self.fn = fn

    def do(self, body):
        return body


def of_notebook(code):
    """Give a function or class as a cell would have defined it."""
    code.__module__ = "__main__"
    return code


of_notebook(own)
of_notebook(Own)

HOSTILE = {
    "__builtins__": __builtins__,
    "Own": Own,
    "Path": Path,
    "call": functools.partial(system),
    "dumps": json.dumps,
    "eval": eval,
    "exec": exec,
    "importer": __import__,
    "json": json,
    "method": Path().exists,
    "number": 5,
    "os": os,
    "own": own,
    "subprocess": subprocess,
    "system": system,
}
REFUSED = [
    "os", "os.system", "os.path.join", "system", "subprocess", "subprocess.run",
    "subprocess.Popen", "__builtins__", "__builtins__.eval", "builtins.eval", "eval",
    "exec", "importer", "__import__", "json.dumps", "dumps", "call", "method", "Path",
    "Path.unlink", "pathlib.Path", "number", "own.__globals__", "own.__call__",
    "Own.do", "Own.__init__.__globals__", "__main__.own", "sys.exit", "storey.os",
    "storey.Flow.__init__", "storey.flow.os", "storey.pandas", "storey.", "",
    "jupyter_graph.steps.importlib", "jupyter_graph.steps.load_block",
    "(event.__class__)", "(os.system('ls'))", "(__import__('os'))", "lambda x: x",
    "importlib.import_module", "a b", "os;system",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda name: {"handler": name}, id="handler"),
        pytest.param(lambda name: {"class_name": name}, id="class"),
        pytest.param(
            lambda name: {"class_name": "storey.Map", "class_args": {"_fn": name}},
            id="function-argument",
        ),
    ],
)
def test_a_document_reaches_nothing_but_its_own(name, step):
    graph = Graph.from_dict({"steps": {"a": step(name)}}, HOSTILE)

    with pytest.raises(SpecError, match="'a'"):
        compile_graph(graph)


@pytest.mark.parametrize(
    "name",
    [
        "os",
        "system",
        "eval",
        "subprocess",
        "call",
        "method",
        "Path",
        "dumps",
        "importer",
    ],
)
def test_a_document_reaches_no_imported_code_by_an_argument(name):
    document = {"class_name": "Own", "class_args": {"fn": value_of(name)}}
    graph = Graph.from_dict({"steps": {"a": document}}, HOSTILE)

    with pytest.raises(UnknownStepError, match=f"step 'a': argument 'fn': '{name}'"):
        compile_graph(graph)


@pytest.mark.parametrize("name", ["__builtins__", "__doc__", "__name__"])
@pytest.mark.parametrize("names", [{}, {"__builtins__": vars(builtins)}])
def test_pythons_own_names_are_no_variables(name, names):
    document = {"class_name": "Own", "class_args": {"fn": value_of(name)}}
    own_names = {"__doc__": "text", "__name__": "__main__"}
    graph = Graph.from_dict({"steps": {"a": document}}, HOSTILE | own_names | names)

    with pytest.raises(UnknownStepError, match=f"'{name}' is Python's own"):
        compile_graph(graph)


@pytest.mark.parametrize(("name", "value"), [("number", 5), ("own", own)])
def test_a_document_may_name_a_variable(name, value):
    document = {"class_name": "Own", "class_args": {"fn": value_of(name)}}
    graph = Graph.from_dict({"steps": {"a": document}}, HOSTILE)

    assert compile_graph(graph).arguments["a"] == {"fn": value}


@pytest.mark.parametrize(
    "handler",
    ["__init__", "__class__", "__reduce__", "__getattribute__", "do.__globals__", "fn"],
)
def test_a_method_is_a_method_of_the_class(handler):
    document = {"class_name": "Own", "handler": handler}
    graph = Graph.from_dict({"steps": {"a": document}}, HOSTILE)

    with pytest.raises(SpecError, match=f"class 'Own' has no method '{handler}'"):
        compile_graph(graph)


GUARDED = """
import json, os, subprocess, sys
from os import system
from jupyter_graph import Graph, errors
from jupyter_graph.compile.compiled_graph import compile_graph
import jupyter_graph.compile.resolve, difflib, heapq  # what refusing needs

def own(body):
    return body

seen = []
def hook(event, args):
    if event in ("import", "exec", "compile", "open") or event.startswith(
        ("os.", "subprocess.", "socket.", "shutil.", "pty.")
    ):
        seen.append((event, args[:1]))

def is_refused(name):
    try:
        compile_graph(Graph.from_dict({"steps": {"a": {"handler": name}}}, globals()))
    except errors.SpecError:
        return True
    return False

names = json.loads(sys.argv[1])
is_refused("no_name")  # modules of ours that refusals need are imported by the first
sys.addaudithook(hook)
refused = sum(map(is_refused, names))
found, seen = seen, None
print(json.dumps([refused, [list(map(str, one)) for one in found]]))
"""


def test_refusing_imports_runs_and_opens_nothing():
    hostile = [
        "os.system", "subprocess.run", "builtins.eval", "json.dumps", "this.s",
        "antigravity.fly", "__builtins__", "system", "os", "xml.sax.parse",
    ]  # fmt: skip
    found = subprocess.run(
        [sys.executable, "-c", GUARDED, json.dumps(hostile)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == [len(hostile), []]


# -- allow_imports ----------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package ``trusted_steps`` that imports os and has a module below it."""
    folder = tmp_path / "trusted_steps"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import os\nfrom json import dumps\ndef work(body): return ['work', body]\n"
        "class Work:\n    def do(self, body): return ['Work', body]\nNUMBER = 5\n"
    )
    (folder / "more.py").write_text("def work(body): return ['more', body]\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [n for n in sys.modules if n.startswith("trusted_steps")]:
        del sys.modules[name]


def answer_of(run_graph, step, **options):
    graph = Graph.from_dict({"steps": {"a": {**step, "responder": True}}}, **options)
    return run_graph(graph, [1])


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ({"handler": "trusted_steps.work"}, ["work", 1]),
        ({"class_name": "trusted_steps.Work"}, ["Work", 1]),
        ({"handler": "trusted_steps.more.work"}, ["more", 1]),
    ],
)
def test_an_allowed_module_gives_what_it_defines(package, run_graph, step, answer):
    found = answer_of(run_graph, step, allow_imports=("trusted_steps",))

    assert found == [answer]


@pytest.mark.parametrize(
    ("name", "allowed", "message"),
    [
        ("trusted_steps.work", (), r"allow_imports=\('trusted_steps',\)"),
        ("trusted_steps.work", ("trusted",), "is no function or class"),
        ("trusted_steps.work", ("trusted_steps.more",), "is no function or class"),
        (
            "trusted_steps.dumps",
            ("trusted_steps",),
            "not defined in 'trusted_steps' bu",
        ),
        ("trusted_steps.os", ("trusted_steps",), "not defined in 'trusted_steps'"),
        ("trusted_steps.os.system", ("trusted_steps",), "cannot import"),
        ("trusted_steps.NUMBER", ("trusted_steps",), "not defined in 'trusted_steps'"),
        (
            "trusted_steps.ghost",
            ("trusted_steps",),
            "cannot import trusted_steps.ghost",
        ),
        ("trusted_steps.no.ghost", ("trusted_steps",), "No module named"),
        ("ghost_package.f", ("ghost_package",), "No module named 'ghost_package'"),
        ("os.system", ("os",), "not defined in 'os' but in 'posix'"),
    ],
)
def test_an_allowed_module_gives_nothing_else(package, name, allowed, message):
    graph = Graph.from_dict({"steps": {"a": {"handler": name}}}, {}, allowed)

    with pytest.raises(UnknownStepError, match=message):
        compile_graph(graph)


def test_what_an_allowed_module_defines_may_stand_in_the_namespace(package, run_graph):
    from trusted_steps import work

    options = {"namespace": {"work": work}, "allow_imports": ("trusted_steps",)}
    assert answer_of(run_graph, {"handler": "work"}, **options) == [["work", 1]]

    graph = Graph.from_dict({"steps": {"a": {"handler": "work"}}}, {"work": work})
    with pytest.raises(UnknownStepError, match="comes from module 'trusted_steps'"):
        compile_graph(graph)


def test_a_modules_namespace_brings_its_own_names(package):
    module = ModuleType("my_steps")
    exec("from os import getcwd\ndef work(body): return body\n", vars(module))

    names = vars(module)
    assert Resolver(names).named("work", "here") is module.work
    with pytest.raises(UnknownStepError):
        Resolver(names).named("getcwd", "here")


# -- who is trusted ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["dumps", "len", "Path"])
def test_what_python_code_names_is_taken_as_it_is(name):
    code = {"dumps": json.dumps, "len": len, "Path": Path}[name]
    spec = GraphSpec(steps=(StepSpec(name="a", handler=name),))
    graph = Graph.from_spec(spec, {name: code})

    assert resolve(spec, Resolver(graph.namespace, is_trusted=True))[0] == {"a": code}


def test_a_runners_namespace_adds_to_the_graphs(run_graph):
    graph = Graph.from_dict({"steps": {"a": {"handler": "own", "responder": True}}})

    assert run_graph(graph, [2], namespace={"own": own}) == [2]


# -- blocks and storey ------------------------------------------------------------


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_found_by_its_names(name):
    code = Resolver().named(name, "here")

    assert code.__name__ == BLOCKS[name].partition(":")[2]
    assert code.__module__.startswith(
        ("jupyter_graph.steps", "jupyter_graph.connectors")
    )


def test_the_notebooks_own_class_wins_over_a_block():
    class Merge:
        def do(self, body):
            return body

    of_notebook(Merge)
    assert Resolver({"Merge": Merge}).named("Merge", "here") is Merge


def test_a_package_does_not_hide_the_block_of_its_name():
    found = Resolver({"xgboost": json, "json": json}).named("xgboost", "here")

    assert found.__name__ == "XGBoostModelServer"
    with pytest.raises(UnknownStepError, match="'json' is a module here"):
        Resolver({"json": json}).named("json", "here")


def test_a_router_without_a_class_is_a_model_router():
    router = StepSpec(name="r", kind="router", routes=(StepSpec(name="m"),))

    assert Resolver().code_of(router) is jupyter_graph.steps.ModelRouter


def test_storeys_steps_go_by_their_name():
    import storey

    assert Resolver().named("storey.Filter", "here") is storey.Filter


# -- what is said -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("owm", "'owm' is no function or class of this notebook and no block; did you "
                "mean 'own'?"),
        ("MdelRouter", "did you mean 'ModelRouter'?"),
        ("storey.Mapp", "storey has no step 'storey.Mapp'; did you mean 'Map'?"),
        ("my_lib.work", "modules are allowed by name: allow_imports=('my_lib',)"),
        ("system", "'system' is a builtin_function_or_method here; a function or "
                   "class that this notebook defines is needed"),
        ("dumps", "'dumps' comes from module 'json', which a graph document may not "
                  "use; allow it with allow_imports=('json',)"),
    ],
)  # fmt: skip
def test_an_unknown_name_says_what_would_be_right(name, message):
    graph = Graph.from_dict({"steps": {"a": {"handler": name}}}, HOSTILE)

    with pytest.raises(UnknownStepError) as refused:
        compile_graph(graph)
    assert str(refused.value).startswith("step 'a': ")
    assert message in str(refused.value)


def test_a_variable_that_is_not_there_is_named():
    step = {"class_name": "Own", "class_args": {"fn": value_of("numbr")}}
    graph = Graph.from_dict({"steps": {"a": step}}, HOSTILE)

    with pytest.raises(UnknownStepError) as refused:
        compile_graph(graph)
    assert str(refused.value) == (
        "step 'a': argument 'fn' is the variable 'numbr', which is not defined; did "
        "you mean 'number'? [JG111]"
    )


def test_all_unknown_names_are_listed_at_once():
    steps = {"a": {"handler": "x1"}, "b": {"class_name": "x2"}, "c": {"handler": "own"}}
    graph = Graph.from_dict({"steps": steps}, HOSTILE)

    with pytest.raises(UnknownStepError) as refused:
        compile_graph(graph)
    assert len(refused.value.problems) == 2
    assert all(problem in str(refused.value) for problem in refused.value.problems)


def test_unknown_names_and_wrong_arguments_are_told_together(open_runner):
    steps = {
        "a": {"handler": "ghost"},
        "b": {"class_name": "Batch", "class_args": {"max_evnts": 3}, "after": ["a"]},
        "f": {"kind": "flow", "after": ["b"], "steps": {"c": {"handler": "nobody"}}},
    }

    with pytest.raises(SpecError) as caught:
        open_runner(Graph.from_dict({"steps": steps}))

    assert [said in str(caught.value) for said in ("'ghost'", "max_evnts", "'nobody'")]
    assert len(caught.value.problems) == 3
