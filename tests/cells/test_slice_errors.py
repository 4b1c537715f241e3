"""What cannot travel is said at once: all of it, with cell, line and what to do."""

import pytest

from jupyter_graph.cells import Cell, slice_cells
from jupyter_graph.errors import CellError

REFUSED = [
    pytest.param(
        ["threshold = 1", "def step(x):\n    return x > treshold"],
        "cell 2, line 2: name 'treshold' is not defined; did you mean 'threshold'?",
        id="undefined-name",
    ),
    pytest.param(
        ["size = 1\ndef step(x): return size", "del size"],
        "cell 1, line 2: name 'size' is not defined: cell 2, line 1 deletes it",
        id="deleted-name",
    ),
    pytest.param(
        ["def step(x):\n    if x:\n        !ls\n    return x"],
        "cell 1, line 3: '!ls' works only in a notebook",
        id="shell-line-in-a-step",
    ),
    pytest.param(
        ["def helper(x):\n    %time x\n    return x", "def step(x): return helper(x)"],
        "cell 1, line 2: '%time x' works only in a notebook",
        id="magic-in-a-helper",
    ),
    pytest.param(
        ["def step(x):\n    display(x)\n    return x"],
        "cell 1, line 2: 'display' exists only in a notebook",
        id="display",
    ),
    pytest.param(
        ["def step(x):\n    return get_ipython().user_ns"],
        "cell 1, line 2: 'get_ipython' exists only in a notebook",
        id="get-ipython",
    ),
    pytest.param(
        ["def step(x): return _, _12"],
        "cell 1, line 1: '_12' exists only in a notebook",
        id="output-history",
    ),
    pytest.param(
        [
            "def load(n): return [n]\ndata = load(1)",
            "class Step:\n    table = data",
            "data = load(2)",
            "def step(x): return Step.table",
        ],
        "cell 2, line 2: 'Step' uses 'data' as it was before cell 3, line 1 set it",
        id="a-value-that-is-gone",
    ),
    pytest.param(
        [
            "class Config: pass\ndef train(): return object()",
            "Config.model = train()\ndef step(x): return Config.model",
        ],
        "cell 2, line 1: Config.model is no longer what the definition of 'Config'",
        id="class-attribute-that-is-no-code",
    ),
]


@pytest.mark.parametrize(("sources", "message"), REFUSED)
def test_what_cannot_travel_is_named(kernel, sources, message):
    kernel.run(*sources)

    with pytest.raises(CellError) as caught:
        kernel.slice("step")

    assert message in str(caught.value)


def test_all_problems_come_in_one_error(kernel):
    kernel.run("def helper(x): return missing_one(x)", "def step(x): return helper(no)")

    with pytest.raises(CellError, match="3 problems") as caught:
        kernel.slice("step", "stp")

    assert "name 'stp' is not defined; did you mean 'step'?" in str(caught.value)
    assert "cell 1, line 1: name 'missing_one'" in str(caught.value)
    assert "cell 2, line 1: name 'no'" in str(caught.value)


def test_an_unknown_root_is_named_with_a_near_one(kernel):
    kernel.run("def predict(x): return x")

    with pytest.raises(
        CellError, match="'predcit' is not defined; did you mean 'predict'"
    ):
        kernel.slice("predcit")


def test_a_name_the_kernel_lost_asks_to_run_the_cell_again(kernel):
    kernel.run("import time\nstarted = time.time()", "def step(x): return started")
    del kernel.namespace["started"]

    with pytest.raises(CellError, match=r"cell 1, line 2: .*run the cell again"):
        kernel.slice("step")


def test_a_function_without_source_is_an_error(kernel):
    kernel.run("exec('def hidden(x): return x')", "def step(x): return hidden(x)")

    with pytest.raises(
        CellError, match="cell 2, line 1: 'hidden' is in the kernel, but no"
    ):
        kernel.slice("step")


def test_a_cell_that_is_not_python_is_mentioned_when_a_name_is_missing(kernel):
    kernel.run("def step(x): return helper(x)")
    kernel.cells.append(Cell("def helper(x: return x", 2))

    with pytest.raises(CellError, match="cell 2, line 1: not valid Python"):
        kernel.slice("step")


def test_a_value_of_a_saved_notebook_is_an_error_that_says_so():
    cells = [Cell("clf = train()\ndef step(x): return clf", 1)]

    with pytest.raises(
        CellError, match="cell 1, line 1: the value of 'clf' is known only"
    ):
        slice_cells(cells, ["step"], None)


def test_lines_that_need_each_other_are_an_error():
    cells = [Cell("class A(B): pass", 1), Cell("class B(A): pass", 2)]

    with pytest.raises(
        CellError, match=r"'A' \(cell 1, line 1\), 'B' \(cell 2, line 1\)"
    ):
        slice_cells(cells, ["A"], None)


def test_a_default_from_an_older_run_stays_as_the_kernel_has_it(kernel, loaded):
    kernel.run(
        "LIMIT = 1", "def step(x, limit=LIMIT): return limit, LIMIT", "LIMIT = 2"
    )
    del kernel.cells[0]

    assert loaded(kernel.slice("step")).step(0) == (1, 2)
