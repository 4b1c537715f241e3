"""EXPR: JSON, a notebook variable, or an expression over the notebook's names."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from typing import Any

from jupyter_graph.errors import MagicError, did_you_mean, said

_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)\Z")
_JSON_WORDS = {"true": "True", "false": "False", "null": "None"}


def evaluate(text: str, names: dict[str, Any], *, what: str = "EXPR") -> Any:
    """Return the value that a typed expression stands for in the notebook.

    Raises:
        MagicError: nothing is written, it cannot be read, or computing it failed.

    >>> evaluate('{"a": [1, true]}', {}), evaluate("rows[0]", {"rows": [7]})
    ({'a': [1, True]}, 7)
    """
    source = text.strip()
    if not source:
        raise MagicError(f"{what} is missing: write JSON, a variable or an expression")
    if match := _VARIABLE.match(source):
        return variable(match[1], names, what=what)
    try:
        return json.loads(source)
    except (ValueError, RecursionError):
        pass
    try:
        code = compile(source, f"<{what}>", "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error)
        raise MagicError(
            f"{what} can be read neither as JSON nor as Python: {reason}: {source}"
        ) from None
    try:
        return eval(code, names)
    except NameError as error:
        raise MagicError(
            f"{what}: {error}{_hint(error.name or '', names)}: {source}"
        ) from None
    except Exception as error:
        raise MagicError(f"{what} failed: {said(error)}: {source}") from error


def _hint(name: str, names: dict[str, Any]) -> str:
    if name in _JSON_WORDS:
        return f"; JSON's {name} is {_JSON_WORDS[name]} in an expression"
    return did_you_mean(name, [key for key in names if not key.startswith("_")])


def variable(name: str, names: dict[str, Any], *, what: str) -> Any:
    """Return the notebook's variable of this name."""
    if name not in names:
        raise MagicError(
            f"{what}: the notebook has no variable {name!r}{_hint(name, names)}"
        )
    return names[name]


def pair(text: str, *, what: str, form: str = "NAME=VALUE") -> tuple[str, str]:
    """Cut ``K=V`` at its first ``=``.

    >>> pair("a=b=c", what="--arg")
    ('a', 'b=c')
    """
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise MagicError(f"{what} takes {form}, got {text!r}")
    return key.strip(), value.strip()


def pairs(
    given: Iterable[str] | None, *, what: str, form: str = "NAME=VALUE"
) -> list[tuple[str, str]]:
    """Cut what was typed after an option that may stand several times."""
    return [pair(text, what=what, form=form) for text in given or ()]


def read_value(text: str) -> Any:
    """Read the V of ``K=V``: JSON when it parses, else text (its quotes taken off).

    Python's ``None``, ``True``, ``False`` and quoted texts are read as such.

    >>> read_value("1.5"), read_value("two words"), read_value("'it'"), read_value("[1")
    (1.5, 'two words', 'it', '[1')
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if text in ("None", "True", "False") or text[:1] in "\"'":
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            pass
    return text
