"""Where a step goes in a notebook's graph: what is typed is checked, then put."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jupyter_graph.errors import MagicError, SpecError, did_you_mean
from jupyter_graph.session.step_options import StepOptions, check_route
from jupyter_graph.spec import edit
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.code_names import described
from jupyter_graph.spec.model import START_WORD, StepSpec


def step_spec(name: str, code_name: str, code: Any, options: StepOptions) -> StepSpec:
    """Return a step as its cell or line describes it, all but its place."""
    try:
        runs = described(name, code_name, code, options.handler, options.args)
    except SpecError as error:
        raise MagicError(f"--{error}") from None
    # False, not None: storey's Batch passes on events where nothing is said.
    return StepSpec(name=name, **{**runs, "full_event": False, **options.settings})


def place(graph: Graph, step: StepSpec, options: StepOptions, code: Any = None) -> None:
    """Put a step into a graph, or put it anew where it was.

    Args:
        graph: the graph.
        step: the step without its place.
        options: where it goes; ``check_place`` has seen them.
        code: the function or class of the step.

    Raises:
        MagicError: a graph that is a router has no place for such a step.
    """
    _check_has_place(graph, step)
    if options.is_route:
        options = replace(options, router=router_of(graph, options))
    graph.apply(edit.put_anew, step, options)
    if code is not None:
        graph.namespace[step.code_name] = code


def _check_has_place(graph: Graph, step: StepSpec) -> None:
    root = graph.spec.router
    if root is None:
        return
    if step.name == root.name:
        if step.kind != "router":
            raise MagicError(
                f"{root.name!r} is the router that graph {graph.name!r} is; only a "
                "class of routers can take its place"
            )
    elif step.kind in ("router", "queue"):
        raise MagicError(
            f"graph {graph.name!r} is a router, so a {step.kind} has no place in it; "
            f"%graph add CLASS {root.name} gives the router another class, %graph new "
            "NAME makes a flow"
        )


def check_place(graph: Graph, name: str, options: StepOptions) -> None:
    """Raise a MagicError when a place names steps that are not there."""
    root = graph.spec.router
    if root is not None:  # all its steps are routes, whether they say so or not
        check_route(replace(options, route=options.route or name))
    names = [known for known in graph.spec.names() if known != name]
    typed = {"--after": options.after or (), "--before": options.before}
    typed["--cycle-to"] = tuple(to for to in options.cycle_to if to != name)
    if options.on_error not in (None, edit.WHOLE_GRAPH):
        typed["--on-error"] = (str(options.on_error),)
    for option, wanted in typed.items():
        for other in wanted:
            if other not in (START_WORD, edit.PREVIOUS) or option != "--after":
                _check_neighbour(graph, name, other, option, names)
    if options.is_route:
        router_of(graph, options)
    if options.cycle_to:
        _check_cycles(graph)
    if options.queue in names and graph.spec.step(str(options.queue)).kind != "queue":
        raise MagicError(
            f"--queue {options.queue}: this step of graph {graph.name!r} is no queue; "
            "choose another name"
        )


def _check_neighbour(
    graph: Graph, name: str, other: str, option: str, names: list[str]
) -> None:
    if other == name:
        raise MagicError(f"{option} {other}: a step cannot be its own neighbour")
    routes = {r.name: s.name for s in graph.spec.every_step() for r in s.routes}
    if other in routes and other not in names:
        raise MagicError(
            f"{option} {other}: this is a route; name its router {routes[other]!r}"
        )
    if other not in names:
        raise MagicError(
            f"{option} names step {other!r}, which graph {graph.name!r} does not "
            f"have{did_you_mean(other, names)} (its steps: "
            f"{', '.join(names) or 'none yet'})"
        )


def _check_cycles(graph: Graph) -> None:
    spec = graph.spec
    if spec.engine == "sync":
        raise MagicError(
            f"--cycle-to: graph {spec.name!r} has the engine 'sync', which knows no "
            f"cycles; make it anew: %graph new {spec.name} --allow-cyclic"
        )
    if not spec.allow_cyclic and not graph.is_trusted:
        raise MagicError(
            f"--cycle-to: the document of graph {spec.name!r} allows no cycles; write "
            "allow_cyclic: true into it and import it again"
        )


def router_of(graph: Graph, options: StepOptions) -> str:
    """Return the name of the router that a route belongs to."""
    routers = [s.name for s in graph.spec.every_step() if s.kind == "router"]
    if options.router is None:
        if len(routers) == 1:
            return routers[0]
        raise MagicError(
            f"graph {graph.name!r} has {len(routers)} routers"
            f"{': ' + ', '.join(routers) if routers else ''}; "
            + ("say --router" if routers else "make one: %graph add router NAME")
        )
    if options.router not in routers:
        raise MagicError(
            f"graph {graph.name!r} has no router {options.router!r}"
            f"{did_you_mean(options.router, routers)}; "
            f"make one: %graph add router {options.router}"
        )
    return options.router
