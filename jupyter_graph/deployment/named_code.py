"""Which functions and classes a graph names, and the modules that they import."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_graph.compile.typed_body import typed_body
from jupyter_graph.errors import is_ours
from jupyter_graph.spec.argument_values import function_argument
from jupyter_graph.spec.expressions import is_expression
from jupyter_graph.spec.model import DEFAULT_CLASSES, GraphSpec, StepSpec
from jupyter_graph.steps.block_packages import needs_of, needs_of_text
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
    places = named_code(spec, in_arguments=in_arguments)
    return tuple(dict.fromkeys(name for name, _ in places))


def named_code(
    spec: GraphSpec, *, in_arguments: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield each name of ``code_names`` as often as it is named, and where that is."""
    for step in spec.all_steps():
        own = [] if in_arguments else [step.class_name or step.handler]
        for name in (*own, *argument_names(step)):
            if name and not is_expression(name):
                yield name, f"step {step.name!r}"
    if "shared_models" in spec.carried:  # by the model runners of the graph
        for name in _named_by("ModelRunnerStep", spec.carried):
            yield name, "the graph"


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
        modules |= {"pydantic"} if _is_typed(step, namespace) else set()
    return modules


def _is_typed(step: StepSpec, namespace: Mapping[str, Any]) -> bool:
    code = namespace.get(str(step.code_name))
    function = getattr(code, "do", None) if inspect.isclass(code) else code
    return callable(function) and typed_body(function) is not None


def _blocks(step: StepSpec, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Yield the classes of ours that a step is made of: its own, its bases', models."""
    for name in (step.class_name, block_of(step), *argument_names(step)):
        own = namespace.get(str(name))
        if inspect.isclass(own):
            yield from (base.__name__ for base in own.__mro__ if is_ours(base))
        elif name in BLOCKS:
            yield BLOCKS[str(name)].partition(":")[2]
