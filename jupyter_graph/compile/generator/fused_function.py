"""Straight-line code for a graph of stateless steps: one step a line.

A chain becomes one function. Where a graph branches, joins or goes on after an
error, the place gets a function of its own, ``at_<step>``, which gives the answer
or ``NOTHING``. The failing step is found from the line in the traceback, so the good
path pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jupyter_graph.compile.generator.branch_writer import Following
from jupyter_graph.compile.generator.code_buffer import BODY, CodeBuffer, Position
from jupyter_graph.compile.generator.flow_writer import FlowWriter
from jupyter_graph.compile.generator.graph_facts import GraphFacts
from jupyter_graph.compile.generator.module_names import (
    FunctionKey,
    Functions,
    Globals,
    Writer,
)
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.spec.model import START, GraphSpec


class Fused(NamedTuple):
    """The generated module of one graph.

    Attributes:
        source: its text; ``run`` is the entry.
        lines: line number to the name of the step that stands there.
        names: what its identifiers stand for.
        resumes: step to the function that sends on what it gives later.
        is_async: ``run`` must be awaited.
        takes_event: ``run`` takes an event, not a body.
        has_parts: the other functions also take what an event left at merges, joins,
            cycles and collectors, a dict.
        has_beside: steps run beside the one that answers, or after it.
    """

    source: str
    lines: Mapping[int, str]
    names: Globals
    resumes: Mapping[str, str]
    is_async: bool
    takes_event: bool
    has_parts: bool
    has_beside: bool


def fuse(
    graph: GraphSpec, codes: Mapping[str, StepCode], *, on_loop: bool = False
) -> Fused:
    """Generate the code of a graph; the graph obeys the rules of ``spec.validate``.

    Args:
        graph: the graph.
        codes: the code of each of its steps.
        on_loop: make coroutines of its functions, even where no step needs it.
    """
    return _ModuleWriter(GraphFacts(graph, codes, on_loop=on_loop)).write()


class _ModuleWriter:
    """Writes the entry, then each function that something written before it calls."""

    def __init__(self, facts: GraphFacts) -> None:
        self._facts = facts
        self._code = CodeBuffer(facts)
        self._names = Globals(facts.steps)
        self._functions = Functions(facts, self._names)
        self._flow = FlowWriter(Writer(facts, self._code, self._names, self._functions))

    def write(self) -> Fused:
        """Write the module."""
        facts, code, functions = self._facts, self._code, self._functions
        self._entry()
        resumes = self._resumes()
        while functions.todo:
            self._function(functions.todo.pop(0))
        if functions.needs_leading:
            # leads = frozenset((at_a, at_b,))
            leading = "".join(f"{name}, " for name in functions.leading())
            functions.tables.append(f"leads = frozenset(({leading}))")
        code.text += ["", *functions.tables] if functions.tables else []
        return Fused(
            source="\n".join(code.text) + "\n",
            lines=code.steps,
            names=self._names,
            resumes=resumes,
            is_async=facts.is_async,
            takes_event=facts.takes_event,
            has_parts=facts.has_parts,
            has_beside=facts.has_beside,
        )

    def _entry(self) -> None:
        """Write ``run``; with cycles or joins, what stands around ``begin``."""
        # def run(body):
        #     parts = {}
        #     answer = begin(body, parts)
        #     body = c_join.last(parts)
        #     if body is not NOTHING:
        #         answer = first_of(answer, rest_c(body, parts))
        #     return answer
        facts, code = self._facts, self._code
        code.define("run", parts=False)
        if facts.has_parts:
            timed = any(facts.steps[one].join_timeout_s for one in facts.joined)
            joins = f"counting({tuple(facts.joined)!r})"
            code.line(BODY, f"parts = {joins if timed else '{}'}")
        if facts.back or facts.joined:
            leading = [name for name in facts.joined if self._may_answer(name)]
            self._ended("begin", leading, settles=leading != facts.joined)
            code.text += ["", ""]
            code.define("begin")
        self._flow.handlers.scope(lambda at: self._flow.go_on(START, at), START)

    def _resumes(self) -> dict[str, str]:
        """Return the functions that steps send on to what they give later."""
        facts, resumes = self._facts, {}
        for name in facts.steps:
            if facts.codes[name].keeps and facts.next[name]:
                is_more = facts.back or set(facts.joined) & facts.reached(name)
                kind = "later" if is_more else "after"
                resumes[name] = self._functions.want(kind, name)
        return resumes

    def _may_answer(self, name: str) -> bool:
        """Tell whether an answer may still come from behind a step."""
        return not self._facts.has_beside or name in self._facts.leads

    def _ended(
        self,
        function: str,
        joined: Sequence[str],
        forgets: Sequence[str] = (),
        *,
        settles: bool = False,
    ) -> None:
        """Write a call, and what goes on at joins that some branches did not reach.

        Args:
            function: what is called.
            joined: the joins.
            forgets: the steps at which an item of a stream leaves nothing.
            settles: further joins, from which no answer comes, have a function.
        """
        code = self._code
        call = code.landed(code.call(function))
        if not (joined or forgets or settles):
            code.line(BODY, f"return {call}")
            return
        code.line(BODY, f"answer = {call}")
        for name in joined:
            code.line(BODY, f"{code.it} = {self._names.join(name)}.last(parts)")
            code.line(BODY, f"if {code.it} is not NOTHING:")
            rest = self._functions.want("rest", name)
            if self._may_answer(name):
                call = code.landed(code.call(rest))
                code.line(BODY.inner(), f"answer = first_of(answer, {call})")
            else:
                code.beside(rest, f"{code.it}, parts", BODY.inner())
        if settles:
            settle = self._functions.want("settle", START)
            code.beside(settle, f"{code.it}, parts", BODY)
        if forgets:
            code.line(BODY, f"forget(parts, {tuple(forgets)!r})")
        code.line(BODY, "return answer")

    def _function(self, key: FunctionKey) -> None:
        kind, name, *more = key
        facts, flow = self._facts, self._flow
        self._code.text += ["", ""]
        self._code.define(self._functions.want(*key))
        after = self._functions.want("after", name) if kind in ("item", "later") else ""
        match kind:
            case "at":
                flow.handlers.scope(lambda at: flow.in_line(Following(name, at)), name)
            case "after":
                origin = more[0] if more else None
                flow.handlers.scope(lambda at: flow.onwards(name, at, origin), name)
            case "settle":
                self._settle()
            case "item":  # its joins and counts are of this item of the stream
                own = facts.per_item(name)
                self._ended(after, [one for one in facts.joined if one in own], own)
            case "later":  # an event of its own, whose joins end with it
                reached = facts.reached(name)
                self._ended(after, [one for one in facts.joined if one in reached])
            case "rest":
                flow.handlers.scope(lambda at: self._rest(name, at), name)
            case "end":
                flow.handlers.scope(lambda at: flow.streams.end(name, at), name)
            case _:
                self._arrival(name, tuple(more))

    def _arrival(self, merge: str, slots: tuple[str, ...]) -> None:
        """Write that a branch reaches a merge or a join: wait until all have."""
        # def at_c_a(body, parts):
        #     body = gathered(c_merge, 'c', ('a',), ('a', 'b'), body, parts)
        #     if body is NOTHING:
        #         return NOTHING
        #     return at_c(body, parts)
        step, code = self._facts.steps[merge], self._code
        names = self._names
        holder = names.join(merge) if step.join else names.holder(merge, "merge")
        gather = "gathered_event" if self._facts.takes_event else "gathered"
        if step.join_timeout_s is not None:
            gather = f"await {gather}_in_time"
        expected = step.after or (START,)
        args = f"{holder}, {merge!r}, {slots!r}, {expected!r}, {code.it}, parts"
        call = f"{code.it} = {gather}({args})"
        self._flow.handlers.guard(step, lambda at: code.line(at, call, merge), BODY)
        code.line(BODY, f"if {code.it} is NOTHING:")
        code.line(BODY.inner(), "return NOTHING")
        code.line(BODY, f"return {code.call(self._functions.want('at', merge))}")

    def _settle(self) -> None:
        """Write what goes on beside the answer at joins that miss a branch."""
        # body = c_join.last(parts)
        # if body is not NOTHING:
        #     beside(noted, rest_c, body, parts)
        # return NOTHING
        code = self._code
        for name in self._facts.joined:
            if not self._may_answer(name):
                code.line(BODY, f"{code.it} = {self._names.join(name)}.last(parts)")
                code.line(BODY, f"if {code.it} is not NOTHING:")
                rest = self._functions.want("rest", name)
                code.beside(rest, f"{code.it}, parts", BODY.inner())
        code.leave(BODY)

    def _rest(self, name: str, at: Position) -> None:
        """Write that a join goes on without the branches that did not come."""
        code, step = self._code, self._facts.steps[name]
        text = f"{code.it} = {self._names.join(name)}.rest(parts)"
        self._flow.handlers.guard(step, lambda here: code.line(here, text, name), at)
        code.line(at, f"return {code.call(self._functions.want('at', name))}")
