"""What steps are called in generated code."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping

from jupyter_graph.compile.runtime.prelude import HELPERS
from jupyter_graph.spec.model import StepSpec

TAKEN = frozenset(HELPERS) | {
    "body", "event", "items", "found", "whole", "parts", "answer", "error", "failed",
    "picked", "targets", "twin", "twins", "run", "begin", "len", "type",
    "BaseException", "__builtins__",
}  # fmt: skip
"""What generated code calls or assigns beside the steps: no step may be called so."""

GENERATED = ("at_", "after_", "back_", "item_", "rest_", "end_", "later_")
"""What the names of generated functions begin with."""


def identifiers(names: Mapping[str, StepSpec]) -> Iterator[str]:
    """Yield a readable, unique identifier for each step's name."""
    taken = set(TAKEN)
    for name in names:
        ident = re.sub(r"\W", "_", name)
        if keyword.iskeyword(ident) or not ident.isidentifier():
            ident = f"step_{ident}"
        if ident.startswith(GENERATED):
            ident = f"step_{ident}"
        while taken & _derived(ident):
            ident = f"{ident}_"
        taken |= _derived(ident)
        yield ident


def _derived(name: str) -> set[str]:
    ends = ("", "_select", "_merge", "_join", "_collect", "_outlets", "_part")
    return {f"{name}{end}" for end in ends}
