"""Interleaved rounds: what each variant of a shape costs beside the plain limit.

Other processes disturb a measurement, and what one minute measures does not compare
with the next. So all variants of a shape take turns, each turn is timed with the CPU
time of the process and the clock on the wall, and what counts is the ratio to the
plain limit of the same round.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal, TypeVar

Way, Found = TypeVar("Way"), TypeVar("Found")
Samples = Mapping[str, Sequence[float]]
Events = Callable[[int], Any]
"""Runs that many events, one after the other, and gives the last answer."""


Clock = Literal["cpu", "wall"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to do the work of a shape.

    Attributes:
        name: what tables call it.
        events: does the work.
        least: events of a turn, at least.
    """

    name: str
    events: Events
    least: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """What one variant of a shape cost.

    Attributes:
        cpu_us: CPU microseconds of an event: median, min, and spread, which is the
            distance between the quartiles.
        ratio: median over the rounds of this variant's cost by the limit's.
        more: further figures by their names, such as ``rss_mb``.
        wall_us: as ``cpu_us``, by the clock on the wall; None where only CPU is timed.
        clock: which of the two times the ratio compares.
    """

    variant: str
    shape: str
    rounds: int
    cpu_us: Mapping[str, float]
    ratio: float
    more: Mapping[str, Any]
    wall_us: Mapping[str, float] | None = None
    clock: Clock = "cpu"


# -- events in a row ------------------------------------------------------------


def in_turn(function: Callable[[Any], Any], body: Any) -> Events:
    """Call a function again and again; the loop's own cost is in every variant."""

    def events(count: int) -> Any:
        answer = None
        for _ in repeat(None, count):
            answer = function(body)
        return answer

    return events


def in_turn_on(
    loop: asyncio.AbstractEventLoop, function: Callable[[Any], Any], body: Any
) -> Events:
    """As ``in_turn``, for a coroutine function: await an answer, then the next."""

    async def all_of_them(count: int) -> Any:
        answer = None
        for _ in repeat(None, count):
            answer = await function(body)
        return answer

    return lambda count: loop.run_until_complete(all_of_them(count))


# -- rounds ---------------------------------------------------------------------


def measure(
    shape: str,
    variants: Sequence[Variant],
    *,
    rounds: int,
    turn_s: float,
    clock: Clock = "cpu",
) -> list[Row]:
    """Measure all variants of a shape; the first one is the limit.

    Args:
        shape: what the graph looks like.
        variants: the ways to do it; all must give the same answer.
        rounds: how often each variant has its turn.
        turn_s: seconds of a turn, about.
        clock: which time is compared: CPU time, or the clock on the wall.
    """
    return measure_together(
        {shape: variants}, rounds=rounds, turn_s=turn_s, clock=clock
    )


def measure_together(
    shapes: Mapping[str, Sequence[Variant]],
    *,
    rounds: int,
    turn_s: float,
    clock: Clock = "cpu",
) -> list[Row]:
    """Measure several shapes in the same rounds, so that they compare too."""
    for shape, variants in shapes.items():
        answers_are_equal(shape, {each.name: each.events(1) for each in variants})
    turns = [
        (shape, each, _fitting(each, turn_s, clock))
        for shape, variants in shapes.items()
        for each in variants
    ]
    cpu = {shape: {each.name: [] for each in shapes[shape]} for shape in shapes}
    wall: dict[str, Samples] = copy.deepcopy(cpu)
    gc.collect()
    gc.freeze()  # or one variant's garbage collection walks over another's modules
    try:
        for number in range(rounds):
            for shape, each, count in turned(turns, number):
                spent = timed(each.events, count)
                cpu[shape][each.name].append(spent["cpu"] * 1e6 / count)
                wall[shape][each.name].append(spent["wall"] * 1e6 / count)
    finally:
        gc.unfreeze()
    return [
        row
        for shape in shapes
        for row in summarize(shape, cpu[shape], walls=wall[shape], clock=clock)
    ]


def timed(events: Events, count: int) -> dict[Clock, float]:
    """Give the seconds that so many events take, by both clocks."""
    began, started = time.perf_counter(), time.process_time()
    events(count)
    spent = time.process_time() - started
    return {"cpu": spent, "wall": time.perf_counter() - began}


@contextlib.contextmanager
def one_core(pick: Callable[[set[int]], int] = max) -> Iterator[None]:
    """Stay on one core: handing over to a thread on another one is dear and noisy.

    Threads that run already are not moved; processes that are started here stay too.

    Args:
        pick: chooses among the cores, by default the last one.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {pick(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def turned(variants: Sequence[Any], number: int) -> list[Any]:
    """Give the variants in the order of a round, so that nobody is always first.

    >>> turned("abc", 1)
    ['b', 'c', 'a']
    """
    first = number % len(variants)
    return [*variants[first:], *variants[:first]]


def in_rounds(
    variants: Mapping[str, Way], rounds: int, once: Callable[[Way], Found]
) -> dict[str, list[Found]]:
    """Do each variant once in every round; give what came of it by its name."""
    found: dict[str, list[Found]] = {name: [] for name in variants}
    for number in range(rounds):
        for name in turned(list(variants), number):
            found[name].append(once(variants[name]))
    return found


def answers_are_equal(shape: str, answers: Mapping[str, Any]) -> None:
    """Refuse to compare the costs of different work.

    Raises:
        AssertionError: a variant's answer is not the limit's.
    """
    limit, *others = answers
    for name in others:
        if answers[name] != answers[limit]:
            raise AssertionError(
                f"{shape}: {name!r} answers {answers[name]!r}, "
                f"{limit!r} answers {answers[limit]!r}"
            )


def summarize(
    shape: str,
    samples: Samples,
    more: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    walls: Samples | None = None,
    clock: Clock = "cpu",
) -> list[Row]:
    """Give the rows of samples (microseconds by variant, limit first)."""
    compared = walls if walls is not None and clock == "wall" else samples
    limit = next(iter(compared.values()))
    return [
        Row(
            variant=name,
            shape=shape,
            rounds=len(found),
            cpu_us=figures(found),
            ratio=round(
                statistics.median(
                    a / b for a, b in zip(compared[name], limit, strict=True)
                ),
                3,
            ),
            more=(more or {}).get(name, {}),
            wall_us=None if walls is None else figures(walls[name]),
            clock=clock,
        )
        for name, found in samples.items()
    ]


def figures(samples: Sequence[float]) -> dict[str, float]:
    """Give median, min and the distance between the quartiles.

    >>> figures([1, 2, 3, 4, 5])
    {'median': 3, 'min': 1, 'spread': 2.0}
    """
    return {
        "median": round(statistics.median(samples), 3),
        "min": round(min(samples), 3),
        "spread": round(_spread(samples), 3),
    }


def _spread(samples: Sequence[float]) -> float:
    if len(samples) < 2:
        return 0.0
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return high - low


def _fitting(variant: Variant, turn_s: float, clock: Clock) -> int:
    """Give how many events fill a turn; trying it out also warms the variant up."""
    count = variant.least
    while True:
        spent = timed(variant.events, count)[clock]
        if spent >= turn_s / 4:
            return max(variant.least, round(count * turn_s / spent))
        count *= 2
