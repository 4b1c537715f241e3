"""Where a document's secrets come from: those it holds itself are taken."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.errors import did_you_mean

KINDS: Final = ("inline", "file", "env", "vault", "azure_vault", "kubernetes")
FIELDS: Final = ("kind", "source", "prefix")
LONGEST: Final = 100_000


def secrets_in(
    sources: Any, problems: list[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the secrets of MLRun's ``secret_sources``, and what was not read.

    Only ``inline`` sources are read: a document opens no file and asks no vault.

    Args:
        sources: the list of sources.
        problems: gets a sentence for everything that is wrong.

    >>> secrets_in([{"kind": "inline", "source": {"key": 1}}], [])
    ({'key': '1'}, ())
    """
    secrets: dict[str, str] = {}
    notes: list[str] = []
    if sources in (None, "", []):
        return secrets, ()
    if not isinstance(sources, list | tuple):
        problems.append(
            "field 'secret_sources' is a list of objects, got a "
            f"{type(sources).__name__}"
        )
        return secrets, ()
    for number, source in enumerate(sources, 1):
        where = f"secret source {number}"
        if wrong := _wrong(source, where):
            problems += wrong
        elif source["kind"] != "inline":
            notes.append(
                f"{where} is of kind {source['kind']!r}, which is not read; give its "
                "secrets with secrets="
            )
        else:
            values = _inline(source.get("source"), where, problems)
            prefix = source.get("prefix") or ""
            secrets |= {prefix + key: str(value) for key, value in values.items()}
    return secrets, tuple(notes)


def _wrong(source: Any, where: str) -> list[str]:
    """Say what is wrong with a source; its values are never shown."""
    if not isinstance(source, Mapping):
        return [f"{where} is an object of fields, got a {type(source).__name__}"]
    problems = [
        f"{where} has an unknown field {key!r}{did_you_mean(str(key), FIELDS)}"
        for key in source
        if key not in FIELDS
    ]
    kind = source.get("kind")
    if kind not in KINDS:
        problems.append(
            f"{where} is of kind {kind!r}{did_you_mean(str(kind), KINDS)}, known are "
            f"{', '.join(KINDS)}"
        )
    if not isinstance(source.get("prefix") or "", str):
        problems.append(f"field 'prefix' of {where} is a text")
    return problems


def _inline(values: Any, where: str, problems: list[str]) -> Mapping[str, Any]:
    """Return inline secrets; MLRun also writes them as the text of a dict."""
    if isinstance(values, str) and len(values) <= LONGEST:
        try:
            values = ast.literal_eval(values)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            values = None
    if not isinstance(values, Mapping) or not all(isinstance(k, str) for k in values):
        problems.append(f"field 'source' of {where} is an object of names and values")
        return {}
    for key, value in values.items():
        if not isinstance(value, str | int | float | bool):
            problems.append(f"secret {key!r} of {where} is a text")
    return values
