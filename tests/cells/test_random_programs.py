"""Random notebooks: what the slice computes is what the kernel computes."""

import copy

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from jupyter_graph.errors import CellError
from tests.cells.conftest import FakeShell, Kernel, load

pytestmark = pytest.mark.slow

CONSTANTS = ("A", "B", "C")
LISTS = ("L", "M")
FUNCTIONS = ("f", "g", "h")
START = """
def same(x): return x
def marked(fn):
    fn.mark = A
    return fn
def wrapped(fn):
    def run(x, *rest): return [B, fn(x, *rest)]
    return run
A = B = C = 0
L, M = [], [0]
class Config:
    limit = 1
def f(x): return x
def g(x): return f(x)
def h(x): return g(x)
"""


def below(function):
    """Give the functions that another may call, so that no call is endless."""
    return FUNCTIONS[: FUNCTIONS.index(function)]


@st.composite
def functions(draw):
    name = draw(st.sampled_from(FUNCTIONS))
    called = draw(st.sampled_from([*below(name), "same"]))
    constant = draw(
        st.sampled_from([*CONSTANTS, *LISTS, "Config.limit", "[A for A in L]"])
    )
    default = draw(st.sampled_from(["", *CONSTANTS, "Config.limit", "3"]))
    above = draw(
        st.sampled_from(["", "@marked\n", "@wrapped\n", "@wrapped\n@marked\n"])
    )
    head = f"def {name}(x{f', y={default}' if default else ''})"
    used = "[x, y]" if default else "x"
    return f"{above}{head}:\n    return [{called}({used}), {constant}]"


@st.composite
def changes(draw):
    number = draw(st.integers(0, 9))
    constant, other = draw(st.permutations(CONSTANTS))[:2]
    one, two = draw(st.permutations(LISTS))
    name = draw(st.sampled_from(FUNCTIONS[1:]))
    return draw(
        st.sampled_from(
            [
                f"{constant} = {number}",
                f"{constant} = {other}",
                f"{constant} = {other} * 2 + {number}",
                f"{constant} = same({number})",
                f"{constant} += {number}",
                f"{constant}, {other} = {number}, {other}",
                f"for {constant} in range({number}): pass",
                f"if {number} > 4:\n    {constant} = {number}",
                f"try:\n    {constant} = {number}\nexcept OSError:\n    {constant} = 1",
                f"{one} = [{number}, {constant}]",
                f"{one} = {two}",
                f"{one}.append({number})",
                f"{one} = {one} + [{number}]",
                f"Config.limit = {number}",
                f"Config.limit = {constant}",
                f"Config.limit += {number}",
                f"class Config:\n    limit = {constant}",
                f"{name} = wrapped({name})",
                f"old = {name}\n{name} = lambda x, n={constant}: [old(x), n, {one}]",
            ]
        )
    )


STEP = "def step(x):\n    return [A, B, C, L, M, Config.limit, f(x), g(x), h(x)]"


REFUSALS = ("that value is gone", "cannot ship", "cannot be repeated")


def kernel_of(sources, folder):
    kernel = Kernel(
        folder, namespace={"__name__": "__main__", "get_ipython": FakeShell}
    )
    kernel.run(*sources)
    return kernel


def answer_of_slice(kernel, folder):
    """Give what the slice answers; None for what is refused for a good reason."""
    try:
        return load(kernel.slice("step"), folder).step(1)
    except CellError as error:
        if not any(reason in str(error) for reason in REFUSALS):
            raise
        return None


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(cells=st.lists(st.one_of(functions(), changes()), min_size=1, max_size=10))
def test_random_notebooks_give_the_answers_of_the_kernel(cells, tmp_path_factory):
    folder = tmp_path_factory.mktemp("random")
    try:
        kernel = kernel_of([START, *cells, STEP], folder)
        wanted = copy.deepcopy(kernel.namespace["step"](1))
    except (NameError, RecursionError, TypeError):
        reject()
    found = answer_of_slice(kernel, folder)

    assert found in (wanted, None)
