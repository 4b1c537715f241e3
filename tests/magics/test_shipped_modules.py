"""What a notebook imports from files beside it, in ``%graph check`` and ``%deploy``."""

import importlib
import importlib.util
import os
import subprocess
import sys

import pytest

import jupyter_graph
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


@pytest.mark.slow
def test_a_module_may_import_what_is_for_notebooks_alone(run, module):
    module(
        "with_ours",
        "from jupyter_graph import Deployment, Graph, deploy, notebook\n"
        "def again(found: Deployment | None) -> None:\n    deploy(Graph('again'))\n"
        "def price(body):\n    return {'n': body['n'] * 3}\n",
    )
    run("%%graph_step\nfrom with_ours import price\ndef use(body): return price(body)")
    run('%graph run {"n": 2}')

    assert str(run("%deploy").parity) == "parity: 1 of 1 events equal"


def test_what_stands_for_such_a_name_says_so_when_it_is_called():
    deploy = jupyter_graph.stand_in("deploy")

    assert (deploy | None).__args__ == (deploy, type(None))
    with pytest.raises(BundleError, match=r"jupyter_graph\.deploy is for notebooks"):
        deploy(1, target="local")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param(
            "from jupyter_graph.deployment.deploy import deploy\n",
            "modules/with_room.py, line 1: jupyter_graph.deployment.deploy",
            id="at-the-top",
        ),
        pytest.param(
            "import jupyter_graph.session.active\n",
            "modules/with_room.py, line 1: jupyter_graph.session.active",
            id="dotted",
        ),
    ],
)
def test_a_module_that_imports_a_room_of_notebooks_is_refused(run, module, text, where):
    module("with_room", text + PRICE)
    run("%%graph_step\nfrom with_room import price\ndef use(body): return price(body)")

    with pytest.raises(BundleError) as caught:
        run("%deploy --to archive --output out")
    assert where in str(caught.value)
    assert "as in `from jupyter_graph import deploy`" in str(caught.value)


def test_a_cell_that_imports_a_room_of_notebooks_is_refused(run):
    run(
        "%%graph_step\nfrom jupyter_graph.session.active import notebook\n"
        "def use(body): return notebook"
    )

    with pytest.raises(BundleError, match=r"cell 2, line 2: jupyter_graph\.session"):
        run("%deploy --to archive --output out")


@pytest.mark.slow
def test_what_a_function_of_a_module_imports_is_no_matter(run, module):
    text = "def again():\n    from jupyter_graph.deployment.deploy import deploy\n"
    module("with_room", text + PRICE)
    run("%%graph_step\nfrom with_room import price\ndef use(body): return price(body)")

    assert run("%deploy --to archive --output out").state == "built"


SERVER = """
from mlrun.serving import V2ModelServer
class {name}(V2ModelServer):
    def load(self): ...
    def predict(self, request): return [n * {factor} for n in request["inputs"]]
"""


@pytest.fixture
def mlrun_names(run):
    if importlib.util.find_spec("mlrun") is not None:
        pytest.skip("mlrun itself is here")
    run("from jupyter_graph import mlrun_names; mlrun_names.install()")
    yield
    run("mlrun_names.unload_ipython_extension(None)")


@pytest.mark.slow
def test_mlruns_names_ship_in_cells_and_in_modules(run, module, mlrun_names):
    module("their_server", SERVER.format(name="Theirs", factor=2))
    run("from their_server import Theirs\n" + SERVER.format(name="Own", factor=3))
    run("%graph new models --topology router")
    run("%graph model theirs --class Theirs --model-path .")
    run("%graph model own --class Own --model-path .")
    body = '{"inputs": [1]}'
    run(f"%graph run {body} --path /v2/models/own/infer")
    deployed = run("%deploy")
    answers = [
        run(f"%deploy invoke models {body} --path /v2/models/{name}/infer").body
        for name in ("theirs", "own")
    ]

    assert str(deployed.parity).startswith("parity: 1 of 1 events equal")
    assert [answer["outputs"] for answer in answers] == [[2], [3]]


def test_tests_may_have_mlruns_names(tmp_path, mlrun_names):
    (tmp_path / "test_it.py").write_text(
        "from mlrun.serving import V2ModelServer\n"
        "def test_it(): assert V2ModelServer.__module__.startswith('jupyter_graph.')\n"
    )
    words = ["-m", "pytest", "-q", "-p", "jupyter_graph.mlrun_names", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False
    )

    assert "1 passed" in done.stdout


@pytest.mark.slow
def test_objects_of_the_notebooks_and_a_modules_classes_ship(run, module):
    module("rows_there", "import attrs\n@attrs.define\nclass Row:\n    n: int = 1\n")
    run(
        "import pydantic\nfrom collections import Counter\nfrom rows_there import Row\n"
        "Made = pydantic.create_model('Made', n=(int, ...))\n"
        "row, made, seen = Row(), Made(n=1), Counter()"
    )
    run("row.n += 1; made.n += 2; seen['x'] += 3")
    run(
        "%%graph_step\ndef use(body):\n"
        "    return [repr(row), repr(made), repr(seen), type(made) is Made]"
    )
    body = run("%graph run 1").body

    assert body == ["Row(n=2)", "Made(n=3)", "Counter({'x': 3})", True]
    assert str(run("%deploy").parity) == "parity: 1 of 1 events equal"
