"""How a value becomes JSON: what may differ from place to place, and the recursion."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from jupyter_graph.errors import AnswerError, UnprocessableError

MAX_DEPTH: Final = 200
"""Containers inside containers; the same in every process, whatever its stack."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """What differs between the places that write JSON; the table itself does not.

    Attributes:
        error: the class that is raised for a value that the table has no row for.
        keeps_index: a frame's index that has a name stands in each record, first.
        unknown_as_text: write what has no row as its ``str``, and raise nothing.
        is_ascii: write other characters as JSON escapes.
        whole: what the message calls the whole that is written.
        advice: what the message tells the author to do.
    """

    error: type[Exception]
    keeps_index: bool = False
    unknown_as_text: bool = False
    is_ascii: bool = False
    whole: str = "a body"
    advice: str = "use a dict, a list, text or a number instead"


ANSWER: Final = Policy(
    AnswerError,
    whole="an answer",
    advice="return a dict, a list, text or a number instead",
)
"""Answers to callers, in the notebook, the host and Nuclio."""

TARGET: Final = Policy(UnprocessableError, keeps_index=True)
"""HTTPTarget, files of text, messages on queues: a frame is a batch of rows there."""

REQUEST: Final = Policy(TypeError, is_ascii=True)
"""Bodies of the requests that remote steps and language models send."""

LOG: Final = Policy(TypeError, unknown_as_text=True, is_ascii=True)
"""Log lines: nothing that is logged may fail the event that logs it."""


class NotJSON(Exception):
    """A value is not in the table; ``keys`` leads to it, innermost first."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.keys: list[str] = []

    def at(self, path: str) -> str:
        """Return the message with the path of the value in front of it."""
        keys = self.keys[::-1]
        shown = "".join(keys) if len(keys) <= 8 else "".join(keys[:4]) + "[…]"
        return f"{path}{shown}: {self}"


class Form:
    """Converts values by a table of rows, and by the policy of one place.

    Args:
        policy: what differs in this place.
        row_of: returns the row for a type.
    """

    __slots__ = ("_row_of", "policy")

    def __init__(self, policy: Policy, row_of: Callable[[Any], Row]) -> None:
        self.policy = policy
        self._row_of = row_of

    def convert(self, value: Any, depth: int) -> Any:
        """Return the JSON value; ``NotJSON`` when the table has no row for it."""
        kind = type(value)
        if kind is str or kind is bool or value is None:
            return value
        if kind is float:  # most numbers, without looking up their row
            return value if math.isfinite(value) else None
        if depth > MAX_DEPTH:
            raise NotJSON(f"nested deeper than {MAX_DEPTH} levels, or holds itself")
        return self._row_of(kind)(value, depth, self)

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Return a list of JSON values; a failure remembers its index."""
        result: list[Any] = []
        for item in values:
            try:
                result.append(self.convert(item, depth + 1))
            except NotJSON as error:
                error.keys.append(f"[{len(result)}]")
                raise
        return result

    def record(self, pairs: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        """Return a JSON object; keys become text by the same table."""
        result: dict[str, Any] = {}
        for key, item in pairs:
            try:
                name = key if type(key) is str else self.key_text(key)
                if name in result:
                    raise NotJSON(f"two keys become the text {name!r}")  # noqa: TRY301
                result[name] = self.convert(item, depth + 1)
            except NotJSON as error:
                error.keys.append(f"[{_shown(key)}]")
                raise
        return result

    def key_text(self, key: Any) -> str:
        """Return the text of a key that is not text: its JSON value, as text."""
        value = self.convert(key, 0)
        return (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        )


class LenientForm(Form):
    """As ``Form``; a value that the table has no row for becomes its ``str``."""

    __slots__ = ()

    def convert(self, value: Any, depth: int) -> Any:
        """Return the JSON value, else the text of the innermost value that has none."""
        try:
            return Form.convert(self, value, depth)
        except Exception:  # also what properties of the value raise
            return _text_of(value)


Row = Callable[[Any, int, Form], Any]
"""One row of the table: a value, its depth and the form → the JSON value."""


def names_of(kind: type) -> list[str]:
    """Return ``package.Class`` of a type and of its bases, the nearest first.

    So types of other packages are known without an import.

    >>> names_of(bool)
    ['builtins.bool', 'builtins.int', 'builtins.object']
    """
    return [
        f"{base.__module__.partition('.')[0]}.{base.__qualname__}"
        for base in kind.__mro__
    ]


def _shown(key: Any) -> str:
    short = isinstance(key, int) and abs(key) < 10**18
    return repr(key) if short or isinstance(key, str) else f"a {type(key).__name__}"


def _text_of(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"
