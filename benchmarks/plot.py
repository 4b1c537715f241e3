"""Draw results, oldest first: ``python -m benchmarks.plot RESULTS.json … PICTURE``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

Row = Mapping[str, Any]

OURS, PLAIN, PEER = "#c2410c", "#334155", "#64748b"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "jupyter_graph",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
}
LENGTHS = (1, 3, 10, 30)
WIDTHS = (1, 16, 256)


def newest(documents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Give the newest run of each benchmark in each environment; the last file wins."""
    runs = {
        (run["benchmark"], run["environment"]): run
        for document in documents
        for run in document["runs"]
    }
    return {"runs": list(runs.values())}


def rows_of(document: Mapping[str, Any], benchmark: str) -> list[Row]:
    """Give the rows of a benchmark in all environments; our own come last and win."""
    runs = [run for run in document["runs"] if run["benchmark"] == benchmark]
    runs.sort(key=lambda run: run["environment"] == "own")
    return [row for run in runs for row in run["rows"]]


def by_variant(
    rows: Sequence[Row], shapes: Sequence[str]
) -> Iterator[tuple[str, dict[str, Row]]]:
    """Give each variant with its rows by shape."""
    names = dict.fromkeys(row["variant"] for row in rows)
    for name in names:
        found = {row["shape"]: row for row in rows if row["variant"] == name}
        if any(shape in found for shape in shapes):
            yield name, found


def colour_of(variant: str) -> str:
    """Give ours one colour, the limit and the peers others."""
    if variant.startswith(("plain", "bare")):
        return PLAIN
    is_ours = variant.startswith(("fused", "Runner", "embedded"))
    return OURS if is_ours else PEER


def chains(axes: Any, rows: Sequence[Row]) -> None:
    shapes = [f"chain of {length}" for length in LENGTHS]
    _lines(axes, LENGTHS, rows, shapes, lambda row: row["ratio"])
    axes.set_title("Chains of trivial steps: CPU time, in multiples of plain calls")
    axes.set_xlabel("steps")


def branches(axes: Any, rows: Sequence[Row]) -> None:
    shapes = {"choice of 4": "choice", "fan-out 3 + merge, shallow": "fan-out"}
    _dots(
        axes,
        [
            (f"{said}: {name}", found[shape]["ratio"], name)
            for shape, said in shapes.items()
            for name, found in sorted(
                by_variant(rows, [shape]), key=lambda one: one[1][shape]["ratio"]
            )
            if name != "plain, no copies"
        ],
    )
    axes.set_title(
        "A choice of 4, a fan-out of 3: CPU time, in multiples of plain code"
    )


def concurrency(axes: Any, rows: Sequence[Row]) -> None:
    shapes = [f"{width} in flight, 1 ms awaits" for width in WIDTHS]
    _lines(axes, WIDTHS, rows, shapes, lambda row: row["events_s"])
    axes.set_title("Events a second, each waiting 1 ms")
    axes.set_xlabel("events in flight")


def http(axes: Any, rows: Sequence[Row]) -> None:
    found = [row for row in rows if row["shape"].startswith("echo, ")]
    last = {row["variant"]: row["ratio"] for row in found}
    by_cost = sorted(last.items(), key=lambda one: one[1])
    _dots(axes, [(name, cost, name) for name, cost in by_cost])
    axes.set_title("Echo over HTTP: CPU time, in multiples of a bare ASGI application")


# -- drawing --------------------------------------------------------------------


def _lines(
    axes: Any,
    places: Sequence[int],
    rows: Sequence[Row],
    shapes: Sequence[str],
    value_of: Callable[[Row], float],
) -> None:
    """Draw a line for each variant, its name behind its end."""
    ends: list[tuple[float, str]] = []
    for name, found in by_variant(rows, shapes):
        values = [value_of(found[shape]) for shape in shapes]
        axes.plot(places, values, "o-", ms=3, lw=1.2, color=colour_of(name))
        ends.append((values[-1], name))
    axes.set(xscale="log", yscale="log", xticks=places)
    axes.set_xlim(places[0] * 0.9, places[-1] * (places[-1] / places[0]) ** 0.6)
    axes.set_xticklabels(map(str, places))
    axes.minorticks_off()
    low, high = map(math.log, axes.get_ylim())
    apart, at = (high - low) / 22, -math.inf
    for value, name in sorted(ends):
        at = max(math.log(value), at + apart)
        where = (places[-1] * 1.15, math.exp(at))
        axes.annotate(
            name,
            where,
            va="center",
            fontsize=7,
            color=colour_of(name),
            annotation_clip=False,
        )


def _dots(axes: Any, dots: Sequence[tuple[str, float, str]]) -> None:
    """Draw a dot for each value; a logarithm has no zero for a bar to begin at."""
    for at, (_, value, name) in enumerate(dots):
        axes.plot(value, at, "o", ms=5, color=colour_of(name))
        axes.annotate(
            f"{value:.3g}", (value, at), xytext=(7, 0), textcoords="offset points",
            va="center", fontsize=7,
        )  # fmt: skip
    axes.set(xscale="log", yticks=range(len(dots)))
    axes.set_yticklabels([label for label, _, _ in dots], fontsize=7)
    axes.set_xlim(0.5, 2 * max(value for _, value, _ in dots))
    axes.minorticks_off()
    axes.grid(axis="y", lw=0.4, color="#e2e8f0")
    axes.invert_yaxis()


PARTS = {
    "chain": chains,
    "branches": branches,
    "concurrency": concurrency,
    "http": http,
}


def draw(document: Mapping[str, Any], to: Path) -> None:
    """Draw what was measured; a part whose benchmark did not run stays away."""
    rows = {name: rows_of(document, name) for name in PARTS}
    shown = [name for name in PARTS if rows[name]]
    with plt.rc_context(STYLE):
        figure, places = plt.subplots(
            len(shown), figsize=(8, 3.9 * len(shown)), squeeze=False
        )
        for axes, name in zip(places[:, 0], shown, strict=True):
            PARTS[name](axes, rows[name])
        figure.tight_layout(h_pad=2)
        figure.savefig(to, metadata={"Date": None})
    lines = to.read_text(encoding="utf-8").splitlines()
    to.write_text("\n".join(map(str.rstrip, lines)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    *results, picture = map(Path, sys.argv[1:])
    draw(
        newest([json.loads(one.read_text(encoding="utf-8")) for one in results]),
        picture,
    )
