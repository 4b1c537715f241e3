"""Random graphs, built: of our own steps, or with storey's in their place."""

import copy
from typing import Any

from jupyter_graph import Graph
from jupyter_graph.spec.topology import order
from tests.run.twin.graph import ROUNDS, Drawn, Node


def built(drawn: Drawn, *, of_storey: bool = False, name: str = "g") -> Graph:
    """Give the graph; storey's steps stand for plain functions where asked for."""
    graph = Graph(name, allow_cyclic=bool(drawn.back), max_iterations=ROUNDS)
    for node in drawn.nodes.values():
        after = node.after or "start"
        if node.kind == "router":
            _add_router(graph, node)
            continue
        kind = "error_step" if node.name in drawn.handlers else "task"
        options = dict(node.options)
        if node.join:
            options |= {"join": node.join, "missing": node.missing}
        of_storeys_own = of_storey or node.kind == "several"
        code = _storey_code(graph, drawn, node) if of_storeys_own else None
        if code is not None:
            options = {k: v for k, v in options.items() if k not in LIMITS}
        code = code or _code(drawn, node, of_storey)
        graph.add_step(name=node.name, after=after, kind=kind, **code, **options)
    for node in drawn.nodes.values():
        graph.change_step(node.name, on_error=node.on_error, before=node.before)
        if node.on_error:
            graph.change_step(node.on_error, base_step=node.name)
    for source, target in drawn.back:
        graph.cycle_to(source, target)
    if drawn.responder:
        graph.change_step(drawn.responder, responder=True)
    if drawn.on_error:
        graph.set_error_handler(drawn.on_error)
    drawn.order = order(graph.written)
    return Graph.from_spec(graph.written, graph.namespace, literal=True)


LIMITS = ("retries", "backoff_s", "concurrency", "blocking", "processes")
"""What storey's steps do not take."""


def _add_router(graph: Graph, node: Node) -> None:
    args = {"executor_type": "array"} if node.router == "ParallelRun" else {}
    graph.add_router(node.name, node.router, after=node.after or "start", **args)
    for route in node.routes:
        graph.add_route(route.name, router_step=node.name, **_called(route))


def _code(drawn: Drawn, node: Node, of_storey: bool) -> dict[str, Any]:
    """Give the arguments of ``add_step`` for a step of ours."""
    if node.kind in ("merge", "collector"):
        return {"class_name": node.kind.capitalize()}
    if node.kind == "field":
        return {"class_name": "ChoiceByField", "field_name": f"to_{node.name}"}
    if node.inner is not None:
        return {"class_name": built(node.inner, of_storey=of_storey, name=node.name)}
    if node.kind == "choice":
        return {"class_name": _choice(drawn, node, object)}
    return _called(node)


def _choice(drawn: Drawn, node: Node, base: type) -> type:
    followers = drawn.ahead[node.name]

    def select_outlets(self: Any, body: Any) -> list[str]:
        return node.picks(body, followers)

    members = {"select_outlets": select_outlets}
    return type(f"Choice_{node.name}", (base,), members)


def _called(node: Node) -> dict[str, Any]:
    if node.kind == "filter":

        def do(self: Any, body: Any) -> Any:
            return node.call(body)

        members = {"do": do, "may_drop": True}
        return {"class_name": type(f"Filter_{node.name}", (), members)}
    code = function_of(node)
    code.__name__ = code.__qualname__ = f"call_{node.name}"
    return {"handler": code}


def function_of(node: Node) -> Any:
    """Give what a step calls, of its colour: a function, coroutine or generator."""
    if node.gives_items:
        return _generator(node)

    def call(body: Any) -> Any:
        return node.call(body)

    def call_event(event: Any) -> Any:
        event.body = node.call(event.body)
        return event

    plain = call_event if node.options.get("full_event") else call

    async def call_async(it: Any) -> Any:
        return plain(it)

    return call_async if node.is_async else plain


def _generator(node: Node) -> Any:
    takes_event = node.options.get("full_event")

    def items(it: Any) -> Any:
        if not takes_event:
            yield from node.items(it)
            return
        for item in node.items(it.body):
            event = copy.copy(it)
            event.body = item
            yield event

    async def items_async(it: Any) -> Any:
        for item in items(it):
            yield item

    return items_async if node.is_async else items


def _storey_code(graph: Graph, drawn: Drawn, node: Node) -> dict[str, Any] | None:
    """Give the arguments for a step of storey's, where there is one like it."""
    import storey

    if node.kind == "choice":
        return {"class_name": _choice(drawn, node, storey.Choice)}
    if node.kind == "filter":
        kind, code = "storey.Filter", node.keeps
    elif node.kind == "several":
        kind, code = "storey.FlatMap", node.several
    elif node.kind in ("plain", "fragile") or node.gives_items:
        kind, code = "storey.Map", function_of(node)
    else:
        return None
    if node.number("by class") % 4 == 0 and kind == "storey.Map":
        return {"class_name": _map_class(node, code, storey.MapClass)}
    args = {"_fn": f"storey_{node.name}"}
    races = any(one.join in ("any", "first") for one in drawn.nodes.values())
    is_ours = node.gives_items or node.kind == "several" or races
    if node.number("storey's own") % 4 == 0 and not is_ours:
        inner = code

        def code(body: Any, context: Any = None) -> Any:
            return inner(body)

        args["pass_context"] = True  # so storey's own code runs it
    graph.namespace[args["_fn"]] = code
    return {"class_name": kind, "class_args": args}


def _map_class(node: Node, code: Any, base: type) -> type:
    """Give a ``MapClass`` whose ``do`` has the colour of the function."""

    def do(self: Any, it: Any) -> Any:
        return code(it)

    async def do_async(self: Any, it: Any) -> Any:
        return await code(it)

    def do_items(self: Any, it: Any) -> Any:
        yield from code(it)

    async def do_items_async(self: Any, it: Any) -> Any:
        async for item in code(it):
            yield item

    plain = do_items if node.gives_items else do
    coloured = do_items_async if node.gives_items else do_async
    members = {"do": coloured if node.is_async else plain}
    return type(f"Map_{node.name}", (base,), members)
