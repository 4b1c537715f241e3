"""What a notebook imports from files beside it, in ``%graph check`` and ``%deploy``."""

import importlib
import os
import sys

import pytest

from jupyter_graph.errors import BundleError, ParityError

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes a module beside the notebook."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(name, source, newer=0):
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        # Python compares whole seconds to tell whether its cache is of this text.
        os.utime(path, (2e9 + newer, 2e9 + newer))
        importlib.invalidate_caches()
        return path

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) in map(
            str, tmp_path.glob("*.py")
        ):
            del sys.modules[name]


PRICE = "def price(body):\n    return {'n': body['n'] * 3}\n"
STEP = (
    "%%graph_step\nfrom pricing_there import price\ndef use(body): return price(body)"
)


@pytest.fixture
def edited(run, module):
    """A step whose module was edited after its import, and that answered before."""
    module("pricing_there", PRICE)
    run(STEP)
    run('%graph run {"n": 2}')
    module("pricing_there", PRICE.replace("* 3", "* 4"), newer=5)


def test_check_tells_of_a_module_that_was_edited(run, edited):
    [finding] = run("%graph check")

    assert (finding.severity, finding.cell, finding.line) == ("warning", 2, 2)
    assert "'pricing_there' was edited after its import" in finding.message


@pytest.mark.slow
def test_a_parity_error_names_the_module_that_was_edited(run, edited):
    with pytest.raises(ParityError) as caught:
        run("%deploy --dry-run")
    shown = "\n".join(caught.value._render_traceback_())

    assert "parity: 0 of 1 events equal" in shown
    assert "'pricing_there' was edited after its import" in shown


@pytest.mark.slow
def test_a_plan_and_a_deployment_show_the_module_that_was_edited(run, edited):
    assert "'pricing_there' was edited" in str(run("%deploy --dry-run --no-parity"))
    deployed = run("%deploy --to archive --output out --no-parity")
    assert "'pricing_there' was edited" in deployed._repr_mimebundle_()["text/plain"]


@pytest.mark.slow
def test_loaded_again_it_ships_as_it_runs(run, edited):
    run("import sys, importlib; importlib.reload(sys.modules['pricing_there'])")
    run(STEP)
    run('%graph run {"n": 2}')

    assert run("%graph check") == []
    assert run("%deploy --to archive --output out").note == ""


def test_a_module_whose_file_is_gone_is_an_error_that_says_so(run, module):
    path = module("pricing_there", PRICE)
    run(STEP)
    path.unlink()

    with pytest.raises(BundleError, match=r"file of module 'pricing_there' .* is gone"):
        run("%deploy --to archive --output out")
