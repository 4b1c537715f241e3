"""Which steps of a graph change something outside, or ask others who do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.steps.block_table import BLOCKS, load_block

_ASKING: Final = ("jupyter_graph.steps.remote.", "jupyter_graph.steps.llm.")
"""Where the blocks are that ask others; further ones are not imported for this."""


def effect_steps(spec: GraphSpec, namespace: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the steps that are not called while answers are compared.

    Args:
        spec: the graph.
        namespace: what the names of its own classes stand for.
    """
    return frozenset(
        step.name
        for step in spec.all_steps()
        if step.side_effects or _asks_others(step, namespace)
    )


def takes_event(step: StepSpec, namespace: Mapping[str, Any]) -> bool:
    """Tell whether such a step takes and gives the event rather than its body."""
    by_class = step.handler in (None, "do_event")
    has_own = by_class and hasattr(_class_of(step, namespace), "do_event")
    return bool(step.full_event) or has_own


def _asks_others(step: StepSpec, namespace: Mapping[str, Any]) -> bool:
    return bool(getattr(_class_of(step, namespace), "asks_others", False))


def _class_of(step: StepSpec, namespace: Mapping[str, Any]) -> Any:
    name = str(step.class_name)
    own = namespace.get(name)
    if own is None and BLOCKS.get(name, "").startswith(_ASKING):
        own = load_block(name)
    return own
