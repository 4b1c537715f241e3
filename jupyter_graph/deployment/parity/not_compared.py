"""Why an answer of a fresh function may rightly differ from the recorded one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.cells.source import Cell, place
from jupyter_graph.deployment.bundle.bundle_folder import Bundle, place_of
from jupyter_graph.deployment.function_environment import is_given
from jupyter_graph.deployment.parity.wire_form import SentEvent
from jupyter_graph.errors import NotRecordedError
from jupyter_graph.spec.argument_values import value_names
from jupyter_graph.spec.model import GraphSpec

CHANCE: Final = re.compile(
    r"\b(random|secrets|shuffle|sample|randint|rand|randn|choice|choices|default_rng|"
    r"uuid[14]?)\b"
)
"""Names by which code asks for chance."""

OPTIONS = ("parameters", "secrets", "api_handler", "openai_frontend", "mlrun_status")


def refused(
    effects: Sequence[Mapping[str, Any]], bundle: Bundle, spec: GraphSpec
) -> str:
    """Return what a step was not let do, and what to say to the graph."""
    first = effects[0]
    step = first.get("step") or _step_of(str(first.get("code", "")), spec)
    what = f"{first['verb']} {first['what']}"
    if step:
        return f"step {step!r} {what}; mark it --side-effects"
    where = f"{_place_of(first, bundle)}: " if first.get("file") else "the function "
    return f"{where}{what}; mark the step that does it --side-effects"


def _step_of(code: str, spec: GraphSpec) -> str | None:
    """Return the only step that is made of a function or class, by its full name."""
    name = code.partition(".")[0]
    named = [
        step.name
        for step in spec.all_steps()
        if name and name in (step.class_name, step.handler)
    ]
    return named[0] if len(named) == 1 else None


def _place_of(effect: Mapping[str, Any], bundle: Bundle) -> str:
    if effect["file"] != "steps.py":
        return f"{effect['file']}, line {effect['line']}"
    return place_of(bundle.slice, effect["line"])


def not_recorded(answer: RawResponse) -> str:
    """Return what of an event is not known to a step that is not called."""
    if answer.status_code != 500:
        return ""
    document = answer.decoded()
    detail = str(document.get("detail", "")) if isinstance(document, dict) else ""
    mark = f"{NotRecordedError.__name__}: "
    return detail.removeprefix(mark) if detail.startswith(mark) else ""


@dataclass(frozen=True)
class Circumstances:
    """What may excuse a difference.

    Attributes:
        bundle: the bundle.
        spec: its graph.
        cells: the cells that have run, in that order.
        tables: places of tables outside that its steps read.
    """

    bundle: Bundle
    spec: GraphSpec
    cells: Sequence[Cell] = ()
    tables: Sequence[str] = ()

    @cached_property
    def shipped_name(self) -> re.Pattern[str] | None:
        """Matches the names of values and modules of the bundle, None for none."""
        part = self.bundle.slice
        names = {*part.names, *part.local_modules}
        names |= {name for step in self.spec.all_steps() for name in value_names(step)}
        if not names:
            return None
        return re.compile(rf"\b({'|'.join(map(re.escape, sorted(names)))})\b")

    @cached_property
    def uses_chance(self) -> bool:
        """Whether the code asks for chance."""
        return any(map(CHANCE.search, _code_lines(self.bundle.slice.source)))


def ran_before(event: SentEvent, known: Circumstances) -> str:
    """Return what has changed since this event ran, empty where nothing has."""
    cell, last = event.record.cell, known.bundle.slice.last_cell
    if cell is None:
        return ""
    if last > cell:
        return f"it ran before {place(last)}, which has run since"
    changed = _changed_since(cell, known)
    if changed:
        return f"it ran before {place(changed)}, which may have changed a value"
    return ""


def _changed_since(cell: int, known: Circumstances) -> int:
    """Return the last cell since then that names a value or a module of the bundle."""
    word = known.shipped_name
    if word is None:
        return 0
    later = [one for one in known.cells if (one.number or 0) > cell]
    told = [one.number or 0 for one in later if word.search(_plain(one.source))]
    return max(told, default=0)


def _plain(source: str) -> str:
    """Return a cell without its lines of magics."""
    lines = source.splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("%"))


def excuse(event: SentEvent, known: Circumstances) -> str:
    """Return why this event's recorded answer says nothing, empty where it does."""
    return next(_excuses(event, known), "")


def _excuses(event: SentEvent, known: Circumstances) -> Iterator[str]:
    record, bundle = event.record, known.bundle
    part = bundle.slice
    if event.change:
        yield f"callers cannot send its body: {event.change}"
    if record.doubt:
        yield record.doubt
    if known.tables:
        listed = ", ".join(known.tables)
        yield f"its steps read tables that have changed since: {listed}"
    if "is_parity" in part.source:
        yield "its steps ask whether this is a check"
    if known.uses_chance:
        yield "its steps use chance"
    if any(step.join == "any" for step in known.spec.all_steps()):
        yield "the first of several branches answers (join='any')"
    if part.state:
        names = ", ".join(map(repr, part.state))
        yield f"the steps change {names} while they run; a function starts anew"
    given = [name for name in _options(event, known) if getattr(bundle.options, name)]
    if given:
        yield f"it ran without what the function is given: {', '.join(given)}"
    env = bundle.options.env
    others = [name for name, value in env.items() if os.environ.get(name) != value]
    if others:
        yield f"the function has other variables than the notebook: {', '.join(others)}"


def _code_lines(source: str) -> Iterator[str]:
    """Yield the lines that do something with a module, not those that import it."""
    for line in source.splitlines():
        if not line.startswith(("import ", "from ")) and "seed(" not in line:
            yield line.partition("#")[0]


def _options(event: SentEvent, known: Circumstances) -> Iterator[str]:
    """Yield the options that the notebook did without when this event ran."""
    front = known.bundle.options.openai_frontend
    prefix = front.get("prefix", "/v1") if isinstance(front, Mapping) else "/v1"
    for name in OPTIONS:
        # Such a path leads nowhere but through the endpoints.
        if name != "openai_frontend" or not event.record.path.startswith(prefix):
            yield name


def likely_causes(bundle: Bundle) -> Iterator[str]:
    """Yield what may make the bundle answer otherwise than the notebook."""
    part, options = bundle.slice, bundle.options
    for name in part.read_variables:
        given = name in options.env or name in options.secrets or is_given(name)
        if name in os.environ and not given:
            yield (
                f"the code reads the environment variable {name}, which the notebook "
                f"has and the function has not: --env {name}"
            )
    for cell, line, text in part.left_out:
        yield f"ran in the notebook and does not ship: {place(cell, line)}: {text}"
