"""Whether a body, arguments and limits fit the code of a step."""

from __future__ import annotations

import inspect
from typing import Any, Literal

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.argument_values import function_argument
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.spec.python_syntax import steadily

Injected = Literal[
    "name",
    "context",
    "routes",
    "outlets",
    "input_path",
    "result_path",
    "full_event",
    "graph_step",
]
STOREY_OPTIONS = ("name", "context", "full_event", "input_path", "result_path")


def takes_a_body(step: StepSpec, parameters: Any, name: str) -> None:
    positional = [
        p
        for p in parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)
    ]
    if not positional:
        raise SpecError(
            f"step {step.name!r}: {name}() takes no argument; "
            "a step takes the body as its first"
        )
    needed = [
        p.name
        for p in parameters.values()
        if p.default is p.empty
        and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and p is not positional[0]
        and p.name != "context"
        and p.name not in step.class_args
    ]
    if needed:
        raise SpecError(
            f"step {step.name!r}: {name}() needs {', '.join(needed)} besides the body; "
            "give them defaults"
        )


def method_takes_a_body(step: StepSpec, code: type, method: str) -> None:
    static = inspect.getattr_static(code, method)
    signature = signature_of(getattr(code, method))
    if signature is None:
        return
    parameters = dict(signature.parameters)
    if not isinstance(static, staticmethod | classmethod) and parameters:
        parameters.pop(next(iter(parameters)))
    takes_a_body(step, parameters, f"{code.__name__}.{method}")


def arguments_fit(
    step: StepSpec, parameters: Any, *, skip: set[str], injected: tuple[Injected, ...]
) -> None:
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    named = {
        name: p
        for name, p in parameters.items()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and name not in skip
    }
    given = {function_argument(step, k, v) or k: v for k, v in step.class_args.items()}
    problems = []
    for name in given:
        if name not in named and not takes_any:
            known = ", ".join(named) or "none"
            problems.append(
                f"step {step.name!r}: {step.code_name!r} takes no argument {name!r}"
                f"{did_you_mean(str(name), named)} (it takes: {known})"
            )
    missing = [
        name
        for name, p in named.items()
        if p.default is p.empty and name not in given and name not in injected
    ]
    if missing and not skip:
        problems.append(
            f"step {step.name!r}: {step.code_name!r} needs the argument"
            f"{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}"
        )
    if problems:
        raise SpecError("\n".join(problems), problems)


def storey_arguments_fit(step: StepSpec, code: type) -> None:
    """Refuse arguments that storey's steps would pass on, and nobody would read."""
    known: dict[str, Any] = dict.fromkeys(STOREY_OPTIONS)
    for base in code.__mro__:
        signature = signature_of(vars(base).get("__init__"))
        parameters = list(signature.parameters.values())[1:] if signature else []
        known |= {
            p.name: p
            for p in parameters
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        }
    given = {function_argument(step, k, v) or k for k, v in step.class_args.items()}
    own = signature_of(code)
    needed = [
        name
        for name, p in (own.parameters if own else {}).items()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    problems = [
        f"step {step.name!r}: {step.code_name!r} takes no argument {name!r}"
        f"{did_you_mean(name, known)}"
        for name in given - set(known)
    ]
    problems += [
        f"step {step.name!r}: {step.code_name!r} needs the argument {name!r}"
        for name in needed
        if name not in given | {"name"}
    ]
    if problems:
        raise SpecError("\n".join(problems), problems)


def limits_fit(
    step: StepSpec, *, is_async: bool = False, is_stream: bool = False, what: str = ""
) -> None:
    """Refuse limits that would mean nothing where they stand."""
    asked = {
        "timeout_s": step.timeout_s is not None,
        "retries": step.retries > 0,
        "blocking": step.blocking,
        "processes": step.processes is not None,
        "concurrency": step.concurrency is not None,
        "batch": step.batch is not None,
        "vectorized": step.vectorized,
        "on_error": is_stream and step.on_error is not None,
    }
    problems = []
    if is_stream or what:
        problems = [
            f"step {step.name!r} is {what or 'a generator'}, which takes no {name}"
            for name, is_asked in asked.items()
            if is_asked
        ]
    elif is_async:
        problems = [
            f"step {step.name!r} is a coroutine, which takes no {name}; it is for "
            "plain functions that wait"
            for name in ("blocking", "processes")
            if asked[name]
        ]
    if step.blocking and step.processes:
        problems.append(
            f"step {step.name!r} must be blocking, which is a thread of this process, "
            "or have processes of its own, not both"
        )
    if problems:
        raise SpecError("\n".join(problems), problems)


def signature_of(code: Any) -> inspect.Signature | None:
    try:
        return steadily(lambda: inspect.signature(code))
    except (TypeError, ValueError):
        return None  # built in C: it says nothing about its arguments
