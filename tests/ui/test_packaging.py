"""What a wheel brings to an environment that has never seen the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARE = "share/jupyter/labextensions/jupyter-graph"
LISTED = re.compile(r"jupyter-graph v\S+ enabled OK \(python, jupyter_graph\)")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program; its output without colours, and its errors when it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": "", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
    assert done.returncode == 0, said
    return said


def build_wheel(folder: Path, *, with_assets: bool) -> Path:
    """Build a wheel from a copy of the tree, so that nothing is left behind in it."""
    left_out = ["__pycache__"] + ([] if with_assets else ["labextension"])
    tree = folder / "tree"
    shutil.copytree(
        ROOT / "jupyter_graph",
        tree / "jupyter_graph",
        ignore=shutil.ignore_patterns(*left_out),
    )
    (tree / "labextension").mkdir()
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copy(ROOT / "labextension" / "install.json", tree / "labextension")
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, tree)
    run(sys.executable, *build)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(need_built_extension, need_wheel_builder, tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"), with_assets=True)


@pytest.fixture
def environment(tmp_path):
    """An empty environment: no package, not even pip."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    return tmp_path / "venv"


def python_of(environment: Path) -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    return environment / folder / "python"


def install(environment: Path, *what: str | Path) -> None:
    pip = ("-m", "pip", "--python", python_of(environment), "install", "--quiet")
    run(sys.executable, *pip, *what)


def list_extensions(environment: Path) -> str:
    """Return what ``jupyter labextension list`` says there."""
    listing = ("-m", "jupyterlab.labextensions", "list")
    return run(python_of(environment), *listing, cwd=environment)


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_the_wheel_puts_the_extension_where_jupyterlab_looks(wheel, environment):
    install(environment, "--no-deps", "--no-index", wheel)
    [packages] = environment.rglob("site-packages")
    # JupyterLab's own code is borrowed; its folders and ours are the environment's.
    borrowed = Path(pytest.importorskip("jupyterlab").__file__).parents[1]
    (packages / "borrowed.pth").write_text(str(borrowed))

    assert LISTED.search(list_extensions(environment))


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(400)
def test_the_wheel_installs_with_all_it_needs(wheel, environment):
    install(environment, wheel, "jupyterlab")

    assert LISTED.search(list_extensions(environment))


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_wheel_without_the_built_extension_still_has_the_package(
    need_wheel_builder, tmp_path
):
    names = zipfile.ZipFile(build_wheel(tmp_path, with_assets=False)).namelist()

    assert "jupyter_graph/widgets/graph_view.js" in names
    assert not [name for name in names if f"{SHARE}/static" in name]


def test_the_extension_and_the_package_have_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extension = json.loads((ROOT / "labextension" / "package.json").read_text())

    assert extension["version"] == project["version"]


def test_the_npm_lock_names_no_registry():
    lock = json.loads((ROOT / "labextension" / "package-lock.json").read_text())
    packages = lock["packages"].values()

    hosts = {package["resolved"] for package in packages if "resolved" in package}

    assert not hosts
