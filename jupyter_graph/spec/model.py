"""A graph and its steps, described: frozen data that is stored, sent, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from jupyter_graph.errors import UnknownStepError, did_you_mean

START = "$start"
"""The name of the place before the first step; no step may have it."""

START_WORD = "start"
"""What users write for it; a step of a document may be called so all the same."""

DEFAULT_CLASSES = {"router": "ModelRouter", "model_runner": "ModelRunnerStep"}
"""The class of a step of this kind that names none."""

Topology = Literal["flow", "router"]
Engine = Literal["async", "sync"]
CopyPolicy = Literal["deep", "shallow", "none"]
Join = Literal["all", "any", "first"]
Missing = Literal["drop", "null", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """One named place in the graph.

    ``jupyter_graph.spec.step_fields`` has a row for each field: its type, what it means
    and what it is called elsewhere.

    Attributes:
        name: what the graph calls it.
        after: names of the upstream steps; empty = a first step.
        cycle_from: which of ``after`` lead back here from further on.
        full_event: False and None differ only for storey's ``Batch``, which passes on
            events by default.
        queue: for a queue, what MLRun notes of its stream: ``shards``,
            ``retention_in_hours``, ``trigger_args`` and ``options``.
        runner: for a model runner, what MLRun notes beside its class arguments:
            ``raise_exception`` and the sizes of its pools.
        carried: fields of a document that mean nothing here and are kept.
    """

    name: str
    kind: str = "task"
    class_name: str | None = None
    class_args: Mapping[str, Any] = field(default_factory=dict)
    handler: str | None = None
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    on_error: str | None = None
    base_step: str | None = None
    input_path: str | None = None
    result_path: str | None = None
    full_event: bool | None = None
    responder: bool = False
    comment: str | None = None
    shape: str | None = None
    routes: tuple[StepSpec, ...] = ()
    steps: tuple[StepSpec, ...] = ()
    engine: Engine | None = None
    max_iterations: int | None = None
    cycle_from: tuple[str, ...] = ()
    function: str | None = None
    path: str | None = None
    queue: Mapping[str, Any] = field(default_factory=dict)
    runner: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float | None = None
    retries: int = 0
    backoff_s: float = 0.1
    blocking: bool = False
    processes: int | None = None
    concurrency: int | None = None
    batch: int | None = None
    batch_wait_ms: float = 5.0
    join: Join | None = None
    join_timeout_s: float | None = None
    missing: Missing = "error"
    vectorized: bool = False
    side_effects: bool = False
    reraise: bool = False
    carried: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code_name(self) -> str:
        """The name that this step's function or class has in its namespace."""
        return self.class_name or self.handler or self.name

    @property
    def is_error_handler(self) -> bool:
        """Whether events reach this step only through an error."""
        return self.kind == "error_step"

    def inside(self) -> tuple[StepSpec, ...]:
        """Return this step, its routes, and the steps of a flow inside it."""
        parts = (*self.routes, *self.steps)
        return (self, *(inner for part in parts for inner in part.inside()))


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSpec:
    """The whole: a flow of steps, or one router.

    Attributes:
        name: the graph's own name.
        topology: ``flow`` (steps in order) or ``router`` (one of several routes).
        engine: MLRun's engine; ``sync`` answers with the last step's result.
        steps: the steps of a flow, in the order they were added.
        router: the router of a router topology.
        on_error: the error handler for steps that have none of their own.
        max_in_flight: events that may be inside at once.
        order_by: events with the same key go through one after the other, in the order
            they come: the body's field that holds it, several, or ``$`` and an
            attribute of the event.
        copy: how bodies are copied where a flow branches.
        allow_cyclic: steps may lead back to earlier ones.
        max_iterations: how often an event may come to one step of a cycle.
        final_step: where MLRun attaches the targets of a feature set.
        carried: fields of a document that mean nothing here and are kept.

    >>> graph = GraphSpec(name="g", steps=(StepSpec(name="parse"),))
    >>> graph.step("parse").code_name
    'parse'
    """

    name: str = "graph"
    topology: Topology = "flow"
    engine: Engine = "async"
    steps: tuple[StepSpec, ...] = ()
    router: StepSpec | None = None
    on_error: str | None = None
    max_in_flight: int = 1024
    order_by: str | tuple[str, ...] | None = None
    copy: CopyPolicy = "deep"
    allow_cyclic: bool | None = None
    max_iterations: int | None = None
    final_step: str | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.order_by, list):  # as a document holds it
            object.__setattr__(self, "order_by", tuple(self.order_by))

    def names(self) -> tuple[str, ...]:
        """Return the names of the steps, in the order they were added."""
        return tuple(step.name for step in self.steps)

    def step(self, name: str) -> StepSpec:
        """Return the step of this name.

        Raises:
            UnknownStepError: there is none; the text lists those there are.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise UnknownStepError(
            f"graph {self.name!r} has no step {name!r}"
            f"{did_you_mean(name, self.names())}"
            f" (its steps: {', '.join(self.names()) or 'none yet'})"
        )

    def __contains__(self, name: object) -> bool:
        return any(step.name == name for step in self.steps)

    def every_step(self) -> tuple[StepSpec, ...]:
        """Return all steps of this graph, the routes of routers included."""
        return tuple(one for step in self.top_steps() for one in (step, *step.routes))

    def all_steps(self) -> tuple[StepSpec, ...]:
        """Return all steps, those of flows inside a step or a route included."""
        return tuple(inner for step in self.top_steps() for inner in step.inside())

    def top_steps(self) -> tuple[StepSpec, ...]:
        """Return the steps of a flow, or the router that is the whole graph."""
        return (self.router,) if self.router is not None else self.steps


class HasSpec(Protocol):
    """A graph under construction, seen by those who only read its spec."""

    @property
    def spec(self) -> GraphSpec: ...


DEFAULT_ITERATIONS = 100
"""How often an event may come to one step of a cycle. Source: MLRun 1.12."""


def flow_inside(step: StepSpec, graph: GraphSpec) -> GraphSpec:
    """Return the graph that a step of kind ``flow`` is.

    Its last step answers where none is marked, as in MLRun's sync engine.
    """
    is_marked = any(inner.responder for inner in step.steps)
    return GraphSpec(
        name=step.name,
        engine="async" if is_marked else "sync",
        steps=step.steps,
        max_in_flight=graph.max_in_flight,
        copy=graph.copy,
        allow_cyclic=graph.allow_cyclic,
        max_iterations=step.max_iterations or graph.max_iterations,
    )


def map_steps(graph: GraphSpec, change: Callable[[StepSpec], StepSpec]) -> GraphSpec:
    """Return the graph with each step changed, those inside others included."""

    def changed(step: StepSpec) -> StepSpec:
        new = change(step)
        return replace(
            new,
            routes=tuple(changed(route) for route in new.routes),
            steps=tuple(changed(inner) for inner in new.steps),
        )

    return replace(
        graph,
        steps=tuple(changed(step) for step in graph.steps),
        router=changed(graph.router) if graph.router else None,
    )
