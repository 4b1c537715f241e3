"""What steps are called in generated code."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping

from jupyter_graph.compile.runtime import prelude
from jupyter_graph.spec.model import StepSpec

HELPERS = frozenset(prelude.__all__) | {
    "body", "event", "items", "found", "whole", "parts", "answer", "error", "failed",
    "picked", "targets", "twin", "twins", "run", "begin", "len", "type",
    "BaseException", "__builtins__",
}  # fmt: skip
"""What generated code calls or assigns beside the steps: no step may be called so."""

GENERATED = ("at_", "after_", "back_", "item_", "rest_", "end_", "later_")
"""What the names of generated functions begin with."""


def identifiers(names: Mapping[str, StepSpec]) -> Iterator[str]:
    """Yield a readable, unique identifier for each step's name."""
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
