"""How it goes on at several steps: fan-out, choice, merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from jupyter_graph.compile.generator.code_buffer import Position
from jupyter_graph.compile.generator.inlining import Inlining
from jupyter_graph.compile.generator.module_names import Writer
from jupyter_graph.compile.generator.step_writer import StepWriter
from jupyter_graph.spec.model import START

DEEPEST = 8  # Python nests at most 20 blocks; further in, a place is a function


class Following(NamedTuple):
    """The step that goes on at the same place of the text."""

    name: str
    at: Position


@dataclass(eq=False)
class BranchWriter(Writer):
    """Writes branches: as functions that are called, or one below the other.

    return branches((at_b, at_c), twins(body, 2))

    Attributes:
        steps: writes the steps of branches that are written out.
        inlining: finds branches that can be written out.
        in_line: writes a step and all that follows it.
    """

    steps: StepWriter
    inlining: Inlining
    in_line: Callable[[Following | None], None]

    # -- branches as functions --------------------------------------------------

    def call_all(self, places: str, count: int | str, name: str, at: Position) -> None:
        """Write that all places (a tuple, or a list with a name) get a body each."""
        helper = "together" if self.facts.is_async else "branches"
        args = f"{places}, twins({self.code.it}, {count}){self.code.more}"
        if self.facts.has_beside:  # a branch that fails beside the answer is noted
            helper, args = f"{helper}_beside", f"noted, leads, {args}"
            self.functions.needs_leading = True
        self.code.finish(helper, args, at, name if name != START else "")

    def pick(self, name: str, at: Position, picked: str = "") -> None:
        """Write that a choice picks its places from its table.

        Args:
            name: the choice.
            at: where.
            picked: holds what it picked; "" = it has not been asked yet.
        """
        # targets = chosen(pick_select(body), pick_outlets, 'pick')
        ident = self.functions.outlets(name)
        picked = picked or self._picked(name, ident)
        call = f"chosen({picked}, {ident}_outlets, {name!r})"
        self.code.line(at, f"targets = {call}", name)

    def _picked(self, name: str, ident: str) -> str:
        """Return the call that asks a choice, about the body or storey's event."""
        is_full = self.facts.steps[name].full_event and self.facts.codes[name].is_storey
        return f"{ident}_select({self.code.it if is_full else self.code.value})"

    # -- branches written out ---------------------------------------------------

    def is_written_choice(self, name: str, at: Position) -> bool:
        """Tell whether a choice becomes ``if`` and ``elif``."""
        return at.depth < DEEPEST and self.inlining.is_choice(name)

    def choice(self, name: str, at: Position) -> Following | None:
        """Write a choice out: one outlet is an ``if``, all else goes by the table."""
        # picked = pick_select(body)
        # if type(picked) is list and len(picked) == 1:
        #     picked = picked[0]
        # if picked == 'left':
        #     body = left(body)
        #     return body
        # elif picked == 'right':
        #     ...
        # else:
        #     targets = chosen(picked, pick_outlets, 'pick')
        #     return branches(targets, twins(body, len(targets)))
        line = self.code.line
        ident = self.functions.outlets(name)
        rejoined = self.inlining.where_it_rejoins(name)
        picked = self._picked(name, ident)
        field = self.inlining.field_of(name)
        if field is None:
            line(at, f"picked = {picked}", name)
            line(at, "if type(picked) is list and len(picked) == 1:")
            line(at.inner(), "picked = picked[0]")
        else:  # our ChoiceByField need not be called for one outlet
            value = self.code.value
            got = f"{value}.get({field!r}) if type({value}) is dict else None"
            line(at, f"picked = {got}", name)
        word = "if"
        for target in self.facts.next[name]:
            line(at, f"{word} picked == {target!r}:", name)
            if rejoined is not None:
                self.steps.write(target, at.inner())
            else:
                self.in_line(Following(target, at.inner()))
            word = "elif"
        line(at, "else:")
        self.pick(name, at.inner(), picked="picked" if field is None else picked)
        self.call_all("targets", "len(targets)", name, at.inner())
        return None if rejoined is None else Following(rejoined, at)

    def merged(
        self, name: str, at: Position
    ) -> tuple[str, dict[str, list[str]]] | None:
        """Return merge and chains of a fan-out that can be written out here."""
        facts = self.facts
        # The graph's error handler answers for each branch, with what that step got.
        if facts.takes_event or facts.graph.on_error or at.depth >= DEEPEST:
            return None
        if at.answered:
            return None
        merged = self.inlining.where_it_merges(name)
        if merged is None:
            return None
        steps = [step for chain in merged[1].values() for step in chain]
        is_more = any(
            facts.codes[step].is_awaited or step in facts.counted for step in steps
        )
        return None if is_more else merged

    def fan_out(self, merge: str, chains: dict[str, list[str]], at: Position) -> None:
        """Write branches one below the other; all run, then the first failure."""
        # b_part = body
        # c_part = twin(body)
        # failed = None
        # try:
        #     b_part = b(b_part)
        # except BaseException as error:
        #     failed = first_failure(failed, error)
        # ...
        # if failed is not None:
        #     raise failed
        # body = [b_part, c_part]
        line, idents = self.code.line, self.names.idents
        parts = {last: f"{idents[chain[0]]}_part" for last, chain in chains.items()}
        first, *others = parts.values()
        line(at, f"{first} = body")
        for part in others:
            line(at, f"{part} = twin(body)")
        line(at, "failed = None")
        for last, chain in chains.items():
            line(at, "try:")
            for name in chain:
                self.steps.write(name, at.inner(), variable=parts[last])
            line(at, "except BaseException as error:")
            line(at.inner(), "failed = first_failure(failed, error)")
        line(at, "if failed is not None:")
        line(at.inner(), "raise failed")
        in_order = ", ".join(parts[last] for last in self.facts.steps[merge].after)
        line(at, f"body = [{in_order}]")
