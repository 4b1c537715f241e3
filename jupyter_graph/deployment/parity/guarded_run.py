"""One event through a graph of the notebook, without any effect: examples and replays.

What the graph needs is written like a bundle and runs in a process of its own. So no
step of the notebook keeps anything of it, and the guard refuses what would change
something outside.
"""

from __future__ import annotations

import base64
import builtins
import os
import pickle
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_graph.answer.answer import Answer
from jupyter_graph.answer.trace import Summary, Trace, TraceRow
from jupyter_graph.cells.source import place
from jupyter_graph.deployment.bundle.build import build_program
from jupyter_graph.deployment.bundle.bundle_folder import Bundle
from jupyter_graph.deployment.named_values import with_named_code
from jupyter_graph.deployment.parity.clean_process import CleanProcess
from jupyter_graph.deployment.parity.not_compared import refused
from jupyter_graph.deployment.parity.replay import (
    BundleAnswer,
    Row,
    bundle_answer,
    raise_when_failed,
)
from jupyter_graph.deployment.private_files import private_folder, state_folder
from jupyter_graph.deployment.sources import Sources
from jupyter_graph.errors import (
    BundleError,
    CellError,
    DeployError,
    RunError,
    StepError,
    said,
)
from jupyter_graph.run.recorded_outputs import tagged
from jupyter_graph.spec.builder import Graph

PACKAGE = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class GuardedEvent:
    """An event that is to have no effect.

    Attributes:
        body: what the first steps get.
        path: of the request; ``method`` and ``headers`` likewise.
        outputs: what steps with effects outside gave, by step.
        instead: how to run it with its effects, for messages.
    """

    body: Any
    path: str = "/"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    instead: str

    def message(self, event_id: str) -> dict[str, Any]:
        """Return what the process is asked.

        Raises:
            RunError: the body cannot leave the notebook.
        """
        try:
            pickled = pickle.dumps(self.body)
        except Exception as error:
            raise RunError(
                f"its body cannot go to another process: {said(error)}; {self.instead}"
            ) from None
        return {
            "pickled": base64.b64encode(pickled).decode("ascii"),
            "path": self.path,
            "method": self.method,
            "headers": dict(self.headers),
            "id": event_id,
            "outputs": tagged(self.outputs),
            "traced": True,
        }


def run_guarded(graph: Graph, sources: Sources, event: GuardedEvent) -> Answer:
    """Run one event apart from the notebook; a failed one has its error in the answer.

    Raises:
        RunError: the code or the body cannot leave the notebook, or the process ended.
        SpecError: the graph breaks a rule.
    """
    event_id = uuid4().hex
    message = event.message(event_id)
    shops = private_folder(state_folder() / "building")
    with tempfile.TemporaryDirectory(dir=shops, ignore_cleanup_errors=True) as shop:
        try:
            bundle = build_program(with_named_code(graph), sources, Path(shop, "graph"))
            with _process(bundle) as process:
                if not process.effects:
                    raise_when_failed(process.failed, bundle)
                elif process.failed:
                    what = refused(process.effects, bundle, graph.spec)
                    raise BundleError(f"as it starts, {what}")
                answer = bundle_answer(process, message, bundle)
        except (CellError, DeployError) as error:
            raise RunError(
                f"it cannot run apart from the notebook: {error}; {event.instead}"
            ) from None
    return _answer(answer, event_id, bundle, graph, event.instead)


def _process(bundle: Bundle) -> CleanProcess:
    """Return a process that sees what the notebook sees: its modules and variables."""
    return CleanProcess(
        bundle.folder,
        None,
        cwd=bundle.cwd,
        env=dict(os.environ),
        paths=[str(PACKAGE.parent)],
    )


def _answer(
    found: BundleAnswer, event_id: str, bundle: Bundle, graph: Graph, instead: str
) -> Answer:
    error = _error(found.error, event_id, bundle)
    notes: tuple[str, ...] = ()
    if found.effects:
        what = f"{refused(found.effects, bundle, graph.spec)}, or {instead}"
        if error is None:
            notes = (f"refused: {what}",)
        else:
            step = getattr(error, "step", "")
            error = StepError(step, event_id, RunError(what))
    trace = Trace([_row(row) for row in found.rows])
    value = None if error is not None else found.raw.decoded()
    return Answer(found.raw, event_id, value, error, trace, notes=notes)


def _row(row: Row) -> TraceRow:
    output = Summary(*row["output"]) if row["output"] else None
    upstream, seconds = tuple(row["upstream"]), row["duration_s"]
    given = Summary(*row["input"])
    return TraceRow(row["step"], given, upstream, output, seconds, row["error"])


def _error(
    failed: Mapping[str, Any] | None, event_id: str, bundle: Bundle
) -> BaseException | None:
    """Return the error of an event, with the place in its cell as a note."""
    if failed is None:
        return None
    kind = getattr(builtins, failed["kind"], None)
    cause: BaseException = RunError(f"{failed['kind']}: {failed['text']}")
    if isinstance(kind, type) and issubclass(kind, Exception) and failed["text"]:
        with suppress(Exception):  # some take more than a text
            cause = kind(failed["text"])
    lines = [line for file, line in failed["lines"] if file == "steps.py"]
    if lines and lines[-1] in bundle.slice.line_map:
        cause.add_note(f"at {place(*bundle.slice.line_map[lines[-1]])}")
    if failed["step"] is None:
        return cause
    error = StepError(failed["step"], event_id, cause)
    error.__cause__ = cause
    return error
