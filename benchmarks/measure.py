"""Interleaved rounds: what each variant of a shape costs beside the plain limit.

Other processes disturb a measurement, and what one minute measures does not compare
with the next. So all variants of a shape take turns, each turn is timed with the CPU
time of the process, and what counts is the ratio to the plain limit of the same round.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

Events = Callable[[int], Any]
"""Runs that many events, one after the other, and gives the last answer."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to do the work of a shape."""

    name: str
    events: Events


@dataclass(frozen=True, slots=True)
class Row:
    """What one variant of a shape cost.

    Attributes:
        cpu_us: CPU microseconds of an event: median, min, and spread, which is the
            distance between the quartiles.
        ratio: median over the rounds of this variant's cost by the limit's.
        more: further figures by their names, such as ``rss_mb``.
    """

    variant: str
    shape: str
    rounds: int
    cpu_us: Mapping[str, float]
    ratio: float
    more: Mapping[str, Any]


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
    shape: str, variants: Sequence[Variant], *, rounds: int, turn_s: float
) -> list[Row]:
    """Measure all variants of a shape; the first one is the limit.

    Args:
        shape: what the graph looks like.
        variants: the ways to do it; all must give the same answer.
        rounds: how often each variant has its turn.
        turn_s: CPU seconds of a turn, about.
    """
    answers_are_equal(shape, {each.name: each.events(1) for each in variants})
    counts = {each.name: _fitting(each.events, turn_s) for each in variants}
    samples: dict[str, list[float]] = {each.name: [] for each in variants}
    gc.collect()
    gc.freeze()  # or one variant's garbage collection walks over another's modules
    try:
        for number in range(rounds):
            for each in turned(variants, number):
                count = counts[each.name]
                started = time.process_time_ns()
                each.events(count)
                spent = time.process_time_ns() - started
                samples[each.name].append(spent / 1000 / count)
    finally:
        gc.unfreeze()
    return summarize(shape, samples)


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Stay on one core: handing over to a thread on another one is dear and noisy.

    Threads that run already are not moved.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
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
    samples: Mapping[str, Sequence[float]],
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Row]:
    """Give the rows of samples (CPU microseconds by variant, limit first)."""
    limit = next(iter(samples.values()))
    return [
        Row(
            variant=name,
            shape=shape,
            rounds=len(found),
            cpu_us={
                "median": round(statistics.median(found), 3),
                "min": round(min(found), 3),
                "spread": round(_spread(found), 3),
            },
            ratio=round(
                statistics.median(a / b for a, b in zip(found, limit, strict=True)), 3
            ),
            more=(more or {}).get(name, {}),
        )
        for name, found in samples.items()
    ]


def _spread(samples: Sequence[float]) -> float:
    if len(samples) < 2:
        return 0.0
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return high - low


def _fitting(events: Events, turn_s: float) -> int:
    """Give how many events fill a turn; trying it out also warms the variant up."""
    count = 1
    while True:
        started = time.process_time()
        events(count)
        spent = time.process_time() - started
        if spent >= turn_s / 4:
            return max(1, round(count * turn_s / spent))
        count *= 2
