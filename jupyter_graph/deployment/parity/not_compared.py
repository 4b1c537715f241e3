"""Why an answer of a fresh function may rightly differ from the recorded one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.cells.source import place
from jupyter_graph.deployment.bundle.bundle_folder import Bundle, place_of
from jupyter_graph.deployment.function_environment import is_given
from jupyter_graph.deployment.parity.wire_form import SentEvent
from jupyter_graph.errors import NotRecordedError
from jupyter_graph.spec.model import GraphSpec

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


def ran_before(event: SentEvent, bundle: Bundle) -> str:
    """Return what has changed since this event ran, empty where nothing has."""
    cell, last = event.record.cell, bundle.slice.last_cell
    if cell is None or last <= cell:
        return ""
    return f"it ran before {place(last)}, which has run since"


def excuse(event: SentEvent, bundle: Bundle, tables: Sequence[str]) -> str:
    """Return why this event's recorded answer says nothing, empty where it does."""
    return next(_excuses(event, bundle, tables), "")


def _excuses(event: SentEvent, bundle: Bundle, tables: Sequence[str]) -> Iterator[str]:
    record, part = event.record, bundle.slice
    if event.change:
        yield f"callers cannot send its body: {event.change}"
    if record.doubt:
        yield record.doubt
    if tables:
        yield f"its steps read tables that have changed since: {', '.join(tables)}"
    if "is_parity" in part.source:
        yield "its steps ask whether this is a check"
    if part.state:
        names = ", ".join(map(repr, part.state))
        yield f"the steps change {names} while they run; a function starts anew"
    given = [name for name in OPTIONS if getattr(bundle.options, name)]
    if given:
        yield f"it ran without what the function is given: {', '.join(given)}"
    env = bundle.options.env
    others = [name for name, value in env.items() if os.environ.get(name) != value]
    if others:
        yield f"the function has other variables than the notebook: {', '.join(others)}"


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
