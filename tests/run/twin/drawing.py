"""Random graphs, drawn by hypothesis."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from tests.run.twin.graph import Drawn, Node

ORDINARY = ("plain", "plain", "plain", "fragile", "fragile")
KINDS = (
    *ORDINARY, "filter", "choice", "field", "merge", "join", "join", "items",
    "breaks_off", "collector", "flow", "router", "several",
)  # fmt: skip
INNER = (*ORDINARY, "filter", "choice", "merge", "items", "collector")
CALLED = ("plain", "fragile", "items", "breaks_off")


@st.composite
def drawn_graphs(draw: Any, *, may_be_async: bool, prefix: str = "") -> Drawn:
    """Draw a graph; with a prefix, one that stands inside another."""
    graph = Drawn()
    names = [f"{prefix}s{at}" for at in range(draw(st.integers(1, 3 if prefix else 8)))]
    for at, name in enumerate(names):
        kind = draw(st.sampled_from(INNER if prefix else KINDS))
        graph.nodes[name] = _node(draw, name, kind, names[:at], may_be_async)
    for at, name in enumerate(names):
        if not graph.nodes[name].streams and draw(st.integers(0, 2)) == 0:
            _draw_handlers(draw, graph, name, names[at + 1 :], may_be_async)
    graph.responder = draw(st.sampled_from([*names] if prefix else [None, *names]))
    if not prefix and draw(st.integers(0, 3)) == 0:
        graph.nodes["hg"] = Node("hg", draw(st.sampled_from(["plain", "fragile"])))
        graph.on_error = "hg"
    if not prefix and draw(st.integers(0, 3)) == 0:
        _draw_cycle(draw, graph, names)
    if not prefix:
        _give_words(graph)
    assume(not graph.is_refused)
    return graph


def _node(
    draw: Any, name: str, kind: str, earlier: list[str], may_be_async: bool
) -> Node:
    node = Node(name, kind)
    if earlier:
        few = st.sampled_from([1, 1, 1, 2])
        most = 3 if kind in ("merge", "join") else draw(few)
        some = st.lists(st.sampled_from(earlier), max_size=most, unique=True)
        node.after = tuple(draw(some))
    if kind == "join":
        node.kind = draw(st.sampled_from(["plain", "fragile"]))
        if len(node.after) > 1:
            modes = ["all"] if may_be_async else ["all", "any", "first"]
            node.join = draw(st.sampled_from(modes))
            node.missing = draw(st.sampled_from(["drop", "null", "error"]))
    elif kind == "flow":
        node.inner = draw(drawn_graphs(may_be_async=may_be_async, prefix=f"{name}_"))
    elif kind == "router":
        node.router = draw(st.sampled_from(["ModelRouter", "ParallelRun"]))
        kinds = st.sampled_from(["plain", "fragile", "filter"])
        node.routes = [Node(f"{name}_{key}", draw(kinds)) for key in "ab"]
    if node.kind in CALLED:
        node.is_async = may_be_async and draw(st.booleans())
        _draw_options(draw, node, may_be_async)
    return node


def _draw_options(draw: Any, node: Node, may_be_async: bool) -> None:
    chosen = draw(st.integers(0, 11))
    if chosen == 5:
        node.options["full_event"] = True
    elif chosen in (1, 2):
        node.options["input_path"] = draw(st.sampled_from(["n", "p.q", "x"]))
    if chosen in (2, 3):
        node.options["result_path"] = draw(st.sampled_from(["p", "p.q", "n"]))
    elif chosen == 4 and not node.gives_items:
        node.options |= {"retries": 1, "backoff_s": 0.0}
    elif chosen == 6 and not node.gives_items:
        node.options["concurrency"] = 2
    elif chosen == 7 and may_be_async and not (node.gives_items or node.is_async):
        node.options["blocking"] = True
    elif (
        chosen == 8
        and not (node.gives_items or node.is_async)
        and draw(st.integers(0, 4)) == 3  # rarely: each of them has to start
    ):
        node.options["processes"] = 1


def _draw_handlers(
    draw: Any, graph: Drawn, name: str, later: list[str], may_be_async: bool
) -> None:
    """Give a step an error handler, and that perhaps one of its own."""
    befores = st.just([])
    if later:
        some = st.lists(st.sampled_from(later), max_size=2, unique=True)
        befores = st.one_of(some, some, st.just(list(graph.next[name])))
    for handler in (f"h{name}", f"hh{name}"):
        kind = draw(st.sampled_from(["plain", "fragile"]))
        is_async = may_be_async and draw(st.booleans())
        before = tuple(draw(befores))
        graph.nodes[handler] = Node(handler, kind, before=before, is_async=is_async)
        graph.nodes[name].on_error = name = handler
        if kind == "plain" or draw(st.booleans()):
            return


def _draw_cycle(draw: Any, graph: Drawn, names: list[str]) -> None:
    """Lead back from a step to one before it."""
    target = draw(st.sampled_from(names))
    ahead = [n for n in graph.reached(target) if n in names and n != target]
    streams = any(graph.nodes[name].sends_many for name in (target, *ahead))
    if ahead and not graph.waits(target) and not streams:
        graph.back = ((draw(st.sampled_from(sorted(ahead))), target),)


def _give_words(graph: Drawn) -> None:
    """Let bodies name followers and routes, and nonsense now and then."""
    words: dict[str, list[Any]] = {}
    for node in graph.nodes.values():
        if node.kind == "field":
            names = list(graph.next[node.name])
            words[f"to_{node.name}"] = [*names * 3, names, ["nobody"], 5, names * 2]
        elif node.kind == "router":
            routes = [route.name for route in node.routes]
            words["model"] = [*words.get("model", []), *routes * 3, "", "nobody", 7]
    for node in graph.all_nodes():
        node.words = words
