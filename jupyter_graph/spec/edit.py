"""The changes of a graph: pure functions from a ``GraphSpec`` to the next one.

``Graph``, ``@step``, the magics and the command line all change graphs by these, so
that the same words make the same document wherever they are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from jupyter_graph.errors import DuplicateStepError, SpecError
from jupyter_graph.spec.model import (
    DEFAULT_ITERATIONS,
    START_WORD,
    GraphSpec,
    StepSpec,
)
from jupyter_graph.spec.names import check_step_name
from jupyter_graph.spec.topology import followers, handler_names, ordinary_names

PREVIOUS = "$prev"
OF_ROUTERS = ("class_name", "class_args", "handler", "routes")
WHOLE_GRAPH = "graph"
"""What users write in the place of a step for the graph's own error handler."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a step goes.

    Attributes:
        after: upstream steps, () for none; None when nothing is named: after the step
            added last, or where the step is already.
        before: steps that shall come after this one; of an error handler, where the
            flow goes on.
        on_error: the step whose errors it handles, or ``graph``.
        router: the router whose route it is; None = the only one there is.
        route: the key of that route; None = the step's name.
        cycle_to: earlier steps that it leads back to.
        queue: the queue it stands behind; it is made where there is none.
        path: the URL of that queue's stream.
    """

    after: tuple[str, ...] | None = None
    before: tuple[str, ...] = ()
    on_error: str | None = None
    router: str | None = None
    route: str | None = None
    cycle_to: tuple[str, ...] = ()
    queue: str | None = None
    path: str | None = None

    @property
    def is_route(self) -> bool:
        """Whether it is a route of a router in a flow."""
        return self.router is not None or self.route is not None

    @property
    def base_step(self) -> str | None:
        """The step whose errors it handles, None for those of the graph."""
        return None if self.on_error == WHOLE_GRAPH else self.on_error


def put(graph: GraphSpec, step: StepSpec, place: Place) -> GraphSpec:
    """Return the graph with one more step.

    Args:
        graph: the graph.
        step: the step without its place; without a ``function`` it runs in that of its
            upstream steps.
        place: where it goes; a route replaces the one of its key.

    Raises:
        SpecError: the name is taken or wrong, or the place names what is not there.
    """
    if _is_route(graph, place):
        return put_route(graph, router_of(graph, place.router), step)
    check_step_name(step.name)
    if step.name in graph:
        raise DuplicateStepError(
            f"graph {graph.name!r} already has a step {step.name!r}; "
            "give the new one another name"
        )
    if place.on_error is not None:
        return _put_error_handler(graph, step, place)
    for name in place.after or ():
        if name != PREVIOUS:
            graph.step(name)
    named = {previous(graph) if n == PREVIOUS else n for n in place.after or ()}
    for name in place.before:
        if name in {step.name, *named}:
            raise SpecError(
                f"graph loop, step {name!r} is specified in before and/or after "
                f"{step.name!r}"
            )
    return _put_in_flow(graph, step, place)


def put_anew(graph: GraphSpec, step: StepSpec, place: Place) -> GraphSpec:
    """Return the graph with a step as its cell now describes it.

    Where there is one of this name, its neighbours stay as far as ``place`` says
    nothing else, and it leaves the place where it was: a route may become a step of
    the flow, a step an error handler.
    """
    name, root = step.name, graph.router
    if root is not None and name == root.name:
        new = replace(step, routes=step.routes or root.routes, after=())
        return replace(graph, router=new)
    if _is_route(graph, place):
        if name in graph:
            graph = remove(graph, name)
        router = router_of(graph, place.router)
        old = router_with(graph, name)
        if old is not None and old.name != router:
            graph = _without_route(graph, old, name)
        return put_route(graph, router, step)
    was_handler = name in handler_names(graph)
    is_handler = place.on_error is not None
    if was_handler:
        graph = _forget_handler(graph, name)
    if name in graph and was_handler != is_handler:
        graph = remove(graph, name)
    if (router_of_route := router_with(graph, name)) is not None:
        graph = _without_route(graph, router_of_route, name)
    put_it = _put_error_handler if is_handler else _put_in_flow
    return put_it(graph, step, place)


def _is_route(graph: GraphSpec, place: Place) -> bool:
    """Tell whether a step in this place is a route: all are where a router is root."""
    return place.is_route or graph.router is not None


def _put_in_flow(graph: GraphSpec, step: StepSpec, place: Place) -> GraphSpec:
    name = step.name
    old = graph.step(name) if name in graph else None
    # With a queue the step follows the queue, and the queue what was named: both are
    # passed on the way to a step that this one is put in front of.
    upstream = after = _upstream(graph, name, place, old)
    if place.queue is not None:
        graph = _put_queue(graph, place.queue, upstream, name, place)
        after = (place.queue,)
    if old is not None:
        # What other cells said about this step stays; what its own says is new.
        step = replace(step, on_error=old.on_error, cycle_from=old.cycle_from)
        if step.kind == "router" and not step.routes:
            step = replace(step, routes=old.routes)
    function = step.function or _function_of(graph, after)
    all_after = tuple(dict.fromkeys((*after, *step.cycle_from)))
    graph = put_step(graph, replace(step, after=all_after, function=function))
    for one in place.before:
        follower = graph.step(one)
        if name not in follower.after:
            # A queue that was there already may follow others than this step would.
            behind = upstream if place.queue is None else graph.step(place.queue).after
            passed = {*after, *(set(upstream) & set(behind))}
            others = tuple(other for other in follower.after if other not in passed)
            graph = change(graph, one, after=(*others, name))
    # A cell that does not name a way back any more takes it away.
    for other in graph.steps:
        if name in other.cycle_from and other.name not in place.cycle_to:
            graph = _cut(graph, other, {name})
    return cycle(graph, name, place.cycle_to)


def _upstream(
    graph: GraphSpec, name: str, place: Place, old: StepSpec | None
) -> tuple[str, ...]:
    """Return the upstream steps, those that lead back from further on left out."""
    if place.after is not None:
        before_it = previous(graph, name)
        given = [before_it if one == PREVIOUS else one for one in place.after]
    elif old is not None:
        given = [one for one in old.after if one not in old.cycle_from]
    elif place.before:
        followed = [graph.step(each) for each in place.before]
        given = [up for f in followed for up in f.after if up not in f.cycle_from]
    else:
        given = [previous(graph, name)]
    # A step of an MLRun document may really be called ``start``.
    nothing = {None, name} if START_WORD in graph else {None, name, START_WORD}
    return tuple(dict.fromkeys(one for one in given if one and one not in nothing))


def previous(graph: GraphSpec, name: str | None = None) -> str | None:
    """Return what ``$prev`` means for a step: the ordinary step added last."""
    ordinary = [one for one in ordinary_names(graph) if one != name]
    return ordinary[-1] if ordinary else None


def _function_of(graph: GraphSpec, after: Iterable[str]) -> str | None:
    """Return the function in which all these steps run, None when there is no such."""
    functions = {graph.step(name).function for name in after if name in graph}
    return functions.pop() if len(functions) == 1 else None


def _put_error_handler(graph: GraphSpec, step: StepSpec, place: Place) -> GraphSpec:
    base = place.base_step
    if base is not None:
        graph.step(base)
    function = step.function or _function_of(graph, (base,) if base else ())
    step = replace(
        step, kind="error_step", before=place.before, base_step=base, function=function
    )
    graph = set_error_handler(put_step(graph, step), step.name, base)
    return cycle(graph, step.name, place.cycle_to)


def _forget_handler(graph: GraphSpec, name: str) -> GraphSpec:
    for step in graph.steps:
        if step.on_error == name:
            graph = change(graph, step.name, on_error=None)
    return replace(graph, on_error=None) if graph.on_error == name else graph


# -- queues ---------------------------------------------------------------------


def _put_queue(
    graph: GraphSpec, name: str, after: tuple[str, ...], step: str, place: Place
) -> GraphSpec:
    """Put a queue in front of a step.

    A queue that leads to this step alone is as the step now says it is; of one that
    leads to others too, what the step names is added.
    """
    mine = _own_queue(graph, after, step)
    if name in graph:
        queue = graph.step(name)
        if queue.kind != "queue":
            raise SpecError(f"queue={name!r}: this step is no queue")
        is_shared = set(followers(graph)[name]) - {step}
        path = place.path or (queue.path if is_shared else None)
        queue = replace(queue, path=path)
        if place.after is not None:
            known = queue.after if is_shared else ()
            queue = replace(queue, after=tuple(dict.fromkeys((*known, *after))))
        return put_step(graph, queue)
    # The cell named its queue anew: the queue is renamed, and what it holds stays.
    if mine is not None and place.after is None:
        return change(rename(graph, mine, name), name, path=place.path)
    # Listed before its step, so that ``$prev`` goes on meaning the step.
    new = StepSpec(name=check_step_name(name), kind="queue", path=place.path)
    return put_step(graph, replace(new, after=after), before=step)


def _own_queue(graph: GraphSpec, after: tuple[str, ...], step: str) -> str | None:
    """Return the queue that leads to this step alone, None when there is none."""
    if len(after) != 1 or after[0] not in graph:
        return None
    is_queue = graph.step(after[0]).kind == "queue"
    return after[0] if is_queue and followers(graph)[after[0]] == (step,) else None


# -- steps and routes -------------------------------------------------------------


def put_step(graph: GraphSpec, step: StepSpec, before: str | None = None) -> GraphSpec:
    """Return the graph with a step added, or replaced where one has its name.

    Args:
        graph: the graph.
        step: the step.
        before: a new one is listed in front of this one, if it is there, else last.
    """
    check_step_name(step.name)
    names = graph.names()
    if step.name in names:
        return _replaced(graph, step)
    at = names.index(before) if before in names else len(names)
    return replace(graph, steps=(*graph.steps[:at], step, *graph.steps[at:]))


def change(graph: GraphSpec, name: str, **fields: Any) -> GraphSpec:
    """Return the graph with fields of a step changed."""
    return _replaced(graph, replace(graph.step(name), **fields))


def _replaced(graph: GraphSpec, step: StepSpec) -> GraphSpec:
    return replace(graph, steps=_with_one(graph.steps, step))


def _with_one(steps: tuple[StepSpec, ...], new: StepSpec) -> tuple[StepSpec, ...]:
    """Return steps, or routes, with another one in the place of its name."""
    return tuple(new if old.name == new.name else old for old in steps)


def set_error_handler(
    graph: GraphSpec, handler: str | None, step: str | None = None
) -> GraphSpec:
    """Return the graph with the error handler of a step, or of the graph, named."""
    if step is None:
        return replace(graph, on_error=handler)
    return change(graph, step, on_error=handler)


def put_route(graph: GraphSpec, router: str, route: StepSpec) -> GraphSpec:
    """Return the graph with a route added, or replaced where one has its name.

    Raises:
        SpecError: there is no such step, or it is no router.
    """
    root = graph.router
    old = root if root and root.name == router else graph.step(router)
    if old.kind != "router":
        raise SpecError(
            f"step {router!r} is no router (kind {old.kind!r}); "
            "only a router has routes"
        )
    if any(known.name == route.name for known in old.routes):
        return _with_routes(graph, old, _with_one(old.routes, route))
    return _with_routes(graph, old, (*old.routes, route))


def _with_routes(
    graph: GraphSpec, router: StepSpec, routes: tuple[StepSpec, ...]
) -> GraphSpec:
    new = replace(router, routes=routes)
    if graph.router is router:
        return replace(graph, router=new)
    return _replaced(graph, new)


def _without_route(graph: GraphSpec, router: StepSpec, name: str) -> GraphSpec:
    kept = tuple(route for route in router.routes if route.name != name)
    return _with_routes(graph, router, kept)


def router_with(graph: GraphSpec, route: str) -> StepSpec | None:
    """Return the router that has a route of this name."""
    for step in graph.every_step():
        if any(known.name == route for known in step.routes):
            return step
    return None


def router_of(graph: GraphSpec, name: str | None = None) -> str:
    """Return the name of a router: this one, or the only one there is.

    Raises:
        SpecError: none is named and there is not exactly one.
    """
    if name is not None:
        return name
    routers = [step.name for step in graph.top_steps() if step.kind == "router"]
    if len(routers) == 1:
        return routers[0]
    raise SpecError(
        f"graph {graph.name!r} has {len(routers)} routers; name one with router_step"
    )


def remove(graph: GraphSpec, name: str) -> GraphSpec:
    """Return the graph without a step or a route; a step's neighbours meet.

    What leads back to a step or from it goes with it.
    """
    if name not in graph and (router := router_with(graph, name)) is not None:
        return _without_route(graph, router, name)
    gone = graph.step(name)
    # Healed instead, a way back would lead from the step before, which may not be one
    # that chooses: each of its events would go round until the limit.
    for step in graph.steps:
        graph = _cut(graph, step, set(step.cycle_from) if step is gone else {name})
    gone = graph.step(name)  # as it is without its own ways back
    kept = tuple(step for step in graph.steps if step.name != name)
    return _renamed(replace(graph, steps=kept), name, None, gone.after)


def rename(graph: GraphSpec, name: str, new: str) -> GraphSpec:
    """Return the graph with another name for a step or a route; neighbours follow."""
    if name not in graph and (router := router_with(graph, name)) is not None:
        check_step_name(new, route=True)
        if new != name and any(route.name == new for route in router.routes):
            raise DuplicateStepError(
                f"router {router.name!r} already has a route {new!r}"
            )
        routes = tuple(
            replace(r, name=new) if r.name == name else r for r in router.routes
        )
        return _with_routes(graph, router, routes)
    graph.step(name)
    check_step_name(new)
    if new != name and new in graph:
        raise DuplicateStepError(f"graph {graph.name!r} already has a step {new!r}")
    return _renamed(graph, name, new, (new,))


def _renamed(
    graph: GraphSpec, name: str, new: str | None, upstream: tuple[str, ...]
) -> GraphSpec:
    """Return the graph with another name wherever a step is named.

    Args:
        graph: the graph.
        name: the name that is written now.
        new: the one in its place, None where there is no such step any more.
        upstream: those in its place where a step comes after it.
    """
    others = (new,) if new else ()

    def instead(given: str | None) -> str | None:
        return new if given == name else given

    def renamed(step: StepSpec) -> StepSpec:
        after = _swapped(step.after, name, upstream)
        return replace(
            step,
            name=instead(step.name) or step.name,
            # No new loop to itself; one that was there stays.
            after=tuple(n for n in after if n != step.name or n in step.after),
            cycle_from=_swapped(step.cycle_from, name, others),
            before=_swapped(step.before, name, others),
            on_error=instead(step.on_error),
            base_step=instead(step.base_step),
        )

    return replace(
        graph,
        steps=tuple(renamed(step) for step in graph.steps),
        on_error=instead(graph.on_error),
        final_step=instead(graph.final_step),
    )


def _swapped(names: tuple[str, ...], old: str, new: tuple[str, ...]) -> tuple[str, ...]:
    given = [one for name in names for one in (new if name == old else (name,))]
    return tuple(dict.fromkeys(given))


# -- cycles -------------------------------------------------------------------------


def cycle(graph: GraphSpec, name: str, targets: Iterable[str]) -> GraphSpec:
    """Return the graph with a step that leads back to earlier ones, and allows it.

    Raises:
        SpecError: the engine knows no cycles, or there is no such step.
    """
    for target in targets:
        if graph.engine == "sync":
            raise SpecError(
                f"step {name!r} cannot lead back to {target!r}: graph {graph.name!r} "
                "has the engine 'sync', which knows no cycles"
            )
        most = graph.max_iterations or DEFAULT_ITERATIONS
        graph = replace(graph, allow_cyclic=True, max_iterations=most)
        old = graph.step(target)
        after = tuple(dict.fromkeys((*old.after, name)))
        back = tuple(dict.fromkeys((*old.cycle_from, name)))
        graph = change(graph, target, after=after, cycle_from=back)
    return graph


def _cut(graph: GraphSpec, step: StepSpec, sources: set[str]) -> GraphSpec:
    """Return the graph without the ways back from these steps to this one."""
    gone = sources & set(step.cycle_from)
    if not gone:
        return graph
    return change(
        graph,
        step.name,
        after=tuple(one for one in step.after if one not in gone),
        cycle_from=tuple(one for one in step.cycle_from if one not in gone),
    )


# -- graphs in graphs -----------------------------------------------------------------


def as_step(inner: GraphSpec, step: StepSpec) -> StepSpec:
    """Return the one step that a graph is, with the name and place of ``step``.

    A flow becomes a step of kind ``flow``, a router a router.
    """
    root = inner.router
    if root is None:
        return replace(step, kind="flow", steps=inner.steps, routes=())
    own = {key: getattr(root, key) for key in OF_ROUTERS}
    return replace(step, kind="router", steps=(), **own)


def embed(graph: GraphSpec, name: str, inner: GraphSpec) -> GraphSpec:
    """Return the graph with the step or route of this name brought up to date.

    Args:
        graph: the graph.
        name: a step or route that is another graph.
        inner: that graph, as it is now.

    Raises:
        UnknownStepError: there is no such step.
    """
    if graph.router is not None and graph.router.name == name:
        return replace(graph, router=as_step(inner, graph.router))
    router = None if name in graph else router_with(graph, name)
    if router is None:
        return _replaced(graph, as_step(inner, graph.step(name)))
    [route] = [route for route in router.routes if route.name == name]
    return put_route(graph, router.name, as_step(inner, route))
