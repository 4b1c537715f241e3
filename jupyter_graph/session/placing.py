"""Where a step goes in its graph: in the flow, at an error, behind a router."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jupyter_graph.errors import MagicError, did_you_mean
from jupyter_graph.session.cycle_edges import check_cycles, cut_cycles, lead_back
from jupyter_graph.session.queues import put_queue
from jupyter_graph.session.step_options import GRAPH, StepOptions, check_route
from jupyter_graph.spec.builder import PREVIOUS, Graph
from jupyter_graph.spec.model import START, START_WORD, StepSpec
from jupyter_graph.spec.topology import handler_names


def place(graph: Graph, step: StepSpec, options: StepOptions, code: Any = None) -> None:
    """Put a step into a graph, or put it anew where it was.

    The graph may be left half changed when this raises: work on a copy.

    Args:
        graph: the graph.
        step: the step without its place.
        options: where it goes.
        code: the function or class of the step.
    """
    root = graph.spec.router
    if root is not None and step.name == root.name:
        _place_root(graph, step, code)
    elif options.is_route or root is not None:
        _place_route(graph, step, options, code)
    elif options.on_error is not None:
        _place_error_handler(graph, step, options, code)
    else:
        _place_in_flow(graph, step, options, code)


def check_place(graph: Graph, name: str, options: StepOptions) -> None:
    """Raise a MagicError when a place names steps that are not there."""
    root = graph.spec.router
    if root is not None:  # all its steps are routes, whether they say so or not
        check_route(replace(options, route=options.route or name))
    names = [known for known in graph.spec.names() if known != name]
    typed = {"--after": options.after or (), "--before": options.before}
    typed["--cycle-to"] = tuple(to for to in options.cycle_to if to != name)
    if options.on_error not in (None, GRAPH):
        typed["--on-error"] = (str(options.on_error),)
    for option, wanted in typed.items():
        for other in wanted:
            if other not in (START_WORD, PREVIOUS) or option != "--after":
                _check_neighbour(graph, name, other, option, names)
    if options.is_route:
        router_of(graph, options)
    if options.cycle_to:
        check_cycles(graph)
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


def _place_root(graph: Graph, step: StepSpec, code: Any) -> None:
    """Give the router that is the whole graph another class; its routes stay."""
    root = graph.spec.router
    assert root is not None
    if step.kind != "router":
        raise MagicError(
            f"{root.name!r} is the router that graph {graph.name!r} is; only a class "
            "of routers can take its place"
        )
    if code is not None:
        graph.namespace[step.code_name] = code
    new = replace(step, routes=step.routes or root.routes, after=())
    graph._spec = replace(graph._spec, router=new)


def _place_route(graph: Graph, step: StepSpec, options: StepOptions, code: Any) -> None:
    router = router_of(graph, options)
    root = graph.spec.router
    if step.kind in ("router", "queue") and root is not None:
        raise MagicError(
            f"graph {graph.name!r} is a router, so a {step.kind} has no place in it; "
            f"%graph add CLASS {root.name} gives the router another class, %graph new "
            "NAME makes a flow"
        )
    if step.name in graph.spec.names():
        cut_cycles(graph, step.name)
        graph.remove_step(step.name)
    old = router_with(graph, step.name)
    if old is not None and old.name != router:
        _take_route_away(graph, step.name)
    graph.put_route(router, step, code)


def _place_error_handler(
    graph: Graph, step: StepSpec, options: StepOptions, code: Any
) -> None:
    base = None if options.on_error == GRAPH else options.on_error
    _forget_handler(graph, step.name)
    if step.name in graph.spec.names():  # an ordinary step before: heal its place
        was_handler = step.name in handler_names(graph.spec)
        if not was_handler and not graph.spec.step(step.name).is_error_handler:
            cut_cycles(graph, step.name)
            graph.remove_step(step.name)
    function = options.function or _function_of(graph, (base,) if base else ())
    step = replace(step, before=options.before, base_step=base, function=function)
    graph.put_step(replace(step, kind="error_step"), code)
    graph.set_error_handler(step.name, base)


def _forget_handler(graph: Graph, name: str) -> None:
    if graph.spec.on_error == name:
        graph.set_error_handler(None)
    for step in graph.spec.steps:
        if step.on_error == name:
            graph.set_error_handler(None, step.name)


def _place_in_flow(
    graph: Graph, step: StepSpec, options: StepOptions, code: Any
) -> None:
    spec = graph.spec
    known = step.name in spec.names()
    old = spec.step(step.name) if known else None
    if old is not None and step.name in handler_names(spec):
        _forget_handler(graph, step.name)
        graph.remove_step(step.name)
        old = None
    _take_route_away(graph, step.name)
    after = _after(graph, step.name, options, old)
    if options.queue is not None:
        after = (put_queue(graph, options, after, step.name),)
    if old is not None:
        step = replace(step, on_error=old.on_error, cycle_from=old.cycle_from)
        if step.kind == "router" and not step.routes:
            step = replace(step, routes=old.routes)
    function = options.function or _function_of(graph, after)
    after = tuple(dict.fromkeys((*after, *step.cycle_from)))
    graph.put_step(replace(step, after=after, function=function), code)
    for name in options.before:
        follower = graph.spec.step(name)
        if step.name not in follower.after:
            others = tuple(other for other in follower.after if other not in after)
            graph.change_step(name, after=(*others, step.name))
    lead_back(graph, step.name, options.cycle_to)


def _function_of(graph: Graph, after: tuple[str, ...]) -> str | None:
    """Return the function in which all these steps run, None when there is no such."""
    functions = {graph.spec.step(name).function for name in after if name in graph.spec}
    return functions.pop() if len(functions) == 1 else None


def _take_route_away(graph: Graph, name: str) -> None:
    router = router_with(graph, name)
    if router is not None:
        kept = tuple(route for route in router.routes if route.name != name)
        graph.set_routes(router.name, kept)


def router_with(graph: Graph, route: str) -> StepSpec | None:
    """Return the router that has a route of this name."""
    for step in graph.spec.every_step():
        if any(known.name == route for known in step.routes):
            return step
    return None


def _after(
    graph: Graph, name: str, options: StepOptions, old: StepSpec | None
) -> tuple[str, ...]:
    """Return the upstream steps, those that lead back from further on left out."""
    if options.after is not None:
        found: Iterable[str] = (
            previous(graph, name) if other == PREVIOUS else other
            for other in options.after
        )
    elif old is not None:
        found = [other for other in old.after if other not in old.cycle_from]
    elif options.before:
        followers = [graph.spec.step(each) for each in options.before]
        found = [up for f in followers for up in f.after if up not in f.cycle_from]
    else:
        found = (previous(graph, name),)
    nothing = {"", START, name}
    if START_WORD not in graph.spec:  # a step of a document may be called so
        nothing.add(START_WORD)
    return tuple(dict.fromkeys(other for other in found if other not in nothing))


def previous(graph: Graph, name: str) -> str:
    """Return the last ordinary step added besides ``name``; ``$start`` when none is."""
    handlers = handler_names(graph.spec)
    ordinary = [n for n in graph.spec.names() if n not in handlers and n != name]
    last = graph.last_step
    if last in ordinary:
        return str(last)
    return ordinary[-1] if ordinary else START
