"""Lets the functions of a graph take the parameters of a request as keywords.

A handler ``def chat(body, model, temperature=1.0)`` would be no step by itself: a step
takes the body alone. Its adapter is one: called with a ``MappedBody`` it calls the
handler with the original body and the parameters, called with anything else with that.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any, cast

from jupyter_graph.compile.call_kind import call_kind
from jupyter_graph.errors import BadRequestError
from jupyter_graph.frontend.parameters import MappedBody

Code = Callable[..., Any]


def with_parameters(code: Code, methods: Iterable[str] = ("do",)) -> Code:
    """Return the adapter of a function, or of a class whose methods take the body.

    >>> def greet(body, name, mark="!"):
    ...     return f"{body} {name}{mark}"
    >>> with_parameters(greet)(MappedBody({"name": "ann"}, "hello"))
    'hello ann!'
    """
    if not inspect.isclass(code):
        return _adapter(code, skip=1)
    replaced: dict[str, Any] = {}
    for name in methods:
        static = inspect.getattr_static(code, name)
        if not callable(static) and not hasattr(static, "__func__"):
            continue  # a descriptor of another kind: it knows best what is called
        if isinstance(static, staticmethod | classmethod):
            skip = 2 if isinstance(static, classmethod) else 1
            replaced[name] = type(static)(_adapter(static.__func__, skip=skip))
        else:
            replaced[name] = _adapter(static, skip=2)
    about = {
        name: getattr(code, name) for name in ("__module__", "__qualname__", "__doc__")
    }
    make: Any = type(code)
    return cast(type, make(code.__name__, (code,), {**about, **replaced}))


def _adapter(call: Code, *, skip: int) -> Code:
    """Return a function of the same colour; ``skip`` arguments end with the body."""
    fit = _Fit(call, skip)
    is_async, is_stream, either = call_kind(call)
    if either:  # a plain adapter hands on whatever it returns
        is_async = is_stream = False
    adapter: Code

    if is_stream and is_async:

        async def stream_async(*args: Any, **more: Any) -> Any:
            args, more = fit.arguments(args, more)
            async with aclosing(call(*args, **more)) as items:
                async for item in items:
                    yield item

        adapter = stream_async
    elif is_stream:

        def stream(*args: Any, **more: Any) -> Any:
            args, more = fit.arguments(args, more)
            yield from call(*args, **more)

        adapter = stream
    elif is_async:

        async def run_async(*args: Any, **more: Any) -> Any:
            args, more = fit.arguments(args, more)
            result = call(*args, **more)
            return await result if inspect.isawaitable(result) else result

        adapter = run_async
    else:

        def run(*args: Any, **more: Any) -> Any:
            args, more = fit.arguments(args, more)
            return call(*args, **more)

        adapter = run
    functools.update_wrapper(adapter, call)
    if fit.signature is not None:
        vars(adapter)["__signature__"] = fit.signature
    return adapter


def needed_parameters(code: Code, method: str) -> frozenset[str]:
    """Return the parameters that a step must be given beside the body.

    Args:
        code: its function or class.
        method: the method of the class that takes the body.

    >>> sorted(needed_parameters(lambda body, messages, model="m": 0, "__call__"))
    ['messages']
    """
    if not inspect.isclass(code):
        return _Fit(code, 1).needed
    is_static = isinstance(inspect.getattr_static(code, method), staticmethod)
    return _Fit(getattr(code, method), 1 if is_static else 2).needed


class _Fit:
    """Which parameters a function takes, and its signature with none it must have."""

    def __init__(self, call: Code, skip: int) -> None:
        self.name = getattr(call, "__name__", type(call).__name__)
        self.signature: inspect.Signature | None = None
        self.known: frozenset[str] | None = None
        self.needed: frozenset[str] = frozenset()
        try:
            signature = inspect.signature(call)
        except (TypeError, ValueError):
            return
        parameters = list(signature.parameters.values())
        more = [one for one in parameters[skip:] if one.name != "context"]
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            self.known = frozenset(one.name for one in more)
        needed = [one for one in more if one.default is one.empty]
        self.needed = frozenset(
            one.name
            for one in needed
            if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        )
        # The compiler refuses steps that need more than a body: here the request brings
        # it, and ``arguments`` reports what is missing with status 400.
        self.signature = signature.replace(
            parameters=[
                one.replace(default=None) if one.name in self.needed else one
                for one in parameters
            ]
        )

    def arguments(
        self, args: tuple[Any, ...], more: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the function is called with.

        Raises:
            BadRequestError: the caller left out what the function needs, or his query
                has what it does not take.
        """
        body = args[-1]
        if type(body) is MappedBody:
            given = self._given(body)
            # ``more`` are the step's own arguments from the graph.
            if more and (twice := given.keys() & more.keys()):
                raise BadRequestError(
                    f"the request has what the graph sets itself: {self.name}() got "
                    f"multiple values for keyword argument {_listed(twice)}"
                )
            args, more = (*args[:-1], body.original_body), {**more, **given}
        if self.needed and not more.keys() >= self.needed:
            missing = _listed(self.needed - more.keys())
            raise BadRequestError(f"{self.name}() needs the parameter {missing}")
        return args, more

    def _given(self, body: MappedBody) -> dict[str, Any]:
        known = self.known
        if known is None or body.keys() <= known:
            return body
        if body.is_lenient:  # OpenAI's clients send many fields that few handlers name
            return {name: value for name, value in body.items() if name in known}
        if unknown := body.from_query - known:
            raise BadRequestError(
                f"the query has what is not asked for: {self.name}() got an unexpected "
                f"keyword argument {_listed(unknown)}"
            )
        return body


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)))
