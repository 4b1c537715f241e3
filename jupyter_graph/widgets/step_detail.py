"""What the view shows about one step when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jupyter_graph.picture.scene import without_secrets
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.subgraphs import distinct

_LONGEST = 20_000
_TEXTS = ("code", "input", "output", "error")
_NOT_OPTIONS = frozenset({"name", "kind", "routes", "carried", "base_step"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDetail:
    """Texts about one step; an empty one is left out.

    Attributes:
        code: the source of its function or class.
        input: the last body it received.
        output: the last body it gave.
        error: its last error.
        where: where its code stands, such as ``cell 3, line 2``.
        options: what it was added with; by default what stands in its spec.
    """

    code: str = ""
    input: str = ""
    output: str = ""
    error: str = ""
    where: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def options_of(step: StepSpec) -> dict[str, str]:
    """Return the fields of a step that are not as usual, as short texts.

    >>> options_of(StepSpec(name="a", handler="f", after=("b", "c"), retries=2))
    {'handler': 'f', 'after': 'b, c', 'retries': '2'}
    """
    usual = StepSpec(name=step.name)
    return {
        entry.name: without_secrets(value) if entry.name == "path" else _written(value)
        for entry in fields(StepSpec)
        if entry.name not in _NOT_OPTIONS
        and (value := getattr(step, entry.name)) != getattr(usual, entry.name)
    }


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(getattr(part, "name", None) or str(part) for part in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={part!r}" for key, part in value.items())
    return str(value)


def sent(
    spec: GraphSpec, details: Mapping[str, StepDetail] | None
) -> dict[str, dict[str, Any]]:
    """Return the details of all steps as JSON values of bounded size."""
    known = details or {}
    return {
        step.name: _sent(known.get(step.name, StepDetail()), step)
        for step in distinct(spec).every_step()
    }


def _sent(detail: StepDetail, step: StepSpec) -> dict[str, Any]:
    options = dict(detail.options) or options_of(step)
    return {
        **{key: shortened(getattr(detail, key)) for key in _TEXTS},
        "where": detail.where,
        "options": {str(key): shortened(str(value)) for key, value in options.items()},
    }


def shortened(text: str) -> str:
    """Return a text of at most 20,000 signs, with a note where it was cut.

    >>> shortened("abc")
    'abc'
    """
    if len(text) <= _LONGEST:
        return sendable(text)
    more = f"\n… {len(text) - _LONGEST:,} more characters"
    return sendable(text[:_LONGEST]) + more


def sendable(text: str) -> str:
    r"""Replace halves of pairs, which JSON bodies may hold and no message can.

    >>> sendable("a\ud800")
    'a?'
    """
    return text.encode("utf-8", "replace").decode("utf-8")
