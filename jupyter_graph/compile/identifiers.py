"""What steps are called in generated code."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping

from jupyter_graph.spec.model import StepSpec

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
        "items_of", "one_of", "several_async", "type", "items",
        "collecting", "collection", "gathered_in_time", "gathered_event_in_time",
        "bodies", "bodies_async", "placed", "placed_async", "whole",
        "forget", "is_collected", "is_stream", "collect", "collect_async", "collected",
        "until_collected", "until_collected_async",
    }
)  # fmt: skip
GENERATED = ("at_", "after_", "back_", "item_", "rest_", "end_", "later_")
"""What the names of generated functions begin with."""


def identifiers(names: Mapping[str, StepSpec]) -> Iterator[str]:
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
