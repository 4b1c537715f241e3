"""What a shell may ask of a graph, wherever it is written."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_graph.cli.notebook_kernel import is_notebook, work_in_notebook
from jupyter_graph.cli.recorded_events import work_in_session
from jupyter_graph.cli.script_graph import is_script, script_and_graph
from jupyter_graph.errors import DeployError, SpecError

WORKS = {
    "check": "list what is wrong with a graph and its code, and what is worth knowing",
    "show": "draw a graph as text",
    "code": "write the program that would ship",
    "test": "send the events of tests/events again; name those answered otherwise",
    "bundle": "write the bundle into a folder or a .zip; options as of %%deploy",
    "deploy": "deploy a graph; name and options as of %%deploy",
}
OF_DOCUMENTS = ("check", "show")

Said = tuple[int, str]
"""Exit code and text."""


def act(given: argparse.Namespace) -> int:
    """Do what a command asks of a graph; write the text, return the exit code."""
    words = [*given.more]
    if given.command == "bundle":
        words += ["--to", "archive", "--output", str(Path(given.output).resolve())]
    if given.command == "test" and given.effects:
        words.append("--effects")
    arguments = (given.command, given.name, words)
    if is_notebook(given.graph):
        here = f"{in_session.__module__}:{in_kernel.__name__}"
        said: Said = work_in_notebook(Path(given.graph), here, *arguments)
        code, text = said
        if given.command == "check":
            text = f"notebook {Path(given.graph).name}, {text}"
    elif is_script(given.graph):
        code, text = _in_script(given.graph, *arguments)
    elif given.command in OF_DOCUMENTS:
        code, text = _of_document(given.graph, given.command)
    else:
        raise SpecError(
            f"jupyter graph {given.command} needs code: a notebook or FILE.py:GRAPH, "
            f"got {given.graph!r}"
        )
    sys.stdout.write(text.rstrip("\n") + "\n")
    return code


def in_kernel(command: str, name: str | None, words: Sequence[str]) -> Said:
    """Do it with a graph of this kernel's notebook."""
    from jupyter_graph.session.active import notebook

    return in_session(notebook(), command, name, words)


def _in_script(where: str, command: str, name: str | None, words: list[str]) -> Said:
    from jupyter_graph.cells.notebook_files import cells_from_script
    from jupyter_graph.session.session import Session

    module, graph = script_and_graph(where)
    path = Path(str(module.__file__)).resolve()
    session = Session(vars(module), lambda: cells_from_script(path), path)
    session.graphs.adopt(graph)
    try:
        return in_session(session, command, graph.name, words)
    finally:
        session.close()


def in_session(
    session: Any, command: str, name: str | None, words: Sequence[str]
) -> Said:
    """Do what a command asks of a graph of a notebook or script."""
    if command == "check":
        found = session.check(name)
        is_wrong = any(one.severity == "error" for one in found)
        return int(is_wrong), str(found)
    if command == "show":
        from jupyter_graph.picture.forms.text_picture import text

        return 0, text(session.graph(name).spec)
    if command == "code":
        return 0, session.program(name)
    if command == "test":
        return work_in_session(session, name, words)
    return 0, _deployed(session, name, words)


def _deployed(session: Any, name: str | None, words: Sequence[str]) -> str:
    """Deploy by the words that ``%deploy`` takes; return what the notebook shows."""
    from jupyter_graph.magics.deploy_magic import options_of

    line = shlex.join(words)
    if name is not None:
        line += f" --graph {name}"
    made = session.deploy(**options_of(line, session))
    return str(made._repr_mimebundle_()["text/plain"])


def _of_document(path: str, command: str) -> Said:
    from jupyter_graph.picture.forms.text_picture import text
    from jupyter_graph.spec.graph_files import load_graph
    from jupyter_graph.spec.validate import problems

    graph = load_graph(path)
    if command == "show":
        return 0, text(graph.spec)
    lines = [f"error: {problem}" for problem in problems(graph.spec)]
    shown = lines or [f"graph {graph.name!r}: nothing to mend"]
    return int(bool(lines)), "\n".join(shown)


def logs_or_delete(given: argparse.Namespace) -> int:
    """Write the log of a deployed function, or stop and forget it."""
    from jupyter_graph.deployment.index import find

    deployment = find(_name_of(given.deployed))
    if given.command == "logs":
        sys.stdout.write(str(deployment.logs()).rstrip("\n") + "\n")
    else:
        deployment.delete()
        sys.stdout.write(f"{deployment.name!r} is stopped and gone\n")
    return 0


def _name_of(word: str) -> str:
    """Return a function's name, also by the notebook or script it comes from.

    Raises:
        DeployError: nothing is deployed from there, or several functions are.
    """
    from jupyter_graph.deployment.index import list_deployments

    file = word.rpartition(":")[0] if is_script(word) else word
    if not file.endswith((".ipynb", ".py")):
        return word
    path = str(Path(file).resolve())
    made = [one for one in list_deployments() if one.record.notebook == path]
    running = [one for one in made if one.url]  # an archive only lies there
    names = [one.name for one in running or made]
    if len(names) != 1:
        listed = f"several are: {', '.join(names)}; name one" if names else "none is"
        raise DeployError(f"no one function is deployed from {file!r}: {listed}")
    return names[0]
