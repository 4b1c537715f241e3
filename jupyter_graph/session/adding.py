"""Steps that no cell defines: pre-defined blocks, routers, models."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.resolve import Resolver
from jupyter_graph.errors import MagicError, UnknownStepError
from jupyter_graph.session.defining import StepPlaced, step_spec
from jupyter_graph.session.fitting import check_arguments_travel, check_fit
from jupyter_graph.session.options import StepOptions, check_options
from jupyter_graph.session.placing import check_place, place
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.spec.validate import problems

if TYPE_CHECKING:
    from jupyter_graph.session.session import Session

ROUTER = "router"


def add_block(session: Session, kind: str, options: StepOptions) -> StepPlaced:
    """Add a router, a block of ours or of storey, or the notebook's own class.

    Raises:
        MagicError: there is no such class, or an option does not fit it.
    """
    if kind == ROUTER:
        step = replace(step_spec(str(options.name), "", None, options), kind=ROUTER)
        return _put(session, replace(step, handler=None), options, None)
    code = _code(session, kind)
    step = step_spec(str(options.name), kind, code, options)
    if kind == "ModelRouter":
        step = replace(step, kind=ROUTER)
    if not kind.startswith("storey."):
        check_fit(step, code)
    own = code if session.user_ns.get(kind) is code else None
    return _put(session, step, options, own)


def add_model(
    session: Session, class_name: str, model_path: str | None, options: StepOptions
) -> StepPlaced:
    """Add a model: a route of a router whose class is a model server."""
    args = dict(options.args)
    if model_path is not None:
        args["model_path"] = model_path
    return add_block(
        session, class_name, replace(options, args=args, route=options.name)
    )


def _code(session: Session, name: str) -> Any:
    resolver = Resolver(session.user_ns, is_trusted=True)
    try:
        code = resolver.named(name, "%graph add")
    except UnknownStepError as error:
        raise MagicError(str(error)) from None
    if not inspect.isclass(code) and not inspect.isroutine(code):
        raise MagicError(
            f"%graph add: {name!r} is a {type(code).__name__}; a class, a function "
            "or the word router is needed"
        )
    return code


def _put(
    session: Session, step: StepSpec, options: StepOptions, code: Any
) -> StepPlaced:
    check_options(options)
    check_arguments_travel(step.class_args)
    graphs = session.graphs
    name = graphs.named(options.graph).name
    if options.is_route and options.route:
        step = replace(step, name=options.route)
    with graphs.change(f"%graph add {step.code_name} {step.name}"):
        graph = graphs.named(name)
        check_place(graph, step.name, options)
        graphs.sources.forget(name, step.name)
        place(graph, step, options, code)
    session.changed(name)
    placed = next(s for s in graph.spec.every_step() if s.name == step.name)
    return StepPlaced(name, placed, tuple(str(p) for p in problems(graph.spec)))
