"""Steps that change, keep, check, split or direct bodies; they remember nothing.

Functions stand in a document as MLRun writes them, ``"_fn": "double"`` or
``"_fn": "(event['x'] > 1)"``, and may be coroutine functions.

Source: storey's steps of these names, https://storey.readthedocs.io
"""

from __future__ import annotations

import reprlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.errors import SpecError, StatusError, UnprocessableError
from jupyter_graph.steps.data.step_functions import (
    Function,
    awaited,
    called,
    checked,
    gives_many,
    must_wait,
    name_of,
)
from jupyter_graph.types import NOTHING
from jupyter_graph.values.dataframe_rows import is_pandas


class _ByFunction:
    """What a function makes of a body; ``_given`` says what goes on."""

    def __init__(self, fn: Function) -> None:
        self.fn = checked(fn, f"{type(self).__name__}: fn")
        if gives_many(fn):
            raise SpecError(
                f"{type(self).__name__}: {name_of(fn)!r} is a generator, a function "
                "that returns is needed; FlatMap sends on each item of a generator"
            )

    def do(self, body: Any) -> Any:
        return self._given(body, called(self.fn, body))

    async def do_async(self, body: Any) -> Any:
        return self._given(body, await awaited(self.fn, body))

    def _given(self, body: Any, result: Any) -> Any:
        raise NotImplementedError


class Map(_ByFunction):
    """Replace each body by what a function returns for it.

    Body in: what ``fn`` takes. Body out: what ``fn`` gives.

    Args:
        fn: a function of the body, or a coroutine function.

    Raises:
        SpecError: ``fn`` is no function, or a generator.

    >>> Map(lambda body: body * 2).do(21)
    42
    """

    def _given(self, body: Any, result: Any) -> Any:
        return result


class Filter(_ByFunction):
    """Let a body go on when a function says so; others end here.

    Body in, body out: what ``fn`` takes, unchanged. The caller of an event that ends
    here gets an empty answer (204). Of a DataFrame those rows go on for which
    ``fn(frame)`` holds true.

    Args:
        fn: a function of the body that gives something true to keep it.

    Raises:
        SpecError: ``fn`` is no function, or a generator.

    >>> keep = Filter(lambda body: body["n"] > 1)
    >>> keep.do({"n": 2}), keep.do({"n": 1})
    ({'n': 2}, NOTHING)
    """

    may_drop = True

    def _given(self, body: Any, result: Any) -> Any:
        if is_pandas(body) and getattr(result, "ndim", 0) == 1:
            return body[result]
        return body if result else NOTHING


class Extend(_ByFunction):
    """Add the fields that a function gives to each body.

    Body in: an object ``{...}`` or a DataFrame. Body out: a new one with the fields
    (columns) of ``fn(body)`` added; fields of the same name are replaced.

    Args:
        fn: a function of the body that gives an object.

    Raises:
        SpecError: ``fn`` is no function, or a generator.
        TypeError: (from ``do``) the body, or what ``fn`` gave, is no object.

    >>> Extend(lambda body: {"square": body["n"] ** 2}).do({"n": 3})
    {'n': 3, 'square': 9}
    """

    def _given(self, body: Any, result: Any) -> Any:
        if not isinstance(result, Mapping):
            raise TypeError(
                f"Extend adds the fields of an object, but {name_of(self.fn)} gave "
                f"{reprlib.repr(result)}"
            )
        if is_pandas(body):
            return body.assign(**result)
        if not isinstance(body, Mapping):
            raise TypeError(
                f"Extend needs a body that is an object, got {reprlib.repr(body)}"
            )
        return {**body, **result}


class ForEach(_ByFunction):
    """Call a function for its effect; the body goes on as it is.

    Body in, body out: what ``fn`` takes. What ``fn`` gives is not used; what it
    raises fails the event.

    Args:
        fn: a function of the body, which should not change it.

    Raises:
        SpecError: ``fn`` is no function, or a generator.

    >>> seen = []
    >>> ForEach(seen.append).do({"n": 1}), seen
    ({'n': 1}, [{'n': 1}])
    """

    def _given(self, body: Any, result: Any) -> Any:
        return body


class Assert(_ByFunction):
    """Fail an event whose body does not pass a check.

    Body in, body out: what ``fn`` takes, unchanged.

    Args:
        fn: a function of the body that gives something true when all is well.
        message: what the error says; by default the names of the check and the body.
        status_code: the HTTP status of the failure, 400–599: below 500 the caller is
            which marks the body as the fault.

    Raises:
        SpecError: ``fn`` is no function, or ``status_code`` is out of range.
        UnprocessableError: (from ``do``) the check failed; another StatusError with
            another ``status_code``.

    >>> Assert(lambda body: body["n"] > 0, message="n must be above 0").do({"n": -1})
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.UnprocessableError: n must be above 0, got {'n': -1}
    """

    def __init__(
        self, fn: Function, *, message: str | None = None, status_code: int = 422
    ) -> None:
        super().__init__(fn)
        is_text = isinstance(message, str | None)
        require(is_text, "Assert: message must be a text", message)
        is_status = is_count(status_code, 400) and status_code <= 599
        require(is_status, "Assert: status_code must be 400 to 599", status_code)
        self.message = message or f"the body does not pass {name_of(fn)!r}"
        self.status_code = status_code

    def _given(self, body: Any, result: Any) -> Any:
        if result:
            return body
        message = f"{self.message}, got {reprlib.repr(body)}"
        if self.status_code == UnprocessableError.status_code:
            raise UnprocessableError(message)
        raise StatusError(message, status_code=self.status_code)


class FlatMap:
    """Send on each item that a function makes of a body, one by one.

    Body in: what ``fn`` takes. Body out: each item of what ``fn`` gives, in order; of
    an empty list nothing goes on. All items belong to the event they come from. A
    caller who waits gets the items as a stream.

    Args:
        fn: gives a list or another iterable, or is a (asynchronous) generator. Texts
            and objects do not count as lists.

    Raises:
        SpecError: ``fn`` is no function.
        TypeError: (from ``do``) ``fn`` gave something without items.

    >>> list(FlatMap(lambda body: [body, -body]).do(3))
    [3, -3]
    """

    def __init__(self, fn: Function) -> None:
        self.fn = checked(fn, "FlatMap: fn")

    def do(self, body: Any) -> Iterator[Any]:
        result = called(self.fn, body)
        if hasattr(result, "__aiter__"):
            result = called(_collected, result)
        yield from _items(result, name_of(self.fn))

    async def do_async(self, body: Any) -> AsyncIterator[Any]:
        result = await awaited(self.fn, body)
        if hasattr(result, "__aiter__"):
            async for item in result:
                yield item
            return
        for item in _items(result, name_of(self.fn)):
            yield item


class Flatten:
    """Send on each item of a list, one by one.

    Body in: a list or another iterable. Body out: each item, in order; of an empty
    list nothing goes on. All items belong to the event they come from. A caller who
    waits gets the items as a stream.

    Raises:
        TypeError: (from ``do``) the body is no list.

    >>> list(Flatten().do([1, 2]))
    [1, 2]
    """

    def do(self, body: Any) -> Iterator[Any]:
        yield from _items(body, "the step before")


class Partition:
    """Send a body to one of two followers, by a function that says which.

    Body in, body out: what ``predicate`` takes, unchanged.

    Args:
        predicate: a plain function of the body; a coroutine function is refused.
        true: the follower, or the list of followers, for bodies it holds true for.
        false: the follower, or the list of them, for all others.

    Raises:
        SpecError: ``predicate`` is no plain function, or a follower has no name.

    >>> half = Partition(lambda body: body % 2 == 0, true="even", false="odd")
    >>> half.select_outlets(2), half.select_outlets(3)
    (['even'], ['odd'])
    """

    def __init__(
        self, predicate: Function, *, true: str | list[str], false: str | list[str]
    ) -> None:
        self.predicate = checked(predicate, "Partition: predicate")
        if gives_many(predicate) or must_wait(predicate):
            raise SpecError(
                f"Partition: {name_of(predicate)!r} is a coroutine or a generator; "
                "a plain function is needed"
            )
        self.true = _followers(true, "true")
        self.false = _followers(false, "false")

    def select_outlets(self, body: Any) -> list[str]:
        return self.true if self.predicate(body) else self.false


async def _collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def _items(result: Any, giver: str) -> Iterable[Any]:
    is_whole = isinstance(result, str | bytes | Mapping) or is_pandas(result)
    if is_whole or not hasattr(result, "__iter__"):
        raise TypeError(
            f"a list of items is needed, but {giver} gave {reprlib.repr(result)}"
        )
    return result  # type: ignore[no-any-return]  # it has __iter__


def _followers(names: Any, what: str) -> list[str]:
    listed = [names] if isinstance(names, str) else names
    is_list = isinstance(listed, list | tuple) and len(listed) > 0
    has_names = is_list and all(isinstance(name, str) and name for name in listed)
    rule = f"Partition: {what} must be the name of a step or a list of names"
    require(has_names, rule, names)
    return list(listed)
