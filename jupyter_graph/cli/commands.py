"""The commands of ``jupyter graph`` and their words.

Exit code 0, 1 (failed) or 2 (wrong usage).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from jupyter_graph.cli.graph_actions import WORKS, act, logs_or_delete
from jupyter_graph.errors import JupyterGraphError

_GRAPH = "a notebook, FILE.py:GRAPH, or a .json or .yaml document"
_DEPLOYED = "the function's name, or the notebook or script it is deployed from"


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        words: the words after the program's name, those of the process by default.
    """
    typed = list(sys.argv[1:] if words is None else words)
    if typed[:1] == ["serve"]:  # its options are the host's own
        from jupyter_graph.host.__main__ import main as serve

        return serve(typed[1:])
    parser = _parser()
    given, more = parser.parse_known_args(typed)
    if more and given.command not in ("deploy", "bundle"):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    given.more = more
    try:
        return int(given.run(given))
    except BrokenPipeError:  # whoever read the answers has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (JupyterGraphError, OSError, ValueError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error!s}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    about = "Check, run and deploy graphs from a shell or CI."
    parser = argparse.ArgumentParser(prog="jupyter graph", description=about)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    commands.add_parser(
        "serve", add_help=False, help="serve a bundle until told to stop"
    )
    for name, help_text in WORKS.items():
        command = commands.add_parser(name, help=help_text)
        command.add_argument("graph", help=_GRAPH)
        command.add_argument("--name", help="which graph of a notebook")
        if name == "bundle":
            command.add_argument("output", help="a folder, or a .zip")
        if name == "test":
            about = "targets and remote steps do their work, too"
            command.add_argument("--effects", action="store_true", help=about)
        command.set_defaults(run=act)
    _add_run(commands)
    for name, help_text in (
        ("logs", "write what a deployed function wrote"),
        ("delete", "stop a deployed function and forget it"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("deployed", help=_DEPLOYED)
        command.set_defaults(run=logs_or_delete)
    return parser


def _add_run(commands: Any) -> None:
    from jupyter_graph.cli.run_command import run

    command = commands.add_parser("run", help="run a table, or one event, and end")
    command.add_argument("graph", help=f"{_GRAPH}, or a bundle")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", help="JSON lines, CSV or Parquet: a path or URL")
    what.add_argument("--body", type=_json, help="the JSON body of one event")
    command.add_argument("--output", help="where the answers go; default JSON lines")
    command.add_argument("--name", help="which graph of a notebook")
    command.add_argument(
        "--allow", action="append", default=[], help="a module a document may use"
    )
    command.add_argument("--batch-rows", type=int, help="rows read at once")
    command.add_argument("--check", action="store_true", help="try vectorised steps")
    command.set_defaults(run=run)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"is no JSON: {error}") from None
