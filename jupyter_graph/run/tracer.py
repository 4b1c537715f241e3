"""What is seen while somebody watches: each step's input, output and time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.answer.trace import Summary, Trace, TraceRow, summarise
from jupyter_graph.compile.failing_step import DRIVERS
from jupyter_graph.errors import said
from jupyter_graph.run.built_steps.step_instances import StepInstances
from jupyter_graph.spec.model import START, GraphSpec
from jupyter_graph.spec.topology import edges, leaves

DRIVERS.add(__file__)


@dataclass(slots=True)
class StepCount:
    """How often a step ran, how often it failed, how long it took."""

    count: int = 0
    errors: int = 0
    total_s: float = 0.0
    last_s: float = 0.0


@dataclass(slots=True)
class EdgeCount:
    """How many bodies passed an edge, and the last of them."""

    count: int = 0
    last: Summary | None = None


@dataclass
class Counters:
    """What all traced events did, by step and by edge; safe from several threads."""

    steps: dict[str, StepCount] = field(default_factory=dict)
    edges: dict[tuple[str, str], EdgeCount] = field(default_factory=dict)
    beside: dict[str, int] = field(default_factory=dict)
    """How often each step failed beside an answer, traced or not."""

    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, row: TraceRow) -> None:
        with self._lock:
            step = self.steps.setdefault(row.step, StepCount())
            step.count += 1
            step.errors += row.error is not None
            step.total_s += row.duration_s
            step.last_s = row.duration_s
            for upstream in row.upstream:
                edge = self.edges.setdefault((upstream, row.step), EdgeCount())
                edge.count += 1
                edge.last = row.input

    def failed_beside(self, step: str) -> None:
        """Count that a step failed beside the answer of its event."""
        with self._lock:
            self.beside[step] = self.beside.get(step, 0) + 1

    def snapshot(self) -> dict[str, Any]:
        """Return everything as JSON values.

        ``{"steps": {name: {"count", "errors", "mean_ms", "last_ms"}},
        "edges": {"a→b": {"count", "last"}}}``.
        """
        with self._lock:
            steps = {
                name: {
                    "count": step.count,
                    "errors": step.errors,
                    "mean_ms": round(step.total_s / step.count * 1e3, 4),
                    "last_ms": round(step.last_s * 1e3, 4),
                }
                for name, step in self.steps.items()
            }
            passed = {
                f"{source}→{target}": {
                    "count": edge.count,
                    "last": edge.last.text if edge.last else "",
                }
                for (source, target), edge in self.edges.items()
            }
        return {"steps": steps, "edges": passed}


# Context variables, not arguments: a route runs below steps of the user's, which pass
# nothing on; tasks and threads of ours copy the context.
_current: ContextVar[Trace | None] = ContextVar("jupyter_graph_trace", default=None)
_tracer: ContextVar[Tracer | None] = ContextVar("jupyter_graph_tracer", default=None)


class Tracer:
    """Wraps the calls of one graph so that a traced version can be compiled of them."""

    def __init__(self, graph: GraphSpec, counters: Counters) -> None:
        self.counters = counters
        self.leaves = frozenset(leaves(graph))
        self._upstream: dict[str, tuple[str, ...]] = {}
        for edge in edges(graph):
            known = self._upstream.get(edge.target, ())
            self._upstream[edge.target] = (*known, edge.source)

    def wrap_all(self, steps: StepInstances) -> dict[str, Callable[..., Any]]:
        """Return the calls of all steps, traced."""
        return {
            name: self.wrap(name, step.call, is_async=step.code.is_awaited)
            for name, step in steps.steps.items()
            if step.call is not None
        }

    def wrap(self, name: str, call: Callable[..., Any], *, is_async: bool) -> Any:
        """Return the call of a step, traced."""
        if is_async:

            async def traced_async(it: Any, *more: Any) -> Any:
                row, began = self._begin(name, it), time.perf_counter()
                try:
                    result = await call(it, *more)
                except BaseException as error:
                    self._end(row, began, error=error)
                    raise
                self._end(row, began, result)
                return result

            return traced_async

        def traced(it: Any, *more: Any) -> Any:
            row, began = self._begin(name, it), time.perf_counter()
            try:
                result = call(it, *more)
            except BaseException as error:
                self._end(row, began, error=error)
                raise
            self._end(row, began, result)
            return result

        return traced

    def _begin(self, name: str, it: Any) -> TraceRow:
        trace = _current.get()
        rows = trace.rows if trace is not None else []
        row = TraceRow(name, summarise(_body(it)), self._came_from(name, rows))
        rows.append(row)
        return row

    def _came_from(self, name: str, rows: list[TraceRow]) -> tuple[str, ...]:
        known = self._upstream.get(name, (START,))
        if len(known) == 1:
            return known
        # A step with several upstreams runs once for each: the last that ran sent it.
        ran = (row.step for row in reversed(rows) if row.step in known)
        return (next(ran, known[0]),)

    def _end(
        self,
        row: TraceRow,
        began: float,
        result: Any = None,
        error: BaseException | None = None,
    ) -> None:
        row.duration_s = time.perf_counter() - began
        if error is not None:
            row.error = said(error)
        else:
            row.value = _body(result)
            row.output = summarise(row.value)
        self.counters.add(row)

    def outputs(self, trace: Trace) -> Mapping[str, Any]:
        """Return what each last step of the graph returned in this event."""
        return {row.step: row.value for row in trace if row.step in self.leaves}


class tracing:
    """Let what runs in this context be traced; the ``with`` block gets the trace."""

    __slots__ = ("_tokens", "_tracer")

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._tokens: Any = None

    def __enter__(self) -> Trace:
        trace = Trace()
        self._tokens = _current.set(trace), _tracer.set(self._tracer)
        return trace

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Trace no more, before the end of the block."""
        tokens, self._tokens = self._tokens, None
        if tokens is not None:
            _current.reset(tokens[0])
            _tracer.reset(tokens[1])


def watched(name: str, call: Callable[..., Any], *, is_async: bool) -> Any:
    """Return the call of a route, which is traced while somebody watches the event."""

    def run(event: Any) -> Any:
        tracer = _tracer.get()
        if tracer is None:
            return call(event)
        return tracer.wrap(name, call, is_async=is_async)(event)

    async def run_async(event: Any) -> Any:
        tracer = _tracer.get()
        if tracer is None:
            return await call(event)
        return await tracer.wrap(name, call, is_async=is_async)(event)

    return run_async if is_async else run


def _body(it: Any) -> Any:
    return it.body if hasattr(it, "path") and hasattr(it, "body") else it
