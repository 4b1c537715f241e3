"""Secrets by their names: a graph never holds their values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import SpecError


def read_secret(context: Any, name: str) -> str | None:
    """Return a secret of the runner, or the environment variable of its name.

    >>> read_secret(None, "NO_SUCH_SECRET") is None
    True
    """
    of_runner = context.get_secret(name) if hasattr(context, "get_secret") else None
    try:
        return of_runner or os.environ.get(name) or None
    except (TypeError, ValueError):  # no text, or one that no variable can be called
        return None


def secret_of(context: Any, name: str) -> str:
    """Return a secret, looked up as by ``read_secret``, that must have a value.

    Raises:
        SpecError: it has none.
    """
    if (value := read_secret(context, name)) is None:
        raise SpecError(
            f"there is no secret {name!r}; give it to the runner (secrets={{...}}), "
            "set a variable of this name, or deploy with --secret NAME=SECRET/KEY"
        )
    return value


def secret_headers_of(headers: Any, context: Any) -> dict[str, str]:
    """Return headers with the secrets whose names they hold.

    Args:
        headers: a header's name to a secret's name, or to a text with one in braces:
            ``{"Authorization": "Bearer {MODEL_TOKEN}"}``.
        context: where secrets come from.

    Raises:
        SpecError: a secret has no value here; the text names it and shows none.
    """
    if not isinstance(headers, Mapping):
        raise SpecError(
            "secret_headers must be an object of headers and names of secrets, "
            f"got a {type(headers).__name__}"
        )
    values: dict[str, str] = {}
    missing: list[str] = []
    for header, template in headers.items():
        before, name, after = _parts(template)
        if (value := read_secret(context, name)) is None:
            missing.append(name)
        values[header] = f"{before}{value}{after}"
    if missing:
        raise SpecError(no_value(missing))
    return values


def no_value(names: list[str]) -> str:
    """Return the message about secrets that have no value."""
    return (
        f"secrets without a value: {', '.join(names)}; give them to the runner "
        "(secrets={...}), set variables of these names, or deploy with "
        "--secret NAME=SECRET/KEY"
    )


def _parts(template: Any) -> tuple[str, str, str]:
    if not isinstance(template, str):
        raise SpecError(f"the name of a secret must be a text, got {template!r:.40}")
    before, brace, rest = template.partition("{")
    name, closing, after = rest.partition("}") if brace else (template, "}", "")
    if not closing or not name.isidentifier():
        raise SpecError(
            "a secret header takes the name of a secret, such as 'TOKEN' or "
            "'Bearer {TOKEN}', never its value"
        )
    return (before if brace else "", name, after)
