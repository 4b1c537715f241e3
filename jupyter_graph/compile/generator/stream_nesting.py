"""In which streams an event stands when it comes to a step.

Each item of a stream is an event of its own: what waits for branches, or counts
rounds, does so for one item. A collector ends all streams.
"""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import START, StepSpec

Nesting = tuple[str, ...]
"""The steps whose streams an event is in, the outermost first."""

SEVERAL = "$several"
"""Begins the nesting of a step that events reach in different ones."""


def nestings(
    steps: Mapping[str, StepSpec],
    codes: Mapping[str, StepCode],
    after: Mapping[str, tuple[str, ...]],
) -> dict[str, Nesting]:
    """Return the streams that events are in at each step.

    Args:
        steps: the steps by name.
        codes: the code of each.
        after: what comes after each step, and first.
    """
    nesting_of: dict[str, Nesting] = {}
    todo: list[tuple[str, Nesting]] = [(name, ()) for name in after[START]]
    while todo:
        name, nesting = todo.pop()
        known = nesting_of.get(name)
        if known is not None and known != nesting:
            nesting = (SEVERAL,)
        if known == nesting:
            continue
        nesting_of[name] = nesting
        handler = steps[name].on_error
        todo += [(handler, nesting)] if handler else []
        behind = _behind(codes[name], nesting)
        todo += [(target, behind) for target in after[name]]
    return nesting_of


def _behind(code: StepCode, nesting: Nesting) -> Nesting:
    name = code.step.name
    if code.collects:
        return ()
    gives_many = code.is_stream or code.direct == "FlatMap"
    return (*nesting, name) if gives_many and name not in nesting else nesting


def stream_of(name: str, nesting_of: Mapping[str, Nesting]) -> str:
    """Return the innermost stream whose items come to a step, "" for none."""
    nesting = nesting_of.get(name, ())
    return nesting[-1] if nesting and nesting[-1] != SEVERAL else ""


def check_joins(
    steps: Mapping[str, StepSpec], nesting_of: Mapping[str, Nesting]
) -> None:
    """Refuse joins whose branches stand partly inside a stream.

    Raises:
        SpecError: there is one; the message suggests a Collector.
    """
    problems = [
        f"step {step.name!r} joins branches inside and outside of a stream; put a "
        "Collector between the generator and the join"
        for step in steps.values()
        if step.join and nesting_of.get(step.name, ())[-1:] == (SEVERAL,)
    ]
    SpecError.raise_all("joins inside streams", problems)
