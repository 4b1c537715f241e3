"""The whole way of a graph into production: check, build, compare, start."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_graph.cells.lint import Finding
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.deployment.bundle.build import build_bundle
from jupyter_graph.deployment.deploy_options import DeployOptions
from jupyter_graph.deployment.deploy_plan import Plan, make_plan
from jupyter_graph.deployment.deployment import Deployment
from jupyter_graph.deployment.named_values import with_named_code
from jupyter_graph.deployment.notebook_file import notebook_view
from jupyter_graph.deployment.options import read_options
from jupyter_graph.deployment.ownership import check_may_replace
from jupyter_graph.deployment.parity.parity_check import check_parity
from jupyter_graph.deployment.private_files import (
    function_folder,
    locked,
    private_folder,
    state_folder,
)
from jupyter_graph.deployment.records import recall
from jupyter_graph.deployment.sources import Sources, findings_of, sources_of
from jupyter_graph.deployment.targets.deploy_target import DeployTarget, Job
from jupyter_graph.deployment.targets.target_registry import load_target
from jupyter_graph.errors import AnswerError, DeployError
from jupyter_graph.frontend.openai.client_parameters import compile_for_clients
from jupyter_graph.host.platform import write_private
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.subgraphs import EVERYWHERE
from jupyter_graph.spec.topology import leaves, responder_of
from jupyter_graph.spec.validate import validate
from jupyter_graph.values.json_form import to_json

__all__ = ["Deployment", "Plan", "deploy"]

EVENTS = "events.jsonl"
EVENT_FIELDS = ("body", "path", "method", "content_type", "event_id")


def deploy(
    graph: Graph,
    *,
    target: str = "local",
    name: str | None = None,
    sources: Sources | None = None,
    events: Sequence[RecordedInput] | None = None,
    **options: Any,
) -> Deployment | Plan:
    """Package a graph, check it, and start it as a function.

    Nothing is started before everything is checked: names, options, the graph, the
    bundle in a clean process, and its answers to the recorded events. A failed deploy
    raises, leaves nothing half done, and what was deployed before goes on serving.

    Args:
        graph: the graph.
        target: the name of a deploy target, like ``local`` or ``nuclio``.
        name: the function's name, by default the graph's.
        sources: where the code of the steps comes from; by default the notebook or
            the script that runs, or the modules that define them.
        events: recorded inputs, replayed for the parity check; by default those that
            the notebook recorded.
        **options: the fields of ``DeployOptions``.

    Returns:
        The deployment; with ``dry_run=True`` a Plan, and nothing was started.

    Raises:
        DeployError: with the cause; SpecError, CellError when graph or cells are wrong.
    """
    settings = read_options(graph.name, {"target": target, "name": name, **options})
    graph = with_named_code(graph)
    recorded: Sequence[RecordedInput] = ()
    if sources is None:
        view = notebook_view()
        sources, recorded = view(graph) if view else (sources_of(graph), ())
    check_graph(graph, settings, sources)
    # What costs nothing is refused before the lock; what others may change, after.
    with locked(settings.name, settings.target):
        return _deploy(graph, settings, sources, recorded if events is None else events)


def _deploy(
    graph: Graph,
    options: DeployOptions,
    sources: Sources,
    events: Sequence[RecordedInput],
) -> Deployment | Plan:
    target = load_target(options.target)
    job = _job(graph, options, sources, target)
    if not (options.dry_run and target.is_remote):
        target.check(job)
    building = private_folder(state_folder() / "building")
    with tempfile.TemporaryDirectory(dir=building, ignore_cleanup_errors=True) as shop:
        new, private = Path(shop, "bundle"), target.is_private
        bundle = build_bundle(graph, sources, options, new, private=private)
        replayed = events if options.parity else ()
        findings = findings_of(graph, sources)
        with _explained_by(findings):
            # Also without events: a bundle that cannot be imported is found here.
            report = check_parity(bundle, graph, replayed, sources.cells)
            report.raise_if_different()
        report = replace(report, is_skipped=not options.parity)
        if options.dry_run:
            return make_plan(bundle, report, job.before, findings)
        if options.with_events and target.ships_events:
            _write_events(bundle.folder / EVENTS, events)
        record, note = target.start(replace(job, parity=str(report)), bundle)
        note = "; ".join(filter(None, [note, _idle_note(options, target)]))
        if target.writes_events:
            folder = function_folder(options.name, options.target)
            _write_events(folder / EVENTS, events)
    return Deployment(record, note=note, parity=report, findings=findings)


@contextlib.contextmanager
def _explained_by(findings: Sequence[Finding]) -> Iterator[None]:
    """Note on an error of the check what will likely surprise: it may be its reason."""
    try:
        yield
    except DeployError as error:
        for finding in findings:
            if finding.severity == "warning":
                error.add_note(str(finding))
        raise


def _job(
    graph: Graph, options: DeployOptions, sources: Sources, target: DeployTarget
) -> Job:
    """Return what is to be deployed; NameTakenError when the name is another's."""
    notebook = str(Path(sources.notebook).resolve()) if sources.notebook else ""
    before = recall(options.name, options.target)
    may_replace = target.may_take_over or options.replace
    if before is not None and not may_replace:
        check_may_replace(before, notebook, graph.name)
    return Job(options, graph.name, notebook, before)


def check_graph(graph: Graph, options: DeployOptions, sources: Sources) -> None:
    """Refuse a graph that could not answer.

    Raises:
        SpecError: it breaks a rule, or names stand for nothing.
        DeployError: it is called over http, and nobody says which step answers.
    """
    spec = graph.spec
    validate(spec)
    ends = leaves(spec)
    if options.http_trigger and responder_of(spec) is None and len(ends) > 1:
        raise DeployError(
            f"graph {graph.name!r} ends in {', '.join(ends)} and no step responds; "
            "mark the one that answers the caller (--respond, or .respond())"
        )
    elsewhere = {
        step.function: step.name
        for step in spec.all_steps()
        if step.function not in (None, "", EVERYWHERE)
    }
    if elsewhere:
        steps = ", ".join(f"{step!r} in {name!r}" for name, step in elsewhere.items())
        raise DeployError(
            f"graph {graph.name!r} runs in several functions ({steps}), which cannot "
            "be deployed yet; take --function away, and all steps run in one"
        )
    _compile(graph, options, sources)


def _compile(graph: Graph, options: DeployOptions, sources: Sources) -> None:
    """Compile a graph as the function will: behind its front, if it has one.

    Raises:
        SpecError: names stand for nothing, or a function takes parameters of a request
            that no front gives it.
    """
    has_front = options.api_handler is not None or options.openai_frontend is not None
    _, needs_front = compile_for_clients(graph, sources.namespace)
    if needs_front and not has_front:
        compile_graph(graph, sources.namespace)  # it says which function, and of what


def _write_events(path: Path, events: Sequence[RecordedInput]) -> None:
    """Keep the recorded inputs beside the bundle, without headers."""
    lines = []
    for event in events:
        known = {name: getattr(event, name) for name in EVENT_FIELDS}
        # A live object has no form in a file; the parity report names its event.
        with contextlib.suppress(AnswerError):
            lines.append(to_json(known, "event").decode() + "\n")
    write_private(path, "".join(lines))


def _idle_note(options: DeployOptions, target: DeployTarget) -> str:
    """Return a note of the function's fields that this target does not read."""
    if target.reads_fields is None:
        return ""
    idle = sorted(set(options.spec) - target.reads_fields)
    return f"without effect on this computer: {', '.join(idle)}" if idle else ""
