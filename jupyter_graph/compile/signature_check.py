"""Whether a body, arguments and limits fit the code of a step."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from jupyter_graph.compile.call_kind import PLAIN, CallKind
from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.argument_values import function_argument
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.spec.python_syntax import steadily

FromMLRun: TypeAlias = Literal["input_path", "result_path", "full_event", "graph_step"]
"""What MLRun passes too, to constructors that name it or take any keyword."""

Injected: TypeAlias = Literal["name", "context", "routes", "outlets", FromMLRun]
"""What a constructor, or a function, may ask to be given."""

Parameters: TypeAlias = Mapping[str, inspect.Parameter]

OF_STOREYS_STEPS: Final = ("name", "context", "full_event", "input_path", "result_path")
VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def signature_of(code: Any) -> inspect.Signature | None:
    """Return a signature, None for code built in C that has none."""
    try:
        return steadily(lambda: inspect.signature(code))
    except (TypeError, ValueError):
        return None


# -- the body -------------------------------------------------------------------


def takes_a_body(step: StepSpec, parameters: Parameters, name: str) -> None:
    """Raise a SpecError unless a call with one argument, the body, is enough."""
    positional = [
        p for p in parameters.values() if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)
    ]
    if not positional:
        raise SpecError(
            f"step {step.name!r}: {name}() takes no argument; "
            "a step takes the body as its first"
        )
    given = {positional[0].name, "context", *step.class_args}
    needed = [name for name in _needed(parameters) if name not in given]
    if needed:
        raise SpecError(
            f"step {step.name!r}: {name}() needs {', '.join(needed)} besides the body; "
            "give them defaults"
        )


def method_takes_a_body(step: StepSpec, code: type, method: str) -> None:
    """``takes_a_body`` for a method of a class, called on an instance."""
    signature = signature_of(getattr(code, method))
    if signature is None:
        return
    parameters = dict(signature.parameters)
    static = inspect.getattr_static(code, method)
    if not isinstance(static, staticmethod | classmethod) and parameters:
        first = next(iter(parameters.values()))  # self, if it is no ``*args``
        if first.kind is not first.VAR_POSITIONAL:
            parameters.pop(first.name)
    takes_a_body(step, parameters, f"{code.__name__}.{method}")


# -- arguments ------------------------------------------------------------------


def arguments_fit(
    step: StepSpec,
    parameters: Parameters,
    *,
    skip: set[str],
    injected: tuple[Injected, ...],
) -> None:
    """Raise a SpecError for arguments that are unknown, or not given.

    Args:
        step: its ``class_args`` are the arguments.
        parameters: what its function or constructor takes.
        skip: the parameter that is the body; the others of a function have defaults.
        injected: what is given to it besides.
    """
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    named = [
        name
        for name, p in parameters.items()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and name not in skip
    ]
    given = _given(step)
    problems = [
        f"step {step.name!r}: {step.code_name!r} takes no argument {name!r}"
        f"{did_you_mean(str(name), named)} (it takes: {', '.join(named) or 'none'})"
        for name in given
        if name not in named and not takes_any
    ]
    needed = {*_needed(parameters)}.difference(given, injected)
    missing = [repr(name) for name in named if name in needed]
    if missing and not skip:
        problems.append(
            f"step {step.name!r}: {step.code_name!r} needs the argument"
            f"{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        )
    _refuse(problems)


def storey_arguments_fit(step: StepSpec, code: type) -> None:
    """Refuse arguments that storey's steps would ignore."""
    known = [*OF_STOREYS_STEPS]
    for base in code.__mro__:
        signature = signature_of(vars(base).get("__init__"))
        parameters = list(signature.parameters.values())[1:] if signature else []
        known += [p.name for p in parameters if p.kind not in VARIADIC]
    given = _given(step)
    own = signature_of(code)
    problems = [
        f"step {step.name!r}: {step.code_name!r} takes no argument {name!r}"
        f"{did_you_mean(name, known)}"
        for name in {*given} - {*known}
    ]
    problems += [
        f"step {step.name!r}: {step.code_name!r} needs the argument {name!r}"
        for name in _needed(own.parameters if own else {})
        if name not in (*given, "name")
    ]
    _refuse(problems)


def _given(step: StepSpec) -> list[str]:
    """Return the names of a step's arguments, as the code knows them."""
    return [function_argument(step, k, v) or k for k, v in step.class_args.items()]


def _needed(parameters: Parameters) -> list[str]:
    """Return the parameters that have no default."""
    return [
        name
        for name, p in parameters.items()
        if p.default is p.empty and p.kind not in VARIADIC
    ]


# -- limits ---------------------------------------------------------------------


def limits_fit(step: StepSpec, kind: CallKind = PLAIN, *, what: str = "") -> None:
    """Refuse limits that would mean nothing where they stand.

    Args:
        step: its limits.
        kind: what kind of call it is.
        what: names steps that take no limit at all.
    """
    asked = {
        "timeout_s": step.timeout_s is not None,
        "retries": step.retries > 0,
        "blocking": step.blocking,
        "processes": step.processes is not None,
        "concurrency": step.concurrency is not None,
        "batch": step.batch is not None,
        "vectorized": step.vectorized,
        "on_error": kind.is_stream and step.on_error is not None,
    }
    names = [name for name, is_asked in asked.items() if is_asked]
    problems = []
    if kind.is_stream or what:
        problems = [
            f"step {step.name!r} is {what or 'a generator'}, which takes no {name}"
            for name in names
        ]
    elif kind.is_async:
        problems = [
            f"step {step.name!r} is a coroutine, which takes no {name}; it is for "
            "plain functions that wait"
            for name in names
            if name in ("blocking", "processes")
        ]
    if step.blocking and step.processes:
        problems.append(
            f"step {step.name!r} must be blocking, which is a thread of this process, "
            "or have processes of its own, not both"
        )
    _refuse(problems)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise SpecError("\n".join(problems), problems)
