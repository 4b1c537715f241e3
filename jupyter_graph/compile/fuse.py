"""Straight-line code for a graph of stateless steps: one step a line.

A chain becomes one function. Where a graph branches, joins or goes on after an
error, the place gets a function of its own, ``at_<step>``, which gives the answer
or ``NOTHING``. The failing step is found from the line in the traceback, so the good
path pays nothing for it.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.compile.code import StepCode
from jupyter_graph.compile.shapes import Shapes
from jupyter_graph.compile.ways import check_joins, stream_of, ways
from jupyter_graph.spec.model import (
    DEFAULT_ITERATIONS,
    START,
    START_WORD,
    GraphSpec,
    StepSpec,
)
from jupyter_graph.spec.topology import (
    back_edges,
    edges,
    followers,
    order,
    reached,
    responder_of,
    steps_in_cycles,
)

HELPERS = frozenset(
    {
        "body", "event", "answer", "parts", "error", "run", "found", "NOTHING",
        "get_path", "get_path_sync", "put_path", "twin", "twins", "branches",
        "together", "chosen",
        "gathered", "gathered_event", "caught", "same_event", "stream", "stream_async",
        "event_or_answer",
        "each", "each_async", "drain", "drain_async", "targets", "len",
        "BaseException", "__builtins__", "begin", "counted", "landed", "landed_async",
        "Leap", "first_of", "first_failure", "failed", "picked", "Several", "several",
        "items_of", "several_async", "type", "items",
        "collecting", "gathered_in_time", "gathered_event_in_time",
        "bodies", "bodies_async", "placed", "placed_async", "whole",
        "forget", "is_collected", "is_stream", "collect", "collect_async", "collected",
        "until_collected", "until_collected_async",
    }
)  # fmt: skip
GENERATED = ("at_", "after_", "back_", "item_", "rest_", "end_")
"""What the names of generated functions begin with."""
DEEPEST = 8  # Python nests at most 20 blocks; further in, a place is a function


@dataclass(frozen=True, slots=True)
class Fused:
    """The generated module of one graph.

    Attributes:
        source: its text; ``run`` is the entry.
        lines: line number to the name of the step that stands there.
        calls: identifier in the source to the name of the step it calls.
        selectors: identifier to the step whose ``select_outlets`` it is.
        holders: identifier to the step whose instance merges branches or collects
            streams.
        joins: identifier to the step that joins its branches.
        resumes: step to the function that takes on what it gives later.
        is_async: ``run`` must be awaited.
        takes_event: ``run`` takes an event, not a body.
        has_parts: the other functions also take what an event left at merges, joins,
            cycles and collectors, a dict.
    """

    source: str
    lines: Mapping[int, str]
    calls: Mapping[str, str]
    selectors: Mapping[str, str]
    holders: Mapping[str, str]
    joins: Mapping[str, StepSpec]
    resumes: Mapping[str, str]
    is_async: bool
    takes_event: bool
    has_parts: bool


def fuse(
    graph: GraphSpec, codes: Mapping[str, StepCode], *, on_loop: bool = False
) -> Fused:
    """Generate the code of a graph; the graph obeys the rules of ``spec.validate``.

    Args:
        graph: the graph.
        codes: the code of each of its steps.
        on_loop: make coroutines of its functions, even where no step needs it.
    """
    return _Generator(graph, codes, on_loop).generate()


Next = tuple[str, bool] | None
"""The step that follows in line, and whether another one before it has answered."""


@dataclass
class _Generator:
    graph: GraphSpec
    codes: Mapping[str, StepCode]
    on_loop: bool = False
    text: list[str] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    selectors: dict[str, str] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    joins: dict[str, StepSpec] = field(default_factory=dict)
    resumes: dict[str, str] = field(default_factory=dict)
    todo: list[tuple[str, ...]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = {step.name: step for step in self.graph.top_steps()}
        self.next = dict(followers(self.graph))
        self.upstream: dict[str, list[str]] = {name: [] for name in self.steps}
        for edge in edges(self.graph):
            if edge.kind == "flow" and edge.target in self.steps:
                self.upstream[edge.target].append(edge.source)
        self.responder = responder_of(self.graph)
        self.answers_early = bool(self.responder and self.next.get(self.responder))
        self.names = dict(zip(self.steps, _identifiers(self.steps), strict=True))
        self.takes_event = any(self.codes[name].takes_event for name in self.steps)
        self.it = "event" if self.takes_event else "body"
        self.value = "event.body" if self.takes_event else "body"
        codes = [self.codes[name] for name in self.steps]
        self.back = back_edges(self.graph) if self.graph.allow_cyclic else frozenset()
        self.shapes = Shapes(
            self.steps, self.codes, self.next, self.upstream, self.responder, self.back
        )
        self.counted = steps_in_cycles(self.graph) if self.back else frozenset()
        self.order = order(self.graph)
        self.joined = [name for name in self.order if self.steps[name].join]
        self.ways = ways(self.steps, self.codes, self.next)
        check_joins(self.steps, self.ways)
        remembers = any(code.merges or code.collects for code in codes)
        self.has_parts = bool(remembers or self.back or self.joined)
        self.more = ", parts" if self.has_parts else ""
        # one loop, one colour: a coroutine anywhere makes every function one
        self.is_async = self.on_loop or any(c.is_async or c.is_awaited for c in codes)
        self.functions: dict[tuple[str, ...], str] = {}

    # -- the whole --------------------------------------------------------------

    def generate(self) -> Fused:
        firsts = self.next[START]
        ends = bool(self.back or self.joined)
        self._define("run", parts=False)
        if self.has_parts:
            self._line(1, "parts = {}")
        if ends:
            self._ended_run()
            self.text += ["", ""]
            self._define("begin")
        self._scope(lambda depth: self._go_on(START, firsts, depth), START)
        for name in self.steps:
            if self.codes[name].keeps and self.next[name]:
                self.resumes[name] = self._want("after", name)
        while self.todo:
            self._function(self.todo.pop(0))
        self.text += ["", *self.tables] if self.tables else []
        return Fused(
            source="\n".join(self.text) + "\n",
            lines=self.lines,
            calls=self.calls,
            selectors=self.selectors,
            holders=self.holders,
            joins=self.joins,
            resumes=self.resumes,
            is_async=self.is_async,
            takes_event=self.takes_event,
            has_parts=self.has_parts,
        )

    def _ended_run(self) -> None:
        """Write what stands around all of a graph with cycles or joins."""
        self._ended("begin", self.joined)

    def _ended(
        self, function: str, joined: list[str], forgets: Sequence[str] = ()
    ) -> None:
        """Write a call, and what goes on at joins that some branches did not reach."""
        call = self._call(function)
        if self.back:
            call = f"{self._landed}({call}{self.more})"
        if not joined and not forgets:
            self._line(1, f"return {call}")
            return
        self._line(1, f"answer = {call}")
        for name in joined:
            self._line(1, f"{self.it} = {self._join(name)}.last(parts)")
            self._line(1, f"if {self.it} is not NOTHING:")
            call = self._call(self._want("rest", name))
            if self.back:
                call = f"{self._landed}({call}{self.more})"
            self._line(2, f"answer = first_of(answer, {call})")
        if forgets:
            self._line(1, f"forget(parts, {tuple(forgets)!r})")
        self._line(1, "return answer")

    def _join(self, name: str) -> str:
        holder = f"{self.names[name]}_join"
        self.joins[holder] = self.steps[name]
        return holder

    @property
    def _await(self) -> str:
        return "await " if self.is_async else ""

    @property
    def _landed(self) -> str:
        return "await landed_async" if self.is_async else "landed"

    def _handlers(self) -> set[str]:
        own = {step.on_error for step in self.steps.values() if step.on_error}
        return {*own, *({self.graph.on_error} if self.graph.on_error else set())}

    # -- functions --------------------------------------------------------------

    def _function(self, key: tuple[str, ...]) -> None:
        kind, name, *more = key
        self.text += ["", ""]
        self._define(self.functions[key])
        if kind == "at":
            self._scope(lambda depth: self._from(name, depth), name)
        elif kind == "after":
            self._scope(
                lambda depth: self._go_on(name, self.next[name], depth, keep=False),
                name,
            )
        elif kind == "item":
            inner = self._inside(name)
            joined = [one for one in self.joined if one in inner]
            self._ended(self._want("after", name), joined, inner)
        elif kind in ("rest", "end"):
            write = self._rest if kind == "rest" else self._end
            self._scope(lambda depth: write(name, depth), name)
        else:
            self._arrival(name, tuple(more))

    def _want(self, *key: str) -> str:
        """Give the name of a function, which is written when its turn comes."""
        if key in self.functions:
            return self.functions[key]
        kind, name, *more = key
        parts = [self.names[name], *(self.names.get(one, START_WORD) for one in more)]
        word = "at" if kind == "from" else kind
        found = f"{word}_{'_'.join(parts)}"
        while found in self.functions.values():  # "a" from "b_c", "a_b" from "c"
            found += "_"
        self.functions[key] = found
        self.todo.append(key)
        return found

    def _define(self, name: str, *, parts: bool = True) -> None:
        colour = "async def" if self.is_async else "def"
        self._line(0, f"{colour} {name}({self.it}{self.more if parts else ''}):")

    def _arrival(self, merge: str, slots: tuple[str, ...]) -> None:
        """A branch reaches a merge or a join: wait until all have."""
        ident, step = self.names[merge], self.steps[merge]
        if step.join:
            holder = self._join(merge)
        else:
            holder = f"{ident}_merge"
            self.holders[holder] = merge
        gather = "gathered_event" if self.takes_event else "gathered"
        if step.join_timeout_s is not None:
            gather = f"await {gather}_in_time"
        text = (
            f"{self.it} = {gather}({holder}, {merge!r}, {slots!r}, "
            f"{step.after or (START,)!r}, {self.it}, parts)"
        )
        self._guarded(step, 1, lambda depth: self._line(depth, text, merge))
        self._line(1, f"if {self.it} is NOTHING:")
        self._line(2, "return NOTHING")
        self._line(1, f"return {self._call(self._want('at', merge))}")

    def _rest(self, name: str, depth: int) -> None:
        """A join goes on without the branches that did not come."""
        text = f"{self.it} = {self._join(name)}.rest(parts)"
        self._guarded(
            self.steps[name], depth, lambda inner: self._line(inner, text, name)
        )
        self._line(depth, f"return {self._call(self._want('at', name))}")

    def _inside(self, stream: str) -> list[str]:
        """Give the steps that wait or count for each item of a stream anew."""
        return [
            name
            for name in self.steps
            if stream_of(name, self.ways) == stream
            and (self._waits(name) or name in self.counted)
        ]

    def _each_place(self, stream: str) -> str:
        """Give the function that takes an item of a stream."""
        return self._want("item" if self._inside(stream) else "after", stream)

    def _slots(self, source: str, merge: str, stands_for: str | None) -> list[str]:
        """Give the branches of a merge that end where this source reaches it.

        An error handler stands for all that would have come after the failed step.
        """
        if stands_for is None:
            return [source]
        reached = self._reached(stands_for)
        return [name for name in self.steps[merge].after if name in reached] or [source]

    def _reached(self, first: str) -> set[str]:
        """Give a step and all that comes after it."""
        return reached(first, self.next)

    # -- the inside of a function -----------------------------------------------

    def _scope(self, emit: Callable[[int], None], name: str) -> None:
        """Put the graph's own error handler, if any, around a function's steps."""
        handler = self.graph.on_error
        if not handler or (name != START and name in self._handlers()):
            emit(1)
            return
        if self.answers_early:
            self._line(1, "answer = NOTHING")
        self._line(1, "try:")
        emit(2)
        self._line(1, "except BaseException as error:")
        names = sorted(self._handlers())
        self._caught(f"caught(error, {names!r})", None, 2)
        self._guarded(
            self.steps[handler], 2, lambda inner: self._run_step(handler, inner)
        )
        instead = self._handled
        if self.answers_early:
            instead = f"{self.value} if answer is NOTHING else answer"
        self._line(2, f"return {instead}")

    @property
    def _handled(self) -> str:
        """What an error handler at the end answers: nothing where no step does."""
        return self.value if self.responder is not None else "NOTHING"

    def _from(self, name: str, depth: int) -> None:
        """Write a step and what follows it in line."""
        self._in_line(self._step(name, depth), depth)

    def _in_line(self, following: Next, depth: int) -> None:
        while following is not None:
            name, answered = following
            following = self._step(name, depth, answered=answered)

    def _step(self, name: str, depth: int, *, answered: bool = False) -> Next:
        step, code, targets = self.steps[name], self.codes[name], self.next[name]
        picks = bool(step.on_error and code.selects and targets and not code.is_stream)

        def own_part(inner: int) -> None:
            if name in self.counted:
                limit = step.max_iterations or self.graph.max_iterations
                limit = limit or DEFAULT_ITERATIONS
                more = ", event" if self.takes_event else ""
                self._line(inner, f"counted(parts, {name!r}, {limit}{more})", name)
            self._run_step(name, inner, answered=answered)
            if picks:
                self._pick(name, targets, inner)

        falls = not (code.selects or code.is_stream)
        is_part = bool(self._has_call(name) or picks or name in self.counted)
        if is_part:
            self._guarded(step, depth, own_part, answered=answered, falls=falls)
        return self._after(name, targets, depth, answered=answered, picked=picks)

    def _guarded(
        self,
        step: StepSpec,
        depth: int,
        own_part: Callable[[int], None],
        *,
        answered: bool = False,
        falls: bool = False,
        stands_for: str | None = None,
    ) -> None:
        """Write a step's own part, with its error handler around it if it has one.

        Args:
            step: the step.
            depth: how far the text is indented.
            own_part: writes what may fail, at a depth.
            answered: another step before this one has answered.
            falls: where the flow goes on at the same place, the handler's result may
                simply take the place of the step's.
            stands_for: for an error handler's own handler, the step that failed first.
        """
        if not step.on_error:
            own_part(depth)
            return
        handler = self.steps[step.on_error]
        code, targets = self.codes[handler.name], self.next[handler.name]
        self._line(depth, "try:")
        before = len(self.text)
        own_part(depth + 1)
        if len(self.text) == before:
            self._line(depth + 1, "pass")
        self._line(depth, "except BaseException as error:")
        self._caught("caught(error)", step.name, depth + 1)
        falls_too = not (code.selects or code.is_stream)
        self._guarded(
            handler,
            depth + 1,
            lambda inner: self._run_step(handler.name, inner, answered=answered),
            answered=answered,
            falls=falls_too,
            stands_for=stands_for or step.name,
        )
        comes_again = any(step.name in self._reached(name) for name in targets)
        answers = step.name == self.responder and not comes_again
        stands_in = targets == self.next[step.name] and bool(targets or answers)
        if falls and falls_too and stands_in:
            return
        if targets:
            if answers:
                self._line(depth + 1, f"answer = twin({self.value})", handler.name)
            on = answered or answers
            self._go_on(
                handler.name,
                targets,
                depth + 1,
                answered=on,
                stands_for=stands_for or step.name,
            )
        else:
            self._line(depth + 1, f"return {'answer' if answered else self._handled}")

    def _caught(self, call: str, origin: str | None, depth: int) -> None:
        if not self.takes_event:
            self._line(depth, call)
            return
        if origin is None:
            self._line(depth, f"event.origin_state = {call}")
        else:
            self._line(depth, call)
            self._line(depth, f"event.origin_state = {origin!r}")
        self._line(depth, "event.error = error")

    def _has_call(self, name: str) -> bool:
        """Tell whether a step is called, not just asked for its followers."""
        code = self.codes[name]
        if code.is_class and not code.method:
            return not (code.selects or code.merges or code.collects)
        return True

    def _run_step(
        self,
        name: str,
        depth: int,
        *,
        answered: bool = False,
        variable: str | None = None,
    ) -> None:
        value = variable or self.value
        step, code = self.steps[name], self.codes[name]
        if not self._has_call(name):
            return  # it only picks its followers, or only merges
        ident = self.names[name]
        self.calls[ident] = name
        if code.is_stream:
            self._items(name, depth, answered)
            return
        if code.takes_event:
            call = self._awaited(f"{ident}(event)", code)
            if code.is_storey:
                self._one_of(call, name, depth, answered)
                return
            call = self._or_dropped(call, name, depth, answered)
            is_last = self.graph.engine == "sync" and not self.next[name]
            event = f"event_or_answer({call}, event)"
            if not is_last:
                event = f"same_event({call}, {name!r})"
            self._line(depth, f"event = {event}", name)
            if step.kind == "router":
                self._line(depth, "if event.body is NOTHING:")  # its route dropped it
                self._line(depth + 1, f"return {'answer' if answered else 'NOTHING'}")
            if self.graph.engine == "sync":
                self._line(depth, "if event.terminated:")
                self._line(depth + 1, "return event.body")
            return
        call = self._awaited(f"{ident}({self._given(step, value)})", code)
        call = self._or_dropped(call, name, depth, answered)
        self._line(depth, f"{value} = {self._put(step, value, call)}", name)

    def _given(self, step: StepSpec, value: str) -> str:
        """Give what a step that takes a body is called with."""
        get = "get_path_sync" if self.graph.engine == "sync" else "get_path"
        return f"{get}({value}, {step.input_path!r})" if step.input_path else value

    @staticmethod
    def _put(step: StepSpec, value: str, found: str) -> str:
        path = step.result_path
        return f"put_path({value}, {path!r}, {found})" if path else found

    def _items(self, name: str, depth: int, answered: bool) -> None:
        """Write the call of a step that streams; the body stays what the step got."""
        step, code = self.steps[name], self.codes[name]
        more = "_async" if self.is_async else ""
        ident, is_flow = self.names[name], step.kind == "flow"
        is_generator = not (is_flow or callable(getattr(code.code, "streams", None)))
        if code.takes_event and not is_generator:
            call = self._awaited(f"{ident}(event)", code)
            self._line(depth, "whole = event.body")
            call = self._or_dropped(call, name, depth, answered)
            self._line(depth, f"event = same_event({call}, {name!r})", name)
            self._line(depth, "items, event.body = event.body, whole")
            if not is_flow:
                self._line(depth, f"items = stream{more}(items_of(items), {name!r})")
            return
        if code.takes_event:
            call = f"stream{more}(bodies{more}({ident}(event), {name!r}), {name!r})"
        else:
            call = self._awaited(f"{ident}({self._given(step, self.value)})", code)
            if is_flow:
                call = self._or_dropped(call, name, depth, answered)
            else:
                call = f"stream{more}({call}, {name!r})"
        self._line(depth, f"items = {call}", name)

    def _one_of(self, call: str, name: str, depth: int, answered: bool) -> None:
        """Write what goes on after a storey step: nothing, an event or several."""
        self._line(depth, f"found = {call}", name)
        self._line(depth, "if found is NOTHING:")
        self._line(depth + 1, f"return {'answer' if answered else 'NOTHING'}")
        self._line(depth, "if type(found) is Several:")
        if self.next[name] and name != self.responder:
            after = self._each_place(name)
            several = "await several_async" if self.is_async else "several"
            self._finish(f"{several}(found, {after}{self.more})", depth + 1, answered)
        else:
            is_answer = name == self.responder and not answered
            self._line(depth + 1, f"return {'found.first' if is_answer else 'NOTHING'}")
        self._line(depth, "event = found")

    def _or_dropped(self, call: str, name: str, depth: int, answered: bool) -> str:
        """Write that the event ends where its step drops it; give what is left."""
        if not self.codes[name].may_drop:
            return call
        self._line(depth, f"found = {call}", name)
        self._line(depth, "if found is NOTHING:")
        self._line(depth + 1, f"return {'answer' if answered else 'NOTHING'}")
        return "found"

    def _awaited(self, call: str, code: StepCode) -> str:
        return f"await {call}" if code.is_awaited else call

    def _go_on(
        self, name: str, targets: tuple[str, ...], depth: int, **options: Any
    ) -> None:
        """Write all that comes after a step."""
        self._in_line(self._after(name, targets, depth, **options), depth)

    def _after(
        self,
        name: str,
        targets: tuple[str, ...],
        depth: int,
        *,
        answered: bool = False,
        keep: bool = True,
        picked: bool = False,
        stands_for: str | None = None,
        as_stream: bool = True,
    ) -> Next:
        """Write how it goes on after a step; give the one that follows in line."""
        code = self.codes.get(name)
        if code is not None and code.collects and keep:
            self._collect(name, depth, answered=answered)
        if code is not None and code.is_stream and keep and as_stream:
            self._stream_on(name, depth, answered=answered)
            return None
        if name == self.responder and keep:
            if not targets:
                self._line(depth, f"return {self.value}")
                return None
            self._line(depth, f"answer = twin({self.value})", name)
            answered = True
        if not targets:
            self._line(depth, f"return {'answer' if answered else 'NOTHING'}")
        elif self._is_written_choice(name, depth, picked=picked):
            return self._choice(name, targets, depth, answered)
        elif code is not None and code.selects:
            if not picked:
                self._pick(name, targets, depth)
            twins = f"twins({self.it}, len(targets))"
            self._branch("targets", twins, depth, answered, name)
        elif len(targets) == 1:
            [target] = targets
            if depth <= DEEPEST and self._is_inline(target):
                return target, answered
            place = self._target(name, target, stands_for)
            self._finish(self._call(place), depth, answered)
        elif (merged := self._merged(name, depth)) is not None:
            merge, chains = merged
            return self._fan_out(merge, chains, depth), answered
        else:
            places = [self._target(name, target, stands_for) for target in targets]
            twins = f"twins({self.it}, {len(targets)})"
            self._branch(f"({', '.join(places)})", twins, depth, answered, name)
        return None

    def _is_written_choice(self, name: str, depth: int, *, picked: bool) -> bool:
        if name not in self.codes or not self.codes[name].selects or picked:
            return False
        return depth < DEEPEST and self.shapes.is_choice(name)

    def _choice(
        self, name: str, targets: tuple[str, ...], depth: int, answered: bool
    ) -> Next:
        """Write a choice out: one outlet is an ``if``, all else goes by the table."""
        ident = self._outlets(name, targets)
        rejoined = self.shapes.where_it_rejoins(name)
        asked = f"{ident}_select({self._asked(name)})"
        field = self.shapes.field_of(name)
        if field is None:
            self._line(depth, f"picked = {asked}", name)
            self._line(depth, "if type(picked) is list and len(picked) == 1:")
            self._line(depth + 1, "picked = picked[0]")
        else:
            got = f"{self.value}.get({field!r}) if type({self.value}) is dict else None"
            self._line(depth, f"picked = {got}", name)
        word = "if"
        for target in targets:
            self._line(depth, f"{word} picked == {target!r}:", name)
            if rejoined is not None:
                self._run_step(target, depth + 1, answered=answered)
            else:
                self._in_line((target, answered), depth + 1)
            word = "elif"
        self._line(depth, "else:")
        picked = "picked" if field is None else asked
        self._line(
            depth + 1, f"targets = chosen({picked}, {ident}_outlets, {name!r})", name
        )
        twins = f"twins({self.it}, len(targets))"
        self._branch("targets", twins, depth + 1, answered, name)
        return None if rejoined is None else (rejoined, answered)

    def _merged(self, name: str, depth: int) -> tuple[str, dict[str, list[str]]] | None:
        """Give merge and chains of a fan-out that can be written out here."""
        if name not in self.next or self.takes_event or depth >= DEEPEST:
            return None
        if self.graph.on_error:
            return None  # it answers for each branch, with what that step got
        found = self.shapes.where_it_merges(name)
        if found is None:
            return None
        chains = found[1].values()
        waits = any(self.codes[one].is_awaited for chain in chains for one in chain)
        counted = any(one in self.counted for chain in chains for one in chain)
        return None if waits or counted else found

    def _fan_out(
        self,
        merge: str,
        chains: dict[str, list[str]],
        depth: int,
    ) -> str:
        """Write branches one below the other; all run, then the first failure."""
        parts = {last: f"{self.names[chain[0]]}_part" for last, chain in chains.items()}
        first, *others = parts.values()
        self._line(depth, f"{first} = body")
        for part in others:
            self._line(depth, f"{part} = twin(body)")
        self._line(depth, "failed = None")
        for last, chain in chains.items():
            self._line(depth, "try:")
            for name in chain:
                self._run_step(name, depth + 1, variable=parts[last])
            self._line(depth, "except BaseException as error:")
            self._line(depth + 1, "failed = first_failure(failed, error)")
        self._line(depth, "if failed is not None:")
        self._line(depth + 1, "raise failed")
        merged = ", ".join(parts[last] for last in self.steps[merge].after)
        self._line(depth, f"body = [{merged}]")
        return merge

    def _is_inline(self, target: str) -> bool:
        return len(self.upstream[target]) == 1 and not self._waits(target)

    def _waits(self, target: str) -> bool:
        """Tell whether a step waits for its branches."""
        return self.codes[target].merges or self.steps[target].join is not None

    def _target(self, source: str, target: str, stands_for: str | None = None) -> str:
        """Give the function that takes an event from one step on to another."""
        if self._waits(target):
            slots = self._slots(source, target, stands_for)
            place = self._want("from", target, *slots)
        else:
            place = self._want("at", target)
        if (source, target) not in self.back:
            return place
        leap = f"back_{place.removeprefix('at_')}"
        line = f"{leap} = Leap.to({place}, is_async={self.is_async})"
        if line not in self.tables:
            self.tables.append(line)
        return leap

    def _call(self, function: str) -> str:
        return f"{self._await}{function}({self.it}{self.more})"

    def _collect(self, name: str, depth: int, *, answered: bool) -> None:
        """Write that an item of a stream stays with the step that collects them."""
        ident = self.names[name]
        self.holders[f"{ident}_collect"] = name
        self._line(depth, f"if collecting({ident}_collect, {self.it}, parts):")
        self._line(depth + 1, f"return {'answer' if answered else 'NOTHING'}")

    def _outlets(self, name: str, targets: tuple[str, ...]) -> str:
        """Want the table of a choice's outlets; give its identifier."""
        ident = self.names[name]
        if name not in self.selectors.values():
            self.selectors[f"{ident}_select"] = name
            rows = ", ".join(f"{t!r}: {self._target(name, t)}" for t in targets)
            self.tables.append(f"{ident}_outlets = {{{rows}}}")
        return ident

    def _asked(self, name: str) -> str:
        """Give what a choice is asked about: the body, or storey's full event."""
        is_full = self.steps[name].full_event and self.codes[name].is_storey
        return self.it if is_full else self.value

    def _pick(self, name: str, targets: tuple[str, ...], depth: int) -> None:
        ident = self._outlets(name, targets)
        picked = f"{ident}_select({self._asked(name)})"
        self._line(
            depth, f"targets = chosen({picked}, {ident}_outlets, {name!r})", name
        )

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
            text = f"{self._landed}({call}{self.more})" if self.back else call
            self._line(depth, text, origin)
            self._line(depth, "return answer")
        else:
            self._line(depth, f"return {call}", origin)

    def _stream_on(self, name: str, depth: int, *, answered: bool) -> None:
        """Each item of a stream goes on by itself."""
        step, call = self.steps[name], "items"
        own_path = not self.codes[name].takes_event
        if step.kind == "flow":  # it may have given one body after all
            self._line(depth, "if not is_stream(items):")
            put = self._put(step, self.value, "items") if own_path else "items"
            self._line(depth + 1, f"{self.value} = {put}", name)
            one = self._after(
                name, self.next[name], depth + 1, answered=answered, as_stream=False
            )
            self._in_line(one, depth + 1)
        if step.result_path and own_path:
            placed = "placed_async" if self.is_async else "placed"
            path = step.result_path
            call = f"{placed}({call}, {self.value}, {path!r}, {name!r}, twin)"
        keeps = self.responder == name
        if self.next[name]:
            each = "each_async" if self.is_async else "each"
            kept, event = "twin" if keeps else "None", self._event
            place = self._each_place(name)
            call = f"{each}({call}, {place}, {kept}, {event}{self.more})"
        collectors = self._collectors(name)
        if collectors and self._may_be_collected(name):
            self._line(depth, f"if not is_collected({collectors[0]}, parts):")
            self._collect_all(name, call, collectors, depth + 1, answered)
        elif collectors:
            self._collect_all(name, call, collectors, depth, answered)
            return
        if not answered and self.responder in self._reached(name):
            self._line(depth, f"return {call}")
            return
        drain = "await drain_async" if self.is_async else "drain"
        self._line(depth, f"{drain}({call})", name)
        self._line(depth, f"return {'answer' if answered else 'NOTHING'}")

    def _collect_all(
        self, name: str, items: str, collectors: list[str], depth: int, answered: bool
    ) -> None:
        """The items of a stream become one body again, further on."""
        end = self._want("end", name)
        args = f"{items}, ({', '.join(collectors)},), {end}, {self.it}, parts"
        one_by_one = self._one_by_one(name) - {self.holders[one] for one in collectors}
        if not answered and self.responder in one_by_one:
            until = "until_collected_async" if self.is_async else "until_collected"
            self._line(depth, f"return {until}({args})")
            return
        collect = "await collect_async" if self.is_async else "collect"
        self._finish(f"{collect}({args})", depth, answered, name)

    def _end(self, name: str, depth: int) -> None:
        """Write what goes on at the steps that collected a stream."""
        self._line(depth, "answer = NOTHING")
        for holder in self._collectors(name):
            one = self.holders[holder]
            given = f"{self.it} = collected({holder}, {self._event}, parts)"
            self._line(depth, given, one)
            if one == self.responder:
                answer = f"first_of(answer, twin({self.value}))"
                self._line(depth, f"answer = {answer}", one)
            if not self.next[one]:
                continue
            call = self._call(self._want("after", one))
            call = f"{self._landed}({call}{self.more})" if self.back else call
            if one == self.responder:
                self._line(depth, call)
            else:
                self._line(depth, f"answer = first_of(answer, {call})")
        self._line(depth, "return answer")

    def _collectors(self, name: str) -> list[str]:
        """Give the holders of the steps that collect a stream, in order."""
        after = self._one_by_one(name) - {name}
        found = [one for one in self.order if one in after and self.codes[one].collects]
        holders = [f"{self.names[one]}_collect" for one in found]
        self.holders |= dict(zip(holders, found, strict=True))
        return holders

    def _one_by_one(self, name: str) -> set[str]:
        """Give the steps that items of a stream come to, the collecting ones last."""
        ways = {
            one: () if one in self.codes and self.codes[one].collects else targets
            for one, targets in self.next.items()
        }
        return reached(name, ways)

    def _may_be_collected(self, name: str) -> bool:
        """Tell whether another stream may be under way to the same collectors."""
        collectors = [one for one, code in self.codes.items() if code.collects]
        behind = any(
            name in self._reached(one) for one in collectors if one in self.next
        )
        return bool(self.ways.get(name)) or behind

    @property
    def _event(self) -> str:
        return "event" if self.takes_event else "None"

    # -- text -------------------------------------------------------------------

    def _line(self, depth: int, text: str, step: str = "") -> None:
        self.text.append("    " * depth + text)
        if step:
            self.lines[len(self.text)] = step


def _identifiers(names: Mapping[str, StepSpec]) -> Iterator[str]:
    """Give a readable, unique identifier for each step's name."""
    taken = set(HELPERS)
    for name in names:
        found = re.sub(r"\W", "_", name)
        if keyword.iskeyword(found) or not found.isidentifier():
            found = f"step_{found}"
        if found.startswith(GENERATED):
            found = f"step_{found}"
        while taken & _derived(found):
            found = f"{found}_"
        taken |= _derived(found)
        yield found


def _derived(name: str) -> set[str]:
    ends = ("", "_select", "_merge", "_join", "_collect", "_outlets", "_part")
    return {f"{name}{end}" for end in ends}
