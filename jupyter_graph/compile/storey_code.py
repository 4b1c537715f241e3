"""Everything about storey that compiling knows: its classes, and their private names.

storey has no types and names much that a compiler asks for with an underscore; what is
used of that is here, and ``tests/compile/test_storey_code.py`` fails when it is gone.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.compile.call_kind import PLAIN, call_kind
from jupyter_graph.compile.signature_check import limits_fit, storey_arguments_fit
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.errors import UnknownStepError, did_you_mean
from jupyter_graph.spec.model import StepSpec

STOREY_OPTIONS: Final = frozenset({"long_running", "pass_context"})
"""Asked for, they are storey's own business."""

MAP_FUNCTION: Final = "_fn"
"""Where storey's Map keeps its function."""

RUNS_MAP_CLASS: Final = ("_do", "_call", "_do_internal", "_do_downstream")
"""The methods by which storey runs ``MapClass.do``; a class with its own needs them."""


def is_storey_step(code: Any) -> bool:
    """Tell whether code is a class of steps of storey's."""
    storey = sys.modules.get("storey")  # a class of storey's means it is imported
    return (
        storey is not None and inspect.isclass(code) and issubclass(code, storey.Flow)
    )


def is_terminal(code: Any) -> bool:
    """Tell whether nothing can follow a step: such classes refuse ``to`` themselves."""
    return "to" in vars(code)


def inspect_storey_step(
    step: StepSpec, code: Any, arguments: Mapping[str, Any], engine: str
) -> StepCode:
    """Return what the code of a storey step is like.

    Raises:
        SpecError: it has limits or arguments that storey would not read.
    """
    import storey

    is_choice = issubclass(code, storey.Choice)
    is_called = is_choice or hasattr(code, "do_event") or hasattr(code, "do")
    if engine == "sync" and not is_called:
        # MLRun's sync engine finds nothing to call here. It finds nothing in choices
        # either, but they are followed in a sync graph of ours.
        return StepCode(step=step, code=code, method="")
    limits_fit(step, what="a storey step")
    storey_arguments_fit(step, code)
    function = arguments.get("fn") if code is storey.Map else None
    do = code.do if issubclass(code, storey.MapClass) else function
    kind = PLAIN if do is None else call_kind(do)
    if kind.is_stream and not kind.either:
        return StepCode(  # its chunks go on one by one, as they come
            step=step,
            code=code,
            method="do" if function is None else MAP_FUNCTION,
            takes_event=bool(step.full_event),
            knows_paths=bool(step.full_event),
            is_async=kind.is_async,
            is_stream=True,
            is_storey=True,
        )
    direct, called = _called_directly(code, arguments)
    return StepCode(
        step=step,
        code=code,
        method="" if is_choice else "do_event",
        takes_event=True,
        is_async=call_kind(called).is_async if direct else not is_choice,
        selects=_overrides_outlets(code) or "fn_select_outlets" in arguments,
        keeps=not direct and not is_choice,
        direct=direct,
        flattens=issubclass(code, storey.FlatMap),
        knows_paths=True,
        is_storey=True,
    )


def _overrides_outlets(code: Any) -> bool:
    """Tell whether a class picks its outlets; Flow and Map's base pick all of them."""
    import storey

    bases = (storey.Flow, storey.Map.__mro__[1])
    return code.select_outlets not in [vars(b).get("select_outlets") for b in bases]


def _called_directly(code: Any, arguments: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the kind of a step that is no more than its function, and the function.

    The kind is "" for steps that storey's own code must run.
    """
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
    base = storey.MapClass
    if issubclass(code, base) and all(
        getattr(code, name, None) is getattr(base, name, None)
        for name in RUNS_MAP_CLASS
    ):
        return "MapClass", code.do
    return "", None


def _keeps_state_itself(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a ``MapWithState`` has one state, in memory, with no end to it."""
    import storey

    state = arguments.get("initial_state")
    is_async = call_kind(arguments.get("fn")).is_async
    is_kept_elsewhere = isinstance(state, str | storey.Table) or hasattr(state, "close")
    return not (is_async or is_kept_elsewhere or arguments.get("group_by_key"))


# -- classes by name ------------------------------------------------------------


def storey_class(name: str, where: str) -> Any:
    """Return the class of a storey step by its name.

    Raises:
        UnknownStepError: storey has no such step, or is not installed.
    """
    try:
        import storey
    except ImportError as error:
        why = (
            "it takes Python up to 3.12" if sys.version_info >= (3, 13) else f"{error}"
        )
        raise UnknownStepError(
            f"{where}: {name!r} is a step of storey, which is not installed ({why}); "
            "pip install 'jupyter_graph[storey]'"
        ) from None
    short = name.rpartition(".")[2]
    if short in _REPLACED:
        return _REPLACED[short]()
    code: Any = storey
    for part in name.split(".")[1:]:
        code = getattr(code, part, None)
    is_own = getattr(code, "__module__", "").split(".")[0] == "storey"
    if is_storey_step(code) and is_own:
        return code
    steps = [k for k, v in vars(storey).items() if inspect.isclass(v)]
    raise UnknownStepError(
        f"{where}: storey has no step {name!r}"
        f"{did_you_mean(name.removeprefix('storey.'), steps)}"
    )


@functools.cache
def _flatten() -> type:
    """Return storey's Flatten as the class it would be; there it is a function."""
    import storey

    class Flatten(storey.FlatMap):  # type: ignore[misc]  # storey has no types
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(lambda items: items, **{**kwargs, "full_event": False})

    return Flatten


@functools.cache
def _collector() -> type:
    """Return storey's Collector: ours, with storey's arguments.

    Where a stream breaks off storey's own gives ``{"error": text}`` as an answer like
    any other; here the event fails, as it does with every other step.
    """
    from jupyter_graph.steps.collector import Collector

    class StoreyCollector(Collector):
        def __init__(self, expected_completions: int = 1) -> None:
            super().__init__(expected_completions)

    return StoreyCollector


_REPLACED: Final = {"Flatten": _flatten, "Collector": _collector}
