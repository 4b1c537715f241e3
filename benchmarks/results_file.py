"""The results of a day: one JSON document, and the same as Markdown beside it.

``{"date", "machine", "commit", "runs": [{"benchmark", "environment", "load",
"took_s", "rows"}]}``; a row is what ``report.document`` gives.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import cores, row_of, table, versions
from benchmarks.targets import targets_table

Document = dict[str, Any]
RunOf = Mapping[str, Any]
Row = Mapping[str, Any]
MARK = "<!-- Below: written by `python -m benchmarks`. Above: by hand, and kept. -->"


def read(file: Path, date: str) -> Document:
    """Give the document of a day, a new one where there is none."""
    if file.exists():
        found: Document = json.loads(file.read_text(encoding="utf-8"))
        return found
    return {"date": date, "machine": machine(), "commit": commit(), "runs": []}


def put(document: Document, run: RunOf) -> None:
    """Put a run into the document, in the place of an older one of its kind."""
    key = (run["benchmark"], run["environment"])
    others = [
        one for one in document["runs"] if (one["benchmark"], one["environment"]) != key
    ]
    document["runs"] = [*others, dict(run)]


def pooled(found: Sequence[list[Row]]) -> list[Row]:
    """Put the rows of the same benchmark in several processes together.

    Where the memory of a process lies changes what it costs: one in some twenty takes a
    third more for a variant, from its start to its end. Of medians and ratios the
    median is kept; the spread is the largest, that of the medians included.
    """
    first, *others = found
    keys = [(row["shape"], row["variant"]) for row in first]
    if any([(row["shape"], row["variant"]) for row in rows] != keys for rows in others):
        raise ValueError("the processes measured different things")
    return [_one(rows) for rows in zip(*found, strict=True)]


def _one(rows: Sequence[Row]) -> Row:
    times = {
        key: None if rows[0][key] is None else _times([row[key] for row in rows])
        for key in ("cpu_us", "wall_us")
    }
    more = {
        key: round(median(row[key] for row in rows), 3)
        for key in rows[0]
        if key not in ("rounds", "cores") and isinstance(rows[0][key], int | float)
    }
    rounds = sum(row["rounds"] for row in rows)
    return {**rows[0], **times, **more, "rounds": rounds}


def _times(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    medians = [one["median"] for one in found]
    spreads = [one["spread"] for one in found]
    return {
        "median": median(medians),
        "min": min(one["min"] for one in found),
        "spread": round(max(*spreads, max(medians) - min(medians)), 3),
    }


def write(document: Document, file: Path) -> None:
    """Write the document, and its Markdown beside it."""
    text = json.dumps(document, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    beside = file.with_suffix(".md")
    said = beside.read_text(encoding="utf-8") if beside.exists() else ""
    by_hand = said.partition(MARK)[0] or f"# Measured on {document['date']}\n\n"
    beside.write_text(f"{by_hand}{MARK}\n\n{markdown(document)}", encoding="utf-8")


def markdown(document: Document) -> str:
    """Give the figures of a day as Markdown."""
    parts = [_head(document), "## What it must show\n", targets_table(document), ""]
    for run in sorted(document["runs"], key=lambda run: run["benchmark"]):
        rows = [row_of(row) for row in run["rows"]]
        known = run["rows"][0]["versions"] if run["rows"] else {}
        packages = ", ".join(f"{name} {known[name]}" for name in known)
        parts += [
            f"## {run['benchmark']}: {run['environment']}\n",
            f"{packages}. Load average before: {run['load']}; took "
            f"{run['took_s']:.0f} s.\n",
            table(rows),
            "",
        ]
    return "\n".join(parts)


def _head(document: Document) -> str:
    about = document["machine"]
    return (
        f"{about['cores']} cores ({about['processor']}), {about['memory_gb']} GB, "
        f"{about['system']}, Python {about['python']}; commit {document['commit']}.\n"
    )


def machine() -> dict[str, Any]:
    """Say on what machine this is."""
    return {
        "cores": cores(),
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "memory_gb": round(int(_field("/proc/meminfo", "MemTotal", "0")) / 2**20),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": next(iter(versions(()).values())),
    }


def _field(file: str, name: str, otherwise: str = "") -> str:
    try:
        lines: Iterable[str] = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return otherwise
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip().removesuffix(" kB")
    return otherwise


def commit() -> str:
    """Give the commit that is checked out, "unknown" outside of a repository."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            capture_output=True,
            check=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def load() -> str:
    """Give the load average of the last minute."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return f"{os.getloadavg()[0]:.1f}"
