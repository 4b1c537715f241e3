"""Random graphs, described: what each step does, and how they hang together."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jupyter_graph.types import NOTHING

START = "$start"
ROUNDS = 3


class Breaks(Exception):
    """What a fragile step raises, mostly."""


class BreaksAll(BaseException):
    """What it raises sometimes."""


RAISED = (Breaks, Breaks, BreaksAll, SystemExit, StopIteration)


@dataclass
class Node:
    """One step, or a route of a router; what it does depends on its name and body."""

    name: str
    kind: str
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    on_error: str | None = None
    join: str | None = None
    missing: str = "error"
    is_async: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    words: dict[str, list[Any]] = field(default_factory=dict)
    inner: "Drawn | None" = None
    router: str = ""
    routes: "list[Node]" = field(default_factory=list)

    def __repr__(self) -> str:
        usual = ("", False, "error", None, (), [], {})
        said = {k: v for k, v in vars(self).items() if v not in usual and k != "words"}
        return f"Node({', '.join(f'{k}={v!r}' for k, v in said.items())})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def number(self, body: Any) -> int:
        return zlib.crc32(repr((self.name, body)).encode())

    def value(self, body: Any) -> dict[str, Any]:
        """Give a body with a number, and a word for each choice and router."""
        number = self.number(body)
        words = {key: of[number % len(of)] for key, of in self.words.items()}
        return {"n": number % 1000, **words}

    def may_break(self, body: Any, at: int = 0) -> None:
        number = self.number((body, at))
        if self.kind in ("fragile", "breaks_off") and number % 3 == 0:
            raise RAISED[number % len(RAISED)](self.name)

    def call(self, body: Any) -> Any:
        if self.kind == "filter":
            return body if self.keeps(body) else NOTHING
        self.may_break(body)
        return self.value(body)

    def keeps(self, body: Any) -> bool:
        return self.number(body) % 3 > 0

    def items(self, body: Any) -> Iterator[Any]:
        for at in range(self.number(body) % 4):
            self.may_break(body, at)
            yield self.value((body, at))

    def several(self, body: Any) -> list[Any]:
        """Give what a step of storey's sends on for one body."""
        self.may_break(body)
        return [self.value((body, at)) for at in range(self.number(body) % 4)]

    def picks(self, body: Any, followers: tuple[str, ...]) -> list[str]:
        mask = self.number(body)
        return [name for bit, name in enumerate(followers) if mask >> bit & 1]

    @property
    def gives_items(self) -> bool:
        return self.kind in ("items", "breaks_off")

    @property
    def streams(self) -> bool:
        inner = self.inner.nodes.values() if self.inner else ()
        return self.gives_items or any(node.streams for node in inner)

    @property
    def sends_many(self) -> bool:
        return self.streams or self.kind == "several"


@dataclass
class Drawn:
    """A graph; each step comes after earlier ones, but for the edges in ``back``.

    ``order`` is that of the flow, known once the graph was built.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    responder: str | None = None
    on_error: str | None = None
    back: tuple[tuple[str, str], ...] = ()
    order: tuple[str, ...] = ()

    def __repr__(self) -> str:
        said = (self.responder, self.on_error, self.back)
        return f"{list(self.nodes.values())} answers, errors, back: {said}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def handlers(self) -> set[str]:
        own = {node.on_error for node in self.nodes.values()}
        return {name for name in (*own, self.on_error) if name}

    def leads(self, name: str) -> bool:
        """Tell whether an answer may come from a step, or from one behind it."""
        if self.responder is None or self.on_error:
            return True
        ends = {one for one in self.handlers if not self.next[one]} | {self.responder}
        seen, todo = set(), [name]
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += [*self.next[one], *filter(None, [self.nodes[one].on_error])]
        return bool(ends & seen)

    @property
    def next(self) -> dict[str, tuple[str, ...]]:
        """What comes after each step, in the order of the steps."""
        found: dict[str, list[str]] = {START: [], **{name: [] for name in self.nodes}}
        for node in self.nodes.values():
            back = [source for source, target in self.back if target == node.name]
            for source in (*node.after, *back):
                found[source].append(node.name)
            if not node.after and node.name not in self.handlers:
                found[START].append(node.name)
        for node in self.nodes.values():
            found[node.name] += node.before
        return {name: tuple(targets) for name, targets in found.items()}

    @cached_property
    def ahead(self) -> dict[str, tuple[str, ...]]:
        """As ``next``, once the graph is complete."""
        return self.next

    def reached(
        self, first: str, *, through_collectors: bool = True, errors: bool = False
    ) -> set[str]:
        """Give a step and all that comes after it."""
        found: set[str] = set()
        todo = [first]
        ahead = self.next
        while todo:
            if (name := todo.pop()) in found:
                continue
            found.add(name)
            node = self.nodes[name]
            if through_collectors or node.kind != "collector":
                todo += ahead[name]
            if errors and node.on_error:
                todo.append(node.on_error)
        return found

    @cached_property
    def looped(self) -> set[str]:
        """The steps that an event may come to more than once."""
        found: set[str] = set()
        for source, target in self.back:
            around = self.reached(target, errors=True)
            found |= {n for n in around if source in self.reached(n, errors=True)}
        return found

    @cached_property
    def ways(self) -> dict[str, set[tuple[str, ...]]]:
        """The streams an event is in when it comes to a step, by each way there."""
        found: dict[str, set[tuple[str, ...]]] = {name: set() for name in self.nodes}
        todo: list[Any] = [(name, ()) for name in self.ahead[START]]
        while todo:
            name, way = todo.pop()
            if way in found[name]:
                continue
            found[name].add(way)
            node = self.nodes[name]
            behind = (*way, name) if node.sends_many and name not in way else way
            behind = () if node.kind == "collector" else behind
            todo += [(one, behind) for one in self.ahead[name]]
            todo += [(node.on_error, way)] if node.on_error else []
        return found

    def inside(self, stream: str) -> list[str]:
        """Give the steps that wait or count for each item of a stream anew."""
        return [
            name
            for name, ways in self.ways.items()
            if len(ways) == 1
            and next(iter(ways))[-1:] == (stream,)
            and (self.waits(name) or name in self.looped)
        ]

    def waits(self, name: str) -> bool:
        node = self.nodes[name]
        return node.kind == "merge" or node.join is not None

    @property
    def is_refused(self) -> bool:
        """Whether a join stands partly inside a stream."""
        own = any(n.join and len(self.ways[n.name]) > 1 for n in self.nodes.values())
        return own or any(n.inner and n.inner.is_refused for n in self.nodes.values())

    @property
    def races(self) -> bool:
        """Whether its branches, at the same time, may do things in another order."""
        return any(
            self.waits(name)
            or node.kind == "collector"
            or name in self.looped
            or (node.inner is not None and node.inner.races)
            for name, node in self.nodes.items()
        )

    @property
    def overtakes(self) -> bool:
        """Whether one branch may bring a merge what another one would have brought.

        So where an error handler leads to it, or an event comes twice to a step before.
        """
        for name, node in self.nodes.items():
            behind = [self.waits(one) for one in self.reached(name)]
            comes_twice = sum(name in targets for targets in self.ahead.values()) > 1
            if any(behind) and (node.before or (comes_twice and not self.waits(name))):
                return True
        return False

    def all_nodes(self) -> Iterator[Node]:
        for node in self.nodes.values():
            yield node
            yield from node.routes
            yield from node.inner.all_nodes() if node.inner else ()
