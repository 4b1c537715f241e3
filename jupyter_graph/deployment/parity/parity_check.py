"""The bundle answers as the notebook does: the recorded events, replayed in both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.cells.source import place
from jupyter_graph.deployment.bundle.bundle_folder import Bundle
from jupyter_graph.deployment.parity.clean_process import CleanProcess
from jupyter_graph.deployment.parity.compare import (
    Place,
    differences,
    is_within,
    shown,
)
from jupyter_graph.deployment.parity.parity_report import Difference, ParityReport
from jupyter_graph.deployment.parity.replay import (
    PATIENCE_S,
    Notebook,
    bundle_answer,
    clean_processes,
    raise_when_failed,
    wire_inputs,
)
from jupyter_graph.errors import JupyterGraphError
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.spec.builder import Graph

__all__ = ["Difference", "ParityReport", "check_parity"]


def check_parity(
    bundle: Bundle,
    graph: Graph,
    events: Sequence[RecordedInput],
    namespace: Mapping[str, Any] | None = None,
) -> ParityReport:
    """Replay recorded inputs, in order, in the notebook and in the bundle.

    The bundle runs in a clean process; with no events it is imported there only.

    Args:
        bundle: a built bundle.
        graph: the graph it was built from.
        events: what the notebook's graph was asked.
        namespace: further names that the graph's steps may stand for.

    Raises:
        BundleError: the bundle does not import there, or its process died.
    """
    inputs, unsent = wire_inputs(events)
    notebook = Notebook(graph, bundle, namespace or {})
    with clean_processes(bundle, notebook.secrets) as start:
        with start() as process:
            raise_when_failed(process.failed, bundle)
            if not inputs:
                return ParityReport(unsent=unsent)
            # Twice: what differs between two runs of the notebook itself (times, random
            # numbers, ids) says nothing about the bundle and is left out.
            first = notebook.answers(inputs)
            second = notebook.answers(inputs)
            theirs = [bundle_answer(process, sent, bundle) for sent in inputs]
        rows = list(zip(inputs, first, theirs, strict=True))
        changing = _changing(first, second)
        report = _report(rows, changing)
        if not report.is_equal:
            # A clock may stand still between two quick runs; a later one tells.
            changing |= _changing(first, notebook.answers(inputs))
            report = _report(rows, changing)
        report = replace(report, unsent=unsent)
        if not report.is_equal:
            # Up to the first event that differs: steps may keep state between events.
            upto = inputs[: report.differences[0].number + 1]
            step = _first_step(notebook, start, bundle, upto)
            report = replace(report, step=step, lines=_left_out(bundle))
        return report


def _left_out(bundle: Bundle) -> tuple[str, ...]:
    left_out = bundle.slice.left_out if bundle.slice else ()
    return tuple(f"{place(*at)}: {text}" for *at, text in left_out)


def _first_step(
    notebook: Notebook,
    start: Callable[[], CleanProcess],
    bundle: Bundle,
    inputs: Sequence[Mapping[str, Any]],
) -> str | None:
    """Return the first step whose result differs, None when it cannot be found."""
    try:
        ours = notebook.rows(inputs)
        with start() as process:
            for sent in inputs[:-1]:
                bundle_answer(process, sent, bundle)
            reply = process.ask(
                {**inputs[-1], "traced": True}, bundle.options.timeout_s + PATIENCE_S
            )
    except JupyterGraphError:
        return None
    pairs = zip_longest(ours, reply.get("rows", ()), fillvalue=["", ""])
    return next((one[0] or two[0] for one, two in pairs if one != two), None)


Changing = set[tuple[int, Place]]
Row = tuple[Mapping[str, Any], RawResponse, RawResponse]
"""An input, the notebook's answer, the bundle's answer."""


def _changing(first: Sequence[RawResponse], second: Sequence[RawResponse]) -> Changing:
    """Find the places that differ between two runs of the notebook itself."""
    return {
        (number, place)
        for number, (one, two) in enumerate(zip(first, second, strict=True))
        for place, _, _ in differences(one, two)
    }


def _report(rows: Sequence[Row], changing: Changing) -> ParityReport:
    unequal = tuple(
        Difference(number, sent["id"], shown(place), notebook, bundle)
        for number, (sent, one, two) in enumerate(rows)
        for place, notebook, bundle in differences(one, two)
        if not is_within(place, {left for at, left in changing if at == number})
    )
    names = {shown(place): None for _, place in sorted(changing, key=str)}
    return ParityReport(
        equal=len(rows) - len({difference.number for difference in unequal}),
        total=len(rows),
        left_out=tuple(names),
        differences=unequal,
    )
