"""Shapes of a graph that are written out in one function: no call, no table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.steps.choice import ChoiceByField
from jupyter_graph.steps.merge import Merge

MOST_OUTLETS = 16
"""A choice among more is a table: reading through so many names takes longer."""


@dataclass(frozen=True)
class Shapes:
    """Finds them.

    Attributes:
        steps: the steps by name.
        codes: the code of each.
        after: what comes after each step.
        before: what comes before it.
        responder: the step that answers.
        back: edges that lead back.
    """

    steps: Mapping[str, StepSpec]
    codes: Mapping[str, StepCode]
    after: Mapping[str, tuple[str, ...]]
    before: Mapping[str, Sequence[str]]
    responder: str | None
    back: frozenset[tuple[str, str]]

    def is_choice(self, name: str) -> bool:
        """Tell whether a choice can be written as ``if`` and ``elif``."""
        targets = self.after[name]
        return len(targets) <= MOST_OUTLETS and all(
            len(self.before[target]) == 1
            and not self.waits(target)
            and (name, target) not in self.back
            for target in targets
        )

    def field_of(self, name: str) -> str | None:
        """Return the field that names the outlet of a choice by field, if it is one."""
        field = self.steps[name].class_args.get("field_name")
        is_plain = self.codes[name].code is ChoiceByField and isinstance(field, str)
        return field if is_plain else None

    def where_it_rejoins(self, name: str) -> str | None:
        """Return the step at which all outlets of a choice go on, one step later."""
        targets = self.after[name]
        following = {self.after[target] for target in targets}
        if len(following) != 1:
            return None
        [goes_on] = following
        is_one = len(goes_on) == 1 and all(map(self._is_a_call, targets))
        if not is_one or self.waits(goes_on[0]):
            return None
        is_only = set(self.before[goes_on[0]]) == set(targets)
        no_way_back = all((target, goes_on[0]) not in self.back for target in targets)
        return goes_on[0] if is_only and no_way_back else None

    def where_it_merges(self, name: str) -> tuple[str, dict[str, list[str]]] | None:
        """Return the plain merge of a fan-out, and the chain of steps of each branch.

        The chains stand by the name of their last step.
        """
        chains: dict[str, list[str]] = {}
        merges = set()
        for target in self.after[name]:
            chain = self._chain(target)
            if chain is None:
                return None
            chains[chain[-1]] = chain
            merges.add(self.after[chain[-1]][0])
        if len(merges) != 1:
            return None
        [merge] = merges
        is_whole = set(self.steps[merge].after) == set(chains)
        return (merge, chains) if is_whole and self._merges_all(merge) else None

    def _chain(self, first: str) -> list[str] | None:
        chain = [first]
        while True:
            name = chain[-1]
            following = self.after[name]
            is_line = self._is_a_call(name) and len(following) == 1
            is_own = len(self.before[name]) == 1
            if not (is_line and is_own) or (name, *following) in self.back:
                return None
            if self.codes[following[0]].merges:
                return chain
            chain.append(following[0])

    def _is_a_call(self, name: str) -> bool:
        """Tell whether a step is one line: a body in, a body out, nothing else."""
        step, code = self.steps[name], self.codes[name]
        is_more = (
            code.selects, code.is_stream, code.merges, code.collects, code.keeps,
            code.may_drop, code.is_storey, step.on_error, step.join,
            name == self.responder, code.is_class and not code.method,
        )  # fmt: skip
        return not any(is_more)

    def waits(self, name: str) -> bool:
        """Tell whether a step waits for its branches."""
        return self.codes[name].merges or self.steps[name].join is not None

    def _merges_all(self, name: str) -> bool:
        """Tell whether a merge is ours as it is: the list of all bodies."""
        step = self.steps[name]
        is_plain = self.codes[name].code is Merge and not step.on_error
        return is_plain and not set(step.class_args) - {"max_behind"}
