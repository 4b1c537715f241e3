import json
import os
import stat

import pytest
import yaml

from jupyter_graph.deployment.bundle.build import build_bundle
from jupyter_graph.deployment.options import read_options
from jupyter_graph.deployment.sources import Sources
from jupyter_graph.errors import BundleError, CellError, ValueShipError

pytestmark = pytest.mark.slow  # each builds a whole bundle


@pytest.fixture
def build(tmp_path):
    """Return a function that builds a bundle of a notebook's graph."""

    def build_one(notebook, *steps, folder=None, graph=None, private=True, **options):
        graph = graph or notebook.graph(*steps)
        settings = read_options(graph.name, options)
        place = folder or tmp_path / "bundle"
        return build_bundle(graph, notebook.sources, settings, place, private=private)

    return build_one


def test_a_bundle_holds_what_the_host_and_nuclio_need(build, doubling):
    bundle = build(doubling, "double", "add_one")
    own = {path for path in bundle.files if not path.startswith("jupyter_graph/")}

    assert own == {
        ".dockerignore",
        "Dockerfile",
        "_graph_steps.py",
        "config.json",
        "function.yaml",
        "graph.json",
        "k8s/deployment.yaml",
        "k8s/service.yaml",
        "main.py",
        "requirements-host.txt",
        "requirements.txt",
        "steps.py",
    }
    assert "jupyter_graph/host/handler.py" in bundle.files
    rooms = {path.split("/")[1] for path in bundle.files if path.count("/") > 1}
    assert not rooms & {"cells", "session", "widgets", "magics", "deployment"}


def test_only_the_code_of_the_steps_travels(build, doubling):
    doubling.run("import pandas\ndef other(body):\n    return pandas.DataFrame()\n")
    bundle = build(doubling, "double", "add_one")
    steps = bundle.read("steps.py")

    assert "STEP = 1" in steps
    assert "pandas" not in steps
    assert bundle.read("requirements.txt") == ""


def test_the_same_notebook_gives_the_same_bytes(build, doubling, tmp_path):
    one = build(doubling, "double", "add_one")
    two = build(doubling, "double", "add_one", folder=tmp_path / "other")

    assert one.hash == two.hash
    assert (one.folder / "SOURCES.json").read_bytes() == (
        two.folder / "SOURCES.json"
    ).read_bytes()


def test_a_value_travels_as_an_artifact(build, notebook):
    notebook.run("table = dict(zip('ab', range(2)))\n")
    notebook.run("def look(body):\n    return table.get(body)\n")
    bundle = build(notebook, "look")

    assert "load_value" in bundle.read("steps.py")
    assert any(path.startswith("artifacts/table") for path in bundle.files)


def test_an_argument_that_json_cannot_hold_travels_as_an_artifact(build, notebook):
    notebook.run(
        "class Add:\n"
        "    def __init__(self, numbers): self.numbers = numbers\n"
        "    def do(self, body): return body in self.numbers\n"
    )
    graph = notebook.graph()
    graph.to(notebook["Add"], "known", numbers={1, 2})
    bundle = build(notebook, graph=graph)
    document = json.loads(bundle.read("graph.json"))

    assert document["steps"]["known"]["class_args"] == {
        "numbers": {"$value": "_known_numbers"}
    }
    assert "artifacts/index.json" in bundle.files


def test_values_that_cannot_travel_are_listed_with_their_cells(build, notebook):
    notebook.run("gen = (n for n in range(3))\nfile = open(__import__('os').devnull)\n")
    notebook.run("def use(body):\n    return next(gen), file.name\n")

    with pytest.raises(CellError) as caught:
        build(notebook, "use")
    notebook["file"].close()

    assert "gen" in str(caught.value)
    assert "file" in str(caught.value)
    assert "cell 1" in str(caught.value)


def test_pickle_is_taken_only_when_it_is_allowed(build, notebook):
    notebook.run("import random\nodd = random.Random(3)\nfirst = odd.random()\n")
    notebook.run("def use(body):\n    return odd.random()\n")

    with pytest.raises(ValueShipError, match="--allow-pickle odd"):
        build(notebook, "use")
    bundle = build(notebook, "use", allow_pickle=("odd",))

    assert "artifacts/odd.pickle" in bundle.files


def test_nothing_half_done_stays_after_a_failure(build, notebook, tmp_path):
    notebook.run("def use(body):\n    return nowhere(body)\n")

    with pytest.raises(CellError, match="nowhere"):
        build(notebook, "use")

    assert [path.name for path in tmp_path.iterdir() if path.name != "work"] == []


def test_a_folder_of_somebody_else_is_left_alone(build, doubling, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "thesis.tex").write_text("")

    with pytest.raises(BundleError, match="is no bundle"):
        build(doubling, "double", "add_one")

    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["thesis.tex"]


def test_an_older_bundle_is_replaced(build, doubling):
    build(doubling, "double", "add_one")
    bundle = build(doubling, "double")

    assert "add_one" not in bundle.read("steps.py")


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of Unix")
@pytest.mark.parametrize(("private", "mode"), [(True, 0o077), (False, 0o022)])
def test_others_may_read_only_what_is_meant_for_them(build, doubling, private, mode):
    bundle = build(doubling, "double", "add_one", private=private)
    paths = [bundle.folder, *bundle.folder.rglob("*")]

    assert not any(stat.S_IMODE(path.stat().st_mode) & mode for path in paths)


def test_the_function_document_says_what_was_asked(build, doubling, python):
    bundle = build(
        doubling,
        "double",
        "add_one",
        workers=3,
        env={"COLOUR": "yes", "QUOTED": 'a "b" $c: {d} # e'},
        secrets={"KEY": "vault/key"},
        config={"minReplicas": 1, "maxReplicas": 4, "metadata.labels.team": "risk"},
        pip="PyYAML==6.0.3",
    )
    document = yaml.safe_load(bundle.read("function.yaml"))
    spec = document["spec"]

    assert document["metadata"]["labels"] == {
        "nuclio.io/project-name": "default",
        "team": "risk",
    }
    assert (spec["runtime"], spec["handler"]) == (python, "main:handler")
    assert spec["triggers"] == {"http": {"kind": "http", "numWorkers": 3}}
    assert spec["env"] == [
        {"name": "COLOUR", "value": "yes"},
        {"name": "QUOTED", "value": 'a "b" $c: {d} # e'},
        {
            "name": "KEY",
            "valueFrom": {"secretKeyRef": {"name": "vault", "key": "key"}},
        },
    ]
    assert spec["build"]["commands"] == [
        "python -m pip install --no-cache-dir PyYAML==6.0.3"
    ]
    assert "k8s/autoscaler.yaml" in bundle.files


def test_names_that_yaml_reads_as_booleans_stay_names(build, doubling):
    triggers = {"on": {"kind": "http"}}
    bundle = build(doubling, "double", "add_one", triggers=triggers)

    assert list(yaml.safe_load(bundle.read("function.yaml"))["spec"]["triggers"]) == [
        "on"
    ]


def test_passwords_of_triggers_stand_in_no_file(build, doubling):
    triggers = {
        "q": {
            "kind": "rabbit-mq",
            "url": "amqp://host",
            "password": "hunter2",
            "exchangeName": "e",
            "queueName": "q",
        }
    }
    bundle = build(doubling, "double", "add_one", target="nuclio", triggers=triggers)

    assert not any(
        b"hunter2" in path.read_bytes()
        for path in bundle.folder.rglob("*")
        if path.is_file()
    )


def test_a_secret_in_a_cell_is_refused_with_its_place(build, notebook):
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    notebook.run(f"KEY = '{key}'\ndef use(body):\n    return KEY\n")

    with pytest.raises(BundleError) as caught:
        build(notebook, "use")

    assert "cell 1, line 1 holds an AWS access key" in str(caught.value)
    assert key not in str(caught.value)


def test_a_secret_in_the_environment_is_refused(build, doubling):
    with pytest.raises(BundleError, match="env TOKEN looks like a GitHub token"):
        build(doubling, "double", "add_one", env={"TOKEN": "ghp_" + "a1" * 18})


def test_modules_beside_the_notebook_travel(build, notebook, monkeypatch):
    (notebook.path.parent / "pricing_here.py").write_text("def price(n): return n * 3")
    monkeypatch.syspath_prepend(notebook.path.parent)
    notebook.run("from pricing_here import price\ndef use(body): return price(body)\n")
    bundle = build(notebook, "use")

    assert "modules/pricing_here.py" in bundle.files
    assert "pricing" not in bundle.read("requirements.txt")


def test_installed_modules_become_pinned_requirements(build, notebook):
    notebook.run("import yaml\ndef use(body):\n    return yaml.safe_load(body)\n")
    bundle = build(notebook, "use")

    assert bundle.requirements == (f"PyYAML=={yaml.__version__}",)


def test_what_the_user_requires_wins(build, notebook, tmp_path):
    notebook.run("import yaml\ndef use(body):\n    return yaml.safe_load(body)\n")
    path = tmp_path / "more.txt"
    path.write_text("pyyaml>=6\n")
    bundle = build(notebook, "use", requirements=path, pip="numpy")

    assert bundle.requirements == ("numpy", "pyyaml>=6")


def test_with_the_released_runtime_our_own_code_stays_out(build, doubling):
    bundle = build(doubling, "double", "add_one", runtime="pip")

    assert not any(path.startswith("jupyter_graph/") for path in bundle.files)
    assert bundle.requirements[0].startswith("jupyter_graph==")


def test_code_of_a_module_is_imported_from_it(build, notebook):
    import colorsys

    graph = notebook.graph()
    graph.to(name="hue", handler=colorsys.rgb_to_hsv)
    bundle = build(notebook, graph=graph)

    assert "from colorsys import rgb_to_hsv" in bundle.read("steps.py")


def test_a_lambda_has_no_source_that_could_travel(build, notebook):
    graph = notebook.graph()
    graph.to(name="twice", handler=lambda body: body * 2)

    with pytest.raises(BundleError, match=r"'twice'.*in a cell of its own"):
        build(notebook, graph=graph)


def test_the_dockerfile_quotes_what_it_is_told(build, doubling):
    bundle = build(doubling, "double", "add_one", env={"A": 'x" USER root $HOME \\'})
    text = bundle.read("Dockerfile")

    assert 'ENV A="x\\" USER root \\$HOME \\\\"' in text
    assert text.splitlines()[-1].startswith('CMD ["python", "-m"')


def test_the_listing_holds_the_hash_of_every_file(build, doubling):
    bundle = build(doubling, "double", "add_one")
    listed = json.loads(bundle.read("SOURCES.json"))
    files = {
        path.relative_to(bundle.folder).as_posix()
        for path in bundle.folder.rglob("*")
        if path.is_file()
    }

    assert listed["files"] == dict(bundle.files)
    assert set(listed["files"]) == files - {"SOURCES.json"}
    assert listed["hash"] == bundle.hash


def test_without_cells_only_modules_can_be_sources(notebook, build):
    assert Sources().folder is None
