"""Arguments that a class passes on to its base, named in the signatures of both."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from inspect import Parameter
from typing import Any, TypeVar

Init = TypeVar("Init", bound=Callable[..., None])
BY_PLACE = Parameter.POSITIONAL_OR_KEYWORD
OPEN_ENDS: dict[Any, set[Any]] = {
    Parameter.VAR_POSITIONAL: {BY_PLACE},
    Parameter.VAR_KEYWORD: {Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD},
}
"""``*args`` or ``**options`` to the kinds of arguments of the base that it takes."""


def takes_arguments_of(
    base: Callable[..., Any],
    *,
    without: Collection[str] = (),
    positional: int = 0,
    **defaults: Any,
) -> Callable[[Init], Init]:
    """Return a decorator for an ``__init__`` that passes ``**options`` to its base.

    The signature, which the checks of graphs, completion and the docs read, then names
    the keyword arguments of ``base`` in place of ``options``, and its positional ones
    in place of ``*args`` where there is that. Any other name is refused as Python does;
    where ``base`` itself takes any name, so does the ``__init__``.

    Args:
        base: the class or function that gets ``options``.
        without: arguments of ``base`` that the signature does not name; they may not
            be given, unless ``base`` takes any name.
        positional: how many arguments of the ``__init__`` itself may be given by
            position too, after those of ``base``: the first ones behind its ``*args``.
            It gets all of them by name then.
        **defaults: values that differ from those of ``base``.

    >>> def base(self, path, *, size=1, name=""): ...
    >>> @takes_arguments_of(base, size=2)
    ... def init(self, *args, kind="x", **options): ...
    >>> inspect.signature(init)
    <Signature (self, path, *, kind='x', size=2, name='')>
    """

    def decorate(init: Init) -> Init:
        signature = _joined(
            inspect.signature(init), base, without, positional, defaults
        )
        names = signature.parameters
        _, *places = [p.name for p in names.values() if p.kind is BY_PLACE]
        is_open = any(p.kind is Parameter.VAR_KEYWORD for p in names.values())

        @functools.wraps(init)
        def checked(self: Any, *args: Any, **options: Any) -> None:
            unknown = [name for name in options if name not in names and not is_open]
            if unknown:
                raise TypeError(
                    f"{init.__qualname__}() got an unexpected keyword argument "
                    f"{unknown[0]!r}"
                )
            if positional:
                signature.bind(self, *args, **options)  # refuses too many, or one twice
                options |= zip(places, args, strict=False)
                args = ()
            init(self, *args, **{**defaults, **options})

        # ``inspect.signature`` takes this before it looks at the code itself
        vars(checked)["__signature__"] = signature
        return checked  # type: ignore[return-value]

    return decorate


def _joined(
    own: inspect.Signature,
    base: Callable[..., Any],
    without: Collection[str],
    positional: int,
    defaults: dict[str, Any],
) -> inspect.Signature:
    """Return a signature whose open ends are replaced by what the base takes."""
    code: Any = vars(base).get("__init__", base)
    # ``**class_args`` of the class and of its base have one name: it is not taken yet
    names = {p.name for p in own.parameters.values() if p.kind not in OPEN_ENDS}
    theirs = [
        one.replace(default=defaults.get(one.name, one.default))
        for one in inspect.signature(code).parameters.values()
        if one.name not in {*names, *without, "self"}
    ]
    named = [p.name for p in own.parameters.values() if p.kind is p.KEYWORD_ONLY]
    joined = []
    for one in own.parameters.values():
        if kinds := OPEN_ENDS.get(one.kind):
            joined += [p for p in theirs if p.kind in kinds]
        elif one.name in named[:positional]:
            joined.append(one.replace(kind=BY_PLACE))
        else:
            joined.append(one)
    return own.replace(parameters=joined)
