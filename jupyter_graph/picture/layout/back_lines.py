"""The ways of lines that lead back: over the boxes they pass, shortest lowest."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_graph.picture.layout.block import Block, Plan
from jupyter_graph.picture.layout.curves import Curve, Point, straight
from jupyter_graph.spec.topology import Edge

_RISE = 30.0  # badges stand at the top of boxes
_LANE = 20.0
_TURN = 26.0
_ASIDE = 14.0


def with_back_lines(plan: Plan, boxes: dict[str, Block], links: Iterable[Edge]) -> Plan:
    """Return a plan with the lines that lead from a box back to an earlier one.

    They leave and arrive at the top, so that they cross no box and no error handler.
    """
    centres, ways = plan.centres, dict(plan.ways)
    taken: list[tuple[float, float, float]] = []  # left, right, height
    for link in sorted(links, key=lambda link: abs(_span(link, centres))):
        x1, y1 = _top(link.source, boxes, centres)
        x2, y2 = _top(link.target, boxes, centres)
        start, end = (x1 + _ASIDE, y1), (x2 - _ASIDE, y2)
        left, right = sorted((start[0], end[0]))
        tops = [
            centres[name][1] - box.height / 2
            for name, box in boxes.items()
            if centres[name][0] - box.width / 2 < right
            and left < centres[name][0] + box.width / 2
        ]
        level = min([y1, y2, *tops]) - _RISE
        crossed = [y for a, b, y in taken if a < right and left < b]
        level = min([level, *(y - _LANE for y in crossed)])
        taken.append((left, right, level))
        ways[link] = _over(start, end, level)
    return Plan(centres, ways)


def _span(link: Edge, centres: dict[str, Point]) -> float:
    return centres[link.source][0] - centres[link.target][0]


def _top(name: str, boxes: dict[str, Block], centres: dict[str, Point]) -> Point:
    """Return the middle of a box's top; of a router's frame, that above the router."""
    box, (x, y) = boxes[name], centres[name]
    if box.is_frame:
        x += box.members[0][1][0]
    return x, y - box.height / 2


def _over(start: Point, end: Point, level: float) -> Curve:
    """Lead a line up to a height, along it, and down again."""
    turn = min(_TURN, abs(start[0] - end[0]) / 2)
    way = -turn if start[0] > end[0] else turn
    up, down = (start[0] + way, level), (end[0] - way, level)
    rise: Curve = (start, (start[0], level), (start[0], level), up)
    fall: Curve = ((end[0], level), (end[0], level), end)
    return (*rise, *straight(up, down)[1:], *fall)
