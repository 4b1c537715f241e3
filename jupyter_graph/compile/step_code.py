"""What kind of code a step has: how it is built and how it is called."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_graph.compile.signature_check import (
    Injected,
    arguments_fit,
    limits_fit,
    method_takes_a_body,
    signature_of,
    storey_arguments_fit,
    takes_a_body,
)
from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.model import StepSpec

INJECTED: tuple[Injected, ...] = ("name", "context", "routes", "outlets")
ONLY_BY_NAME = ("routes", "outlets")
"""Given to constructors that name them, not to those that take any keyword."""
OF_MLRUN: tuple[Injected, ...] = (
    "input_path",
    "result_path",
    "full_event",
    "graph_step",
)
"""What MLRun gives too, to constructors that name it or take any keyword."""


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
        may_drop: it may give ``NOTHING``, which ends the event.
        keeps: it may give bodies later, by ``flush`` or of its own accord.
        collects: it makes one list of the items of a stream.
        knows_paths: it looks at input_path and result_path by itself, or, as in MLRun,
            nobody does: a user's own step that takes the full event.
        is_storey: it is a step of storey's.
        direct: the kind of storey step whose function is called directly, "" for those
            that storey's own code must run.
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
    may_drop: bool = False
    keeps: bool = False
    collects: bool = False
    knows_paths: bool = False
    is_storey: bool = False
    direct: str = ""
    on_loop: bool = False
    wants: tuple[Injected, ...] = ()

    @property
    def is_class(self) -> bool:
        return inspect.isclass(self.code)

    @property
    def in_thread(self) -> bool:
        """Whether it runs in a thread pool, so that the loop goes on meanwhile."""
        is_sync = not (self.is_async or self.is_stream)
        has_limit = self.step.blocking or self.step.timeout_s is not None
        return self.on_loop and is_sync and has_limit and not self.in_process

    @property
    def in_process(self) -> bool:
        """Whether it runs in processes of its own, its class built in each of them."""
        return self.step.processes is not None

    @property
    def is_called_away(self) -> bool:
        """Whether the loop awaits an answer from another process."""
        return self.in_process and self.on_loop

    @property
    def needs_loop(self) -> bool:
        """Whether the graph must be asynchronous because of this step."""
        step = self.step
        return bool(self.is_async or step.batch or step.join_timeout_s)

    @property
    def is_generator(self) -> bool:
        """Whether what is called is a generator, rather than gives one now and then."""
        gives_one = self.step.kind == "flow" or hasattr(self.code, "streams")
        return self.is_stream and not gives_one

    @property
    def gives_events(self) -> bool:
        """Whether it is a step of storey's, which may send several events on."""
        return self.is_storey and not self.is_stream and bool(self.method)

    @property
    def is_awaited(self) -> bool:
        """Whether what is called gives a coroutine."""
        step = self.step
        if self.is_stream or step.kind == "flow":
            return self.is_async and not self.is_generator
        pauses = self.on_loop and bool(step.retries or step.batch or step.concurrency)
        return self.is_async or self.in_thread or self.is_called_away or pauses


def inspect_step(
    step: StepSpec,
    code: Any,
    arguments: Mapping[str, Any] | None = None,
    *,
    engine: str = "async",
) -> StepCode:
    """Describe the code of a step.

    Args:
        step: its description.
        code: its function or class.
        arguments: its constructor arguments, names filled in.
        engine: in MLRun's ``sync`` one a class without a handler fails its events.

    Raises:
        SpecError: it cannot be called with a body, has no such method, or its
            constructor does not take the step's arguments.
    """
    looked = _look_at(step, code, arguments or {}, engine)
    if looked.in_process:
        fits_processes(looked)
    return looked


def _look_at(
    step: StepSpec, code: Any, arguments: Mapping[str, Any], engine: str
) -> StepCode:
    if inspect.isclass(code) and _is_storey_step(code):
        if engine == "sync" and not _has_handler(code):
            return StepCode(step=step, code=code, method="")
        return _look_at_storey(step, code, arguments)
    if inspect.isclass(code):
        return _look_at_class(step, code, arguments, engine)
    if not callable(code):
        raise SpecError(
            f"step {step.name!r}: {step.code_name!r} is {_a(code)}; "
            "a function or a class is needed"
        )
    return _look_at_function(step, code)


def fits_processes(looked: StepCode) -> None:
    """Refuse a step of which this process needs more than its answers."""
    wants = {
        "picks its followers": looked.selects,
        "waits for branches": looked.merges,
        "collects a stream": looked.collects,
        "keeps bodies for later": looked.keeps,
    }
    for what, is_so in wants.items():
        if is_so:
            raise SpecError(
                f"step {looked.step.name!r} {what}, so it cannot run in processes of "
                "its own; take away processes"
            )


def _look_at_function(step: StepSpec, code: Callable[..., Any]) -> StepCode:
    wants: tuple[Injected, ...] = ()
    signature = signature_of(code)
    if signature is not None:
        parameters = signature.parameters
        takes_a_body(step, parameters, step.code_name)
        first = next(iter(parameters.values()))
        if "context" in parameters and first.name != "context":
            wants = ("context",)
        arguments_fit(step, parameters, skip={first.name}, injected=wants)
    is_async, is_stream = call_kind(code)
    limits_fit(step, is_async=is_async, is_stream=is_stream)
    return StepCode(
        step=step,
        code=code,
        takes_event=bool(step.full_event),
        is_async=is_async,
        is_stream=is_stream,
        knows_paths=bool(step.full_event),
        wants=wants,
    )


def _is_storey_step(code: type) -> bool:
    storey = sys.modules.get("storey")  # a class of storey's means it is imported
    return storey is not None and issubclass(code, storey.Flow)


def _has_handler(code: type) -> bool:
    """Tell whether MLRun's sync engine finds something to call in a storey step.

    Choices have nothing either, but they are followed in a sync graph of ours.
    """
    is_choice = issubclass(code, sys.modules["storey"].Choice)
    return is_choice or hasattr(code, "do_event") or hasattr(code, "do")


def _look_at_storey(
    step: StepSpec, code: Any, arguments: Mapping[str, Any]
) -> StepCode:
    import storey

    limits_fit(step, what="a storey step")
    storey_arguments_fit(step, code)
    function = arguments.get("fn") if code is storey.Map else None
    do = code.do if issubclass(code, storey.MapClass) else function
    if do is not None and call_kind(do)[1]:  # its chunks go on one by one, as they come
        is_method = function is None
        return StepCode(
            step=step,
            code=code,
            method="do" if is_method else "_fn",
            takes_event=bool(step.full_event),
            knows_paths=bool(step.full_event),
            is_async=call_kind(do)[0],
            is_stream=True,
            is_storey=True,
        )
    direct, called = _called_directly(code, arguments)
    own = vars(storey.Flow)["select_outlets"]
    inherited = (own, vars(storey.Map.__mro__[1]).get("select_outlets"))
    overrides = code.select_outlets not in inherited
    return StepCode(
        step=step,
        code=code,
        method="" if issubclass(code, storey.Choice) else "do_event",
        takes_event=True,
        is_async=call_kind(called)[0]
        if direct
        else not issubclass(code, storey.Choice),
        selects=overrides or "fn_select_outlets" in arguments,
        keeps=not direct and not issubclass(code, storey.Choice),
        direct=direct,
        knows_paths=True,
        is_storey=True,
    )


STOREY_OPTIONS = frozenset({"long_running", "pass_context"})
"""Asked for, they are storey's own business."""


def _called_directly(code: Any, arguments: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the kind of a step that is no more than its function, and the function."""
    import storey

    if any(arguments.get(name) for name in STOREY_OPTIONS):
        return "", None
    for kind in ("Map", "Filter", "FlatMap", "Extend"):
        if code is getattr(storey, kind):
            return kind, arguments.get("fn")
    if code is storey.MapWithState and _keeps_state_itself(arguments):
        return "MapWithState", len
    if code.__name__ == "Flatten" and issubclass(code, storey.FlatMap):
        return "FlatMap", len
    is_own = ("_do", "_call", "_do_internal", "_do_downstream")
    base = storey.MapClass
    if issubclass(code, base) and not any(
        getattr(code, name, None) is not getattr(base, name, None) for name in is_own
    ):
        return "MapClass", code.do
    return "", None


def _keeps_state_itself(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a ``MapWithState`` has one state, in memory, with no end to it."""
    import storey

    state, is_async = arguments.get("initial_state"), call_kind(arguments.get("fn"))[0]
    is_kept_elsewhere = isinstance(state, str | storey.Table) or hasattr(state, "close")
    return not (is_async or is_kept_elsewhere or arguments.get("group_by_key"))


def _look_at_class(
    step: StepSpec, code: type, arguments: Mapping[str, Any], engine: str
) -> StepCode:
    selects = callable(getattr(code, "select_outlets", None))
    if selects and callable(asked := getattr(code, "selects", None)):
        selects = bool(asked(arguments))  # only some arguments make it a choice
    merges = bool(getattr(code, "waits_for_branches", False))
    collects = bool(getattr(code, "collects_streams", False))
    needs_none = selects or merges or collects or engine == "sync"
    method = _method(step, code, optional=needs_none)
    is_given_async = any(call_kind(given)[0] for given in arguments.values())
    if method == "do" and is_given_async and callable(getattr(code, "do_async", None)):
        method = "do_async"  # a block that was given a coroutine function
    wants: tuple[Injected, ...] = ()
    signature = signature_of(code)
    if signature is not None:
        open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        only_by_name = ("outlets",) if step.kind == "router" else ONLY_BY_NAME
        wants = tuple(
            name
            for name in INJECTED
            if name not in step.class_args
            and (
                name in signature.parameters
                or (open_ended and name not in only_by_name)
            )
        )
        takes_all = open_ended and not _is_ours(code)
        wants += tuple(
            name
            for name in OF_MLRUN
            if name not in step.class_args
            and (name in signature.parameters or takes_all)
        )
        arguments_fit(step, signature.parameters, skip=set(), injected=wants)
        if step.kind == "router" and "routes" not in (*wants, *step.class_args):
            raise SpecError(
                f"router {step.name!r}: class {code.__name__!r} takes no routes; "
                "subclass ModelRouter, or make it a plain step"
            )
    call = getattr(code, method) if method else None
    if call is not None:
        method_takes_a_body(step, code, method)
    is_async, is_stream = call_kind(call) if call else (False, False)
    if callable(asked := getattr(code, "streams", None)):
        is_stream = is_stream or bool(asked(arguments))
    what = "" if method else "a step that is not called"
    limits_fit(step, is_async=is_async, is_stream=is_stream, what=what)
    if selects and call_kind(code.select_outlets) != (False, False):  # type: ignore[attr-defined]
        raise SpecError(
            f"step {step.name!r}: {code.__name__}.select_outlets must be a plain "
            "function, neither a coroutine nor a generator"
        )
    takes_event = bool(step.full_event) or method == "do_event"
    takes_event |= merges and bool(arguments.get("full_event"))
    by_itself = method == "do_event" and _names_paths(signature)
    return StepCode(
        step=step,
        code=code,
        method=method,
        takes_event=takes_event,
        is_async=is_async,
        is_stream=is_stream,
        selects=selects,
        merges=merges,
        knows_paths=by_itself or (takes_event and not _is_ours(code)),
        may_drop=bool(getattr(code, "may_drop", False)),
        keeps=callable(getattr(code, "flush", None)),
        collects=collects,
        wants=wants,
    )


def _names_paths(signature: inspect.Signature | None) -> bool:
    """Tell whether a constructor asks for the paths, as MLRun's model servers do."""
    return signature is not None and "input_path" in signature.parameters


def _is_ours(code: type) -> bool:
    return any(base.__module__.startswith("jupyter_graph.") for base in code.__mro__)


def _method(step: StepSpec, code: type, *, optional: bool) -> str:
    if step.handler:
        is_special = step.handler.startswith("__") and step.handler != "__call__"
        if callable(getattr(code, step.handler, None)) and not is_special:
            return step.handler
        if not step.class_name:
            raise SpecError(
                f"step {step.name!r}: handler {step.handler!r} is a class; give "
                "a class with do(body) as class_name, or a function that calls this one"
            )
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


def call_kind(call: Any) -> tuple[bool, bool]:
    """Tell whether a call must be awaited, and whether it gives items one by one.

    >>> async def later(body): ...
    >>> call_kind(later), call_kind(len)
    ((True, False), (False, False))
    """
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


def _a(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
