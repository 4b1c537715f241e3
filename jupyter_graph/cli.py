"""``python -m jupyter_graph``: the same calls from a shell or CI.

Exit code 0, 1 (failed) or 2 (wrong usage).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jupyter_graph.errors import JupyterGraphError


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        words: the words after the program's name, those of the process by default.
    """
    typed = list(sys.argv[1:] if words is None else words)
    if typed[:1] == ["serve"]:  # its options are the host's own
        from jupyter_graph.host.__main__ import main as serve

        return serve(typed[1:])
    given = _parser().parse_args(typed)
    try:
        return int(given.run(given.graph))
    except JupyterGraphError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jupyter graph", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser(
        "serve", add_help=False, help="serve a bundle until told to stop"
    )
    for name, run, told in (
        ("check", check, "list what is wrong with a graph document"),
        ("show", show, "draw a graph document as text"),
    ):
        command = commands.add_parser(name, help=told)
        command.add_argument("graph", help="a .json or .yaml file")
        command.set_defaults(run=run)
    return parser


def check(path: str) -> int:
    """Write what is wrong with a graph document; 1 when something is."""
    from jupyter_graph.spec.codec import load_graph
    from jupyter_graph.spec.validate import problems

    graph = load_graph(path)
    found = problems(graph.spec)
    for problem in found:
        sys.stdout.write(f"error: {problem}\n")
    if not found:
        sys.stdout.write(f"graph {graph.name!r}: nothing to mend\n")
    return 1 if found else 0


def show(path: str) -> int:
    """Write a graph document as text."""
    from jupyter_graph.picture.text import text
    from jupyter_graph.spec.codec import load_graph

    sys.stdout.write(text(load_graph(path).spec) + "\n")
    return 0
