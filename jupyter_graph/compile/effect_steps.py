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


def _asks_others(step: StepSpec, namespace: Mapping[str, Any]) -> bool:
    name = str(step.class_name)
    own = namespace.get(name)
    if own is None and BLOCKS.get(name, "").startswith(_ASKING):
        own = load_block(name)
    return bool(getattr(own, "asks_others", False))
