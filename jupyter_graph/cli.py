"""``python -m jupyter_graph``: the same calls from a shell or CI.

Exit code 0, 1 (failed) or 2 (wrong usage).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import JupyterGraphError, RunError, SpecError

if TYPE_CHECKING:
    from jupyter_graph.run.batch.batch_result import BatchResult
    from jupyter_graph.run.runner import Runner

MOST_LISTED = 20
_DEPLOYS = re.compile(r"^[ \t]*(\w+[ \t]*=[ \t]*)?%deploy\b.*$", re.MULTILINE)
"""A line that deploys, and may keep the deployment."""


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
        return int(given.run(given))
    except BrokenPipeError:  # whoever read the answers has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (JupyterGraphError, OSError, ValueError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error!s}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jupyter graph", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser(
        "serve", add_help=False, help="serve a bundle until told to stop"
    )
    for name, run, help_text in (
        ("check", check, "list what is wrong with a graph document"),
        ("show", show, "draw a graph document as text"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("graph", help="a .json or .yaml file")
        command.set_defaults(run=run)
    _add_run(commands)
    return parser


def _add_run(commands: Any) -> None:
    command = commands.add_parser("run", help="run a table, or one event, and end")
    command.add_argument(
        "graph", help="a notebook, a bundle, a .json or .yaml document, FILE.py:GRAPH"
    )
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


def check(given: argparse.Namespace) -> int:
    """Write what is wrong with a graph document; 1 when something is."""
    from jupyter_graph.spec.graph_files import load_graph
    from jupyter_graph.spec.validate import problems

    graph = load_graph(given.graph)
    lines = [f"error: {problem}" for problem in problems(graph.spec)]
    shown = lines or [f"graph {graph.name!r}: nothing to mend"]
    sys.stdout.writelines(f"{line}\n" for line in shown)
    return 1 if lines else 0


def show(given: argparse.Namespace) -> int:
    """Write a graph document as text."""
    from jupyter_graph.picture.forms.text_picture import text
    from jupyter_graph.spec.graph_files import load_graph

    sys.stdout.write(text(load_graph(given.graph).spec) + "\n")
    return 0


# -- run ------------------------------------------------------------------------


def run(given: argparse.Namespace) -> int:
    """Run a table or one event; return 1 when a row failed, and list it on stderr."""
    names = ("data", "body", "output", "batch_rows", "check")
    options = {name: getattr(given, name) for name in names}
    if Path(given.graph).suffix == ".ipynb":
        return _run_notebook(Path(given.graph), given.name, options)
    with _runner_of(given.graph, given.allow) as runner:
        return _report(_run(runner, options))


def _run(runner: Runner, options: Mapping[str, Any]) -> list[str]:
    """Run a table or one event; return a line for each failure."""
    if options["data"] is None:
        answer = runner.answer(options["body"], silent=True)
        if answer.error is not None:
            return [f"{type(answer.error).__name__}: {answer.error}"]
        text = answer.payload.decode("utf-8", "replace") + "\n"
        if options["output"] is None:
            sys.stdout.write(text)
        else:
            Path(options["output"]).write_text(text, encoding="utf-8")
        return []
    result = runner.run_batch(
        options["data"],
        target=options["output"] or _Lines(),
        batch_rows=options["batch_rows"],
        check=options["check"],
    )
    return _failures(result)


class _Lines:
    """A target: standard output, a line of JSON for each answer."""

    def do(self, answer: Any) -> Any:
        from jupyter_graph.connectors.rows import json_text

        sys.stdout.write(json_text(answer) + "\n")
        return answer


def _failures(result: BatchResult) -> list[str]:
    errors = result.errors
    lines = [
        f"row {one.row}: {f'step {one.step!r}: ' if one.step else ''}{one.error}"
        for one in errors[:MOST_LISTED]
    ]
    if len(errors) > MOST_LISTED:
        lines.append(f"… and {len(errors) - MOST_LISTED:,} more rows")
    if errors:
        lines.append(f"{len(errors):,} of {result.count:,} rows failed")
    return lines


def _report(lines: Sequence[str]) -> int:
    """Write failures to stderr, after the answers; return the exit code."""
    sys.stdout.flush()
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


def _runner_of(where: str, allow: Sequence[str]) -> Runner:
    from jupyter_graph.run.runner import Runner
    from jupyter_graph.spec.graph_files import load_graph

    path, _, name = where.rpartition(":")
    if path.endswith(".py"):
        return Runner(_graph_in(Path(path), name))
    if Path(where).is_dir():
        from jupyter_graph.host.bundle_loader import bundle_runner, read_config

        return bundle_runner(Path(where), read_config(Path(where)))
    if where.endswith(".py"):
        raise SpecError(f"name the graph in {where!r}: {where}:GRAPH")
    return Runner(load_graph(where, allow_imports=tuple(allow)))


def _graph_in(path: Path, name: str) -> Any:
    """Import a file and return its graph of this name."""
    from importlib.util import module_from_spec, spec_from_file_location

    from jupyter_graph.errors import did_you_mean
    from jupyter_graph.spec.builder import Graph

    if not path.is_file():
        raise SpecError(f"there is no file {str(path)!r}")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    # Known before it runs, so that its classes can be pickled by name.
    module = sys.modules[path.stem] = module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    graph = getattr(module, name, None)
    if not isinstance(graph, Graph):
        known = [key for key, value in vars(module).items() if isinstance(value, Graph)]
        raise SpecError(
            f"{str(path)!r} has no graph {name!r}{did_you_mean(name, known)} "
            f"(its graphs: {', '.join(known) or 'none'})"
        )
    return graph


# -- a notebook -----------------------------------------------------------------


def _run_notebook(path: Path, name: str | None, options: dict[str, Any]) -> int:
    """Run a notebook's cells in a kernel of their own, then its graph there."""
    from jupyter_client.manager import start_new_kernel

    cells = _code_cells(path)
    with tempfile.TemporaryDirectory() as folder:
        report, lines = Path(folder, "report.json"), Path(folder, "lines.jsonl")
        for key in ("data", "output"):
            if options[key] is not None and "://" not in options[key]:
                options[key] = str(Path(options[key]).resolve())
        if is_shown := options["output"] is None:
            options["output"] = str(lines)
        # The notebook's session lives in its kernel, so the graph runs there too.
        last = (
            f"from jupyter_graph.cli import run_here as _run_here\n"
            f"_run_here({name!r}, {options!r}, {str(report)!r})"
        )
        manager, client = start_new_kernel(cwd=str(path.resolve().parent))
        try:
            for number, cell in enumerate([*cells, last], start=1):
                _execute(client, cell, number)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
        if is_shown and lines.exists():
            with lines.open(encoding="utf-8") as text:
                sys.stdout.writelines(text)
        return _report(json.loads(report.read_text(encoding="utf-8")))


def _code_cells(path: Path) -> list[str]:
    """Return the code of a notebook's cells; what would deploy is left out."""
    try:
        notebook = json.loads(path.read_bytes())
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{str(path)!r} is no notebook: {error}") from None
    return [_DEPLOYS.sub("", "".join(cell["source"])) for cell in cells]


def _execute(client: Any, code: str, number: int) -> None:
    reply = client.execute_interactive(
        code, allow_stdin=False, output_hook=lambda _: None
    )["content"]
    if reply["status"] != "ok":
        what = reply.get("evalue") or reply["status"]
        what = re.sub(r" \[JG\d+\]$", "", what)  # the code of this error follows
        raise RunError(f"cell {number}: {reply.get('ename', 'stopped')}: {what}")


def run_here(name: str | None, options: Mapping[str, Any], report: str) -> None:
    """Run the graph of this kernel's notebook; write what failed to a file."""
    from jupyter_graph.run.runner import Runner
    from jupyter_graph.session.active import notebook

    with Runner(notebook().graph(name)) as runner:
        lines = _run(runner, options)
    Path(report).write_text(json.dumps(lines), encoding="utf-8")
