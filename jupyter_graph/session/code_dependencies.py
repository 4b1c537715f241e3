"""What the steps of a graph took from the notebook's names when they were built.

A function reads names anew with each call. What ``__init__`` kept of them, and what a
process of its own was sent, stays as it was until the step is built again.
"""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, Final

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.step_code import StepCode

BUILDERS: Final = ("__new__", "__init__", "__post_init__", "post_init", "load")
"""The methods that run once, when a step is built."""

_GLOBALS: Final = ("LOAD_GLOBAL", "LOAD_NAME")
_ATTRIBUTES: Final = ("LOAD_ATTR", "LOAD_METHOD")
_ATOMS: Final = (int, float, complex, str, bytes, bool, type(None))
_MISSING: Final = object()


class Dependencies:
    """The names that steps used when they were built, with what they stood for.

    Args:
        compiled: the graph whose steps were built.
        names: the notebook's names.
    """

    def __init__(self, compiled: CompiledGraph, names: Mapping[str, Any]) -> None:
        self._used = [
            (code.code, {name: names[name] for name in _names_of(code, names)})
            for code in _codes(compiled)
        ]

    def stale(self, names: Mapping[str, Any]) -> list[Any]:
        """Return the functions and classes that took what a name no longer means."""
        return [
            code
            for code, used in self._used
            if not all(is_equal(names.get(n, _MISSING), v) for n, v in used.items())
        ]


def helpers_of(code: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions, classes and plain values of the notebook that code uses.

    Args:
        code: a function or class.
        names: the notebook's names.
    """
    found: set[str] = set()
    _follow(code, names, found)
    kinds = (FunctionType, type, *_ATOMS)
    return {name: names[name] for name in found if isinstance(names[name], kinds)}


def changed_names(used: Mapping[str, Any], names: Mapping[str, Any]) -> list[str]:
    """Return the names that stand for something else by now, or for nothing."""
    return sorted(
        name
        for name, value in used.items()
        if not is_equal(names.get(name, _MISSING), value)
    )


def _codes(compiled: CompiledGraph) -> Iterator[StepCode]:
    """Yield the code of each step that keeps something from when it was built."""
    for name, code in compiled.steps.items():
        if name in compiled.inner:
            yield from _codes(compiled.inner[name])
        elif code.in_process or code.is_class:
            yield code


def _names_of(code: StepCode, names: Mapping[str, Any]) -> set[str]:
    """Return the names of the notebook that building a step reads."""
    found: set[str] = set()
    if code.in_process:
        _follow(code.code, names, found)
    elif isinstance(code.code, type):
        for function in _builders(code.code):
            _follow(function, names, found)
    return found


def _builders(cls: type) -> Iterator[FunctionType]:
    """Yield the methods that build an instance, and those that they call of it."""
    waiting, seen = list(BUILDERS), set(BUILDERS)
    while waiting:
        function = _function(inspect.getattr_static(cls, waiting.pop(), None))
        if function is None:
            continue
        yield function
        own = _mentioned(function.__code__, *_ATTRIBUTES) - seen
        waiting += sorted(own)
        seen |= own


def _follow(code: Any, names: Mapping[str, Any], found: set[str]) -> None:
    """Add the names that some code reads, and what it calls of the notebook's."""
    waiting: list[Any] = [code]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not _is_of_notebook(one, names):
            continue
        seen.add(id(one))
        for function in _functions(one):
            for name in _mentioned(function.__code__, *_GLOBALS):
                if name in names:
                    found.add(name)
                    waiting.append(names[name])


def _is_of_notebook(code: Any, names: Mapping[str, Any]) -> bool:
    if isinstance(code, type):
        return bool(code.__module__ == names.get("__name__", "__main__"))
    return any(function.__globals__ is names for function in _functions(code))


def _functions(code: Any) -> Iterator[FunctionType]:
    """Yield the plain functions that a function, a method or a class is made of."""
    if isinstance(code, type):
        for value in list(vars(code).values()):
            yield from () if isinstance(value, type) else _functions(value)
        return
    function = _function(code)
    if function is None:
        return
    yield function
    for cell in function.__closure__ or ():
        inner = _function(getattr(cell, "cell_contents", None))
        if inner is not None and inner is not function:
            yield inner


def _function(code: Any) -> FunctionType | None:
    """Return the function behind a method, a partial, a property or a decorator."""
    for _ in range(10):
        if isinstance(code, FunctionType):
            inner = getattr(code, "__wrapped__", None)
            if inner is None or inner is code:
                return code
            code = inner
        elif isinstance(code, functools.partial):
            code = code.func
        elif isinstance(code, property):
            code = code.fget
        else:
            code = getattr(code, "__func__", None)
    return None


def _mentioned(code: CodeType, *instructions: str) -> set[str]:
    """Return the names that some instructions of a code object name."""
    names = {
        str(one.argval)
        for one in dis.get_instructions(code)
        if one.opname in instructions
    }
    inside = (inner for inner in code.co_consts if isinstance(inner, CodeType))
    return names.union(*(_mentioned(inner, *instructions) for inner in inside))


def is_equal(one: Any, other: Any) -> bool:
    """Tell whether two objects are surely the same to whoever uses them.

    A cell that runs again unchanged makes its functions, classes and constants anew.

    >>> is_equal(0.5, 0.5), is_equal([1], [1])
    (True, False)
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, _ATOMS):
        return bool(one == other)
    if isinstance(one, tuple):
        return len(one) == len(other) and _all_equal(zip(one, other, strict=True))
    if isinstance(one, FunctionType):
        return _is_same_function(one, other)
    if isinstance(one, type):
        return _is_same_class(one, other)
    return False


def _is_same_function(one: FunctionType, other: FunctionType) -> bool:
    cells = [
        [getattr(cell, "cell_contents", None) for cell in function.__closure__ or ()]
        for function in (one, other)
    ]
    pairs = [
        (one.__defaults__ or (), other.__defaults__ or ()),
        (tuple((one.__kwdefaults__ or {}).items()),
         tuple((other.__kwdefaults__ or {}).items())),
        (tuple(cells[0]), tuple(cells[1])),
    ]  # fmt: skip
    is_same = one.__code__ == other.__code__ and one.__globals__ is other.__globals__
    return is_same and _all_equal(pairs)


def _is_same_class(one: type, other: type) -> bool:
    def parts(cls: type) -> dict[str, Any]:
        # What Python makes for each class, and where it stood in its cell.
        own = ("__dict__", "__weakref__", "__firstlineno__", "__static_attributes__")
        return {k: v for k, v in vars(cls).items() if k not in own}

    first, second = parts(one), parts(other)
    if one.__bases__ != other.__bases__ or first.keys() != second.keys():
        return False
    return _all_equal((_plain(first[k]), _plain(second[k])) for k in first)


def _plain(value: Any) -> Any:
    if isinstance(value, staticmethod | classmethod):
        return value.__func__
    return value.fget if isinstance(value, property) else value


def _all_equal(pairs: Iterable[tuple[Any, Any]]) -> bool:
    return all(is_equal(one, other) for one, other in pairs)
