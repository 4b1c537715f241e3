"""What is allowed in a graph and may still surprise: notes, each with a way out."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from jupyter_graph.compile.resolve import Resolver
from jupyter_graph.errors import JupyterGraphError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import START_WORD, GraphSpec, StepSpec
from jupyter_graph.spec.topology import (
    followers,
    handler_names,
    leaves,
    reached,
    responder_of,
)
from jupyter_graph.spec.validate import problems

WAITING = ("waits_for_branches", "collects_streams")
REMOTE = ("RemoteStep", "BatchHttpRequests", "HTTPTarget")


@dataclass(frozen=True, slots=True)
class Advice:
    """One note about a graph.

    Attributes:
        message: what happens.
        step: at which step, None for the graph.
        fix: what to say where it is not wanted.
        severity: ``error`` where it breaks a rule, ``warning`` where nobody would want
            it, else ``note``.
    """

    message: str
    step: str | None = None
    fix: str | None = None
    severity: Literal["error", "warning", "note"] = "note"

    def __str__(self) -> str:
        return f"{self.message}; {self.fix}" if self.fix else self.message


def notes_about(
    graph: Graph,
    namespace: Mapping[str, Any],
    step: str | None = None,
    before: GraphSpec | None = None,
) -> tuple[str, ...]:
    """Return what the line that placed a step says below it.

    Args:
        graph: the graph.
        namespace: what the notebook's names stand for.
        step: the step; what is a matter of others, or of later, is left out.
        before: the graph without it.
    """
    notes = [str(problem) for problem in problems(graph.spec)]
    seen = ResolvedGraph(graph, namespace)
    notes += [str(note) for note in plain_joins(seen) if note.step == step]
    if before is not None and responder_of(before) and not seen.responder:
        notes.append(
            "nobody answers the caller any more, since the flow is no longer one "
            "chain; say --respond at one step"
        )
    return tuple(notes)


def advice(graph: Graph, namespace: Mapping[str, Any]) -> list[Advice]:
    """Return all notes about a graph that breaks no rule; they are about flows."""
    rules = RULES if graph.spec.router is None else ()
    seen = ResolvedGraph(graph, namespace)
    return [note for rule in rules for note in rule(seen)]


@dataclass(frozen=True)
class ResolvedGraph:
    """A graph, and what its names stand for as far as that is known."""

    graph: Graph
    namespace: Mapping[str, Any]

    @cached_property
    def spec(self) -> GraphSpec:
        return self.graph.spec

    @cached_property
    def ways(self) -> dict[str, tuple[str, ...]]:
        return followers(self.spec)

    @cached_property
    def responder(self) -> str | None:
        return responder_of(self.spec)

    @cached_property
    def _resolver(self) -> Resolver:
        names = {**self.namespace, **self.graph.namespace}
        return Resolver(names, self.graph.allow_imports, self.graph.is_trusted)

    def class_of(self, step: StepSpec) -> type | None:
        """Return the class of a step, None for a function and what is not there."""
        if step.kind in ("queue", "flow"):
            return None
        try:
            code = self._resolver.code_of(step)
        except JupyterGraphError:
            return None
        return code if inspect.isclass(code) else None

    def says(self, step: StepSpec, word: str) -> bool:
        """Tell whether the class of a step has an attribute that is true."""
        return bool(getattr(self.class_of(step), word, False))

    def chooses(self, name: str) -> bool:
        """Tell whether a step sends an event on some of its ways only."""
        step = self.spec.step(name)
        its_class = self.class_of(step)
        asked = getattr(its_class, "selects", None)
        may_choose = callable(getattr(its_class, "select_outlets", None))
        return may_choose and (not callable(asked) or bool(asked(step.class_args)))


def plain_joins(seen: ResolvedGraph) -> Iterator[Advice]:
    """Steps that run once for each branch that arrives."""
    for step in seen.spec.steps:
        upstream = [name for name in step.after if name not in step.cycle_from]
        if len(upstream) < 2 or step.join or step.kind == "queue":
            continue
        waits = any(seen.says(step, word) for word in WAITING)
        if not waits and _branches_meet(seen, step.name, upstream):
            yield Advice(
                f"step {step.name!r} comes after {', '.join(upstream)} and runs once "
                "for each of them that arrives",
                step.name,
                "--join all gives it one list, --join any the first that comes",
            )


def _branches_meet(seen: ResolvedGraph, name: str, upstream: list[str]) -> bool:
    """Tell whether one event may come to a step on two ways.

    A choice sends it on one of them only.
    """
    ways = {
        source: tuple(target for target in targets if target != name)
        for source, targets in seen.ways.items()
    }
    for fork, targets in ways.items():
        if fork == name or (fork in seen.spec and seen.chooses(fork)):
            continue
        arriving = []
        for target in [*targets, *([fork] if fork in upstream else [])]:
            ahead = {target} if target == fork else reached(target, ways)
            arriving.append(frozenset(up for up in upstream if up in ahead))
        if len({way for way in arriving if way}) > 1:
            return True
    return False


def never_reached(seen: ResolvedGraph) -> Iterator[Advice]:
    """Steps behind the error handler of the graph, which ends the event."""
    handler = seen.spec.on_error
    for step in seen.spec.steps if handler else ():
        if handler in step.after:
            yield Advice(
                f"step {step.name!r} never runs: it comes after {handler!r}, the error "
                "handler of the graph, whose result is the answer",
                step.name,
                f"say --on-error STEP at {handler!r}: behind the handler of a step the "
                "flow goes on",
                severity="warning",
            )


def nobody_answers(seen: ResolvedGraph) -> Iterator[Advice]:
    """Flows in which no step responds."""
    if seen.responder is not None or not seen.spec.steps:
        return
    ends = leaves(seen.spec)
    where = f": the flow ends in {', '.join(ends)}" if len(ends) > 1 else ""
    yield Advice(
        f"nobody answers the caller{where}; what comes back is the event's id (202)",
        fix="say --respond at one step",
        severity="warning" if len(ends) > 1 else "note",
    )


def responders_with_followers(seen: ResolvedGraph) -> Iterator[Advice]:
    """The answer is that of the responder, whatever comes after it."""
    after = seen.ways.get(str(seen.responder), ())
    if seen.responder and after:
        yield Advice(
            f"step {seen.responder!r} answers the caller; what {', '.join(after)} "
            "makes of its result is not in the answer",
            seen.responder,
            "say --respond at a later step where it should be",
        )


def dead_ends(seen: ResolvedGraph) -> Iterator[Advice]:
    """Steps whose results go nowhere."""
    if seen.responder is None:
        return
    for name in leaves(seen.spec):
        step = seen.spec.step(name)
        is_elsewhere = step.kind == "queue" or step.function is not None
        if name == seen.responder or is_elsewhere or _writes(seen, step):
            continue
        yield Advice(
            f"what step {name!r} gives goes nowhere: it does not answer and nothing "
            "follows it",
            name,
            f"fine for a side effect; else lead it on: --after {name} at a later step",
        )


def _writes(seen: ResolvedGraph, step: StepSpec) -> bool:
    name = _class_name(step)
    return name.endswith("Target") or name in REMOTE or seen.says(step, "is_target")


def _class_name(step: StepSpec) -> str:
    return (step.class_name or "").rpartition(".")[2]


def drops_before_the_answer(seen: ResolvedGraph) -> Iterator[Advice]:
    """Filters on the way to the answer."""
    handlers = handler_names(seen.spec)
    for step in seen.spec.steps:
        is_filter = _class_name(step) == "Filter" and step.name not in handlers
        if is_filter and seen.responder in reached(step.name, seen.ways):
            yield Advice(
                f"a caller whose event {step.name!r} drops gets an empty answer (204)",
                step.name,
                "use Assert to refuse it, or ChoiceByField to answer something else",
            )


def steps_called_start(seen: ResolvedGraph) -> Iterator[Advice]:
    """In a line, ``start`` means the place before the first step."""
    if START_WORD in seen.spec.names():
        yield Advice(
            f"a step is called {START_WORD!r}, which means 'no step' after --after",
            START_WORD,
            f"call it otherwise: %graph rename {START_WORD} NAME",
        )


RULES = (
    never_reached,
    nobody_answers,
    plain_joins,
    responders_with_followers,
    dead_ends,
    drops_before_the_answer,
    steps_called_start,
)
