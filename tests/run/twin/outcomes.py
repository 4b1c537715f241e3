"""What comes of an event in the reference: streams, events on their way, failures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.types import NOTHING
from tests.run.twin.graph import Drawn


class Failed(BaseException):
    """A step failed: its name, and the kind of what it raised."""

    def __init__(self, step: str, kind: str) -> None:
        self.outcome = ("failed", step, kind)
        self.step = step


class Items:
    """A stream under way."""

    def __init__(self, items: Iterator[Any]) -> None:
        self.items = items


class Several(list[Any]):
    """What a step of storey's sends on: as many events."""


class Back:
    """An event on its way back to a step before."""

    def __init__(self, *reaches: Any) -> None:
        self.reaches = reaches


@dataclass
class Event:
    """What one event has met so far; ``ends`` are all that could be its outcome."""

    graph: Drawn
    ends: list[Any] = field(default_factory=list)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    lists: dict[str, list[Any]] = field(default_factory=dict)

    def ended(self, answer: Any) -> Any:
        self.ends.append(("answer", answer))
        return answer

    def failure(self, step: str, kind: str) -> Failed:
        failed = Failed(step, kind)
        self.ends.append(failed.outcome)
        return failed


def given(answer: Any) -> Iterator[Any]:
    """Give the items of an answer: of a stream all, else itself, or none."""
    if isinstance(answer, Items):
        yield from answer.items
    elif answer is not NOTHING:
        yield answer


def part(body: Any, path: str) -> Any:
    for key in path.split("."):
        body = body.get(key) if isinstance(body, Mapping) else None
    return body
