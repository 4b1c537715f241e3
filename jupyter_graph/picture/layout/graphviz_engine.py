"""Layout and images by Graphviz: the ``dot`` program or its port ``graphviz-pure``."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from functools import lru_cache
from pathlib import Path
from shutil import which
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.picture.layout.block import Block, Plan
from jupyter_graph.picture.layout.curves import Curve, Point, straight
from jupyter_graph.spec.topology import Edge

PROGRAMS = ("dot", "graphviz-pure")
INSTALL_LINE = 'pip install "jupyter_graph[layout]"'

_SECONDS = 20.0


class GraphvizFailedError(RuntimeError):
    """The program is not there, gave no answer in time, or a wrong one."""


def program(name: str) -> str | None:
    """Return the path of ``dot`` or ``graphviz-pure``, None when it is not there.

    ``graphviz-pure`` is also looked for beside the running interpreter: its wheel puts
    it there, and a virtual environment need not be active.
    """
    path = which(name)
    if path is None and name == "graphviz-pure":
        return which(name, path=sysconfig.get_path("scripts"))
    return path


def available() -> str | None:
    """Return the name of the first program that is there."""
    return next((name for name in PROGRAMS if program(name)), None)


def run(name: str, source: str, format_: str) -> bytes:
    """Return what a program makes of a document in the DOT language.

    Raises:
        GraphvizFailedError: it is not there, failed, or took over 20 seconds.
    """
    path = program(name)
    if path is None:
        raise GraphvizFailedError(f"{name} is not installed")
    return _run(path, source, format_)


@lru_cache(maxsize=32)
def _run(path: str, source: str, format_: str) -> bytes:
    try:
        done = subprocess.run(
            [path, f"-T{format_}"],
            input=source.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GraphvizFailedError(f"{Path(path).name}: {error}") from error
    if done.returncode or not done.stdout:
        message = done.stderr.decode(errors="replace").strip()
        raise GraphvizFailedError(f"{Path(path).name}: {message or 'gave no output'}")
    return done.stdout


def image(source: str, format_: str) -> bytes:
    """Draw a DOT document in a format that ``dot`` or ``graphviz-pure`` knows.

    Raises:
        SpecError: neither program is there, or both fail; the text ends with the
            line that installs one.
    """
    failures = []
    for name in filter(program, PROGRAMS):
        try:
            return run(name, source, format_)
        except GraphvizFailedError as error:
            failures.append(f"{error}")
    why = "; ".join(failures) or "neither dot nor graphviz-pure is there"
    raise SpecError(f"cannot draw a {format_} picture: {why}; {INSTALL_LINE}")


def arrange(name: str, blocks: dict[str, Block], links: list[Edge], gap: float) -> Plan:
    """Let a program place the blocks; it sees numbers only, never a step's name."""
    try:
        drawn = json.loads(run(name, _document(blocks, links, gap), "json0"))
        return _plan(drawn, blocks, links)
    except (ValueError, KeyError, IndexError) as error:
        raise GraphvizFailedError(f"{name}: cannot read its layout: {error}") from error


def _document(blocks: dict[str, Block], links: list[Edge], gap: float) -> str:
    number = {block: n for n, block in enumerate(blocks)}
    lines = [
        "digraph {",
        f"graph [rankdir=LR, nodesep=0.48, ranksep={gap / 72:.3f}];",
        'node [shape=box, fixedsize=true, label=""];',
        "edge [arrowhead=none];",
    ]
    # What is named last stands at one side: error handlers, later turned to be below.
    lines += [
        f"n{number[block.name]} [comment={number[block.name]}, "
        f"width={block.width / 72:.4f}, height={block.height / 72:.4f}];"
        for block in sorted(blocks.values(), key=lambda block: block.low)
    ]
    order = sorted(range(len(links)), key=lambda n: links[n].kind == "error")
    for n, link in ((n, links[n]) for n in order):
        weight = 0 if link.kind == "error" else 4
        ends = f"n{number[link.source]} -> n{number[link.target]}"
        lines.append(
            f'{ends} [weight={weight}, comment="{n}", tailport=e, headport=w];'
        )
    return "\n".join([*lines, "}"])


def _plan(drawn: Any, blocks: dict[str, Block], links: list[Edge]) -> Plan:
    placed = {int(node["comment"]): _point(node["pos"]) for node in drawn["objects"]}
    places = [placed[n] for n in range(len(blocks))]
    low: list[float] = []
    high: list[float] = []
    for (_, y), block in zip(places, blocks.values(), strict=True):
        (low if block.low else high).append(y)
    # Heights grow upwards there; turning the picture over puts error handlers below.
    turned = -1.0
    if low and sum(low) / len(low) > sum(high) / max(len(high), 1):
        turned = 1.0
    centres = {
        name: (x, turned * y) for name, (x, y) in zip(blocks, places, strict=True)
    }
    ways: dict[Edge, Curve] = {}
    for edge in drawn.get("edges", ()):
        link = links[int(edge["comment"])]
        points = tuple((x, turned * y) for x, y in map(_point, edge["pos"].split()))
        door = blocks[link.target].door(centres[link.target])
        ways[link] = (*points, *straight(points[-1], door)[1:])
    return Plan(centres, ways)


def _point(text: str) -> Point:
    x, y = text.split(",")[-2:]
    return (float(x), float(y))
