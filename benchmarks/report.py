"""The options, the table and the JSON that all benchmarks share."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jupyter_graph
from benchmarks.measure import Row, one_core


def parser(description: str | None, *, rounds: int) -> argparse.ArgumentParser:
    """Give the options that all benchmarks have."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--json", type=Path, help="write the rows to this file")
    found.add_argument("--rounds", type=_above_zero, default=rounds)
    return found


def timed_parser(description: str | None, *, rounds: int) -> argparse.ArgumentParser:
    """Give the options of the benchmarks that run in this process."""
    found = parser(description, rounds=rounds)
    found.add_argument(
        "--turn-ms", type=float, default=60.0, help="time of a turn, about"
    )
    return found


def run_timed(
    run: Callable[..., Sequence[Row]],
    options: argparse.Namespace,
    packages: Sequence[str],
) -> None:
    """Run a benchmark of this process on one core, and report its rows."""
    with one_core():
        rows = run(rounds=options.rounds, turn_s=options.turn_ms / 1000)
    report(rows, packages, options.json)


def _above_zero(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {count}")
    return count


def report(rows: Sequence[Row], packages: Sequence[str], to: Path | None) -> None:
    """Print the table; write the JSON where it is wanted."""
    found = versions(packages)
    print(f"{cores()} cores;", ", ".join(f"{name} {found[name]}" for name in found))
    print()
    print(table(rows))
    if to is not None:
        documents = [document(row, packages) for row in rows]
        to.write_text(json.dumps(documents, indent=1) + "\n", encoding="utf-8")


def document(row: Row, packages: Iterable[str]) -> dict[str, Any]:
    """Give a row as JSON; every benchmark writes a list of these."""
    return {
        "variant": row.variant,
        "shape": row.shape,
        "rounds": row.rounds,
        "cpu_us": dict(row.cpu_us),
        "wall_us": None if row.wall_us is None else dict(row.wall_us),
        "clock": row.clock,
        "ratio": row.ratio,
        **row.more,
        "versions": versions(packages),
        "cores": cores(),
    }


FIELDS = frozenset(
    ("variant", "shape", "rounds", "cpu_us", "wall_us", "clock", "ratio")
)
"""What every row has; other fields are further figures, versions and cores apart."""


def row_of(document: Mapping[str, Any]) -> Row:
    """Give the row that a document was made of."""
    others = FIELDS | {"versions", "cores"}
    more = {name: value for name, value in document.items() if name not in others}
    return Row(**{name: document[name] for name in FIELDS}, more=more)


def table(rows: Sequence[Row]) -> str:
    """Give rows as a table that Markdown shows too; times of one clock come first."""
    further = list(dict.fromkeys(name for row in rows for name in row.more))
    first = "wall" if {row.clock for row in rows} == {"wall"} else "CPU"
    other = "CPU" if first == "wall" else "wall"
    head = ["shape", "variant", f"{first} µs", "min", "spread", "ratio", f"{other} µs"]
    lines = [[*head, *further], *(_cells(row, first, further) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
    )


def _cells(row: Row, first: str, further: Iterable[str]) -> list[str]:
    wall = row.wall_us or {}
    compared, other = (wall, row.cpu_us) if first == "wall" else (row.cpu_us, wall)
    times = [_said(compared.get(key, "")) for key in ("median", "min", "spread")]
    others = [_said(row.more.get(name, "")) for name in further]
    ratio, median = f"{row.ratio:.2f}", _said(other.get("median", ""))
    return [row.shape, row.variant, *times, ratio, median, *others]


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
    return str(value)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Give Python's version and those of the packages that are installed."""
    found = {platform.python_implementation(): platform.python_version()}
    found["jupyter_graph"] = jupyter_graph.__version__  # it may not be installed
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """Give how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
