"""What kind of code a step has, seen without building or calling it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from jupyter_graph.compile.call_kind import PLAIN, CallKind, call_kind
from jupyter_graph.compile.signature_check import (
    FromMLRun,
    Injected,
    arguments_fit,
    limits_fit,
    method_takes_a_body,
    signature_of,
    takes_a_body,
)
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.compile.storey_code import inspect_storey_step, is_storey_step
from jupyter_graph.compile.typed_body import typed_body
from jupyter_graph.errors import SpecError, did_you_mean, is_ours
from jupyter_graph.spec.model import StepSpec

INJECTED: Final[tuple[Injected, ...]] = get_args(Injected)
FROM_MLRUN: Final = frozenset(get_args(FromMLRun))
BY_ANY_KEYWORD: Final = frozenset({"name", "context"})
"""Passed to every constructor that takes any keyword; routes and outlets are not."""


def inspect_step(
    step: StepSpec,
    code: Any,
    arguments: Mapping[str, Any] | None = None,
    *,
    engine: str = "async",
) -> StepCode:
    """Return what the code of a step is like.

    Args:
        step: its description.
        code: its function or class.
        arguments: its constructor arguments, names filled in.
        engine: in MLRun's ``sync`` one a class without a handler fails its events.

    Raises:
        SpecError: it cannot be called with a body, has no such method, or its
            constructor does not take the step's arguments.
    """
    if is_storey_step(code):
        step_code = inspect_storey_step(step, code, arguments or {}, engine)
    elif inspect.isclass(code):
        step_code = _inspect_class(step, code, arguments or {}, engine)
    elif callable(code):
        step_code = _inspect_function(step, code)
    else:
        kind = type(code).__name__
        article = "an" if kind[0].lower() in "aeiou" else "a"
        raise SpecError(
            f"step {step.name!r}: {step.code_name!r} is {article} {kind}; "
            "a function or a class is needed"
        )
    if step_code.in_process:
        _check_duties(step_code)
    return step_code


def _check_duties(code: StepCode) -> None:
    """Refuse processes for a step of which this process needs more than its answers."""
    duties = {
        "picks its followers": code.selects,
        "waits for branches": code.merges,
        "collects a stream": code.collects,
        "keeps bodies for later": code.keeps,
    }
    for duty, is_there in duties.items():
        if is_there:
            raise SpecError(
                f"step {code.step.name!r} {duty}, so it cannot run in processes of its "
                "own; take away processes"
            )


# -- functions ------------------------------------------------------------------


def _inspect_function(step: StepSpec, code: Callable[..., Any]) -> StepCode:
    wants: tuple[Injected, ...] = ()
    signature = signature_of(code)
    if signature is not None:
        parameters = signature.parameters
        takes_a_body(step, parameters, step.code_name)
        first = next(iter(parameters))
        if "context" in parameters and first != "context":
            wants = ("context",)
        arguments_fit(step, parameters, skip={first}, injected=wants)
    kind = _fitting(step, call_kind(code))
    return StepCode(
        step=step,
        code=code,
        takes_event=bool(step.full_event),
        is_async=kind.is_async,
        is_stream=kind.is_stream,
        either=kind.is_stream and kind.either,
        knows_paths=bool(step.full_event),
        wants=wants,
        takes=_takes(step, code),
    )


def _fitting(step: StepSpec, kind: CallKind, *, what: str = "") -> CallKind:
    """Return the kind of a call whose limits fit.

    A wrapper around a generator that has limits is taken for one that makes one result
    of the items: a stream takes no limits.

    Raises:
        SpecError: a limit would mean nothing there.
    """
    if kind.either and kind.is_stream and not what:
        try:
            limits_fit(step, kind)
        except SpecError:
            kind = PLAIN
    if kind.either and not kind.is_stream:
        limits_fit(step, what=what)
        if step.blocking or step.processes is not None:
            return PLAIN
    limits_fit(step, kind, what=what)
    return kind


def _takes(step: StepSpec, function: Callable[..., Any]) -> Any:
    """Return the annotation of the body, where a step gets that of one event."""
    is_plain = not (step.full_event or step.batch or step.vectorized)
    return typed_body(function) if is_plain and not is_ours(function) else None


# -- classes --------------------------------------------------------------------


def _inspect_class(
    step: StepSpec, code: Any, arguments: Mapping[str, Any], engine: str
) -> StepCode:
    selects = _selects(code, arguments)
    merges = bool(getattr(code, "waits_for_branches", False))
    collects = bool(getattr(code, "collects_streams", False))
    need_not_be_called = selects or merges or collects or engine == "sync"
    method = _method(step, code, arguments, optional=need_not_be_called)
    signature = signature_of(code)
    wants = () if signature is None else _wants(step, code, signature)
    kind = _kind_of_method(step, code, method, arguments)
    kind = _fitting(step, kind, what="" if method else "a step that is not called")
    if selects and call_kind(code.select_outlets) != PLAIN:
        raise SpecError(
            f"step {step.name!r}: {code.__name__}.select_outlets must be a plain "
            "function, neither a coroutine nor a generator"
        )
    takes_event = bool(step.full_event) or method == "do_event"
    takes_event |= merges and bool(arguments.get("full_event"))
    # MLRun's model servers ask for the paths and look at them by themselves.
    names_paths = signature is not None and "input_path" in signature.parameters
    return StepCode(
        step=step,
        code=code,
        method=method,
        takes_event=takes_event,
        is_async=kind.is_async,
        is_stream=kind.is_stream,
        either=kind.is_stream and kind.either,
        selects=selects,
        merges=merges,
        knows_paths=(method == "do_event" and names_paths)
        or (takes_event and not _is_ours(code)),
        may_drop=bool(getattr(code, "may_drop", False)),
        keeps=callable(getattr(code, "flush", None)),
        collects=collects,
        wants=wants,
        takes=_takes(step, getattr(code, method)) if method == "do" else None,
    )


def _selects(code: Any, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a class picks its followers; one of ours may say so itself."""
    asked = getattr(code, "selects", None)
    if not callable(getattr(code, "select_outlets", None)):
        return False
    return bool(asked(arguments)) if callable(asked) else True


def _method(
    step: StepSpec, code: Any, arguments: Mapping[str, Any], *, optional: bool
) -> str:
    """Return the name of the method to call; "" where none is needed.

    Raises:
        SpecError: the class has no such method.
    """
    usual = (name for name in ("do_event", "do") if callable(getattr(code, name, None)))
    name = _named_method(step, code) if step.handler else next(usual, "")
    if not name and not optional:
        raise SpecError(
            f"step {step.name!r}: class {code.__name__!r} has no method 'do'; add "
            "do(self, body), or name another method with handler"
        )
    is_given_async = any(call_kind(given).is_async for given in arguments.values())
    if name == "do" and is_given_async and callable(getattr(code, "do_async", None)):
        return "do_async"  # a block that was given a coroutine function
    return name


def _named_method(step: StepSpec, code: Any) -> str:
    handler = str(step.handler)
    is_special = handler.startswith("__") and handler != "__call__"
    if callable(getattr(code, handler, None)) and not is_special:
        return handler
    if not step.class_name:
        raise SpecError(
            f"step {step.name!r}: handler {handler!r} is a class; give "
            "a class with do(body) as class_name, or a function that calls this one"
        )
    methods = [name for name in dir(code) if not name.startswith("_")]
    raise SpecError(
        f"step {step.name!r}: class {code.__name__!r} has no method "
        f"{handler!r}{did_you_mean(handler, methods)}"
    )


def _wants(
    step: StepSpec, code: Any, signature: inspect.Signature
) -> tuple[Injected, ...]:
    """Return what a constructor asks to be given beside the step's arguments.

    Raises:
        SpecError: it does not take the arguments, or as a router no routes.
    """
    parameters = signature.parameters
    by_any_keyword = BY_ANY_KEYWORD | ({"routes"} if step.kind == "router" else set())
    if not _is_ours(code):
        by_any_keyword |= FROM_MLRUN
    wants = tuple(
        name
        for name in INJECTED
        if name not in step.class_args
        and (
            name in parameters
            or (name in by_any_keyword and _is_passed_on(code, parameters, name))
        )
    )
    arguments_fit(step, parameters, skip=set(), injected=wants)
    if step.kind == "router" and "routes" not in (*wants, *step.class_args):
        raise SpecError(
            f"router {step.name!r}: class {code.__name__!r} takes no routes; "
            "subclass ModelRouter, with **options that go on to super().__init__, or "
            "make it a plain step"
        )
    return wants


def _is_passed_on(code: type, parameters: Mapping[str, Any], name: str) -> bool:
    """Tell whether a constructor with open ends may be given a further argument.

    It passes it on to its base, and one of ours takes only what it names.
    """
    for base in code.__mro__[:-1]:
        if base is not code:
            init = vars(base).get("__init__")
            own = None if init is None else signature_of(init)
            if own is None:
                continue
            parameters = own.parameters
        if name in parameters:
            return True
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return base is not code and not is_ours(base)
    return not _is_ours(code)


def _kind_of_method(
    step: StepSpec, code: Any, method: str, arguments: Mapping[str, Any]
) -> CallKind:
    kind = PLAIN
    if method:
        method_takes_a_body(step, code, method)
        kind = call_kind(getattr(code, method))
    # One of our blocks may stream with some arguments only.
    if callable(asked := getattr(code, "streams", None)) and asked(arguments):
        kind = kind._replace(is_stream=True)
    return kind


def _is_ours(code: type) -> bool:
    return any(map(is_ours, code.__mro__))
