"""Texts that can be encoded: half a surrogate pair is no character in any encoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def broken_text(value: Any, path: str = "body") -> str | None:
    r"""Return where a JSON value holds a text that no encoding has; None if nowhere.

    >>> broken_text({"a": ["x", "\ud800"]}), broken_text({"a": "x"})
    ("body['a'][1]", None)
    """
    return next(_broken(value, path), None)


def is_whole(text: str) -> bool:
    r"""Return whether a text can be encoded.

    >>> is_whole("\U0001f600"), is_whole("\ud83d")
    (True, False)
    """
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _broken(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if not is_whole(value):
            yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            if not is_whole(str(key)):
                yield f"a key of {path}"
            yield from _broken(item, f"{path}[{key!r}]")
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from _broken(item, f"{path}[{at}]")
