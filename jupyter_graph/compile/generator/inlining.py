"""Shapes of a graph that are written out in one function: no call, no table."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_graph.compile.generator.graph_facts import GraphFacts
from jupyter_graph.steps.choice import ChoiceByField
from jupyter_graph.steps.merge import Merge

MOST_OUTLETS = 16
"""A choice among more is a table: reading through so many names takes longer."""


@dataclass(eq=False)
class Inlining:
    """Finds the shapes that need no call and no table.

    Attributes:
        facts: the graph.
    """

    facts: GraphFacts

    def is_inline(self, target: str) -> bool:
        """Tell whether a step is written where the one before it stands."""
        return len(self.facts.upstream[target]) == 1 and not self.facts.waits(target)

    def is_choice(self, name: str) -> bool:
        """Tell whether a choice can be written as ``if`` and ``elif``."""
        targets = self.facts.next[name]
        return len(targets) <= MOST_OUTLETS and all(
            self.is_inline(target) and (name, target) not in self.facts.back
            for target in targets
        )

    def field_of(self, name: str) -> str | None:
        """Return the field that names the outlet of a choice by field, if it is one."""
        field = self.facts.steps[name].class_args.get("field_name")
        is_by_field = self.facts.codes[name].code is ChoiceByField
        return field if is_by_field and isinstance(field, str) else None

    def where_it_rejoins(self, name: str) -> str | None:
        """Return the step at which all outlets of a choice go on, one step later."""
        targets = self.facts.next[name]
        following = {self.facts.next[target] for target in targets}
        if len(following) != 1:
            return None
        [goes_on] = following
        is_one = len(goes_on) == 1 and all(map(self._is_a_call, targets))
        if not is_one or self.facts.waits(goes_on[0]):
            return None
        is_only = set(self.facts.upstream[goes_on[0]]) == set(targets)
        no_way_back = all(
            (target, goes_on[0]) not in self.facts.back for target in targets
        )
        return goes_on[0] if is_only and no_way_back else None

    def where_it_merges(self, name: str) -> tuple[str, dict[str, list[str]]] | None:
        """Return the plain merge of a fan-out, and the chain of steps of each branch.

        The chains stand by the name of their last step.
        """
        chains: dict[str, list[str]] = {}
        merges = set()
        for target in self.facts.next[name]:
            chain = self._chain(target)
            if chain is None:
                return None
            chains[chain[-1]] = chain
            merges.add(self.facts.next[chain[-1]][0])
        if len(merges) != 1:
            return None
        [merge] = merges
        is_whole = set(self.facts.steps[merge].after) == set(chains)
        return (merge, chains) if is_whole and self._merges_all(merge) else None

    def _chain(self, first: str) -> list[str] | None:
        chain = [first]
        while True:
            name = chain[-1]
            following = self.facts.next[name]
            is_line = self._is_a_call(name) and len(following) == 1
            is_own = len(self.facts.upstream[name]) == 1
            if not (is_line and is_own) or (name, *following) in self.facts.back:
                return None
            if self.facts.codes[following[0]].merges:
                return chain
            chain.append(following[0])

    def _is_a_call(self, name: str) -> bool:
        """Tell whether a step is one line: a body in, a body out, nothing else."""
        step, code = self.facts.steps[name], self.facts.codes[name]
        is_more = (
            code.selects, code.is_stream, code.merges, code.collects, code.keeps,
            code.may_drop, code.is_storey, step.on_error, step.join,
            name == self.facts.responder, code.is_class and not code.method,
        )  # fmt: skip
        return not any(is_more)

    def _merges_all(self, name: str) -> bool:
        """Tell whether a merge is ours as it is: the list of all bodies."""
        step = self.facts.steps[name]
        is_plain = self.facts.codes[name].code is Merge and not step.on_error
        return is_plain and not set(step.class_args) - {"max_behind"}
