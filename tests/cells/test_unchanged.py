"""What running a line again gives is proved, or the line does not ship as code."""

import sys

import pytest

from jupyter_graph.cells import Cell, slice_cells
from jupyter_graph.errors import CellError

READS_ENVIRONMENT = [
    pytest.param("os.environ['OUR_HOST']", id="item"),
    pytest.param("os.getenv('OUR_HOST')", id="getenv"),
    pytest.param("f\"http://{os.environ['OUR_HOST']!s:>4}/a\"", id="f-string"),
    pytest.param("os.environ.get('OUR_HOST') or 'b'", id="or"),
    pytest.param("1 if os.environ.get('OUR_HOST') else 2", id="condition"),
    pytest.param("os.environ['OUR_HOST'][1:]", id="slice"),
    pytest.param("[*['a'], os.environ['OUR_HOST']]", id="starred"),
    pytest.param("{**{'a': 1}, 'b': os.environ['OUR_HOST']}", id="two-starred"),
    pytest.param("{os.environ['OUR_HOST']}", id="set"),
    pytest.param("[-1, os.environ['OUR_HOST']]", id="sign"),
    pytest.param("os.environ['OUR_HOST'].upper() + '/'", id="text-method"),
]
MADE_AGAIN = [
    pytest.param("contextvars.ContextVar('v', default=3)", id="context-variable"),
    pytest.param("queue.Queue()", id="queue"),
    pytest.param("itertools.count(4)", id="counter"),
    pytest.param("struct.Struct('<H')", id="struct"),
    pytest.param("random.Random(4)", id="random"),
    pytest.param("enum.Enum('V', 'A B')", id="enum"),
    pytest.param("string.Template('a$b')", id="template"),
    pytest.param("typing.TypeVar('V')", id="type-variable"),
    pytest.param("typing.ParamSpec('V')", id="parameters"),
    pytest.param("typing.NewType('V', int)", id="new-type"),
    pytest.param("futures.ThreadPoolExecutor(2)", id="pool"),
    pytest.param("pydantic.create_model('V', n=(int, ...), s='a')", id="pydantic"),
    pytest.param("attr.make_class('V', ['x', 'y'])", id="attrs"),
    pytest.param("dataclasses.make_dataclass('V', [('n', int)])", id="dataclass"),
    pytest.param("typing.TypedDict('V', {'n': int})", id="typed-dict"),
]
IMPORTS = (
    "import contextvars, enum, itertools, os, queue, random, string, struct, typing\n"
    "import attr, dataclasses, pydantic\n"
    "from concurrent import futures"
)


@pytest.mark.parametrize("expression", READS_ENVIRONMENT)
def test_what_reads_the_environment_reads_it_again(kernel, loaded, expression):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUR_HOST", "s3cret")
        kernel.run(IMPORTS, f"V = {expression}\ndef step(x): return V")
        part = kernel.slice("step")
        answer = loaded(part).step(0)

    assert part.values == ()
    assert "s3cret" not in part.source
    assert answer == kernel.namespace["V"]


@pytest.mark.parametrize("expression", MADE_AGAIN)
def test_what_no_file_can_hold_is_made_again(kernel, loaded, expression):
    kernel.run(IMPORTS, f"V = {expression}\ndef step(x): return V")
    part = kernel.slice("step")
    made = loaded(part).step(0)

    assert part.values == ()
    assert type(made) is type(kernel.namespace["V"])


def test_objects_are_keys_of_a_table(kernel, loaded):
    kernel.run(
        "import enum\nclass Color(enum.Enum):\n    RED = 1",
        "PRICES = {Color.RED: 5}\ndef step(x): return PRICES[Color.RED]",
    )
    part = kernel.slice("step")

    assert part.values == ()
    assert loaded(part).step(0) == 5


def test_a_method_defined_in_a_block_of_its_class_is_no_change(kernel, loaded):
    kernel.run("class Step:\n    if True:\n        def do(self, x): return x + 1")

    assert loaded(kernel.slice("Step")).Step().do(1) == 2


def test_subclasses_come_with_a_class_that_asks_for_them(kernel, loaded):
    kernel.run(
        "class Base: pass",
        "class Child(Base): pass",
        "def step(x): return [c.__name__ for c in Base.__subclasses__()]",
    )

    assert loaded(kernel.slice("step")).step(0) == ["Child"]


def test_a_registered_class_stays_registered(kernel, loaded):
    kernel.run(
        "import abc\nclass Shape(abc.ABC): pass\nclass Round: pass\n"
        "Shape.register(Round)",
        "def step(x): return isinstance(Round(), Shape)",
    )

    assert loaded(kernel.slice("step")).step(0) is True


def test_the_branch_that_ran_ships(kernel, loaded):
    kernel.run(
        "import random\n"
        "if random.random() < 2:\n    def f(x): return 'ran'\n    y = 1\n"
        "else:\n    def f(x): return 'never ran'\n    y = 2",
        "def step(x): return f(x)",
    )

    assert loaded(kernel.slice("step")).step(0) == "ran"


def test_a_function_that_exec_replaced_does_not_ship_as_its_old_cell(kernel):
    kernel.run("def f(x): return x", "def step(x): return f(x)")
    kernel.run("exec('def f(x): return x + 5')")

    with pytest.raises(CellError, match="'f' is in the kernel, but no cell defines it"):
        kernel.slice("step")


@pytest.mark.parametrize(
    "change",
    [
        "def trace(c): c.do = lambda self, x: x + 1\ntrace(Step)",
        "for n in ('do',): setattr(Step, n, lambda self, x: x + 1)",
    ],
)
def test_a_method_that_was_replaced_unseen_is_refused(kernel, change):
    kernel.run("class Step:\n    def do(self, x): return x", change)
    kernel.run("def step(x): return Step().do(x)")

    with pytest.raises(CellError, match=r"Step\.do is no longer what the definition"):
        kernel.slice("step")


def test_an_attribute_that_changes_often_is_read_as_it_was(kernel, loaded):
    kernel.run("class Config:\n    limit = 0", "Config.limit = sum([2, 3])")
    kernel.run("LIMIT = Config.limit", "Config.limit = sum([1, 4])")
    kernel.run("def step(x): return LIMIT, Config.limit")

    assert loaded(kernel.slice("step")).step(0) == (5, 5)


def test_a_table_that_its_lines_do_not_explain_is_a_value(kernel):
    kernel.run("def f(x): return x", "TABLE = {}\nTABLE['a'] = f")
    kernel.run("for key in 'b': TABLE[key] = lambda x: 9")
    kernel.run("def step(x): return TABLE")

    assert [value.name for value in kernel.slice("step").values] == ["TABLE"]


def test_a_function_that_a_call_returned_is_imported(kernel, loaded):
    kernel.run("import importlib\nnumbers = importlib.import_module('math')")
    kernel.run("def step(x): return numbers.sqrt(x)")
    part = kernel.slice("step")

    assert "import math as numbers" in part.source
    assert loaded(part).step(4) == 2.0


def test_an_attribute_set_on_a_module_is_set_again(kernel):
    kernel.run("import json", "json.our_limit = 5")
    kernel.run("def step(x): return json.our_limit")
    source = kernel.slice("step").source
    del sys.modules["json"].our_limit

    assert "json.our_limit = 5" in source


def test_a_metaclass_that_counts_classes_brings_them(kernel, loaded):
    kernel.run(
        "class Meta(type):\n"
        "    def __init__(cls, name, bases, fields):\n"
        "        super().__init__(name, bases, fields)\n"
        "        for base in bases:\n            base.children.append(name)",
        "class Base(metaclass=Meta):\n    children = []",
        "class Child(Base): pass",
        "def step(x): return Base.children",
    )

    assert "class Child(Base)" in kernel.slice("step").source


TWO_IMPORTS = [
    "import json",
    "import re\ndef f(x): return re.sub('a', json.dumps(x), x)",
]
STEP = "def step(x): return f(x)"


def test_code_is_recognised_that_was_compiled_with_the_imports_of_its_cell(kernel):
    kernel.run(*TWO_IMPORTS, STEP)

    assert kernel.slice("step").names["f"] == (2, 2)


def test_code_is_recognised_that_was_compiled_with_the_imports_of_its_script(kernel):
    cells = [Cell(text, number) for number, text in enumerate((*TWO_IMPORTS, STEP), 1)]
    exec("\n".join(cell.source for cell in cells), kernel.namespace)
    part = slice_cells(cells, ["step"], kernel.namespace, folder=kernel.folder)

    assert part.names["f"] == (2, 2)


def test_what_a_changing_line_calls_is_not_called_again(kernel, loaded):
    kernel.run("RUNS = []\ndef train():\n    RUNS.append(1)\n    return 5")
    kernel.run("class Config: pass\nsetattr(Config, 'limit', train())")
    kernel.run("def step(x): return Config.limit, len(RUNS)")

    assert loaded(kernel.slice("step")).step(0) == (5, 1)
