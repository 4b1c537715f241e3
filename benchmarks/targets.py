"""What the results must show, and what they do: ratios within one block of rounds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
Row = Mapping[str, Any]

OURS = ("Runner.run", "fused function")
LENGTHS = (3, 10, 30)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to reach.

    Attributes:
        work: what is done.
        reach: the limit, a number.
        sign: ``<=`` or ``>=``.
        unit: behind the number.
        figure: gives the number from the rows, None where it was not measured.
        beside: a further number that says more, by its name.
    """

    work: str
    reach: float
    sign: str
    unit: str
    figure: Callable[[Rows], float | None]
    beside: Mapping[str, Callable[[Rows], float | None]]


class Rows:
    """The rows of a day, found by benchmark, shape and variant."""

    def __init__(self, document: Document) -> None:
        self._runs = document["runs"]

    def find(self, benchmark: str, shape: str, variant: str) -> Iterator[Row]:
        """Give the rows of all environments, own first."""
        own_first = sorted(self._runs, key=lambda run: run["environment"] != "own")
        for run in own_first:
            if run["benchmark"] == benchmark:
                for row in run["rows"]:
                    if (row["shape"], row["variant"]) == (shape, variant):
                        yield row

    def value(
        self, benchmark: str, shape: str, variant: str, field: str = "ratio"
    ) -> float | None:
        for row in self.find(benchmark, shape, variant):
            return float(row[field])
        return None

    def against(
        self, benchmark: str, shape: str, other: str, ours: str
    ) -> float | None:
        """Give how many times more the other costs, in one run with ours."""
        for run in self._runs:
            if run["benchmark"] != benchmark:
                continue
            of = {r["variant"]: r for r in run["rows"] if r["shape"] == shape}
            if other in of and ours in of:
                return float(of[other]["ratio"] / of[ours]["ratio"])
        return None


def cost(benchmark: str, shape: str, variant: str, field: str = "ratio") -> Any:
    return lambda rows: rows.value(benchmark, shape, variant, field)


def times(benchmark: str, shape: str, other: str, ours: str) -> Any:
    return lambda rows: rows.against(benchmark, shape, other, ours)


def beats(work: str, reach: float, benchmark: str, shape: str, other: str) -> Target:
    """Say how many times more another costs than ours."""
    ours, fused = OURS
    figure = times(benchmark, shape, other, ours)
    others = {
        "fused function": times(benchmark, shape, other, fused),
        "plain": cost(benchmark, shape, other),
    }
    return Target(work, reach, ">=", "×", figure, others)


def chains() -> Iterator[Target]:
    for length in (1, *LENGTHS):
        work = f"fused function, chain of {length}, against plain composition"
        figure = cost("chain", f"chain of {length}", "fused function")
        yield Target(work, 1.10, "<=", "×", figure, {})
    for length, reach in zip(LENGTHS, (1.6, 1.25, 1.12), strict=True):
        work = f"`Runner.run`, chain of {length}, against plain composition"
        figure = cost("chain", f"chain of {length}", "Runner.run")
        yield Target(work, reach, "<=", "×", figure, {})
    wanted = {
        "MLRun sync engine": (18, 17, 16),
        "storey AsyncEmitSource": (60, 80, 90),
        "storey, unnamed steps": (60, 80, 90),
        "MLRun async engine": (140, 140, 140),
    }
    for other, reaches in wanted.items():
        for length, reach in zip(LENGTHS, reaches, strict=True):
            work = f"{other} against `Runner.run`, chain of {length}"
            yield beats(work, reach, "chain", f"chain of {length}", other)


def branches() -> Iterator[Target]:
    other = "storey AsyncEmitSource"
    wanted = {
        "choice of 4": 90,
        "fan-out 3 + merge, shallow": 100,
        "fan-out 3 + merge, deep": 30,
    }
    for shape, reach in wanted.items():
        work = f"{other} against `Runner.run`, {shape}"
        yield beats(work, reach, "branches", shape, other)


def concurrency() -> Iterator[Target]:
    shape = "256 in flight, 1 ms awaits"
    ours = "Runner.arun, the caller's loop"
    work = "256 in flight, 1 ms awaits: share of plain asyncio's rate, `Runner.arun`"
    beside = {
        name: cost("concurrency", shape, variant, "share")
        for name, variant in (
            ("fused function", "fused function"),
            ("with a loop of its own", "Runner.arun, a loop of its own"),
            ("plain with semaphore and timeout", "plain asyncio, bounded"),
        )
    }
    share = cost("concurrency", shape, ours, "share")
    yield Target(work, 0.9, ">=", "", share, beside)
    other = "storey AsyncEmitSource"
    figure = times("concurrency", shape, other, ours)
    yield Target(f"{other} against `Runner.arun`, {shape}", 60, ">=", "×", figure, {})


def storey_steps() -> Iterator[Target]:
    kinds = {
        "n + 1 storey.Map": "Runner.run",
        "n functions between two storey.Map": "Runner.run",
        "n + 1 storey.MapWithState": "Runner.run",
        "n functions between two storey.Flow": "Runner.arun",
        "n + 1 storey.Flow": "Runner.arun",
    }
    for kind, variant in kinds.items():
        shape = f"{kind}, n = 0"
        other = cost("storey", shape, "storey AsyncEmitSource", "step_us")
        for field, reach, said in (
            ("fixed_us", 5, "cost of an event"),
            ("step_us", 0.4, "cost of a further step"),
        ):
            figure = cost("storey", shape, variant, field)
            beside = {"storey": other} if field == "step_us" else {}
            yield Target(f"{kind}: {said}", reach, "<=", " µs", figure, beside)


def processes() -> Iterator[Target]:
    hosted = "stateless function in the host"
    yield Target(
        "a stateless function's memory in the host, a worker (PSS)",
        60,
        "<=",
        " MB",
        cost("memory", hosted, "embedded host, 2 workers", "worker_pss_mb"),
        {"RSS": cost("memory", hosted, "embedded host, 2 workers", "worker_rss_mb")},
    )
    echo = "echo, 16 connections"
    yield Target(
        "embedded host, echo, 16 connections: share of a bare application's req/s",
        0.85,
        ">=",
        "",
        cost("http", echo, "embedded host", "share"),
        {"CPU time": cost("http", echo, "embedded host")},
    )
    used = {
        "1,000,000 events": ("Runner.run", "plain functions"),
        "1,000 cell runs": ("a step", "kernel alone"),
    }
    for shape, (ours, plain) in used.items():
        beside = {
            plain: cost("memory", shape, plain, "growth_percent"),
            "new threads": cost("memory", shape, ours, "new_threads"),
            "new files": cost("memory", shape, ours, "new_files"),
        }
        figure = cost("memory", shape, ours, "growth_percent")
        yield Target(f"{shape}: growth of RSS", 2, "<=", " %", figure, beside)


def starts() -> Iterator[Target]:
    for variant in ("jupyter_graph", "jupyter_graph, Runner"):
        work = f"import of {variant}"
        memory = cost("import", "import", variant, "rss_mb")
        yield Target(f"{work}: memory", 30, "<=", " MB", memory, {})
        yield Target(f"{work}: CPU time", 0.1, "<=", " s", _start_s(variant), {})


def _start_s(variant: str) -> Any:
    """Give the seconds of an import, those of Python alone taken off."""

    def seconds(rows: Rows) -> float | None:
        both = [
            row["cpu_us"]["median"]
            for name in (variant, "Python alone")
            for row in [next(rows.find("import", "import", name), None)]
            if row is not None
        ]
        return (both[0] - both[1]) / 1e6 if len(both) == 2 else None

    return seconds


def batches() -> Iterator[Target]:
    shape, storey = "1,000,000 rows, 3 maps", "storey, 50,000 rows"
    wanted = {
        ("pandas", "run_batch, vectorised"): 0.75,
        (storey, "run_batch, vectorised"): 100,
        (storey, "run_batch, rows"): 20,
    }
    for (other, ours), reach in wanted.items():
        figure = times("batch", shape, other, ours)
        yield Target(f"{other} against {ours}", reach, ">=", "×", figure, {})


def all_targets() -> list[Target]:
    return [
        *chains(),
        *branches(),
        *concurrency(),
        *storey_steps(),
        *processes(),
        *starts(),
        *batches(),
    ]


def targets_table(document: Document) -> str:
    """Give what is to be reached and what was measured, as a Markdown table."""
    rows = Rows(document)
    lines = ["| work | reach | measured | reached | beside |", "|---|---|---|---|---|"]
    for target in all_targets():
        found = target.figure(rows)
        sign = "≤" if target.sign == "<=" else "≥"
        reach = f"{sign} {target.reach:g}{target.unit}"
        measured, verdict = "not measured", ""
        if found is not None:
            measured = f"{_number(found)}{target.unit}"
            verdict = "yes" if is_reached(target, found) else "**no**"
        further = ", ".join(
            f"{name}: {_number(value)}"
            for name, figure in target.beside.items()
            if (value := figure(rows)) is not None
        )
        lines.append(
            f"| {target.work} | {reach} | {measured} | {verdict} | {further} |"
        )
    return "\n".join(lines) + "\n"


def is_reached(target: Target, found: float) -> bool:
    """Tell whether a figure, rounded as it is shown, keeps to the limit."""
    compare = operator.le if target.sign == "<=" else operator.ge
    return bool(compare(float(_number(found)), target.reach))


def _number(value: float) -> str:
    """Give a number with three digits.

    >>> _number(1.0249), _number(147.83), _number(0.0)
    ('1.02', '148', '0')
    """
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
