"""From the name in a spec to the code that runs; nothing is evaluated.

A name in a document stands for what the namespace itself defines, for one of our
blocks, or for what an allowed module defines: never for an attribute of whatever
happens to be imported.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jupyter_graph.compile.storey_code import storey_class
from jupyter_graph.connectors.queues.memory_stream import QueueEnd
from jupyter_graph.errors import SpecError, UnknownStepError, did_you_mean
from jupyter_graph.spec.argument_values import function_argument, named_value
from jupyter_graph.spec.expressions import compile_expression, is_expression
from jupyter_graph.spec.model import DEFAULT_CLASSES, GraphSpec, StepSpec
from jupyter_graph.spec.topology import followers
from jupyter_graph.steps.block_table import BLOCKS, load_block

SHARED = ("shared_models", "shared_models_mechanism")


def pass_on(body: Any) -> Any:
    """Stand for a queue inside one process: what comes goes on."""
    return body


@dataclass(frozen=True)
class Resolver:
    """Finds the code of steps.

    Attributes:
        namespace: names to objects.
        allow_imports: modules that dotted names may be taken from.
        is_trusted: the names were written by whoever filled the namespace, so that
            what was imported into it counts too.
    """

    namespace: Mapping[str, Any] = field(default_factory=dict)
    allow_imports: tuple[str, ...] = ()
    is_trusted: bool = False

    def code_of(self, step: StepSpec) -> Any:
        """Return the function or class of a step.

        Raises:
            UnknownStepError: its name stands for nothing here.
        """
        name = step.class_name or step.handler or DEFAULT_CLASSES.get(step.kind)
        where = f"step {step.name!r}"
        if step.class_name and is_expression(step.class_name):
            raise UnknownStepError(
                f"{where}: an expression is no class; put it into 'handler'"
            )
        return self.named(str(name), where)

    def named(self, name: str, where: str) -> Any:
        """Return the function or class that a name stands for.

        Raises:
            UnknownStepError: it stands for nothing here; ``where`` begins the text.
        """
        if is_expression(name):
            try:
                return compile_expression(name)
            except SpecError as error:
                raise UnknownStepError(f"{where}: {error}") from None
        if self._is_own(name):
            return self._own(name, where)
        if name in BLOCKS:
            return load_block(name)
        if name.startswith("storey."):
            return storey_class(name, where)
        module, _, attribute = name.rpartition(".")
        if module and self._is_allowed(module):
            return _imported(module, attribute, where)
        raise UnknownStepError(self._unknown(name, where))

    def arguments(self, step: StepSpec, graph: GraphSpec) -> dict[str, Any]:
        """Return a step's constructor arguments, notebook variables filled in.

        A model runner also gets the models that its graph shares.
        """
        shared = SHARED if step.kind == "model_runner" else ()
        arguments = {key: graph.carried[key] for key in shared if key in graph.carried}
        for key, value in step.class_args.items():
            where = f"step {step.name!r}: argument {key!r}"
            if (name := named_value(value)) is not None:
                arguments[key] = self._variable(name, where)
            elif (plain := function_argument(step, key, value)) is not None:
                arguments[plain] = self.named(value, where)
            else:
                arguments[key] = value
        arguments |= step.runner
        # A block of ours may name further functions inside its arguments.
        fill_in = getattr(self._block(step), "resolve_arguments", None)
        if fill_in is None:
            return arguments
        return dict(fill_in(arguments, lambda n: self.named(n, f"step {step.name!r}")))

    def _block(self, step: StepSpec) -> Any:
        """Return the block of ours that a step is, None for other code."""
        name = step.class_name or DEFAULT_CLASSES.get(step.kind) or ""
        is_ours = name in BLOCKS and not self._is_own(name)
        return load_block(name) if is_ours else None

    def _is_own(self, name: str) -> bool:
        """Tell whether a name is the notebook's; a package is not meant as a step."""
        if name in BLOCKS and inspect.ismodule(self.namespace.get(name)):
            return False
        return name in self.namespace

    def _variable(self, name: str, where: str) -> Any:
        """Return a variable; a document may not reach imported code through it."""
        if name not in self.namespace:
            raise UnknownStepError(
                f"{where} is the variable {name!r}, which is not defined"
                f"{did_you_mean(name, self.namespace)}"
            )
        value = self.namespace[name]
        if not self.is_trusted and name.startswith("__"):
            raise UnknownStepError(f"{where}: {name!r} is Python's own, no variable")
        if not self.is_trusted and _is_code(value):
            self._own(name, where)
        return value

    def _own(self, name: str, where: str) -> Any:
        code = self.namespace[name]
        if self.is_trusted or _is_block(name, code):
            return code
        home = getattr(code, "__module__", None)
        here = {"__main__", self.namespace.get("__name__", "__main__")}
        if not (inspect.isfunction(code) or inspect.isclass(code)):
            raise UnknownStepError(
                f"{where}: {name!r} is a {type(code).__name__} here; a function or "
                "class that this notebook defines is needed"
            )
        if home in here or self._is_allowed(str(home)):
            return code
        raise UnknownStepError(
            f"{where}: {name!r} comes from module {home!r}, which a graph document "
            f"may not use; allow it with allow_imports=({home!r},)"
        )

    def _is_allowed(self, module: str) -> bool:
        return any(
            module == allowed or module.startswith(f"{allowed}.")
            for allowed in self.allow_imports
        )

    def _unknown(self, name: str, where: str) -> str:
        from jupyter_graph.steps.unavailable_mlrun import advice_for

        if advice := advice_for(name):
            return f"{where}: {name!r} is not to be had here: {advice}"
        own = [
            known
            for known, value in self.namespace.items()
            if (inspect.isfunction(value) or inspect.isclass(value))
            and not known.startswith("_")
        ]
        hint = did_you_mean(name, [*own, *BLOCKS])
        if not hint and "." in name:
            module = name.rpartition(".")[0]
            hint = f"; modules are allowed by name: allow_imports=({module!r},)"
        return (
            f"{where}: {name!r} is no function or class of this notebook "
            f"and no block{hint}"
        )


class Resolved(NamedTuple):
    """What the names in a graph stand for.

    Attributes:
        codes: each step's function or class by its name; flows have none.
        arguments: each step's constructor arguments.
        unknown: the problems of names that stand for nothing.
    """

    codes: dict[str, Any]
    arguments: dict[str, dict[str, Any]]
    unknown: list[str]


def resolve(graph: GraphSpec, resolver: Resolver) -> Resolved:
    """Return the code and the arguments of all steps of a graph."""
    codes, arguments, unknown = resolved = Resolved({}, {}, [])
    after = followers(graph)
    for step in graph.every_step():
        try:
            arguments[step.name] = resolver.arguments(step, graph)
            if step.kind == "queue":
                is_end = not after.get(step.name)
                codes[step.name] = QueueEnd if is_end else pass_on
                arguments[step.name] |= {"path": step.path} if is_end else {}
            elif step.kind != "flow":
                codes[step.name] = resolver.code_of(step)
        except SpecError as error:
            unknown += error.problems
    return resolved


def _is_block(name: str, code: Any) -> bool:
    """Tell whether a notebook's name is one of our blocks, imported under its name."""
    if name not in BLOCKS or not inspect.isclass(code):
        return False
    return f"{code.__module__}:{code.__name__}" == BLOCKS[name]


def _is_code(value: Any) -> bool:
    is_routine = inspect.isroutine(value) or isinstance(value, functools.partial)
    return is_routine or inspect.isclass(value) or inspect.ismodule(value)


def _imported(module: str, attribute: str, where: str) -> Any:
    from importlib import import_module

    try:
        code = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownStepError(
            f"{where}: cannot import {module}.{attribute}: {error}"
        ) from error
    home = getattr(code, "__module__", None)
    if str(home or "").partition(".")[0] != module.partition(".")[0]:
        raise UnknownStepError(
            f"{where}: {module}.{attribute} is not defined in {module!r} but in "
            f"{home!r}"
        )
    return code
