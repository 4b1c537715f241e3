"""What a graph is like, asked again and again while its code is written."""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.errors import SpecError
from jupyter_graph.spec import topology
from jupyter_graph.spec.model import START, GraphSpec

Nesting = tuple[str, ...]
"""The steps whose streams an event is in, the outermost first."""

SEVERAL = "$several"
"""Begins the nesting of a step that events reach in different ones."""


class GraphFacts:
    """The facts of one graph; nothing here changes while code is written.

    Args:
        graph: the graph.
        codes: the code of each of its steps.
        on_loop: all functions are coroutines, even where no step needs it.

    Attributes:
        steps: the top steps by name.
        next: what comes after each step, and first.
        upstream: what comes before each step.
        order: the steps from first to last.
        responder: the step that answers, None when there is none.
        takes_event: generated functions take an event rather than a body.
        back: edges that lead back, which make cycles.
        counted: the steps of cycles, which count how often an event comes.
        joined: the steps that join their branches, from first to last.
        nestings: step name to the streams whose items come to it.
        has_parts: generated functions also take ``parts``, what an event has left at
            merges, joins, cycles and collectors.
        is_async: generated functions are coroutines.
        leads: the steps from which an event comes to the one that answers, that one
            among them, or to an error handler that answers.
        has_beside: steps run beside the one that answers, or after it.

    Raises:
        SpecError: a join has branches inside and outside of a stream.
    """

    def __init__(
        self, graph: GraphSpec, codes: Mapping[str, StepCode], *, on_loop: bool
    ) -> None:
        self.graph = graph
        self.codes = codes
        self.steps = {step.name: step for step in graph.top_steps()}
        self.next = dict(topology.followers(graph))
        self.upstream: dict[str, list[str]] = {name: [] for name in self.steps}
        for edge in topology.edges(graph):
            if edge.kind == "flow" and edge.target in self.steps:
                self.upstream[edge.target].append(edge.source)
        self.order = topology.order(graph)
        self.responder = topology.responder_of(graph)
        self.back = topology.back_edges(graph) if graph.allow_cyclic else frozenset()
        self.counted = topology.steps_in_cycles(graph) if self.back else frozenset()
        self.joined = [name for name in self.order if self.steps[name].join]
        self.nestings = self._nestings()
        self._check_joins()
        own = [codes[name] for name in self.steps]
        self.takes_event = any(code.takes_event for code in own)
        remembers = any(code.merges or code.collects for code in own)
        self.has_parts = bool(remembers or self.back or self.joined)
        # A plain function cannot await: a coroutine anywhere makes all of them one.
        self.is_async = on_loop or any(c.is_async or c.is_awaited for c in own)
        self.leads = self._leads()
        goes_beside = bool(topology.reached(START, self.next) - {START} - self.leads)
        self.has_beside = self.answers_early or (bool(self.leads) and goes_beside)

    def _leads(self) -> frozenset[str]:
        if self.responder is None:
            return frozenset()
        if self.graph.on_error:
            return frozenset(self.steps)
        # Behind a handler the flow goes on, and one that stands last answers itself.
        handlers = self.handlers()
        ends = {name for name in handlers if not self.next[name]} | {self.responder}
        ways = {
            name: (*self.next.get(name, ()), *filter(None, [step.on_error]))
            for name, step in self.steps.items()
        }
        return frozenset(
            name for name in self.steps if ends & topology.reached(name, ways)
        )

    @property
    def is_sync_engine(self) -> bool:
        """Whether the graph follows the rules of MLRun's ``sync`` engine."""
        return self.graph.engine == "sync"

    @property
    def answers_early(self) -> bool:
        """Whether steps come after the one that answers."""
        return bool(self.responder and self.next.get(self.responder))

    def handlers(self) -> set[str]:
        """Return the names of all error handlers."""
        names = {step.on_error for step in self.steps.values()} | {self.graph.on_error}
        return {name for name in names if name}

    def reached(self, first: str) -> set[str]:
        """Return a step and all that comes after it."""
        return topology.reached(first, self.next)

    def waits(self, name: str) -> bool:
        """Tell whether a step waits for its branches."""
        return self.codes[name].merges or self.steps[name].join is not None

    def is_called(self, name: str) -> bool:
        """Tell whether a step is called, not just asked for its followers."""
        code = self.codes[name]
        is_silent = code.is_class and not code.method
        return not (is_silent and (code.selects or code.merges or code.collects))

    # -- streams ----------------------------------------------------------------

    def per_item(self, stream: str) -> list[str]:
        """Return the steps that wait or count for each item of a stream anew."""
        return [
            name
            for name in self.steps
            if self._stream_of(name) == stream
            and (self.waits(name) or name in self.counted)
        ]

    def ahead(self, stream: str) -> int:
        """Return how many items of a stream may be under way at once.

        It is what the steps that they come to let in, by ``concurrency`` or ``batch``;
        one where something waits for, or counts, what an item leaves.
        """
        if not self.is_async or self.per_item(stream):
            return 1
        inside = [self.steps[name] for name in self.steps if self._is_in(name, stream)]
        return max((step.concurrency or step.batch or 1 for step in inside), default=1)

    def _is_in(self, name: str, stream: str) -> bool:
        is_called_one_by_one = not self.codes[name].is_awaited
        return self._stream_of(name) == stream and not is_called_one_by_one

    def item_path(self, stream: str) -> set[str]:
        """Return the steps that items of a stream come to, up to those that collect."""
        until = {
            name: () if name in self.codes and self.codes[name].collects else targets
            for name, targets in self.next.items()
        }
        return topology.reached(stream, until)

    def collectors(self, stream: str) -> list[str]:
        """Return the steps that collect a stream, from first to last."""
        after = self.item_path(stream) - {stream}
        return [
            name for name in self.order if name in after and self.codes[name].collects
        ]

    def gives_list(self, name: str) -> bool:
        """Tell whether a step gives a list whose items a step behind it collects.

        An error handler gives one body, whatever its code gives.
        """
        is_list = self.codes[name].flattens and name not in self.handlers()
        return is_list and bool(self.collectors(name))

    def may_be_collected(self, stream: str) -> bool:
        """Tell whether another stream may be under way to the same collectors."""
        comes_after_one = any(
            stream in self.reached(name)
            for name, code in self.codes.items()
            if code.collects and name in self.next
        )
        return bool(self.nestings.get(stream)) or comes_after_one

    # Each item of a stream is an event of its own: what waits for branches, or counts
    # rounds, does so for one item. A collector ends all streams.

    def _nestings(self) -> dict[str, Nesting]:
        """Return the streams that events are in at each step."""
        nesting_of: dict[str, Nesting] = {}
        todo: list[tuple[str, Nesting]] = [(name, ()) for name in self.next[START]]
        while todo:
            name, nesting = todo.pop()
            known = nesting_of.get(name)
            if known is not None and known != nesting:
                nesting = (SEVERAL,)
            if known == nesting:
                continue
            nesting_of[name] = nesting
            handler = self.steps[name].on_error
            todo += [(handler, nesting)] if handler else []
            behind = self._behind(name, nesting)
            todo += [(target, behind) for target in self.next[name]]
        return nesting_of

    def _behind(self, name: str, nesting: Nesting) -> Nesting:
        code = self.codes[name]
        if code.collects:
            return ()
        gives_many = code.is_stream or code.flattens
        return (*nesting, name) if gives_many and name not in nesting else nesting

    def _stream_of(self, name: str) -> str:
        """Return the innermost stream whose items come to a step, "" for none."""
        nesting = self.nestings.get(name, ())
        return nesting[-1] if nesting and nesting[-1] != SEVERAL else ""

    def _check_joins(self) -> None:
        """Refuse joins whose branches stand partly inside a stream."""
        problems = [
            f"step {step.name!r} joins branches inside and outside of a stream; put a "
            "Collector between the generator and the join"
            for step in self.steps.values()
            if step.join and self.nestings.get(step.name, ())[-1:] == (SEVERAL,)
        ]
        SpecError.raise_all("joins inside streams", problems)
