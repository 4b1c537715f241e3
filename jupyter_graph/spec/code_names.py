"""The names of functions and classes in a graph, and the steps that they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from jupyter_graph.errors import DuplicateStepError, SpecError

PACKAGE = "jupyter_graph."


def keep_code(namespace: dict[str, Any], code: Any) -> str | None:
    """Return the name of a class or function and keep the object under it.

    Raises:
        SpecError: it is no class and no function, or has no name of its own.
        DuplicateStepError: the name stands for another object.
    """
    if code is None or isinstance(code, str):
        return code
    if not callable(code):
        raise SpecError(
            f"a class, a function or the name of one is needed, got {code!r}"
        )
    name = getattr(code, "__name__", None)
    if name is None:
        raise SpecError(
            f"{code!r} has no name; give its class with its arguments, "
            "or wrap it in a function"
        )
    if name == "<lambda>":
        # Two lambdas in one graph are two objects, so each needs a name of its own.
        numbered = (f"_lambda_{number}" for number in count(1))
        name = next(n for n in numbered if namespace.get(n, code) is code)
    known = namespace.get(name)
    if known is not None and not is_same_code(code, known):
        raise DuplicateStepError(
            f"two different objects are named {name!r}; rename one of them"
        )
    namespace[name] = code
    return str(name)


def is_same_code(code: Callable[..., Any], known: Any) -> bool:
    """Tell whether ``code`` is ``known``, perhaps from a cell that ran once more.

    What a function made is not: two of them differ in what they remember.
    """
    if code is known or (inspect.ismethod(code) and code == known):
        return True
    # A cell that runs again makes a new object of the same qualified name in __main__;
    # in modules an equal name of another object is a mistake.
    return (
        "<locals>" not in getattr(code, "__qualname__", "<locals>")
        and inspect.isclass(code) == inspect.isclass(known)
        and getattr(code, "__qualname__", 0) == getattr(known, "__qualname__", 1)
        and getattr(code, "__module__", 0)
        == getattr(known, "__module__", 1)
        == "__main__"
    )


def name_of_code(code_name: str, name: str | None) -> str:
    """Return the name that a step has by its code.

    Raises:
        SpecError: a lambda or an expression has none.

    >>> name_of_code("storey.Filter", None)
    'Filter'
    """
    own = code_name.rpartition(".")[2]
    if own.startswith("_lambda_") or not own.isidentifier():
        raise SpecError(f"a step made of {code_name!r} needs a name, got {name!r}")
    return own


def kind_of(code: Any, args: Mapping[str, Any]) -> str:
    """Return the kind of a step of this code: a class that asks for routes is a router.

    >>> kind_of(len, {})
    'task'
    """
    if not inspect.isclass(code):
        return "task"
    if any(
        base.__name__ == "ModelRunnerStep" and base.__module__.startswith(PACKAGE)
        for base in code.__mro__
    ):
        return "model_runner"
    # Each __init__ on the way up: one with **kwargs hands the routes to its base.
    makers = [vars(base).get("__init__") for base in code.__mro__]
    asked = {name for maker in makers for name in _parameters(maker)}
    return "router" if "routes" in asked - set(args) else "task"


def _parameters(code: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(code).parameters)
    except (TypeError, ValueError):
        return ()


def described(
    name: str, code_name: str, code: Any, method: str | None, args: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields of a step that say what it runs.

    Args:
        name: the step's name.
        code_name: the name of its function or class.
        code: the function or class itself.
        method: the method of the class to call.
        args: the constructor arguments of the class.

    Raises:
        SpecError: a method is named and the code is no class.
    """
    is_class = inspect.isclass(code)
    if method and not is_class:
        raise SpecError(
            f"handler names the method of a class; {code_name or name!r} is no class"
        )
    return {
        "kind": kind_of(code, args),
        "class_name": code_name if is_class else None,
        "handler": method if is_class else code_name,
        "class_args": dict(args),
    }
