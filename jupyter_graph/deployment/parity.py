"""The bundle answers as the notebook does: the recorded events, replayed in both."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from jupyter_graph.deployment.bundle_folder import Bundle, place_of
from jupyter_graph.deployment.clean import CleanProcess, make_environment
from jupyter_graph.deployment.closure import closure, modules_of
from jupyter_graph.deployment.compare import (
    Place,
    WireAnswer,
    differences,
    is_within,
    shown,
)
from jupyter_graph.deployment.invoke import wire_body
from jupyter_graph.errors import (
    AnswerError,
    BundleError,
    JupyterGraphError,
    ParityError,
)
from jupyter_graph.host.bundle import read_secrets
from jupyter_graph.run.event import Event, read_event
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.run.response import encode, is_stream, problem
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph

SHOWN = 5
PATIENCE_S = 10.0  # over the event's own deadline, which the bundle keeps itself


@dataclass(frozen=True)
class Difference:
    """One place where the bundle answered differently.

    Attributes:
        number: which event, from 0.
        event_id: its id.
        place: where in the answer, like ``body['score']``.
        notebook: the notebook's value.
        bundle: the bundle's value.
    """

    number: int
    event_id: str
    place: str
    notebook: Any
    bundle: Any


@dataclass(frozen=True)
class ParityReport:
    """What came out of a parity check; the text begins with ``parity:``.

    Attributes:
        equal: events with the same answer.
        total: events that were replayed.
        left_out: places that differ between two runs in the notebook itself.
        differences: what differs.
        unsent: events whose body has no form on the wire.
        is_skipped: nobody wanted the comparison.
        step: the first step whose result differs, when it could be found.

    >>> print(ParityReport(3, 3))
    parity: 3 of 3 events equal
    >>> print(ParityReport(0, 0))
    parity: no recorded events
    """

    equal: int = 0
    total: int = 0
    left_out: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    unsent: tuple[str, ...] = ()
    is_skipped: bool = False
    step: str | None = None

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def __str__(self) -> str:
        if self.is_skipped:
            return "parity: not checked"
        head = f"parity: {self.equal} of {self.total} events equal"
        lines = [head if self.total else "parity: no recorded events"]
        lines += [f"  left out, cannot be sent: {text}" for text in self.unsent]
        if self.left_out:
            listed = ", ".join(self.left_out)
            lines.append(f"  left out, differs from run to run: {listed}")
        for found in self.differences[:SHOWN]:
            lines.append(
                f"  event {found.number + 1} ({found.event_id}), {found.place}:"
            )
            lines.append(f"    notebook: {_short(found.notebook)}")
            lines.append(f"    bundle:   {_short(found.bundle)}")
        if len(self.differences) > SHOWN:
            lines.append(f"  … and {len(self.differences) - SHOWN} more differences")
        if self.step:
            lines.append(f"  the first step that differs is {self.step!r}")
        return "\n".join(lines)


def check_bundle(
    bundle: Bundle,
    graph: Graph,
    events: Sequence[RecordedInput],
    namespace: Mapping[str, Any] | None = None,
) -> ParityReport:
    """Import the bundle in a clean process and compare its answers.

    Raises:
        BundleError: it does not import there, or its process died.
        ParityError: an answer differs; the text lists events, step and values.
    """
    report = check_parity(bundle, graph, events, namespace)
    if not report.is_equal:
        raise ParityError(str(report))
    return report


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
    with CleanEnvironment(bundle, notebook.secrets) as start:
        with start() as process:
            raise_when_failed(process.failed, bundle)
            if not inputs:
                return ParityReport(unsent=unsent)
            first = notebook.answers(inputs)
            second = notebook.answers(inputs)
            theirs = [_bundle_answer(process, sent, bundle) for sent in inputs]
        changing = _changing([first, second])
        report = _report(inputs, first, theirs, changing)
        if not report.is_equal:
            # A clock may stand still between two quick runs; a later one tells.
            changing |= _changing([first, notebook.answers(inputs)])
            report = _report(inputs, first, theirs, changing)
        report = replace(report, unsent=unsent)
        if not report.is_equal:
            upto = inputs[: report.differences[0].number + 1]
            report = replace(report, step=_first_step(notebook, start, bundle, upto))
        return report


class CleanEnvironment:
    """Gives a function that starts clean processes for a bundle."""

    def __init__(self, bundle: Bundle, secrets: Mapping[str, str]) -> None:
        self.bundle = bundle
        self.secrets = secrets

    def __enter__(self) -> Callable[[], CleanProcess]:
        self.folder = tempfile.TemporaryDirectory(prefix="jupyter-graph-")
        options = self.bundle.options
        env = {**options.env, **self.secrets}
        if not options.fresh_env:
            admitted = admitted_modules(self.bundle)
            return lambda: CleanProcess(
                self.bundle.folder, admitted, cwd=self.bundle.cwd, env=env
            )
        python = make_environment(
            Path(self.folder.name) / "env", self.bundle.folder / "requirements.txt"
        )
        return lambda: CleanProcess(
            self.bundle.folder, None, python=python, cwd=self.bundle.cwd, env=env
        )

    def __exit__(self, *error: object) -> None:
        self.folder.cleanup()


def admitted_modules(bundle: Bundle) -> list[str]:
    """Give the modules that the bundle's requirements bring.

    Raises:
        BundleError: a requirement is not installed here, so it cannot be checked.
    """
    found, missing = closure(bundle.requirements)
    own = {"jupyter-graph", "jupyter_graph"}
    missing = [name for name in missing if name not in own]
    if missing:
        raise BundleError(
            f"required but not installed here: {', '.join(missing)}; "
            f"pip install {' '.join(missing)}, or check with fresh_env"
        )
    extra = ["jupyter_graph"] if bundle.options.runtime == "pip" else []
    return [*modules_of(found), *extra]


def raise_when_failed(failed: Mapping[str, Any] | None, bundle: Bundle) -> None:
    """Raise a BundleError that names cell, line and what to do."""
    if failed is None:
        return
    where = _where(failed, bundle)
    module = (failed.get("module") or "").partition(".")[0]
    if module:
        raise BundleError(
            f"{where}the function cannot import {module!r}: it is not among its "
            f"requirements; import it in a cell that a step uses, or add it with "
            f"pip={module!r}"
        )
    raise BundleError(
        f"{where}the bundle does not open in a clean process: "
        f"{failed['kind']}: {failed['text']}"
    )


def _where(failed: Mapping[str, Any], bundle: Bundle) -> str:
    lines = [line for file, line in failed.get("lines", ()) if file == "steps.py"]
    return f"{place_of(bundle.slice, lines[-1])}: " if lines else ""


def wire_inputs(
    events: Sequence[RecordedInput],
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Give the inputs as they would come over the wire, and why some could not."""
    inputs: list[dict[str, Any]] = []
    unsent: list[str] = []
    for number, event in enumerate(events):
        try:
            inputs.append(wire_input(event, number))
        except AnswerError as error:
            unsent.append(f"event {number + 1} ({error})")
    return inputs, tuple(unsent)


def wire_input(event: RecordedInput, number: int) -> dict[str, Any]:
    """Give a recorded input as it would come over the wire."""
    payload, content_type = wire_body(event.body, event.content_type)
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "content_type": content_type,
        "path": event.path,
        "method": event.method,
        "headers": dict(event.headers or {}),
        "event_id": event.event_id or f"parity-{number + 1}",
    }


class Notebook:
    """The graph as it runs in this process, opened anew for every replay."""

    def __init__(
        self, graph: Graph, bundle: Bundle, namespace: Mapping[str, Any]
    ) -> None:
        self.graph = graph
        self.namespace = namespace
        self.options = bundle.options
        self.secrets = {
            key: _secret(key, at) for key, at in self.options.secrets.items()
        }

    def answers(self, inputs: Iterable[Mapping[str, Any]]) -> list[WireAnswer]:
        """Send the inputs, in order, through a fresh runner."""
        with self.open() as runner:
            return [_notebook_answer(runner, sent) for sent in inputs]

    def open(self) -> Runner:
        """Give a fresh runner of the graph, one that knows it is a parity check."""
        return Runner(
            self.graph,
            namespace=self.namespace,
            parameters=dict(self.options.parameters),
            secrets=self.secrets,
            timeout_s=self.options.timeout_s,
            mlrun_status=self.options.mlrun_status,
            is_parity=True,
        )

    def rows(self, inputs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Give what each step gave in the last of these events, as short texts."""
        with self.open() as runner:
            for sent in inputs[:-1]:
                _notebook_answer(runner, sent)
            answer = runner.handle(read_event(_event(inputs[-1])), traced=True)
        return [[row.step, row.error or str(row.output)] for row in answer.trace or ()]


def _first_step(
    notebook: Notebook,
    start: Callable[[], CleanProcess],
    bundle: Bundle,
    inputs: Sequence[Mapping[str, Any]],
) -> str | None:
    """Find the first step whose result differs; None when it cannot be told."""
    try:
        ours = notebook.rows(inputs)
        with start() as process:
            for sent in inputs[:-1]:
                _bundle_answer(process, sent, bundle)
            got = process.ask(
                {**inputs[-1], "traced": True}, bundle.options.timeout_s + PATIENCE_S
            )
    except JupyterGraphError:
        return None
    pairs = zip_longest(ours, got.get("rows", ()), fillvalue=["", ""])
    different = (one[0] or two[0] for one, two in pairs if one != two)
    return next(different, None)


def _secret(key: str, at: str) -> str:
    """Give a secret's value, or a stand-in where only the target has it."""
    try:
        return read_secrets({key: at})[key]
    except BundleError:
        return "(this secret has no value here)"


def _event(sent: Mapping[str, Any]) -> Event:
    return Event(
        base64.b64decode(sent["payload"]),
        id=sent["event_id"],
        path=sent["path"],
        method=sent["method"],
        headers=sent["headers"],
        content_type=sent["content_type"],
    )


def _notebook_answer(runner: Runner, sent: Mapping[str, Any]) -> WireAnswer:
    try:
        answer = runner.handle(read_event(_event(sent)))
        is_open = answer.error is None and is_stream(answer.value)
        wire = encode(answer.value) if is_open else answer.wire
    except Exception as error:  # the body cannot be read, or a stream broke off
        wire = problem(error, event_id=sent["event_id"])
    return WireAnswer(wire.status_code, wire.content_type, wire.payload)


def _bundle_answer(
    process: CleanProcess, sent: Mapping[str, Any], bundle: Bundle
) -> WireAnswer:
    got = process.ask(sent, bundle.options.timeout_s + PATIENCE_S)
    if "failed" in got:
        failed = got["failed"]
        raise BundleError(
            f"{_where(failed, bundle)}the bundle's handler failed on event "
            f"{sent['event_id']}: {failed['kind']}: {failed['text']}"
        )
    payload = base64.b64decode(got["payload"])
    return WireAnswer(got["status_code"], got["content_type"], payload)


Changing = set[tuple[int, Place]]


def _changing(runs: Sequence[Sequence[WireAnswer]]) -> Changing:
    """Find the places that differ between runs of the notebook itself."""
    first, *others = runs
    return {
        (number, place)
        for run in others
        for number, (one, two) in enumerate(zip(first, run, strict=True))
        for place, _, _ in differences(one, two)
    }


def _report(
    inputs: Sequence[Mapping[str, Any]],
    ours: Sequence[WireAnswer],
    theirs: Sequence[WireAnswer],
    changing: Changing,
) -> ParityReport:
    found = list(_differences(inputs, ours, theirs, changing))
    different = {difference.number for difference in found}
    names = {shown(place): None for _, place in sorted(changing, key=str)}
    return ParityReport(
        equal=len(inputs) - len(different),
        total=len(inputs),
        left_out=tuple(names),
        differences=tuple(found),
    )


def _differences(
    inputs: Sequence[Mapping[str, Any]],
    ours: Sequence[WireAnswer],
    theirs: Sequence[WireAnswer],
    changing: Changing,
) -> Iterator[Difference]:
    for number, (sent, one, two) in enumerate(zip(inputs, ours, theirs, strict=True)):
        left_out = {place for at, place in changing if at == number}
        for place, notebook, bundle in differences(one, two):
            if not is_within(place, left_out):
                yield Difference(
                    number, sent["event_id"], shown(place), notebook, bundle
                )


def _short(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}…"
