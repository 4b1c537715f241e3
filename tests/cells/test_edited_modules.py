"""A local module that was edited after its import is told before it ships."""

import importlib
import os
import sys

import pytest

from jupyter_graph.cells.lint import lint

BEFORE = """\
from dataclasses import dataclass
from functools import lru_cache
import rates_here

LIMIT = 3
TABLE = {"eu": 1}
COUNT = 0

@dataclass
class Row:
    n: int = 1
    def doubled(self):
        return self.n * 2

@lru_cache
def cached(n):
    return n + 1

def count():
    global COUNT
    COUNT += 1
    TABLE["seen"] = COUNT

def price(n, factor=3):
    return n * factor * rates_here.RATE
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes a module of the user's, seconds after the last."""
    monkeypatch.syspath_prepend(tmp_path)
    written = []

    def write(text, name="pricing_here"):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        written.append(name)
        # Python compares whole seconds to tell whether its cache is of this text.
        os.utime(path, (2e9 + len(written), 2e9 + len(written)))
        importlib.invalidate_caches()

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture
def told(kernel, module):
    """Return a function that gives the messages about modules."""
    module("RATE = 1\n", "rates_here")
    module(BEFORE)
    kernel.run("from pricing_here import price\ndef use(n): return price(n)")

    def messages():
        found = lint(kernel.cells, ["use"], kernel.namespace, folder=kernel.folder)
        return [
            (one.severity, one.cell, one.line, one.message)
            for one in found
            if "_here'" in one.message
        ]

    return messages


@pytest.fixture(params=["with-caches", "without-caches"])
def caches(request, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", request.param == "without-caches")
    return request.param == "with-caches"


def test_a_module_as_it_was_imported_is_fine(caches, told):
    assert told() == []


def test_what_a_module_changes_itself_is_fine(caches, told):
    sys.modules["pricing_here"].count()

    assert told() == []


def test_lines_and_comments_are_no_code(caches, told, module):
    module("# prices\n\n" + BEFORE.replace("LIMIT = 3", "LIMIT = 3  # at most"))

    assert told() == []


@pytest.mark.parametrize(
    ("old", "new", "needs_caches"),
    [
        pytest.param("n * factor", "n + factor", False, id="function"),
        pytest.param("self.n * 2", "self.n * 3", False, id="method"),
        pytest.param("n + 1", "n + 2", False, id="decorated"),
        pytest.param("LIMIT = 3", "LIMIT = 4", False, id="constant"),
        pytest.param("def price(", "def cost(", False, id="renamed"),
        pytest.param("def price(", "def price(:", False, id="not-python"),
        pytest.param('{"eu": 1}', '{"eu": 2}', True, id="table"),
        pytest.param("factor=3", "factor=4", True, id="default"),
        pytest.param("n: int = 1", "n: int = 2", True, id="field"),
    ],
)
def test_an_edited_module_is_told(caches, told, module, old, new, needs_caches):
    module(BEFORE.replace(old, new))
    found = told()

    assert bool(found) is (caches or not needs_caches)
    assert [row[:3] for row in found] == [("warning", 1, 1)] * len(found)
    assert all("'pricing_here' was edited after its import" in row[3] for row in found)


def test_a_module_that_a_module_imports_counts_too(caches, told, module):
    module("RATE = 2\n", "rates_here")
    [(*place, message)] = told()

    assert place == ["warning", 1, 1]
    assert "'rates_here' was edited" in message
    assert "rates_here.py, 2033-" in message


def test_a_module_that_was_edited_and_loaded_again_is_fine(
    caches, told, module, kernel
):
    module(BEFORE.replace("n * factor", "n + factor").replace('"eu": 1', '"eu": 2'))
    importlib.reload(sys.modules["pricing_here"])
    kernel.run("from pricing_here import price")

    assert told() == []


def test_a_name_from_before_the_module_was_loaded_again_is_told(caches, told, module):
    module(BEFORE.replace("n * factor", "n + factor"))
    importlib.reload(sys.modules["pricing_here"])
    [(*place, message)] = told()

    assert place == ["warning", 1, 1]
    assert message.startswith("'price' is of 'pricing_here' as it was before it was lo")


def test_the_finding_says_what_to_do(told, module, kernel):
    module(BEFORE.replace("n * factor", "n + factor"))
    found = lint(kernel.cells, ["use"], kernel.namespace, folder=kernel.folder)

    assert [one.fix for one in found if one.severity == "warning"] == [
        "importlib.reload(sys.modules['pricing_here']) and run the cells again that "
        "import from it, or restart the kernel"
    ]


def test_a_saved_notebook_imports_nothing_to_compare(kernel, module):
    module(BEFORE)
    kernel.cells.clear()
    kernel.run("def use(n):\n    import pricing_here\n    return pricing_here.price(n)")

    assert lint(kernel.cells, ["use"], None, folder=kernel.folder) == []
    assert "pricing_here" not in sys.modules
