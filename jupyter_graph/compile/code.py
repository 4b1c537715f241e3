"""What kind of code a step has: how it is built and how it is called."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.spec.values import function_argument

Injected = Literal["name", "context", "routes"]
STOREY_OPTIONS = ("name", "context", "full_event", "input_path", "result_path")
INJECTED: tuple[Injected, ...] = ("name", "context", "routes")


@dataclass(frozen=True, slots=True)
class StepCode:
    """A step's code, looked at but not built.

    Attributes:
        step: the step's description.
        code: its function or class.
        method: the method of the class to call; "" = the body passes unchanged.
        takes_event: it is called with the event, not with the body.
        is_async: it must be awaited.
        is_stream: it gives its results one by one.
        selects: it picks its followers with ``select_outlets``.
        merges: it waits for all branches of an event.
        is_stateful: it is a step of storey's and runs in a storey flow.
        on_loop: the graph it belongs to is asynchronous.
        wants: what its constructor, or the function itself, asks to be given.
    """

    step: StepSpec
    code: Callable[..., Any]
    method: str | None = None
    takes_event: bool = False
    is_async: bool = False
    is_stream: bool = False
    selects: bool = False
    merges: bool = False
    is_stateful: bool = False
    on_loop: bool = False
    wants: tuple[Injected, ...] = ()

    @property
    def is_class(self) -> bool:
        return inspect.isclass(self.code)

    @property
    def in_thread(self) -> bool:
        """Whether it runs in a thread pool, so that the loop goes on meanwhile."""
        is_sync = not (self.is_async or self.is_stream or self.is_stateful)
        has_limit = self.step.blocking or self.step.timeout_s is not None
        return self.on_loop and is_sync and has_limit

    @property
    def is_awaited(self) -> bool:
        """Whether what is called gives a coroutine."""
        pauses = self.on_loop and self.step.retries > 0
        return (self.is_async or self.in_thread or pauses) and not self.is_stream


def look_at(step: StepSpec, code: Any) -> StepCode:
    """Describe the code of a step.

    Raises:
        SpecError: it cannot be called with a body, has no such method, or its
            constructor does not take the step's arguments.
    """
    if inspect.isclass(code):
        return _look_at_class(step, code)
    if not callable(code):
        raise SpecError(
            f"step {step.name!r}: {step.code_name!r} is {_a(code)}; "
            "a function or a class is needed"
        )
    return _look_at_function(step, code)


def _look_at_function(step: StepSpec, code: Callable[..., Any]) -> StepCode:
    wants: tuple[Injected, ...] = ()
    signature = _signature(code)
    if signature is not None:
        parameters = signature.parameters
        _takes_a_body(step, parameters, step.code_name)
        first = next(iter(parameters.values()))
        if "context" in parameters and first.name != "context":
            wants = ("context",)
        _arguments_fit(step, parameters, skip={first.name}, injected=wants)
    is_async, is_stream = _nature(code)
    _limits_fit(step, is_async=is_async, is_stream=is_stream)
    return StepCode(
        step=step,
        code=code,
        takes_event=step.full_event,
        is_async=is_async,
        is_stream=is_stream,
        wants=wants,
    )


def _is_storey_step(code: type) -> bool:
    storey = sys.modules.get("storey")  # a class of storey's means it is imported
    return storey is not None and issubclass(code, storey.Flow)


def _look_at_class(step: StepSpec, code: type) -> StepCode:
    if _is_storey_step(code):
        _limits_fit(step, what="a storey step")
        _storey_arguments_fit(step, code)
        return StepCode(step=step, code=code, is_stateful=True)
    selects = callable(getattr(code, "select_outlets", None))
    merges = bool(getattr(code, "waits_for_branches", False))
    method = _method(step, code, optional=selects or merges)
    wants: tuple[Injected, ...] = ()
    signature = _signature(code)
    if signature is not None:
        open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        wants = tuple(
            name
            for name in INJECTED
            if name not in step.class_args
            and (name in signature.parameters or (open_ended and name != "routes"))
        )
        _arguments_fit(step, signature.parameters, skip=set(), injected=wants)
    call = getattr(code, method) if method else None
    if call is not None:
        _method_takes_a_body(step, code, method)
    is_async, is_stream = _nature(call) if call else (False, False)
    what = "" if method else "a step that is not called"
    _limits_fit(step, is_async=is_async, is_stream=is_stream, what=what)
    if selects and _nature(code.select_outlets) != (False, False):  # type: ignore[attr-defined]
        raise SpecError(
            f"step {step.name!r}: {code.__name__}.select_outlets must be a plain "
            "function, neither a coroutine nor a generator"
        )
    return StepCode(
        step=step,
        code=code,
        method=method,
        takes_event=step.full_event or method == "do_event",
        is_async=is_async,
        is_stream=is_stream,
        selects=selects,
        merges=merges,
        wants=wants,
    )


def _method(step: StepSpec, code: type, *, optional: bool) -> str:
    if step.handler:
        is_special = step.handler.startswith("__") and step.handler != "__call__"
        if callable(getattr(code, step.handler, None)) and not is_special:
            return step.handler
        methods = [name for name in dir(code) if not name.startswith("_")]
        raise SpecError(
            f"step {step.name!r}: class {code.__name__!r} has no method "
            f"{step.handler!r}{did_you_mean(step.handler, methods)}"
        )
    for name in ("do_event", "do"):
        if callable(getattr(code, name, None)):
            return name
    if optional:
        return ""
    raise SpecError(
        f"step {step.name!r}: class {code.__name__!r} has no method 'do'; add "
        "do(self, body), or name another method with handler"
    )


def _method_takes_a_body(step: StepSpec, code: type, method: str) -> None:
    static = inspect.getattr_static(code, method)
    signature = _signature(getattr(code, method))
    if signature is None:
        return
    parameters = dict(signature.parameters)
    if not isinstance(static, staticmethod | classmethod) and parameters:
        parameters.pop(next(iter(parameters)))
    _takes_a_body(step, parameters, f"{code.__name__}.{method}")


def _takes_a_body(step: StepSpec, parameters: Any, name: str) -> None:
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


def _arguments_fit(
    step: StepSpec, parameters: Any, *, skip: set[str], injected: tuple[Injected, ...]
) -> None:
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    named = {
        name: p
        for name, p in parameters.items()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and name not in skip
    }
    problems = []
    for name in step.class_args:
        if name not in named and not takes_any:
            known = ", ".join(named) or "none"
            problems.append(
                f"step {step.name!r}: {step.code_name!r} takes no argument {name!r}"
                f"{did_you_mean(str(name), named)} (it takes: {known})"
            )
    missing = [
        name
        for name, p in named.items()
        if p.default is p.empty and name not in step.class_args and name not in injected
    ]
    if missing and not skip:
        problems.append(
            f"step {step.name!r}: {step.code_name!r} needs the argument"
            f"{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}"
        )
    if problems:
        raise SpecError("\n".join(problems), problems)


def _storey_arguments_fit(step: StepSpec, code: type) -> None:
    """Refuse arguments that storey's steps would pass on, and nobody would read."""
    known: dict[str, Any] = dict.fromkeys(STOREY_OPTIONS)
    for base in code.__mro__:
        signature = _signature(vars(base).get("__init__"))
        parameters = list(signature.parameters.values())[1:] if signature else []
        known |= {
            p.name: p
            for p in parameters
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        }
    given = {function_argument(step, k, v) or k for k, v in step.class_args.items()}
    own = _signature(code)
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


def _limits_fit(
    step: StepSpec, *, is_async: bool = False, is_stream: bool = False, what: str = ""
) -> None:
    """Refuse limits that would mean nothing where they stand."""
    asked = {
        "timeout_s": step.timeout_s is not None,
        "retries": step.retries > 0,
        "blocking": step.blocking,
        "on_error": is_stream and step.on_error is not None,
    }
    problems = []
    if is_stream or what:
        problems = [
            f"step {step.name!r} is {what or 'a generator'}, which takes no {name}"
            for name, is_asked in asked.items()
            if is_asked
        ]
    elif is_async and step.blocking:
        problems = [
            f"step {step.name!r} is a coroutine, which takes no blocking; it is for "
            "plain functions that wait"
        ]
    if problems:
        raise SpecError("\n".join(problems), problems)


def _nature(call: Any) -> tuple[bool, bool]:
    plain = inspect.unwrap(call) if callable(call) else call
    while isinstance(plain, functools.partial):
        plain = plain.func
    if not inspect.isroutine(plain) and not inspect.isclass(plain):
        plain = type(plain).__call__
    outer = call.func if isinstance(call, functools.partial) else call
    for found in (outer, plain):
        if inspect.isasyncgenfunction(found) or inspect.isgeneratorfunction(found):
            return inspect.isasyncgenfunction(found), True
        if inspect.iscoroutinefunction(found):
            return True, False
        if inspect.isfunction(found) and found is outer:
            # a plain wrapper may collect what a generator gives, but a coroutine
            # function's result it nearly always hands on
            return inspect.iscoroutinefunction(plain), False
    return False, False


def _signature(code: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(code)
    except (TypeError, ValueError):
        return None  # built in C: it says nothing about its arguments


def _a(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
