"""Blocks: what an engine places. A step, or a router with all its routes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt

from jupyter_graph.picture.layout.curves import Curve, Point, curve
from jupyter_graph.picture.scene import Figure, Scene
from jupyter_graph.spec.topology import Edge

_PAD = 16.0
_ROUTE_GAP = 16.0
_NARROWEST = 118.0  # counts and times stand below a box
_LONGEST_COLUMN = 8


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle to be placed; its members stand at offsets from its centre.

    Attributes:
        name: the name of its step or router.
        width: in pixels.
        height: in pixels.
        entry: how far right of the left border the lines into it end.
        low: belongs below the flow, as error handlers do.
        members: the centre of each box in it.
        inner: the router's lines to its routes.
        step_down: how far below the centre its error lines leave it.
    """

    name: str
    width: float
    height: float
    entry: float = 0.0
    low: bool = False
    members: tuple[tuple[str, Point], ...] = ()
    inner: tuple[tuple[Edge, Curve], ...] = ()
    step_down: float = 0.0

    @property
    def is_frame(self) -> bool:
        """Whether it is a router with routes."""
        return len(self.members) > 1

    def exit(self, centre: Point, kind: str) -> Point:
        """Return the place where a line of this kind leaves it."""
        down = self.step_down if kind == "error" else 0.0
        return (centre[0] + self.width / 2, centre[1] + down)

    def door(self, centre: Point) -> Point:
        """Return the place where the lines into it end."""
        return (centre[0] - self.width / 2 + self.entry, centre[1])


@dataclass(frozen=True, slots=True)
class Plan:
    """Where an engine puts each block's centre, and the way of each link.

    A way is a start point, then three points for each cubic Bézier curve.
    """

    centres: dict[str, Point]
    ways: dict[Edge, Curve]


def blocks(drawn: Scene, gap: float) -> dict[str, Block]:
    """Return the blocks of a scene; ``gap`` is the free place from router to routes."""
    placed: dict[str, Block] = {}
    for figure, routes in drawn.boxes():
        if routes:
            placed[figure.name] = _router_block(figure, routes, gap)
        else:
            placed[figure.name] = Block(
                figure.name,
                figure.width,
                figure.height,
                low=figure.name in drawn.handlers,
                members=((figure.name, (0.0, 0.0)),),
                step_down=figure.height / 4 if figure.shape == "box" else 0.0,
            )
    return placed


def _router_block(router: Figure, routes: list[Figure], gap: float) -> Block:
    columns = 1
    if len(routes) > _LONGEST_COLUMN:
        columns = max(2, ceil(sqrt(len(routes) / 3)))
    rows = ceil(len(routes) / columns)
    wide = max(_NARROWEST, *(route.width for route in routes))
    high = max(route.height for route in routes)
    pitch = (wide + _ROUTE_GAP / 2, high + 2 * _ROUTE_GAP)
    # A grid has no lines into it: they would run through the boxes.
    free = gap if columns == 1 else _ROUTE_GAP * 2
    width = 2 * _PAD + router.width + free + columns * pitch[0] - _ROUTE_GAP / 2
    height = max(router.height, rows * pitch[1] - 2 * _ROUTE_GAP) + 2.75 * _PAD
    left = -width / 2 + _PAD
    members = [(router.name, (left + router.width / 2, 0.0))]
    inner = []
    start = (left + router.width, 0.0)
    for index, route in enumerate(routes):
        x = left + router.width + free + (index // rows) * pitch[0] + wide / 2
        y = (index % rows - (rows - 1) / 2) * pitch[1]
        members.append((route.name, (x, y)))
        if columns == 1:
            end = (x - route.width / 2, y)
            line = Edge(router.name, route.name, "route")
            inner.append((line, curve(start, end)))
    return Block(
        router.name,
        width,
        height,
        _PAD,
        members=tuple(members),
        inner=tuple(inner),
        step_down=height / 4,
    )


def links(drawn: Scene) -> list[Edge]:
    """Return the lines between blocks; a line of a route is one of its router."""
    home = {f.name: f.router or f.name for f in drawn.figures.values()}
    between = (
        replace(edge, source=home[edge.source], target=home[edge.target])
        for edge in drawn.edges
        if edge.kind != "route" and home[edge.source] != home[edge.target]
    )
    return list(dict.fromkeys(between))
