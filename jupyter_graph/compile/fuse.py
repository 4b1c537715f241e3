"""Straight-line code for a graph of stateless steps: one step a line.

A chain becomes one function. Where a graph branches, joins or goes on after an
error, the place gets a function of its own, ``at_<step>``, which gives the answer
or ``NOTHING``. The failing step is found from the line in the traceback, so the good
path pays nothing for it.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from jupyter_graph.compile.code import StepCode
from jupyter_graph.spec.model import START, GraphSpec, StepSpec
from jupyter_graph.spec.topology import edges, followers, responder_of

HELPERS = frozenset(
    {
        "body", "event", "answer", "parts", "error", "run", "NOTHING",
        "get_path", "put_path", "twin", "twins", "branches", "together", "chosen",
        "gathered", "caught", "same_event", "stream", "stream_async", "each",
        "each_async", "drain", "drain_async", "said_by", "targets",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fused:
    """The generated module of one graph.

    Attributes:
        source: its text; ``run`` is the entry.
        lines: line number to the name of the step that stands there.
        calls: identifier in the source to the name of the step it calls.
        selectors: identifier to the step whose ``select_outlets`` it is.
        mergers: identifier to the step whose instance merges branches.
        is_async: ``run`` must be awaited.
        takes_event: ``run`` takes an event, not a body.
    """

    source: str
    lines: Mapping[int, str]
    calls: Mapping[str, str]
    selectors: Mapping[str, str]
    mergers: Mapping[str, str]
    is_async: bool
    takes_event: bool


def fuse(graph: GraphSpec, codes: Mapping[str, StepCode]) -> Fused:
    """Generate the code of a graph; the graph obeys the rules of ``spec.validate``."""
    return _Generator(graph, codes).generate()


@dataclass
class _Generator:
    graph: GraphSpec
    codes: Mapping[str, StepCode]
    text: list[str] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    selectors: dict[str, str] = field(default_factory=dict)
    mergers: dict[str, str] = field(default_factory=dict)
    todo: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = {step.name: step for step in _top_steps(self.graph)}
        self.next = dict(followers(self.graph))
        self.upstream: dict[str, list[str]] = {name: [] for name in self.steps}
        for edge in edges(self.graph):
            if edge.kind == "flow" and edge.target in self.steps:
                self.upstream[edge.target].append(edge.source)
        self.responder = responder_of(self.graph)
        self.names = dict(zip(self.steps, _identifiers(self.steps), strict=True))
        self.takes_event = any(self.codes[name].takes_event for name in self.steps)
        self.it = "event" if self.takes_event else "body"
        self.value = "event.body" if self.takes_event else "body"
        self.has_merge = any(self.codes[name].merges for name in self.steps)
        self.more = ", parts" if self.has_merge else ""
        # one loop, one colour: a coroutine anywhere makes every function one
        self.is_async = any(self.codes[name].is_async for name in self.steps)
        self.done: set[str] = set()

    # -- the whole --------------------------------------------------------------

    def generate(self) -> Fused:
        firsts = self.next[START]
        self._define("run", parts=False)
        if self.has_merge:
            self._line(1, "parts = {}")
        self._scope(lambda depth: self._go_on(START, firsts, depth), START)
        while self.todo:
            self._function(self.todo.pop(0))
        self.text += ["", *self.tables] if self.tables else []
        return Fused(
            source="\n".join(self.text) + "\n",
            lines=self.lines,
            calls=self.calls,
            selectors=self.selectors,
            mergers=self.mergers,
            is_async=self.is_async,
            takes_event=self.takes_event,
        )

    def _handlers(self) -> set[str]:
        own = {step.on_error for step in self.steps.values() if step.on_error}
        return {*own, *({self.graph.on_error} if self.graph.on_error else set())}

    # -- functions --------------------------------------------------------------

    def _function(self, key: str) -> None:
        kind, _, name = key.partition(" ")
        self.text += ["", ""]
        if kind == "at":
            self._define(f"at_{self.names[name]}")
            self._scope(lambda depth: self._step(name, depth), name)
        elif kind == "after":
            self._define(f"after_{self.names[name]}")
            self._scope(
                lambda depth: self._go_on(name, self.next[name], depth, keep=False),
                name,
            )
        else:
            source, _, merge = name.partition(" ")
            self._arrival(source, merge)

    def _define(self, name: str, *, parts: bool = True) -> None:
        colour = "async def" if self.is_async else "def"
        self._line(0, f"{colour} {name}({self.it}{self.more if parts else ''}):")

    def _arrival(self, source: str, merge: str) -> None:
        """A branch reaches a merge: wait until all have."""
        ident = self.names[merge]
        expected = list(
            dict.fromkeys(self._slot(s, merge) for s in self.upstream[merge])
        )
        self._define(f"at_{ident}_from_{self._source(source)}")
        self.mergers[f"{ident}_merge"] = merge
        slot = self._slot(source, merge)
        self._line(
            1,
            f"{self.it} = gathered({ident}_merge, {merge!r}, {slot!r}, {expected!r}, "
            f"{self.it}, parts)",
            merge,
        )
        self._line(1, f"if {self.it} is NOTHING:")
        self._line(2, "return NOTHING")
        self._line(1, f"return {self._call(f'at_{ident}')}")
        self._want(f"at {merge}")

    def _slot(self, source: str, merge: str) -> str:
        """An error handler that goes on before a merge stands in for its step."""
        step = self.steps.get(source)
        base = step.base_step if step else None
        return base if base and base in self.upstream[merge] else source

    def _source(self, name: str) -> str:
        return "start" if name == START else self.names[name]

    # -- the inside of a function -----------------------------------------------

    def _scope(self, emit: Callable[[int], None], name: str) -> None:
        """Put the graph's own error handler, if any, around a function's steps."""
        handler = self.graph.on_error
        if not handler or (name != START and name in self._handlers()):
            emit(1)
            return
        self._line(1, "try:")
        emit(2)
        self._line(1, "except BaseException as error:")
        self._line(2, f"caught(error, {sorted(self._handlers())!r})")
        self._error_facts("said_by(error)", 2)
        self._run_step(handler, 2)
        self._line(2, f"return {self.value}")

    def _step(self, name: str, depth: int, *, answered: bool = False) -> None:
        step = self.steps[name]
        if step.on_error:
            self._with_handler(step, depth, answered)
        else:
            self._run_step(name, depth)
        self._go_on(name, self.next[name], depth, answered=answered)

    def _with_handler(self, step: StepSpec, depth: int, answered: bool) -> None:
        handler = self.steps[str(step.on_error)]
        targets = self.next[handler.name]
        self._line(depth, "try:")
        self._run_step(step.name, depth + 1)
        self._line(depth, "except BaseException as error:")
        self._line(depth + 1, "caught(error)")
        self._error_facts(repr(step.name), depth + 1)
        self._run_step(handler.name, depth + 1)
        same = targets == self.next[step.name]
        plain = (
            not self.codes[step.name].selects and not self.codes[step.name].is_stream
        )
        answers = self.responder == step.name
        if same and plain and (answers if not targets else not answers):
            return  # the handler's result takes the place of the step's
        if targets:
            self._go_on(handler.name, targets, depth + 1, answered=answered)
        else:
            self._line(depth + 1, f"return {'answer' if answered else self.value}")

    def _error_facts(self, origin: str, depth: int) -> None:
        if self.takes_event:
            self._line(depth, "event.error = error")
            self._line(depth, f"event.origin_state = {origin}")

    def _run_step(self, name: str, depth: int) -> None:
        step, code = self.steps[name], self.codes[name]
        if code.is_class and not code.method:
            return  # it only picks its followers, or only merges
        ident = self.names[name]
        self.calls[ident] = name
        if code.takes_event:
            call = self._awaited(f"{ident}(event)", code)
            self._line(depth, f"event = same_event({call}, {name!r})", name)
            return
        got = f"get_path({self.value}, {step.input_path!r})"
        call = self._awaited(f"{ident}({got if step.input_path else self.value})", code)
        if code.is_stream:
            call = f"{'stream_async' if self.is_async else 'stream'}({call}, {name!r})"
        if step.result_path:
            call = f"put_path({self.value}, {step.result_path!r}, {call})"
        self._line(depth, f"{self.value} = {call}", name)

    def _awaited(self, call: str, code: StepCode) -> str:
        waits = code.in_thread or (code.is_async and not code.is_stream)
        return f"await {call}" if waits else call

    def _go_on(
        self,
        name: str,
        targets: tuple[str, ...],
        depth: int,
        *,
        answered: bool = False,
        keep: bool = True,
    ) -> None:
        """Write what comes after a step."""
        code = self.codes.get(name)
        if code is not None and code.is_stream and targets and keep:
            self._stream_on(name, depth)
            return
        if name == self.responder and keep:
            if not targets:
                self._line(depth, f"return {self.value}")
                return
            self._line(depth, f"answer = twin({self.value})", name)
            answered = True
        if not targets:
            self._line(depth, f"return {'answer' if answered else 'NOTHING'}")
        elif code is not None and code.selects:
            self._choose(name, targets, depth, answered)
        elif len(targets) == 1:
            self._one(name, targets[0], depth, answered)
        else:
            self._fan_out(name, targets, depth, answered)

    def _one(self, name: str, target: str, depth: int, answered: bool) -> None:
        if self._is_inline(target):
            self._step(target, depth, answered=answered)
            return
        self._finish(self._reach(name, target), depth, answered)

    def _is_inline(self, target: str) -> bool:
        return len(self.upstream[target]) == 1 and not self.codes[target].merges

    def _reach(self, source: str, target: str) -> str:
        return self._call(self._target(source, target))

    def _target(self, source: str, target: str) -> str:
        if self.codes[target].merges:
            self._want(f"from {source} {target}")
            return f"at_{self.names[target]}_from_{self._source(source)}"
        self._want(f"at {target}")
        return f"at_{self.names[target]}"

    def _call(self, function: str) -> str:
        call = f"{function}({self.it}{self.more})"
        return f"await {call}" if self.is_async else call

    def _fan_out(
        self, name: str, targets: tuple[str, ...], depth: int, answered: bool
    ) -> None:
        places = ", ".join(self._target(name, target) for target in targets)
        twins = f"twins({self.it}, {len(targets)})"
        self._branch(f"({places})", twins, depth, answered, name)

    def _choose(
        self, name: str, targets: tuple[str, ...], depth: int, answered: bool
    ) -> None:
        ident = self.names[name]
        self.selectors[f"{ident}_select"] = name
        rows = ", ".join(f"{t!r}: {self._target(name, t)}" for t in targets)
        self.tables.append(f"{ident}_outlets = {{{rows}}}")
        picked = f"{ident}_select({self.value})"
        self._line(
            depth, f"targets = chosen({picked}, {ident}_outlets, {name!r})", name
        )
        twins = f"twins({self.it}, len(targets))"
        self._branch("targets", twins, depth, answered, name)

    def _branch(
        self,
        places: str,
        twins: str,
        depth: int,
        answered: bool,
        name: str,
    ) -> None:
        helper = "await together" if self.is_async else "branches"
        origin = name if name != START else ""
        self._finish(f"{helper}({places}, {twins}{self.more})", depth, answered, origin)

    def _finish(self, call: str, depth: int, answered: bool, origin: str = "") -> None:
        if answered:
            self._line(depth, call, origin)
            self._line(depth, "return answer")
        else:
            self._line(depth, f"return {call}", origin)

    def _stream_on(self, name: str, depth: int) -> None:
        """Each item of a stream goes on by itself."""
        self._want(f"after {name}")
        keeps = self.responder == name
        place = f"after_{self.names[name]}"
        item = "event" if self.takes_event else "None"
        each = "each_async" if self.is_async else "each"
        call = f"{each}({self.value}, {place}, {keeps}, {item}{self.more})"
        if self.responder is None:
            drain = "await drain_async" if self.is_async else "drain"
            self._line(depth, f"return {drain}({call})")
        else:
            self._line(depth, f"return {call}")

    # -- text -------------------------------------------------------------------

    def _want(self, key: str) -> None:
        if key not in self.done:
            self.done.add(key)
            self.todo.append(key)

    def _line(self, depth: int, text: str, step: str = "") -> None:
        self.text.append("    " * depth + text)
        if step:
            self.lines[len(self.text)] = step


def _top_steps(graph: GraphSpec) -> tuple[StepSpec, ...]:
    return (graph.router,) if graph.router is not None else graph.steps


def _identifiers(names: Mapping[str, StepSpec]) -> Iterator[str]:
    """Give a readable, unique identifier for each step's name."""
    taken = set(HELPERS)
    for name in names:
        found = re.sub(r"\W", "_", name)
        if keyword.iskeyword(found) or not found.isidentifier():
            found = f"step_{found}"
        while found in taken or found.startswith(("at_", "after_")):
            found = f"{found}_" if found in taken else f"step_{found}"
        taken |= {found, f"{found}_select", f"{found}_merge", f"{found}_outlets"}
        yield found
