"""In which streams an event stands when it comes to a step.

Each item of a stream is an event of its own: what waits for branches, or counts
rounds, does so for one item. A collector ends all streams.
"""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import START, StepSpec

Way = tuple[str, ...]
"""The steps whose streams an event is in, the outermost first."""

SEVERAL = "$several"
"""Begins a way where events come on different ones."""


def ways(
    steps: Mapping[str, StepSpec],
    codes: Mapping[str, StepCode],
    after: Mapping[str, tuple[str, ...]],
) -> dict[str, Way]:
    """Return the way on which events come to each step; ``SEVERAL`` begins a mixed one.

    Args:
        steps: the steps by name.
        codes: the code of each.
        after: what comes after each step, and first.
    """
    found: dict[str, Way] = {}
    todo: list[tuple[str, Way]] = [(name, ()) for name in after[START]]
    while todo:
        name, way = todo.pop()
        known = found.get(name)
        if known is not None and known != way:
            way = (SEVERAL,)
        if known == way:
            continue
        found[name] = way
        handler = steps[name].on_error
        todo += [(handler, way)] if handler else []
        behind = _behind(codes[name], way)
        todo += [(target, behind) for target in after[name]]
    return found


def _behind(code: StepCode, way: Way) -> Way:
    name = code.step.name
    if code.collects:
        return ()
    gives_many = code.is_stream or code.direct == "FlatMap"
    return (*way, name) if gives_many and name not in way else way


def stream_of(name: str, found: Mapping[str, Way]) -> str:
    """Give the innermost stream whose items come to a step, "" where there is none."""
    way = found.get(name, ())
    return way[-1] if way and way[-1] != SEVERAL else ""


def check_joins(steps: Mapping[str, StepSpec], found: Mapping[str, Way]) -> None:
    """Refuse joins whose branches stand partly inside a stream.

    Raises:
        SpecError: there is one; the text says what to do.
    """
    problems = [
        f"step {step.name!r} joins branches inside and outside of a stream; put a "
        "Collector between the generator and the join"
        for step in steps.values()
        if step.join and found.get(step.name, ())[-1:] == (SEVERAL,)
    ]
    SpecError.raise_all("joins inside streams", problems)
