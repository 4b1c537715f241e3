"""A graph cut for a batch run: vectorised steps on frames, the others row by row.

Only the line of plain steps that a graph begins with is cut. From the first step that
branches, joins, streams or has an error handler, all goes row by row, through the code
of an ordinary run. Steps that take events may stand before the cut: each row has one
event all the way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.generated_module import forget_lines, module_of
from jupyter_graph.compile.generator.fused_function import fuse
from jupyter_graph.compile.runtime.aside import Noted, log_it
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.event import Event
from jupyter_graph.run.batch.calls import Function
from jupyter_graph.run.batch.columns import watched
from jupyter_graph.run.built_steps.step_instances import StepInstances
from jupyter_graph.spec.model import START, GraphSpec, StepSpec
from jupyter_graph.spec.topology import back_edges, followers

Call = Callable[..., Any]
CODE = "batch of"
"""What generated code is called, before the name of its graph."""


@dataclass(frozen=True)
class GraphPart:
    """Steps in a row that a batch run calls as one function.

    Attributes:
        names: the steps; () for a whole graph.
        function: takes a body, or a frame where it is vectorised.
        is_vectorized: it takes and returns frames.
        streams: an iterator that it returns is a stream.
        takes_event: it takes an event with the body.
        single: each vectorised step to its own function.
    """

    names: tuple[str, ...]
    function: Function
    is_vectorized: bool = False
    streams: bool = False
    takes_event: bool = False
    single: Mapping[str, Function] | None = None


class GraphParts:
    """The parts of a graph; ``close`` forgets the code that was made for them.

    Attributes:
        all: the parts, in their order.
        row_by_row: the vectorised steps that get frames of one row all the same.

    Args:
        compiled: the graph.
        steps: its built steps.
        function: the function of the whole graph.
        noted: takes the failures of steps beside the one that answers.
    """

    def __init__(
        self,
        compiled: CompiledGraph,
        steps: StepInstances,
        function: Function,
        noted: Noted = log_it,
    ) -> None:
        self._compiled, self._steps, self._noted = compiled, steps, noted
        self._files: list[str] = []
        line = _line(compiled) if _may_be_cut(compiled) else []
        if any(_is_vectorized(compiled.steps[name]) for name in line):
            self.all = list(self._cut(line))
        else:
            whole = _of_body(function) if compiled.takes_event else function
            self.all = [GraphPart((), whole, streams=compiled.streams)]
        framed = {
            name for part in self.all if part.is_vectorized for name in part.names
        }
        self.row_by_row = tuple(
            name
            for name, code in compiled.steps.items()
            if code.step.vectorized and name not in framed
        )

    def close(self) -> None:
        """Forget the lines of the generated code."""
        for name in self._files:
            forget_lines(name)

    def _cut(self, line: Sequence[str]) -> Iterator[GraphPart]:
        compiled = self._compiled
        is_all = len(line) == len(compiled.spec.names())
        for is_vectorized, group in itertools.groupby(
            line, key=lambda name: _is_vectorized(compiled.steps[name])
        ):
            some = tuple(group)
            is_last = is_all and some[-1] == line[-1]
            spec = _in_line(compiled.spec, some, answers=not is_last)
            if not is_vectorized:
                yield self._rows(spec)
                continue
            single = {
                name: self._function(_in_line(compiled.spec, (name,), answers=True))[0]
                for name in some
            }
            function, _ = self._function(spec, is_watched=True)
            yield GraphPart(some, function, is_vectorized=True, single=single)
        if not is_all:
            yield self._rows(_without(compiled.spec, set(line)))

    def _rows(self, spec: GraphSpec) -> GraphPart:
        streams = any(self._compiled.steps[name].is_stream for name in spec.names())
        function, takes_event = self._function(spec)
        return GraphPart(
            spec.names(), function, streams=streams, takes_event=takes_event
        )

    def _function(
        self, spec: GraphSpec, *, is_watched: bool = False
    ) -> tuple[Function, bool]:
        """Generate the code of some steps, over the calls that are there already.

        Returns:
            the function, and whether it takes an event.
        """
        compiled, steps = self._compiled, self._steps
        fused = fuse(spec, compiled.steps, on_loop=compiled.is_async)
        module = module_of(spec, fused, CODE)
        self._files.append(module.filename)
        calls = steps.calls
        for name in spec.names() if is_watched else ():
            calls[name] = watched(calls[name], compiled.steps[name])
        run = module.functions(calls, steps.instances, self._noted).run
        return run, fused.takes_event


def _may_be_cut(compiled: CompiledGraph) -> bool:
    spec = compiled.spec
    return spec.topology == "flow" and spec.on_error is None and bool(spec.steps)


def _is_vectorized(code: StepCode) -> bool:
    """Tell whether a step takes frames here; with a path it gets each row's part."""
    step = code.step
    has_paths = bool(step.input_path or step.result_path)
    return step.vectorized and not has_paths and step.batch is None


def _line(compiled: CompiledGraph) -> list[str]:
    """Return the plain steps that a graph begins with, up to where it can be cut."""
    spec, ways = compiled.spec, followers(compiled.spec)
    names = list(_plain_steps(compiled, ways))

    def is_met_elsewhere(name: str) -> bool:
        return any(spec.step(target).after != (name,) for target in ways[name])

    # Behind a cut stands a graph of its own, and a step that also waits for another
    # branch would find that branch on the other side.
    while names and is_met_elsewhere(names[-1]):
        names.pop()
    return names


def _plain_steps(
    compiled: CompiledGraph, ways: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    spec, here = compiled.spec, START
    back = back_edges(spec) if spec.allow_cyclic else frozenset()
    while len(ways[here]) == 1:
        [here] = ways[here]
        step, code = spec.step(here), compiled.steps[here]
        answers_early = here == compiled.responder and bool(ways[here])
        is_met_again = any(target == here for _, target in back)
        # There a step may end the event with an answer of its own.
        is_refused = code.takes_event and (step.vectorized or spec.engine == "sync")
        if is_met_again or answers_early or is_refused or not _is_plain(step, code):
            return
        yield here


def _is_plain(step: StepSpec, code: StepCode) -> bool:
    waits = len(step.after) > 1 or step.join is not None or code.merges
    parts_ways = code.selects or code.is_stream or code.collects or code.is_storey
    return not (waits or parts_ways or step.on_error or step.kind == "flow")


def _in_line(spec: GraphSpec, names: tuple[str, ...], *, answers: bool) -> GraphSpec:
    """Return some steps in a row as a graph; the last ``answers``, or stays as is."""
    steps: list[StepSpec] = []
    for name in names:
        after = (steps[-1].name,) if steps else ()
        step = replace(spec.step(name), after=after)
        if answers:
            step = replace(step, responder=name == names[-1])
        steps.append(step)
    return replace(spec, steps=tuple(steps), allow_cyclic=None, final_step=None)


def _without(spec: GraphSpec, names: set[str]) -> GraphSpec:
    """Return a graph without the steps that it begins with."""
    steps = tuple(
        replace(step, after=tuple(name for name in step.after if name not in names))
        for step in spec.steps
        if step.name not in names
    )
    return replace(spec, steps=steps, final_step=None)


def _of_body(function: Call) -> Function:
    """Return a function of a body, or to be awaited, for one that wants an event."""

    def of_body(body: Any) -> Any:
        return function(Event(body))

    return of_body
