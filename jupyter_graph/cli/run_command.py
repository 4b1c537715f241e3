"""``jupyter graph run``: a table, or one event, through a graph."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_graph.cli.notebook_kernel import is_notebook, work_in_notebook
from jupyter_graph.cli.script_graph import graph_of_script, is_script
from jupyter_graph.errors import SpecError

if TYPE_CHECKING:
    from jupyter_graph.run.batch.batch_result import BatchResult
    from jupyter_graph.run.runner import Runner

MOST_LISTED = 20


def run(given: argparse.Namespace) -> int:
    """Run a table or one event; return 1 when a row failed, and list it on stderr."""
    names = ("data", "body", "output", "batch_rows", "check")
    options = {name: getattr(given, name) for name in names}
    if is_notebook(given.graph):
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

    if is_script(where):
        return Runner(graph_of_script(where))
    if Path(where).is_dir():
        from jupyter_graph.host.bundle_loader import bundle_runner, read_config

        return bundle_runner(Path(where), read_config(Path(where)))
    if where.endswith(".py"):
        raise SpecError(f"name the graph in {where!r}: {where}:GRAPH")
    return Runner(load_graph(where, allow_imports=tuple(allow)))


def _run_notebook(path: Path, name: str | None, options: dict[str, Any]) -> int:
    """Run a notebook's cells in a kernel of their own, then its graph there."""
    for key in ("data", "output"):
        if options[key] is not None and "://" not in options[key]:
            options[key] = str(Path(options[key]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "lines.jsonl")
        if is_shown := options["output"] is None:
            options["output"] = str(lines)
        work = f"{run_here.__module__}:{run_here.__name__}"
        failures = work_in_notebook(path, work, name, options)
        if is_shown and lines.exists():
            with lines.open(encoding="utf-8") as text:
                sys.stdout.writelines(text)
    return _report(failures)


def run_here(name: str | None, options: Mapping[str, Any]) -> list[str]:
    """Run the graph of this kernel's notebook; return what failed."""
    from jupyter_graph.run.runner import Runner
    from jupyter_graph.session.active import notebook

    with Runner(notebook().graph(name)) as runner:
        return _run(runner, options)
