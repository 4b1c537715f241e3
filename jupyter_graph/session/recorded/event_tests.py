"""Tests of recorded events: what was answered once, a graph shall answer again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.deployment.parity.compare import differences, is_within, shown
from jupyter_graph.errors import EventFileError, MagicError, short
from jupyter_graph.run.record import SENT
from jupyter_graph.session.recorded.event_files import read_events, write_events
from jupyter_graph.session.recorded.event_lines import RecordedEvent

if TYPE_CHECKING:
    from jupyter_graph.session.session import Session
    from jupyter_graph.spec.builder import Graph

FOLDER: Final = Path("tests")
MARK: Final = "Written by %graph test"

PYTEST: Final = '''"""The recorded events of graph {graph!r}, sent again.

{mark}, which writes it anew; a file without this line is left alone.
"""

from pathlib import Path

import pytest

from jupyter_graph.cli.recorded_events import differing_events, recorded_events

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def differing():
    """What each event is answered otherwise now; the notebook runs once."""
    return differing_events(HERE.parent / {notebook!r}, {graph!r})


@pytest.mark.parametrize("line", recorded_events(HERE / "events" / {events!r}))
def test_an_event_is_answered_as_it_was(line, differing):
    assert differing.get(line, []) == []
'''


@dataclass(frozen=True)
class AddedTest:
    """What became of an event that is a test from now on.

    Attributes:
        events: the file of the tests.
        pytest: the pytest that reads them, None where it was not written.
        count: how many tests there are.
        note: what happened, for whoever asked for it.
    """

    events: Path
    pytest: Path | None
    count: int
    note: str

    def __str__(self) -> str:
        tests = f"{self.count} test{'s' if self.count != 1 else ''}"
        return f"{self.note}; {tests} in {self.events}"


def events_file(folder: Path, graph: str) -> Path:
    """Return where the tests of a graph stand, beside its notebook or script."""
    return folder / FOLDER / "events" / f"{graph}.jsonl"


def add_test(session: Session, graph: Graph, event: RecordedEvent) -> AddedTest:
    """Make an event and its answer a test; one that asks the same is replaced.

    Raises:
        MagicError: the event went through a part of the graph, or its answer is not
            kept any more.
        EventFileError: the body has no form in the file, or the file is broken.
    """
    name = event.input.event_id
    if not event.is_whole:
        raise MagicError(
            f"event {name} went through a part of graph {graph.name!r}, or was an "
            "example or a replay; send it through the whole: %graph run …"
        )
    if event.answer is None:
        raise MagicError(
            f"the answer of event {name} is not kept any more; send it again: "
            f"%graph replay {name}"
        )
    path = events_file(session.folder, graph.name)
    there = [one for _, one in read_events(path)] if path.exists() else []
    kept = [one for one in there if one.request != event.request]
    count = write_events(path, [*kept, event])
    is_new = len(kept) == len(there)
    note = f"event {name} is {'a test' if is_new else 'a test again, as it is now'}"
    written, why_not = _write_pytest(session, graph.name, path)
    return AddedTest(path, written, count, note + why_not)


def _write_pytest(
    session: Session, graph: str, events: Path
) -> tuple[Path | None, str]:
    """Write the pytest that reads the events; return why not, where it was not."""
    if session.notebook_path is None:
        return None, (
            " (the notebook's file is not known, so no pytest was written: jupyter "
            "graph test NOTEBOOK runs it)"
        )
    word = re.sub(r"\W", "_", graph)
    path = session.folder / FOLDER / f"test_{word}_events.py"
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        return None, f" ({path} is another file, so it was left alone)"
    text = PYTEST.format(
        graph=graph, mark=MARK, notebook=session.notebook_path.name, events=events.name
    )
    path.write_text(text, encoding="utf-8")
    return path, ""


@dataclass(frozen=True)
class EventOutcome:
    """How one recorded event was answered now.

    Attributes:
        line: its line in the file.
        event_id: its id.
        differing: a text for each place that differs from what was recorded.
        left_out: the places that differ from one run to the next.
    """

    line: int
    event_id: str | None
    differing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def outcomes(
    graph: Graph, events: Sequence[tuple[int, RecordedEvent]], *, effects: bool = False
) -> list[EventOutcome]:
    """Send recorded events again, in their order, through a fresh runner.

    Where one is answered otherwise, all are sent once more through another runner:
    what differs between these two (a clock, a random number) is left out.

    Args:
        graph: the graph.
        events: the events, each with the number of its line.
        effects: targets and remote steps do their work, too.
    """
    first = _answers(graph, events, effects=effects)
    recorded = [event.answer or RawResponse() for _, event in events]
    found = [list(differences(*pair)) for pair in zip(recorded, first, strict=True)]
    second = _answers(graph, events, effects=effects) if any(found) else first
    results = []
    for (line, event), one, two, differing in zip(
        events, first, second, found, strict=True
    ):
        unsteady = {at for at, _, _ in differences(one, two, tolerance=0.0)}
        texts = tuple(
            f"{shown(place)} was {short(was)}, is {short(now)}"
            for place, was, now in differing
            if not is_within(place, unsteady)
        )
        places = tuple(map(shown, sorted(unsteady, key=str)))
        results.append(EventOutcome(line, event.input.event_id, texts, places))
    return results


def _answers(
    graph: Graph, events: Iterable[tuple[int, RecordedEvent]], *, effects: bool
) -> list[RawResponse]:
    from jupyter_graph.run.runner import Runner

    with Runner(graph, is_parity=not effects) as runner:
        answers = []
        for _, event in events:
            if runner.recorded is not None:
                runner.recorded.expect(event.input.outputs)
            facts = {name: getattr(event.input, name) for name in SENT}
            answers.append(runner.answer(**facts, silent=True).raw)
        return answers


def run_recorded(
    session: Session, name: str | None, *, effects: bool = False
) -> dict[str, list[EventOutcome]]:
    """Run the recorded events of one graph, or of all that have some.

    Raises:
        EventFileError: there are none, or a file is broken.
        SpecError: a graph breaks a rule.
    """
    folder = session.folder
    names = session.graphs.names() if name is None else [name]
    files = {graph: events_file(folder, graph) for graph in names}
    there = {graph: path for graph, path in files.items() if path.exists()}
    if not there:
        wanted = files.values() or [events_file(folder, "GRAPH")]
        raise EventFileError(
            f"there are no recorded events in {', '.join(map(str, wanted))}; "
            "%graph test adds one"
        )
    return {
        graph: outcomes(session.graph(graph), read_events(path), effects=effects)
        for graph, path in there.items()
    }


def told(results: dict[str, list[EventOutcome]]) -> str:
    """Return what a shell shows of the results, a line for each difference."""
    lines = []
    for graph, some in results.items():
        wrong = [one for one in some if one.differing]
        events = f"{len(some)} event{'s' if len(some) != 1 else ''}"
        says = f"{len(wrong)} answered otherwise" if wrong else "all answered as before"
        lines.append(f"graph {graph!r}: {events}, {says}")
        for one in some:
            where = f"  event {one.event_id} (line {one.line})"
            lines += [f"{where}: {text}" for text in one.differing]
            if one.left_out:
                lines.append(f"{where}: left out {', '.join(one.left_out)}")
    return "\n".join(lines)
