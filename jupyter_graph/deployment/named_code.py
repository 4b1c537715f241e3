"""Which functions and classes a graph names, wherever it names them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from jupyter_graph.spec.argument_values import function_argument
from jupyter_graph.spec.expressions import is_expression
from jupyter_graph.spec.model import DEFAULT_CLASSES, GraphSpec, StepSpec
from jupyter_graph.steps.block_table import BLOCKS, load_block


def code_names(spec: GraphSpec, *, in_arguments: bool = False) -> tuple[str, ...]:
    """Return every name of code in a graph, also of nested flows, routes and models.

    Expressions are no names.

    Args:
        spec: the graph.
        in_arguments: only those that arguments name: ``_fn=double``, or the classes
            of a model runner's models.

    >>> step = StepSpec(name="m", class_name="Map", class_args={"_fn": "double"})
    >>> code_names(GraphSpec(steps=(step,)))
    ('Map', 'double')
    """
    names: list[str] = []
    for step in spec.all_steps():
        own = step.class_name or step.handler
        if own and not in_arguments:
            names.append(own)
        names += argument_names(step)
    names += shared_names(spec)
    return tuple(dict.fromkeys(name for name in names if not is_expression(name)))


def shared_names(spec: GraphSpec) -> list[str]:
    """Return the classes of the models that the model runners of a graph share."""
    has_some = "shared_models" in spec.carried
    return _named_by("ModelRunnerStep", spec.carried) if has_some else []


def argument_names(step: StepSpec) -> Iterator[str]:
    """Yield the names of code that the arguments of a step hold."""
    for key, value in step.class_args.items():
        if function_argument(step, key, value) is not None:
            yield value
    yield from _named_by(block_of(step), step.class_args)


def is_block(name: str) -> bool:
    """Return whether a name stands for a pre-defined block."""
    return name in BLOCKS


def is_code(value: object) -> bool:
    """Return whether an object is a function or a class."""
    return inspect.isroutine(value) or inspect.isclass(value)


def block_of(step: StepSpec) -> str | None:
    """Return the name of the pre-defined block that a step is, None for other code."""
    name = step.class_name or DEFAULT_CLASSES.get(step.kind)
    return name if name in BLOCKS else None


def _named_by(block: str | None, arguments: object) -> list[str]:
    """Ask a block which names it would look up in these arguments."""
    fill_in = getattr(load_block(block), "resolve_arguments", None) if block else None
    names: list[str] = []
    if fill_in is not None:
        # Nothing is looked up: what the block would look up is noted instead.
        fill_in(arguments, names.append)
    return names
