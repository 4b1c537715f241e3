"""The slice defines the steps as the kernel has them, and holds nothing else."""

from pathlib import Path

import pytest

from jupyter_graph.cells import Cell, cells_from_script, slice_cells

CASES = sorted((Path(__file__).parent / "data" / "same_answer").glob("*.py"))


def absent_in(path):
    """Give the text that must not be in the slice, as the first line says."""
    first = path.read_text().partition("\n")[0]
    return first.removeprefix("# absent: ") if first.startswith("# absent: ") else None


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request, kernel):
    """The kernel after all cells of one file ran; each file defines ``step``."""
    kernel.run(*(cell.source for cell in cells_from_script(request.param)))
    return request.param, kernel


def test_the_slice_answers_as_the_kernel_does(case, loaded):
    path, kernel = case
    part = kernel.slice("step")

    assert loaded(part).step(2) == kernel.namespace["step"](2)
    assert absent_in(path) is None or absent_in(path) not in part.source


def test_what_ipython_puts_in_the_place_of_a_builtin_is_the_builtin(kernel, loaded):
    from IPython.core import autocall, interactiveshell

    kernel.namespace["open"] = interactiveshell._modified_open
    kernel.namespace["quit"] = autocall.ExitAutocall()
    kernel.run(
        "def step(path):\n    if path is None:\n        quit()",
        "def lines(path):\n    return open(path).readlines()",
    )
    part = kernel.slice("step", "lines")

    assert loaded(part).lines(__file__)[0].startswith('"""The slice')
    assert "import" not in part.source


def test_the_same_state_gives_the_same_text(case):
    _, kernel = case

    assert kernel.slice("step").source == kernel.slice("step").source


def test_every_line_is_mapped_to_its_cell(case):
    _, kernel = case
    part = kernel.slice("step")
    texts = {cell.number: cell.source.split("\n") for cell in kernel.cells}
    written = part.source.split("\n")
    verbatim = [
        (written[line - 1].strip(), texts[cell][own - 1])
        for line, (cell, own) in part.line_map.items()
        if " # cell " not in written[line - 1]
        and not written[line - 2].endswith(("as it is now", "the same object"))
    ]

    assert verbatim
    assert all(text in source for text, source in verbatim)


def test_the_text_reads_as_a_module(kernel):
    kernel.run(
        "import json, re\nfrom math import pi, sqrt\nLIMIT = 3  # most\nNAMES = ['a']",
        "def helper(x):\n    # why\n    return re.sub('a', 'b', x), sqrt(pi)",
        "data = sorted('ba')",
        "%%graph_step\ndef step(x): return helper(x), LIMIT, NAMES, data",
    )
    kernel.namespace["data"].append("c")

    assert kernel.slice("step").source == (
        "import re  # cell 1, line 1\n"
        "from math import pi, sqrt  # cell 1, line 2\n"
        "from jupyter_graph.host.artifacts import load_value\n"
        "\n"
        "# cell 1, line 3\n"
        "LIMIT = 3  # most\n"
        "NAMES = ['a']\n"
        "\n"
        "\n"
        "# cell 2, line 1\n"
        "def helper(x):\n"
        "    # why\n"
        "    return re.sub('a', 'b', x), sqrt(pi)\n"
        "\n"
        "\n"
        'data = load_value(__file__, "data")  # cell 3, line 1: value\n'
        "\n"
        "\n"
        "# cell 4, line 2\n"
        "def step(x): return helper(x), LIMIT, NAMES, data\n"
    )


def test_names_values_and_imports_are_listed(kernel):
    kernel.run(
        "import os.path, json",
        "size = sum(map(int, '12'))\ndef step(x): return os, size",
    )
    part = kernel.slice("step")

    assert [(v.name, v.value, v.cell, v.line) for v in part.values] == [
        ("size", 3, 2, 1)
    ]
    assert part.imports == ("os",)
    assert part.names == {"os": (1, 1), "size": (2, 1), "step": (2, 2)}


def test_a_name_of_ours_is_not_overwritten_by_the_loader(kernel, loaded):
    kernel.run(
        "def load_value(*a): return 'mine'",
        "seen = []\nseen.append(1)\ndef step(x): return seen, load_value()",
    )

    assert loaded(kernel.slice("step")).step(0) == ([1], "mine")


def test_own_modules_are_listed_with_what_they_import(kernel):
    (kernel.folder / "local_one.py").write_text("import yaml\nimport local_two\n")
    (kernel.folder / "local_two").mkdir()
    (kernel.folder / "local_two" / "__init__.py").write_text("import json\n")
    kernel.cells.append(Cell("from local_one import a\ndef step(x): return a", 1))
    part = slice_cells(kernel.cells, ["step"], None, folder=kernel.folder)

    assert dict(part.local_modules) == {
        "local_one": kernel.folder / "local_one.py",
        "local_two": kernel.folder / "local_two" / "__init__.py",
    }
    assert part.imports == ("json", "yaml")


def test_the_last_run_of_a_cell_counts(kernel, loaded):
    kernel.run("def helper(x): return 'first'", "def step(x): return helper(x)")
    again = Cell("def helper(x): return 'second'", 3, "one")
    kernel.run(again.source)
    cells = [Cell(kernel.cells[0].source, 1, "one"), kernel.cells[1], again]
    live = slice_cells(cells, ["step"], kernel.namespace, folder=kernel.folder)
    saved = slice_cells(cells, ["step"], None, folder=kernel.folder)

    assert loaded(live).step(0) == "second"
    assert live.source == saved.source


def test_a_failed_later_definition_does_not_hide_the_live_one(kernel, loaded):
    kernel.run("def helper(x): return 'live'", "def step(x): return helper(x)")
    kernel.cells.append(Cell("1 / 0\ndef helper(x): return 'never ran'", 3))

    assert loaded(kernel.slice("step")).step(0) == "live"


def test_a_function_that_no_cell_holds_ships_by_its_source(kernel, loaded):
    kernel.run("LIMIT = 2\ndef helper(x): return x > LIMIT")
    kernel.run("def step(x): return helper(x)")
    del kernel.cells[0]
    kernel.cells.insert(0, Cell("LIMIT = 2", 1))

    assert loaded(kernel.slice("step")).step(3) is True


def test_a_function_put_there_from_a_module_is_imported(kernel, loaded):
    kernel.run("def step(x): return basename(x)")
    kernel.namespace["basename"] = __import__("os").path.basename

    part = kernel.slice("step")

    assert "from posixpath import basename" in part.source
    assert loaded(part).step("a/b") == "b"


def test_lines_run_in_another_order_than_the_cells(kernel, loaded):
    kernel.run(
        "def twice(fn): return lambda x: fn(fn(x))", "@twice\ndef step(x): return x + 1"
    )
    kernel.cells.reverse()

    assert loaded(kernel.slice("step")).step(0) == 2


def test_secrets_of_the_environment_are_read_again(kernel, monkeypatch):
    monkeypatch.setenv("OUR_TOKEN", "s3cret-value")
    kernel.run("import os\nTOKEN = os.environ['OUR_TOKEN']\ndef step(x): return TOKEN")
    part = kernel.slice("step")

    assert part.values == ()
    assert "s3cret" not in part.source
