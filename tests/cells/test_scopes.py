"""Names are resolved as Python's own compiler resolves them."""

import ast
import subprocess
import symtable
import sys
from pathlib import Path

import pytest

from jupyter_graph.cells.scope.visitor import names_of

STDLIB = Path(ast.__file__).parent
MODULES = sorted(p.name for p in STDLIB.glob("[a-z]*.py"))[::5]


def read_by(source):
    statements = ast.parse(source).body
    names = [names_of(statement) for statement in statements]
    uses = {use.name for one in names for use in one.uses}
    return uses, {name for one in names for name in one.binds}


def globals_read(table):
    """Give the global names that a table of the compiler and those in it read."""
    is_top = not isinstance(table, symtable.Function | symtable.Class)
    found = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (is_top or symbol.is_global())
    }
    return found.union(*map(globals_read, table.get_children()))


def set_in_classes(tree):
    """Give what class bodies set: in ``X = X`` the compiler calls both local."""
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    parts = (part for body in bodies for line in body for part in ast.walk(line))
    return {
        n.id
        for n in parts
        if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
    }


@pytest.mark.skipif(
    sys.version_info >= (3, 13),
    reason="the compiler's tables take names of comprehensions for globals there",
)
@pytest.mark.parametrize("module", MODULES)
def test_modules_of_python_read_what_the_compiler_says(module):
    source = (STDLIB / module).read_text(encoding="utf-8")
    tree = ast.parse(source)
    compiler = globals_read(symtable.symtable(source, module, "exec"))
    uses = [use for node in tree.body for use in names_of(node).uses]
    certain = {use.name for use in uses if not use.soft}
    handled = {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)}

    assert compiler - {use.name for use in uses} <= {*handled, "__class__"}
    assert certain - compiler <= {"__all__", *set_in_classes(tree)}


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        pytest.param("def f(x, y=A) -> B: return C", {"A", "B", "C"}, id="function"),
        pytest.param("x = [i for i in A if i > B]", {"A", "B"}, id="comprehension"),
        pytest.param("def f():\n    x = 1\n    lambda: x + y", {"y"}, id="closure"),
        pytest.param("def f():\n    global x\n    x = y", {"y"}, id="global"),
        pytest.param("class A:\n    b = b\n    lambda: c", {"b", "c"}, id="class-body"),
        pytest.param("class A:\n    b = 1\n    lambda: b", {"b"}, id="no-scope"),
        pytest.param("def f():\n    return (y := g(y))", {"g"}, id="walrus-is-local"),
        pytest.param("try: a\nexcept E as e: e", {"a", "E"}, id="handler"),
        pytest.param("match a:\n    case B(c=d) | [d]: d", {"a", "B", "d"}, id="match"),
        pytest.param("f'{a!r:>{b}}'", {"a", "b"}, id="f-string"),
        pytest.param("def f(x: 'A[B]', y: 'no name'): pass", {"A", "B"}, id="quoted"),
        pytest.param("x: Literal['train'] = 1", {"Literal"}, id="literal-is-no-name"),
        pytest.param("x: Annotated[A, 'b'] = 1", {"Annotated", "A"}, id="annotated"),
        pytest.param("lambda x, y=a: x + b", {"a", "b"}, id="lambda"),
        pytest.param("globals()['a']", {"globals", "a"}, id="globals-item"),
    ],
)  # fmt: skip
def test_global_names_are_found(source, uses):
    assert read_by(source)[0] == uses


@pytest.mark.parametrize(
    ("source", "binds"),
    [
        ("a, (b, *c) = d", {"a", "b", "c"}),
        ("import a.b, c as d", {"a", "d"}),
        ("for a in b: c = 1", {"a", "c"}),
        ("with a as (b, c): pass", {"b", "c"}),
        ("print(a := 1, [b := c for c in d])", {"a", "b"}),
        ("try: import a\nexcept E as e: b = 1", {"a", "b"}),
        (
            "match x:\n    case {'k': a, **b}: pass\n    case [c, *d]: pass",
            {"a", "b", "c", "d"},
        ),
        ("a: int", set()),
        ("a.b = c[d] = 1", set()),
    ],
)
def test_bound_names_are_found(source, binds):
    assert read_by(source)[1] == binds


def test_the_room_loads_without_ipython():
    code = "import sys, jupyter_graph.cells; print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout.strip() == "False"
