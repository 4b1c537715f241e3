"""Replays recorded events through a bundle in clean processes.

Nothing runs in the notebook: its answers were recorded when the user asked. What two
runs of the bundle itself answer differently (clocks, ids, chance) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from jupyter_graph.cells.source import Cell
from jupyter_graph.deployment.bundle.bundle_folder import Bundle
from jupyter_graph.deployment.parity.clean_process import CleanProcess
from jupyter_graph.deployment.parity.clock_values import is_clock
from jupyter_graph.deployment.parity.compare import (
    Difference as Differing,
)
from jupyter_graph.deployment.parity.compare import Place, differences, is_within, shown
from jupyter_graph.deployment.parity.not_compared import (
    Circumstances,
    excuse,
    likely_causes,
    not_recorded,
    ran_before,
    refused,
)
from jupyter_graph.deployment.parity.parity_report import (
    Difference,
    NotCompared,
    ParityReport,
)
from jupyter_graph.deployment.parity.replay import (
    BUDGET_S,
    BundleAnswer,
    answers_of,
    clean_processes,
    raise_when_failed,
)
from jupyter_graph.deployment.parity.wire_form import SentEvent, sent_events
from jupyter_graph.errors import BundleError
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.spec.model import HasSpec

__all__ = ["ParityReport", "check_parity"]

TRACED = 5
"""Events whose steps are looked at, of those that differ."""

Start = Callable[[], CleanProcess]
Answers = Mapping[int, BundleAnswer]


def check_parity(
    bundle: Bundle,
    graph: HasSpec,
    events: Sequence[RecordedInput] = (),
    cells: Sequence[Cell] = (),
) -> ParityReport:
    """Send recorded events to the bundle, in order, and compare with their answers.

    The bundle runs in a clean process that lets no step change anything outside; with
    no events it is imported there only.

    Args:
        bundle: a built bundle.
        graph: the graph it was built from.
        events: what the notebook's graph was asked, and answered.
        cells: the cells that have run, in that order.

    Raises:
        BundleError: the bundle does not import there, or its process died.
    """
    sent = sent_events(events)
    with clean_processes(bundle) as start:
        with start() as process:
            if process.failed and process.effects:
                why = f"as it starts, {refused(process.effects, bundle, graph.spec)}"
                return ParityReport(not_compared=tuple(_not(one, why) for one in sent))
            raise_when_failed(process.failed, bundle)
            first = answers_of(process, sent, bundle)
            known = Circumstances(bundle, graph.spec, cells, process.tables)
            comparison = _Comparison(known, sent, first)
        comparison.compare()
        if comparison.open:
            # What differs between two runs says nothing about the bundle. The second
            # run is a later one: a clock may stand still between two quick ones.
            with suppress(BundleError), start() as process:
                upto = sent[: max(comparison.open)]
                traced = list(comparison.open)[:TRACED]
                second = answers_of(process, upto, bundle, traced=traced)
                comparison.leave_out(second)
            comparison.excuse()
        return comparison.report()


@dataclass
class _Comparison:
    """Recorded answers beside those of the bundle.

    Attributes:
        known: what may excuse a difference.
        open: what differs, by the event's number, and is not explained.
        changing: the places left out, since they differ from run to run.
        reasons: why events were not compared, by number.
        steps: the first step whose result differs, by number, where it is known.
    """

    known: Circumstances
    sent: Sequence[SentEvent]
    answers: Answers
    open: dict[int, list[Differing]] = field(default_factory=dict)
    changing: set[Place] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)
    steps: dict[int, str] = field(default_factory=dict)

    def compare(self) -> None:
        """Compare every event; note why one cannot be, and what differs in others."""
        for event in self.sent:
            reason = self._reason(event)
            if reason:
                self.reasons[event.number] = reason
                continue
            recorded, given = event.record.answer, self.answers[event.number].raw
            assert recorded is not None  # or there is a reason
            found = list(differences(recorded, given))
            if found and (why := ran_before(event, self.known)):
                self.reasons[event.number] = why
            elif found:
                self.open[event.number] = found

    def _reason(self, event: SentEvent) -> str:
        answer = self.answers.get(event.number)
        if event.message is None:
            return event.why_not
        if answer is None:
            return f"the check had no time left ({BUDGET_S:g} s)"
        if answer.effects:
            return refused(answer.effects, self.known.bundle, self.known.spec)
        if why := not_recorded(answer.raw):
            return why
        return "" if event.record.answer is not None else "its answer is not recorded"

    def leave_out(self, second: Answers) -> None:
        """Take what differs from run to run off the list, and look for the step."""
        by_number = {event.number: event for event in self.sent}
        for number, found in self.open.items():
            if number in second:
                one, two = self.answers[number].raw, second[number].raw
                changing = differences(one, two, tolerance=0.0)
                self.changing.update(at for at, _, _ in changing)
            moments = _moments(by_number[number].record)
            for place, before, now in found:
                if moments and is_clock(before, now, moments):
                    self.changing.add(place)
        # What changes in one event by itself does so in all.
        for number, found in list(self.open.items()):
            left = [it for it in found if not is_within(it[0], self.changing)]
            self.open[number] = left
            if not left:
                del self.open[number]
            elif number in second:
                step = _first_step(by_number[number].record, second[number])
                self.steps |= {number: step} if step else {}

    def excuse(self) -> None:
        """Note why answers that still differ may rightly do so."""
        for event in self.sent:
            if event.number in self.open and (why := excuse(event, self.known)):
                self.reasons[event.number] = why
                del self.open[event.number]

    def report(self) -> ParityReport:
        """Return what came out."""
        by_number = {event.number: event for event in self.sent}
        unequal = tuple(
            Difference(number - 1, by_number[number].event_id, shown(place), *values)
            for number, found in self.open.items()
            for place, *values in found
        )
        compared = len(self.sent) - len(self.reasons)
        names = {shown(place): None for place in sorted(self.changing, key=str)}
        return ParityReport(
            equal=compared - len(self.open),
            total=compared,
            left_out=tuple(names),
            differences=unequal,
            not_compared=tuple(
                _not(by_number[number], reason)
                for number, reason in self.reasons.items()
            ),
            step=next((self.steps[it] for it in self.open if it in self.steps), None),
            causes=tuple(likely_causes(self.known.bundle)) if unequal else (),
        )


def _not(event: SentEvent, reason: str) -> NotCompared:
    return NotCompared(event.number, event.event_id, reason)


def _moments(record: RecordedInput) -> tuple[datetime, datetime] | None:
    return None if record.time is None else (record.time, datetime.now(UTC))


def _first_step(record: RecordedInput, answer: BundleAnswer) -> str | None:
    """Return the first step whose result differs, None when it cannot be found."""
    theirs = [
        (row["step"], row["error"] or _text(row["output"])) for row in answer.rows
    ]
    return next(_unequal(record.rows, theirs), None) if record.rows else None


def _text(output: Sequence[object] | None) -> str:
    return "None" if output is None else str(output[0])


def _unequal(
    ours: Collection[tuple[str, str]], theirs: Collection[tuple[str, str]]
) -> Iterator[str]:
    from itertools import zip_longest

    for one, other in zip_longest(ours, theirs, fillvalue=("", "")):
        if one != other:
            yield one[0] or other[0]
