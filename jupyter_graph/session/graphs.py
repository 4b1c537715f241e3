"""The notebook's graphs: the current one, those by name, and the way back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

from jupyter_graph.deployment.named_code import code_names
from jupyter_graph.errors import MagicError, SpecError, did_you_mean
from jupyter_graph.session.embedding import refreshed
from jupyter_graph.session.step_sources import StepSource, StepSources
from jupyter_graph.spec.argument_values import value_names
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.spec.validate import fields_have_their_types

LONGEST_WAY_BACK = 100


class Graphs:
    """The graphs of one notebook; one of them is current.

    Attributes:
        default_name: what the first graph is called when nobody named one.
        sources: which cell each step comes from.
    """

    def __init__(self, default_name: str = "notebook") -> None:
        self.default_name = default_name
        self.sources = StepSources()
        self._graphs: dict[str, Graph] = {}
        self._current: str | None = None
        self._implicit: set[str] = set()
        self._borrowing: set[str] = set()
        self._followed: set[tuple[str, str]] = set()
        self._borrowed: dict[str, tuple[GraphSpec, int, list[str]]] = {}
        self._embedded: dict[tuple[str, str], str] = {}
        self._past: deque[_Moment] = deque(maxlen=LONGEST_WAY_BACK)

    def names(self) -> list[str]:
        return list(self._graphs)

    def __iter__(self) -> Iterator[Graph]:
        return iter(self._graphs.values())

    def __contains__(self, name: object) -> bool:
        return name in self._graphs

    @property
    def current_name(self) -> str | None:
        """The current graph's name; None before the first one was made."""
        return self._current

    def current(self) -> Graph:
        """Return the current graph; the first use makes it."""
        if self._current is None:
            self.adopt(Graph(self.default_name))
            self._implicit.add(self.default_name)
        return self._graphs[str(self._current)]

    def named(self, name: str | None = None) -> Graph:
        """Return the graph of this name, or the current one.

        Raises:
            MagicError: there is none of this name; the text lists those there are.
        """
        if name is None:
            return self.current()
        if name not in self._graphs:
            raise MagicError(
                f"there is no graph {name!r}{did_you_mean(name, self._graphs)} "
                f"(graphs: {', '.join(self._graphs) or 'none yet'}); "
                f"%graph new {name} makes it"
            )
        return self._graphs[name]

    def use(self, name: str) -> Graph:
        """Make a graph the current one."""
        graph = self.named(name)
        self._current = name
        return graph

    def new(self, name: str, **options: Any) -> Graph:
        """Start a graph and make it current; one of the same name is given up.

        Args:
            name: follows the rule of step names.
            **options: those of ``Graph``, such as topology and allow_cyclic.

        Raises:
            SpecError: the name breaks the rule, or an option has a wrong value.
        """
        graph = Graph(name, **options)
        most = options.get("max_iterations")
        if most is not None and most < 1:
            raise SpecError(f"max_iterations must be 1 or more, got {most}")
        wrong = map(str, fields_have_their_types(graph.spec))
        SpecError.raise_all(f"invalid graph {name!r}", wrong)
        return self.adopt(graph)

    def adopt(self, graph: Graph, *, borrows: bool = False) -> Graph:
        """Take a graph made elsewhere in under its name and make it current.

        Args:
            graph: the graph.
            borrows: its functions and classes are looked up in the notebook.
        """
        known = self._graphs.get(graph.name)
        self.sources.forget_graph(graph.name)
        self._implicit.discard(graph.name)
        self._followed = {one for one in self._followed if one[0] != graph.name}
        self._borrowing.discard(graph.name)
        self._borrowing.update({graph.name} if borrows else ())
        for key in [key for key in self._embedded if key[0] == graph.name]:
            del self._embedded[key]
        if known is not None:  # whoever holds the old object sees the new graph
            known.become(graph)
        else:
            self._graphs[graph.name] = graph
        self._current = graph.name
        return self._graphs[graph.name]

    def borrowed_names(self, graph: Graph) -> list[str]:
        """Return the names of a graph that mean what the notebook has under them."""
        names = [*value_names(graph.spec), *code_names(graph.spec, in_arguments=True)]
        own = self.sources.code_names(graph.name)
        is_borrowing = graph.name in self._borrowing
        return names + [
            name
            for name in code_names(graph.spec)
            if name not in own
            and (is_borrowing or (graph.name, name) in self._followed)
        ]

    def borrow(self, names: Mapping[str, Any]) -> None:
        """Let borrowed names of all graphs mean what the notebook has under them."""
        for graph in self:
            spec, followed = graph.spec, len(self._followed)
            known = self._borrowed.get(graph.name)
            if known is None or known[0] is not spec or known[1] != followed:
                known = spec, followed, self.borrowed_names(graph)
                self._borrowed[graph.name] = known
            for name in known[2]:
                if name in names:
                    graph.namespace[name] = names[name]

    def follow(self, graph: str, code_name: str) -> None:
        """Let a graph take what the notebook has under a name of its code."""
        self._followed.add((graph, code_name))

    def embed(self, graph: str, step: str, inner: str) -> None:
        """Remember that a step is another graph, so that it follows its changes.

        Raises:
            MagicError: the graph would stand inside itself.
        """
        if inner in (graph, *self.holding(graph)):
            where = "itself" if inner == graph else f"{inner!r}, which holds it"
            raise MagicError(f"graph {graph!r} cannot hold {where}")
        self._embedded[graph, step] = inner

    def release(self, graph: str, step: str, new: str | None = None) -> None:
        """Forget which cell or graph a step is, or call the step by its new name."""
        self.sources.rename(graph, step, new)
        inner = self._embedded.pop((graph, step), None)
        if inner is not None and new is not None:
            self._embedded[graph, new] = inner

    def holding(self, inner: str) -> list[str]:
        """Return the graphs that hold this one, however deep."""
        holders = [inner]
        for name in holders:  # grows while it is walked
            homes = [home for (home, _), own in self._embedded.items() if own == name]
            holders += [home for home in dict.fromkeys(homes) if home not in holders]
        return holders[1:]

    def embed_again(self) -> None:
        """Bring the steps that are graphs up to date with them."""
        get, own = self._graphs.get, self.sources.code_names
        for _ in self._embedded:  # a graph in a graph in a graph
            again = [
                home
                for (home, step), inner in self._embedded.items()
                if refreshed(get(home), step, get(inner), own(home))
            ]
            if not again:
                break

    def home_of(self, source: StepSource | None) -> Graph:
        """Return the graph in which a cell that says no graph puts its step.

        It stays where the cell's step is, unless that graph came about by itself
        and the user has named one since.
        """
        if source is None or source.graph not in self._graphs:
            return self.current()
        by_itself = source.graph in self._implicit
        if by_itself and self._current not in self._implicit:
            return self.current()
        return self._graphs[source.graph]

    @contextmanager
    def change(self, note: str) -> Iterator[None]:
        """Change graphs as a whole: an error inside takes everything back."""
        # Copies of specs and names are cheap: specs are frozen and shared.
        before = self._moment(note)
        try:
            yield
            self.embed_again()
        except BaseException:
            self._restore(before)
            raise
        self._past.append(before)

    def undo(self) -> str:
        """Take the last change back and return what it was.

        Raises:
            MagicError: there is nothing to take back.
        """
        if not self._past:
            raise MagicError("nothing to undo: no graph has been changed yet")
        moment = self._past.pop()
        self._restore(moment)
        return moment.note

    def clear(self) -> None:
        """Forget all graphs."""
        for graph in self._graphs.values():
            graph.become(Graph(graph.name))
        self._graphs.clear()
        self._implicit.clear()
        self._borrowing.clear()
        self._followed.clear()
        self._embedded.clear()
        self.sources.clear()
        self._current = None

    def _moment(self, note: str) -> _Moment:
        state = {key: copy(getattr(self, key)) for key in STATE}
        return _Moment(note, state, [(g, _copied(g)) for g in self])

    def _restore(self, moment: _Moment) -> None:
        for graph, before in moment.graphs:
            graph.become(before)
        vars(self).update(moment.state)


STATE = (
    "sources", "_graphs", "_current", "_implicit", "_borrowing", "_followed",
    "_embedded",
)  # fmt: skip
"""What a change may change, beside the graphs themselves."""


@dataclass(frozen=True)
class _Moment:
    """All graphs as they were before a change, each beside a copy of it."""

    note: str
    state: dict[str, Any]
    graphs: list[tuple[Graph, Graph]]


def _copied(graph: Graph) -> Graph:
    new = Graph()
    new.become(graph)
    return new
