"""Random graphs answer and fail as a plain interpreter of them does."""

import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from jupyter_graph import Graph, Runner, StepError

pytestmark = pytest.mark.slow

NOTHING = object()
QUICK = settings(
    max_examples=120,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Breaks(Exception):
    """What a fragile step raises; ``args[0]`` is its name."""


def number_of(name, body):
    return zlib.crc32(repr((name, body)).encode())


@dataclass
class Node:
    """One step of a random graph."""

    name: str
    kind: str
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    on_error: str | None = None
    is_async: bool = False

    def call(self, body):
        if self.kind == "fragile" and number_of(self.name, body) % 3 == 0:
            raise Breaks(self.name)
        return number_of(self.name, body) % 1000

    def picks(self, body, followers):
        mask = number_of(self.name, body)
        return [name for bit, name in enumerate(followers) if mask >> bit & 1]


@dataclass
class Drawn:
    """A random graph, described."""

    nodes: dict[str, Node] = field(default_factory=dict)
    responder: str | None = None
    on_error: str | None = None

    def followers(self, name):
        found = [n.name for n in self.nodes.values() if name in n.after]
        is_first = name == "$start"
        found += [
            n.name
            for n in self.nodes.values()
            if is_first and not n.after and n.kind != "handler"
            and not n.name.startswith("h")
        ]  # fmt: skip
        return list(dict.fromkeys(found)) + list(
            self.nodes[name].before if name in self.nodes else ()
        )

    def reached(self, name):
        found = {name}
        for follower in self.followers(name):
            found |= self.reached(follower)
        return found


# -- the reference: one event, step by step -------------------------------------


@dataclass
class Walk:
    """What one event does, as plainly as it can be said."""

    graph: Drawn
    parts: dict = field(default_factory=dict)
    ends: list = field(default_factory=list)

    def ended(self, kind, value):
        self.ends.append((kind, value))
        return value

    def called(self, node, body):
        try:
            return node.call(body)
        except Breaks:
            self.ended("failed", node.name)
            raise

    def handled(self, found):
        """Give what an error handler answers: nothing where no step does."""
        return self.ended("answer", found) if self.graph.responder else NOTHING

    def on(self, source, followers, body, failed=None):
        """Give the first answer of the followers; raise the first failure."""
        answer, failure = NOTHING, None
        for name in followers:
            try:
                found = self.reach(source, name, body, failed)
            except Breaks as error:
                failure = failure or error
            else:
                answer = found if answer is NOTHING else answer
        if failure:
            raise failure
        return answer

    def reach(self, source, name, body, failed):
        node = self.graph.nodes[name]
        if node.kind == "merge":
            expected = node.after or ("$start",)
            if len(expected) == 1:  # it has nothing to wait for
                return self.at(node, body)
            reached = self.graph.reached(failed) if failed else {source}
            slots = [slot for slot in node.after if slot in reached] or [source]
            parts = self.parts.setdefault(name, {})
            parts |= dict.fromkeys(slots, NOTHING) | {slots[0]: body}
            if len(parts) < len(expected):
                return NOTHING
            del self.parts[name]
            inside = [parts[slot] for slot in expected if slot in parts]
            body = [part for part in inside if part is not NOTHING]
        return self.at(node, body)

    def at(self, node, body):
        followers = self.graph.followers(node.name)
        own = node.kind in ("plain", "fragile")
        failed = None
        try:
            found = self.called(node, body) if own else body
        except Breaks:
            handler = self.graph.nodes.get(node.on_error)
            if handler is None and self.graph.on_error:
                last = self.graph.nodes[self.graph.on_error]
                return self.handled(self.called(last, body))
            if handler is None:
                raise
            found = self.called(handler, body)
            if not handler.before:
                return self.handled(found)
            failed, followers = node.name, list(handler.before)
        if node.kind == "choice" and followers:
            followers = node.picks(found, followers) or followers
        source = node.on_error if failed else node.name
        answer = self.on(source, followers, found, failed)
        if node.name == self.graph.responder:
            return self.ended("answer", found)
        return answer


def outcomes_of(graph, body):
    """Give the outcome, then all that may come first where branches race."""
    walk = Walk(graph)
    try:
        found = walk.on("$start", graph.followers("$start"), body)
    except Breaks as error:
        return [("failed", error.args[0]), *walk.ends]
    if found is NOTHING:
        return [("nothing" if graph.responder else "id", None), *walk.ends]
    return [("answer", found), *walk.ends]


# -- random graphs --------------------------------------------------------------


@st.composite
def drawn_graphs(draw, *, may_be_async):
    graph = Drawn()
    names = [f"s{i}" for i in range(draw(st.integers(1, 7)))]
    for at, name in enumerate(names):
        kind = draw(st.sampled_from(["plain", "plain", "fragile", "choice", "merge"]))
        earlier = names[:at]
        most = 3 if kind == "merge" else draw(st.sampled_from([1, 1, 1, 2]))
        after = draw(st.lists(st.sampled_from(earlier), max_size=most, unique=True)
                     if earlier else st.just([]))  # fmt: skip
        is_async = may_be_async and kind in ("plain", "fragile") and draw(st.booleans())
        graph.nodes[name] = Node(name, kind, tuple(after), is_async=is_async)
    for at, name in enumerate(names):
        if graph.nodes[name].kind == "fragile" and draw(st.booleans()):
            later = names[at + 1 :]
            before = draw(st.lists(st.sampled_from(later), max_size=2, unique=True)
                          if later else st.just([]))  # fmt: skip
            kind = draw(st.sampled_from(["plain", "fragile"]))
            graph.nodes[f"h{name}"] = Node(f"h{name}", kind, before=tuple(before))
            graph.nodes[name].on_error = f"h{name}"
    graph.responder = draw(st.sampled_from([None, *names, *names]))
    if draw(st.booleans()):
        graph.nodes["hg"] = Node("hg", draw(st.sampled_from(["plain", "fragile"])))
        graph.on_error = "hg"
    return graph


def code_of(node, followers):
    if node.kind == "merge":
        return {"class_name": "Merge"}
    if node.kind == "choice":

        def select_outlets(self, body):
            return node.picks(body, followers)

        members = {"select_outlets": select_outlets}
        return {"class_name": type(f"Choice_{node.name}", (), members)}

    async def call_async(body):
        return node.call(body)

    def call(body):
        return node.call(body)

    code = call_async if node.is_async else call
    code.__name__ = f"call_{node.name}"
    return {"handler": code}


def built(drawn):
    graph = Graph("g")
    for node in drawn.nodes.values():
        kind = "error_step" if node.name.startswith("h") else "task"
        graph.add_step(
            name=node.name,
            after=node.after,
            kind=kind,
            **code_of(node, drawn.followers(node.name)),
        )
    for node in drawn.nodes.values():
        graph.change_step(node.name, on_error=node.on_error, before=node.before)
        if node.on_error:
            graph.change_step(node.on_error, base_step=node.name)
    if drawn.responder:
        graph.change_step(drawn.responder, responder=True)
    if drawn.on_error:
        graph.set_error_handler(drawn.on_error)
    return Graph.from_spec(graph._spec, graph.namespace, literal=True)


def observed(runner, body):
    try:
        found = runner.run(body, event_id="e")
    except StepError as error:
        raised_by = getattr(error.__cause__, "args", [None])[0]
        return "failed", error.step if raised_by == error.step else "somebody else"
    if found == {"id": "e"}:
        return "id", None
    return ("nothing", None) if found is None else ("answer", found)


def runs_as_the_reference(drawn, bodies):
    """Tell whether a graph does as the reference; only merges may come in any order."""
    nodes = drawn.nodes.values()
    races = any(n.kind == "merge" for n in nodes) and any(n.is_async for n in nodes)
    possible = [outcomes_of(drawn, body)[: None if races else 1] for body in bodies]
    with Runner(built(drawn), timeout_s=10) as runner:
        seen = [observed(runner, body) for body in bodies]
    return all(one in some for one, some in zip(seen, possible, strict=True))


@seed(1)
@QUICK
@given(drawn_graphs(may_be_async=False), st.lists(st.integers(0, 99), min_size=1))
def test_a_random_graph_runs_as_the_reference(drawn, bodies):
    assert runs_as_the_reference(drawn, bodies[:4])


@seed(2)
@QUICK
@given(drawn_graphs(may_be_async=True), st.lists(st.integers(0, 99), min_size=1))
def test_a_random_graph_with_coroutines_runs_as_the_reference(drawn, bodies):
    assert runs_as_the_reference(drawn, bodies[:4])


@pytest.mark.slow
@pytest.mark.timeout(120)
@seed(3)
@settings(QUICK, max_examples=1200)
@given(drawn_graphs(may_be_async=True), st.lists(st.integers(0, 99), min_size=1))
def test_many_random_graphs_run_as_the_reference(drawn, bodies):
    assert runs_as_the_reference(drawn, bodies[:4])
