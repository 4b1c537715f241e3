"""Which packages the steps of a graph import, as far as their blocks say it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_graph.deployment.named_code import argument_names, block_of
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.steps.block_packages import needs_of, needs_of_text
from jupyter_graph.steps.block_table import BLOCKS

OURS = "jupyter_graph."


def modules_of_steps(spec: GraphSpec, namespace: Mapping[str, Any]) -> set[str]:
    """Return the modules that the steps of a graph import when they run.

    Args:
        spec: the graph; flows inside it, routes and models count too.
        namespace: what the names of its own classes stand for.
    """
    modules: set[str] = set()
    for step in spec.all_steps():
        modules.update(needs_of_text(step.handler))
        for text in (step.class_name, *argument_names(step)):
            modules.update(needs_of_text(text))
        for block in _blocks(step, namespace):
            modules.update(needs_of(block, step.class_args))
        if step.vectorized:
            modules.add("pandas")
    return modules


def _blocks(step: StepSpec, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Yield the classes of ours that a step is made of: its own, its bases', models."""
    for name in (step.class_name, block_of(step), *argument_names(step)):
        own = namespace.get(str(name))
        if inspect.isclass(own):
            bases = [base for base in own.__mro__ if base.__module__.startswith(OURS)]
            yield from (base.__name__ for base in bases)
        elif name in BLOCKS:
            yield BLOCKS[str(name)].partition(":")[2]
