"""Open runners, one per graph, and the events that are sent through them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jupyter_graph.frontend.factory import OPENAI, make_frontend
from jupyter_graph.frontend.openai.client_parameters import compile_for_clients
from jupyter_graph.run.record import private_copy
from jupyter_graph.run.runner import Runner
from jupyter_graph.session.code_dependencies import Dependencies
from jupyter_graph.session.recorded.event_ring import Events
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer


_numbers = count(1)


@dataclass(slots=True)
class _Open:
    runner: Runner
    spec: GraphSpec
    namespace: Mapping[str, Any]
    dependencies: Dependencies
    has_front: bool
    number: int
    revision: int = 0
    events: int = 0

    def fits(self, graph: Graph) -> bool:
        old, new = self.namespace, graph.namespace
        is_same = old.keys() == new.keys() and all(old[n] is new[n] for n in old)
        return is_same and self.spec == graph.spec


def runner_of(graph: Graph) -> tuple[Runner, bool]:
    """Return a runner of a graph, and whether it has OpenAI's endpoints.

    It has where functions take what their clients send: those of ``%deploy --openai``,
    so that an event has the same path in the notebook and in the function.

    Raises:
        SpecError: the graph breaks a rule.
    """
    _, has_front = compile_for_clients(graph)
    front = make_frontend(openai=OPENAI) if has_front else None
    return Runner(graph, front=front), has_front


class Runners:
    """The runners of one notebook, opened when an event needs them.

    A changed graph is taken over by the next event; a step that kept what a name of
    the notebook meant is built anew when the name means something else.

    Args:
        ring: where events are remembered.
        names: the notebook's names.
    """

    def __init__(self, ring: Events, names: Mapping[str, Any]) -> None:
        self._ring = ring
        self._names = names
        self._open: dict[str, _Open] = {}

    def of(self, graph: Graph) -> Runner:
        """Return the graph's open runner, with the code that the graph has now.

        Raises:
            SpecError: the graph breaks a rule; a runner that is open stays as it was.
        """
        return self._held(graph).runner

    def _held(self, graph: Graph) -> _Open:
        held, stale = self._open.get(graph.name), list[Any]()
        if held is not None:
            stale = held.dependencies.stale(self._names)
            if held.fits(graph) and not stale:
                return held
            if held.has_front != compile_for_clients(graph)[1]:
                self._open.pop(graph.name).runner.close()
                held = None
        if held is None:
            runner, has_front = runner_of(graph)
            runner.open()
            number, revision, events = next(_numbers), 0, 0
        else:
            runner, has_front = held.runner, held.has_front
            runner.swap(graph, anew=stale)
            number, revision, events = held.number, held.revision + 1, held.events
        used = Dependencies(runner.compiled, self._names)
        names, state = dict(graph.namespace), (number, revision, events)
        held = _Open(runner, graph.spec, names, used, has_front, *state)
        self._open[graph.name] = held
        return held

    def send(
        self, graph: Graph, body: Any, request: Mapping[str, Any], *, is_whole: bool
    ) -> Answer:
        """Send one event and remember it; a failed one has its error in the answer.

        Args:
            graph: the graph, or a part of it.
            body: what the first step receives, as a copy: steps may change it, the
                notebook's own object stays as it is.
            request: the path, the method and the headers of the request.
            is_whole: False for a part, which is run once and closed.
        """
        entered = private_copy(body)
        request = {**request, "headers": dict(request["headers"] or {})}
        call = {**request, "event_id": uuid4().hex, "silent": True, "traced": True}
        about: dict[str, Any] = {"is_whole": is_whole, "cell": self._cell(), **request}
        if is_whole:
            held = self._held(graph)
            about |= {"runner": held.number, "revision": held.revision}
            about["nth"], held.events = held.events, held.events + 1
        with nullcontext(held.runner) if is_whole else runner_of(graph)[0] as runner:
            answer = runner.answer(private_copy(body), **call)
        self._ring.add(graph.name, entered, answer, **about)
        return answer

    def _cell(self) -> int | None:
        """Return the number of the cell that runs, where IPython counts them."""
        ran = self._names.get("In")
        return len(ran) - 1 if isinstance(ran, list) else None

    def is_current(self, graph: Graph) -> bool:
        """Tell whether the open runner runs the graph as it is now."""
        held = self._open.get(graph.name)
        return (
            held is not None
            and held.fits(graph)
            and not held.dependencies.stale(self._names)
        )

    def peek(self, name: str) -> Runner | None:
        """Return the graph's runner if one is open."""
        held = self._open.get(name)
        return held.runner if held else None

    def close(self) -> None:
        """Close all runners."""
        for name in list(self._open):
            if held := self._open.pop(name, None):
                held.runner.close()
