"""Steps that send on several bodies for one; they remember nothing.

Source: storey's steps of these names, https://storey.readthedocs.io
"""

from __future__ import annotations

import reprlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from jupyter_graph.steps.data.step_functions import (
    Function,
    awaited,
    called,
    checked,
    name_of,
)
from jupyter_graph.values.dataframe_rows import is_pandas


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


async def _collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def _items(result: Any, giver: str) -> Iterable[Any]:
    is_whole = isinstance(result, str | bytes | Mapping) or is_pandas(result)
    if is_whole or not hasattr(result, "__iter__"):
        raise TypeError(
            f"a list of items is needed, but {giver} gave {reprlib.repr(result)}"
        )
    return result  # type: ignore[no-any-return]  # it has __iter__
