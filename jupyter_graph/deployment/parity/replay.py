"""Recorded events, sent through the notebook's graph and through a bundle."""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_graph.answer.problem import problem
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import encode, is_stream
from jupyter_graph.deployment.bundle.bundle_folder import Bundle, place_of
from jupyter_graph.deployment.bundle.requirement_closure import closure, modules_of
from jupyter_graph.deployment.invoke import wire_body
from jupyter_graph.deployment.parity.clean_process import CleanProcess, make_environment
from jupyter_graph.errors import AnswerError, BundleError
from jupyter_graph.event import Event, read_event
from jupyter_graph.frontend.factory import make_frontend
from jupyter_graph.host.bundle_loader import read_secrets
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph

PATIENCE_S = 10.0  # over the event's own deadline, which the bundle keeps itself


def wire_inputs(
    events: Sequence[RecordedInput],
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the inputs as they would come over the wire, and why some could not."""
    inputs: list[dict[str, Any]] = []
    unsent: list[str] = []
    for number, event in enumerate(events, 1):
        try:
            payload, content_type = wire_body(event.body, event.content_type)
        except AnswerError as error:
            unsent.append(f"event {number} ({error})")
            continue
        sent = {
            "payload": base64.b64encode(payload).decode("ascii"),
            "content_type": content_type,
            "path": event.path,
            "method": event.method,
            "headers": dict(event.headers or {}),
            "id": event.event_id or f"parity-{number}",
        }
        inputs.append(sent)
    return inputs, tuple(unsent)


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

    def answers(self, inputs: Iterable[Mapping[str, Any]]) -> list[RawResponse]:
        """Send the inputs, in order, through a fresh runner."""
        with self.open() as runner:
            return [_notebook_answer(runner, sent) for sent in inputs]

    def open(self) -> Runner:
        """Return a fresh runner of the graph, one that knows it is a parity check."""
        return Runner(
            self.graph,
            namespace=self.namespace,
            parameters=dict(self.options.parameters),
            secrets=self.secrets,
            timeout_s=self.options.deadline_s,
            mlrun_status=self.options.mlrun_status,
            is_parity=True,
            front=make_frontend(self.options.api_handler, self.options.openai_frontend),
        )

    def rows(self, inputs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Return each step's result for the last of these events, as short texts."""
        with self.open() as runner:
            for sent in inputs[:-1]:
                _notebook_answer(runner, sent)
            answer = runner.handle(read_event(_event(inputs[-1])), traced=True)
        return [[row.step, row.error or str(row.output)] for row in answer.trace or ()]


def _secret(key: str, at: str) -> str:
    """Return a secret's value, or a stand-in where only the target has it."""
    try:
        return read_secrets({key: at})[key]
    except BundleError:
        return "(this secret has no value here)"


def _event(sent: Mapping[str, Any]) -> Event:
    facts = dict(sent)
    return Event.of_request(base64.b64decode(facts.pop("payload")), **facts)


def _notebook_answer(runner: Runner, sent: Mapping[str, Any]) -> RawResponse:
    try:
        answer = runner.handle(read_event(_event(sent)))
        is_open = answer.error is None and is_stream(answer.value)
        return encode(answer.value) if is_open else answer.raw
    except Exception as error:  # the body cannot be read, or a stream broke off
        return problem(error, event_id=sent["id"])


def bundle_answer(
    process: CleanProcess, sent: Mapping[str, Any], bundle: Bundle
) -> RawResponse:
    """Send one input to the bundle.

    Raises:
        BundleError: its handler failed, which it never should, or its process died.
    """
    reply = process.ask(sent, bundle.options.timeout_s + PATIENCE_S)
    if "failed" in reply:
        failed = reply["failed"]
        raise BundleError(
            f"{_where(failed, bundle)}the bundle's handler failed on event "
            f"{sent['id']}: {failed['kind']}: {failed['text']}"
        )
    payload = base64.b64decode(reply["payload"])
    return RawResponse(payload, reply["status_code"], reply["content_type"])


@contextmanager
def clean_processes(
    bundle: Bundle, secrets: Mapping[str, str]
) -> Iterator[Callable[[], CleanProcess]]:
    """Yield what starts clean processes for a bundle; their environment goes after."""
    options = bundle.options
    with tempfile.TemporaryDirectory(prefix="jupyter-graph-") as folder:
        if options.fresh_env:
            requirements = bundle.folder / "requirements.txt"
            python = make_environment(Path(folder) / "env", requirements)
            admitted = None  # what is not installed there cannot be imported anyway
        else:
            python, admitted = sys.executable, admitted_modules(bundle)
        yield lambda: CleanProcess(
            bundle.folder,
            admitted,
            python=python,
            cwd=bundle.cwd,
            env={**options.env, **secrets},
        )


def admitted_modules(bundle: Bundle) -> list[str]:
    """Return the modules that the bundle's requirements bring.

    Raises:
        BundleError: a requirement is not installed here, so it cannot be checked.
    """
    distributions, missing = closure(bundle.requirements)
    missing = [n for n in missing if n not in ("jupyter-graph", "jupyter_graph")]
    if missing:
        raise BundleError(
            f"required but not installed here: {', '.join(missing)}; "
            f"pip install {' '.join(missing)}, or check with fresh_env"
        )
    extra = ["jupyter_graph"] if bundle.options.runtime == "pip" else []
    return [*modules_of(distributions), *extra]  # top-level names, as they are imported


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
