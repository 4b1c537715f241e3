"""Modules beside the notebook keep their names in a function, whatever these are."""

import subprocess
import sys

import pytest

from jupyter_graph.deployment.bundle.build import build_bundle
from jupyter_graph.deployment.bundle.single_file import carrier
from jupyter_graph.deployment.deploy import deploy
from jupyter_graph.deployment.options import read_options
from jupyter_graph.errors import BundleError
from tests.deployment.conftest import ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

MODULE = """
class Price:
    def __init__(self, factor=3):
        self.factor = factor
    def do(self, body):
        return {"n": body["n"] * self.factor, "module": __name__}

def price(body):
    return Price().do(body)
"""


@pytest.fixture
def deploy_it(notebook):
    """Return a function that deploys steps of the notebook and asks them once."""

    def ask(*names, target="local", **options):
        graph = notebook.graph(*names)
        deployment = deploy(
            graph,
            target=target,
            sources=notebook.sources,
            events=ran(graph, {"n": 2}),
            **options,
        )
        assert str(deployment.parity) == "parity: 1 of 1 events equal"
        return deployment.invoke({"n": 2}).body

    return ask


@pytest.fixture
def build(notebook, tmp_path):
    """Return a function that writes the bundle of steps of the notebook."""

    def build_one(*names):
        options = read_options("math", {"timeout_s": 5})
        graph = notebook.graph(*names)
        return build_bundle(graph, notebook.sources, options, tmp_path / "bundle")

    return build_one


def answer_of(bundle, **modules):
    """Return what a bundle answers to ``{"n": 2}`` in a fresh process, or stderr."""
    call = f"""
import asyncio, json, sys
{"".join(f"import {name}" for name in modules)}
sys.path.insert(0, {str(bundle)!r})
import main, nuclio_sdk
context = nuclio_sdk.Context(nuclio_sdk.Logger(40))
event = nuclio_sdk.Event(body={{"n": 2}}, content_type="application/json")
async def answer():
    await main.init_context(context)
    print((await main.handler(context, event)).body.decode())
    context.user_data.runner.close()
asyncio.run(answer())
"""
    command = [sys.executable, "-P", "-c", call]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


@pytest.mark.parametrize("name", ["main", "steps", "graph", "modules", "colorsys"])
def test_a_local_module_ships_under_its_own_name(
    notebook, local_module, build, deploy_it, monkeypatch, name
):
    monkeypatch.delitem(sys.modules, name, raising=False)
    local_module(name, MODULE)
    notebook.run(f"from {name} import price\ndef use(body): return price(body)\n")

    assert deploy_it("use") == {"n": 6, "module": name}
    assert f"modules/{name}.py" in build("use").files
    assert answer_of(build("use").folder) == f'{{"n": 6, "module": "{name}"}}\n'


def test_a_class_of_a_module_called_steps_is_a_step(notebook, local_module, deploy_it):
    local_module("steps", MODULE)
    notebook.run("from steps import Price")

    assert deploy_it("Price") == {"n": 6, "module": "steps"}


def test_code_of_cells_and_of_a_module_called_steps_go_to_processes(
    notebook, local_module
):
    local_module("steps", MODULE)
    notebook.run("from steps import price\ndef use(body): return price(body)\n")
    graph = notebook.graph()
    graph.to(name="use", handler=notebook["use"], processes=1)
    found = deploy(graph, sources=notebook.sources, events=[])

    assert found.invoke({"n": 2}).body == {"n": 6, "module": "steps"}


def test_a_step_may_start_processes_that_unpickle_code_of_cells(notebook, deploy_it):
    notebook.run(
        "import multiprocessing\n"
        "def twice(n): return n * 2\n"
        "def use(body):\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        return {'n': pool.map(twice, [body['n']])}\n"
    )
    # pytest's own __main__ holds no such function: the notebook is not asked.
    graph = notebook.graph("use")
    found = deploy(graph, sources=notebook.sources, events=[])

    assert found.invoke({"n": 2}).body == {"n": [4]}


def test_a_name_that_the_function_has_loaded_is_refused(
    notebook, local_module, build, monkeypatch
):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    local_module("colorsys", MODULE)
    notebook.run("from colorsys import price\ndef use(body): return price(body)\n")
    bundle = build("use")

    assert "module" in answer_of(bundle.folder)
    assert "local modules have the names of other modules that the function has" in (
        answer_of(bundle.folder, colorsys=True)
    )
    assert "colorsys (here it is /" in answer_of(bundle.folder, colorsys=True)


def test_a_file_that_the_notebook_did_not_import_stays_out(
    notebook, local_module, build
):
    local_module("calendar", "raise AssertionError('never imported')")
    notebook.run("import calendar\ndef use(body): return calendar.isleap(body['n'])\n")

    assert answer_of(build("use").folder) == "false\n"
    assert not [path for path in build("use").files if path.startswith("modules/")]


def test_a_local_module_of_an_installed_name_needs_no_requirement(
    notebook, local_module, build, deploy_it, monkeypatch
):
    for name in [one for one in sys.modules if one.partition(".")[0] == "yaml"]:
        monkeypatch.delitem(sys.modules, name)
    local_module("yaml", MODULE)
    notebook.run("from yaml import price\ndef use(body): return price(body)\n")

    assert build("use").requirements == ()
    assert deploy_it("use") == {"n": 6, "module": "yaml"}


def test_the_name_of_the_code_of_the_steps_is_refused(notebook, local_module, build):
    local_module("_graph_steps", MODULE)
    notebook.run("from _graph_steps import price\ndef use(body): return price(body)\n")

    with pytest.raises(BundleError, match=r"_graph_steps\.py has the name .* rename"):
        build("use")


def test_in_one_file_for_a_dashboard_a_local_main_is_found(
    notebook, local_module, build, tmp_path
):
    local_module("main", MODULE)
    notebook.run("from main import price\ndef use(body): return price(body)\n")
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent/main.py").write_text(carrier(build("use").folder))

    assert answer_of(tmp_path / "sent") == '{"n": 6, "module": "main"}\n'


def test_a_package_that_is_a_folder_alone_ships(
    notebook, local_module, build, deploy_it
):
    local_module("plain_folder/inner/pricing", MODULE)
    notebook.run(
        "from plain_folder.inner.pricing import price\n"
        "def use(body): return price(body)\n"
    )

    assert deploy_it("use") == {"n": 6, "module": "plain_folder.inner.pricing"}
    assert "modules/plain_folder/inner/pricing.py" in build("use").files


def test_a_folder_that_nobody_imported_stays_out(notebook, local_module, build):
    local_module("plain_folder/data", "")
    notebook.run(
        "def use(body):\n    try:\n        import plain_folder\n"
        "    except ImportError:\n        return body['n']\n"
    )

    assert not [path for path in build("use").files if path.startswith("modules/")]
