"""Steps that no cell defines: pre-defined blocks, routers, queues, graphs, models."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.resolve import Resolver
from jupyter_graph.deployment.named_code import is_block
from jupyter_graph.errors import MagicError, SpecError, UnknownStepError
from jupyter_graph.session.embedding import check_names
from jupyter_graph.session.graph_hints import notes_about
from jupyter_graph.session.step_cells import StepPlaced
from jupyter_graph.session.step_checks import (
    check_arguments_travel,
    check_block_builds,
    check_fit,
)
from jupyter_graph.session.step_options import StepOptions, check_options
from jupyter_graph.session.step_places import check_place, place, step_spec
from jupyter_graph.spec.edit import as_step
from jupyter_graph.spec.model import StepSpec

if TYPE_CHECKING:
    from jupyter_graph.session.session import Session

ROUTER, QUEUE = "router", "queue"
EVERYWHERE = frozenset({"exit", "get_ipython", "open", "quit"})
NOT_OF_QUEUES = (
    "--handler", "--input-path", "--result-path", "--full-event", "--respond",
    "--retries", "--timeout", "--blocking", "--processes", "--concurrency", "--batch",
    "--vectorized", "--side-effects", "--join", "--queue", "--router", "--route",
    "--on-error", "--reraise",
)  # fmt: skip


def add_block(session: Session, kind: str, options: StepOptions) -> StepPlaced:
    """Add a block of ours or of storey, a router, a queue, a graph or a class.

    Raises:
        MagicError: there is no such thing, or an option does not fit it.
    """
    if kind == QUEUE:
        return _add_queue(session, options)
    if kind in session.graphs and kind not in session.user_ns and not is_block(kind):
        return _add_graph(session, kind, options)
    if options.path is not None:
        options = replace(options, args={"path": options.path, **options.args})
    if kind == ROUTER:
        step = step_spec(str(options.name), "", None, options)
        step = replace(step, kind=ROUTER, handler=None)
        check_fit(step, _code(session, "ModelRouter"), _arguments(session, step))
        return _put(session, step, options)
    code = _code(session, kind)
    step = step_spec(str(options.name), kind, code, options)
    arguments = _arguments(session, step)
    check_fit(step, code, arguments)
    check_block_builds(step, code, arguments)
    own = code if session.user_ns.get(kind) is code else None
    return _put(session, step, options, own)


def _add_queue(session: Session, options: StepOptions) -> StepPlaced:
    for flag in NOT_OF_QUEUES:
        if options.has(flag):
            raise MagicError(f"%graph add queue takes no {flag}: a queue runs no code")
    step = StepSpec(
        name=str(options.name),
        kind=QUEUE,
        path=options.path,
        queue={"options": dict(options.args)} if options.args else {},
        function=options.settings.get("function"),
    )
    return _put(session, step, replace(options, args={}))


def _add_graph(session: Session, name: str, options: StepOptions) -> StepPlaced:
    inner = session.graphs.named(name)
    if not inner.spec.every_step():
        raise MagicError(f"graph {name!r} has no steps yet, so it cannot be one itself")
    if options.args or options.handler or options.path is not None:
        raise MagicError(
            f"%graph add {name}: a graph takes no arguments, no --handler and no "
            "--path; its own steps have them"
        )
    step = step_spec(str(options.name), "", None, options)
    step = as_step(inner.spec, replace(step, handler=None))
    return _put(session, step, options, inner=name)


def add_model(
    session: Session, class_name: str, model_path: str | None, options: StepOptions
) -> StepPlaced:
    """Add a model: a route of a router whose class is a model server."""
    given = {} if model_path is None else {"model_path": model_path}
    options = replace(options, args={**options.args, **given}, route=options.name)
    return add_block(session, class_name, options)


def _code(session: Session, name: str) -> Any:
    try:
        code = _resolver(session).named(name, "%graph add")
    except UnknownStepError as error:
        text, mark, _ = f"{error}".partition("; modules are allowed by name")
        if mark:  # that is how documents may; a notebook imports it
            module, _, own = name.rpartition(".")
            text += f"; import it in a cell: from {module} import {own}"
        graphs = ", ".join(session.graphs.names())
        raise MagicError(f"{text} (graphs: {graphs})" if graphs else text) from None
    if not inspect.isclass(code) and not inspect.isroutine(code):
        raise MagicError(
            f"%graph add: {name!r} is a {type(code).__name__}; a class, a function, "
            "a graph or one of the words router and queue is needed"
        )
    return code


def _resolver(session: Session) -> Resolver:
    """Return what looks up the notebook's names, but for those that all have."""
    names = {k: v for k, v in session.user_ns.items() if k not in EVERYWHERE}
    return Resolver(names, is_trusted=True)


def _arguments(session: Session, step: StepSpec) -> dict[str, Any]:
    """Return a step's arguments with what they name.

    Raises:
        MagicError: a name stands for nothing.
    """
    try:
        return _resolver(session).arguments(step, session.graphs.named().spec)
    except SpecError as error:
        raise MagicError(f"{error}") from None


def _put(
    session: Session,
    step: StepSpec,
    options: StepOptions,
    code: Any = None,
    inner: str | None = None,
) -> StepPlaced:
    check_options(options)
    check_arguments_travel(step.class_args)
    graphs = session.graphs
    name = graphs.named(options.graph).name
    if options.is_route and options.route:
        step = replace(step, name=options.route)
    with graphs.change(f"%graph add {inner or step.code_name} {step.name}"):
        graph = graphs.named(name)
        before = graph.spec
        check_place(graph, step.name, options)
        graphs.release(name, step.name)
        if inner is not None:
            graphs.embed(name, step.name, inner)
            check_names(graph, graphs.named(inner))
        place(graph, step, options, code)
        if code is not None:
            graphs.follow(name, step.code_name)
    session.changed(name)
    placed = next(s for s in graph.spec.every_step() if s.name == step.name)
    return StepPlaced(
        name, placed, notes_about(graph, session.user_ns, step.name, before)
    )
