"""Where every box and line of a picture goes, whichever program decides it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.picture.layout import graphviz_engine, layered
from jupyter_graph.picture.layout.back_lines import with_back_lines
from jupyter_graph.picture.layout.block import Block, Plan, blocks, links
from jupyter_graph.picture.layout.curves import Curve, Point, moved
from jupyter_graph.picture.layout.graphviz_engine import (
    INSTALL_LINE,
    GraphvizFailedError,
)
from jupyter_graph.picture.layout.labels import place_labels
from jupyter_graph.picture.scene import Figure, Scene, scene
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.spec.topology import Edge

ENGINES = ("dot", "graphviz-pure", "layered")

_MARGIN = 18.0
_FOOT, _FOOT_WIDTH = 18.0, 116.0  # below a box: its counts and times
_GAP, _ROOMY_GAP = 60.0, 164.0


@dataclass(frozen=True, slots=True)
class Node(Figure):
    """A box with its place: ``x, y`` is its centre, in pixels from the top left."""

    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class EdgePath(Edge):
    """A line: a start point, then three points for each cubic Bézier curve.

    ``label`` is the middle of the free place on it, None where there is none.
    """

    points: Curve = ()
    label: Point | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame around a router and its routes: top left corner and size."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole picture with its places; deterministic for one engine."""

    nodes: dict[str, Node]
    edges: tuple[EdgePath, ...]
    frames: tuple[Frame, ...]
    width: float
    height: float
    engine: str


def layout(
    spec: GraphSpec, *, engine: str | None = None, roomy: bool = False
) -> Layout:
    """Return the place of every step and edge of a graph, left to right.

    Args:
        spec: the graph; also a wrong one can be drawn.
        engine: ``dot``, ``graphviz-pure`` or ``layered``; by default the first of
            them that is there. ``layered`` needs no other program.
        roomy: leave place for a value on each edge.

    Raises:
        SpecError: there is no engine of this name, or it is not installed.

    >>> from jupyter_graph.spec.model import StepSpec
    >>> graph = GraphSpec(steps=(StepSpec(name="a"), StepSpec(name="b", after=("a",))))
    >>> places = layout(graph, engine="layered")
    >>> places.nodes["$start"].x < places.nodes["a"].x < places.nodes["b"].x
    True
    """
    drawn = scene(spec)
    gap = _ROOMY_GAP if roomy else _GAP
    boxes = blocks(drawn, gap)
    ahead, back = _both_ways(drawn)
    name, plan = _plan(engine, boxes, ahead, gap)
    plan = with_back_lines(plan, boxes, back)
    return _finished(drawn, boxes, _at_origin(plan, boxes), name)


def _both_ways(drawn: Scene) -> tuple[list[Edge], list[Edge]]:
    """Return the lines that lead on, and those that lead back."""
    every = links(drawn)
    back = [link for link in every if link.kind == "flow" and drawn.leads_back(link)]
    ahead = [link for link in every if link not in back]
    loops = [e for e in drawn.edges if e.source == e.target and e.kind == "flow"]
    return ahead, [*back, *loops]


def _plan(
    engine: str | None, boxes: dict[str, Block], lines: list[Edge], gap: float
) -> tuple[str, Plan]:
    if engine is not None and engine not in ENGINES:
        raise SpecError(
            f"unknown layout engine {engine!r}{did_you_mean(engine, ENGINES)} "
            f"(known: {', '.join(ENGINES)})"
        )
    for name in graphviz_engine.PROGRAMS:
        if engine == name or (engine is None and graphviz_engine.program(name)):
            try:
                return name, graphviz_engine.arrange(name, boxes, lines, gap)
            except GraphvizFailedError as error:
                if engine is not None:
                    raise SpecError(
                        f"layout engine {name!r} does not work: {error}; "
                        f"use engine='layered', or {INSTALL_LINE}"
                    ) from error
    return "layered", layered.arrange(boxes, lines, gap)


def _at_origin(plan: Plan, boxes: dict[str, Block]) -> Plan:
    """Move everything so that the margin begins at the top left corner."""
    lefts = [plan.centres[name][0] - box.width / 2 for name, box in boxes.items()]
    tops = [plan.centres[name][1] - box.height / 2 for name, box in boxes.items()]
    for way in plan.ways.values():
        lefts.extend(x for x, _ in way)
        tops.extend(y for _, y in way)
    x, y = _MARGIN - min(lefts), _MARGIN - min(tops)
    return Plan(
        {name: (cx + x, cy + y) for name, (cx, cy) in plan.centres.items()},
        {link: moved(way, x, y) for link, way in plan.ways.items()},
    )


def _finished(drawn: Scene, boxes: dict[str, Block], plan: Plan, engine: str) -> Layout:
    nodes: dict[str, Node] = {}
    frames: list[Frame] = []
    ways: dict[Edge, Curve] = {}
    for name, box in boxes.items():
        x, y = plan.centres[name]
        for member, (dx, dy) in box.members:
            figure = asdict(drawn.figures[member])
            nodes[member] = Node(**figure, x=_tidy(x + dx), y=_tidy(y + dy))
        ways |= {edge: moved(way, x, y) for edge, way in box.inner}
        if box.is_frame:
            left, top = x - box.width / 2, y - box.height / 2
            frames.append(Frame(name, *map(_tidy, (left, top, box.width, box.height))))
    edges = _edges(ways | plan.ways, nodes)
    corners = [(n.x + n.width / 2, n.y + n.height / 2 + _FOOT) for n in nodes.values()]
    corners += [(f.x + f.width, f.y + f.height) for f in frames]
    corners += [point for edge in edges for point in edge.points]
    right, bottom = max(x for x, _ in corners), max(y for _, y in corners)
    return Layout(
        nodes,
        edges,
        tuple(frames),
        _tidy(right + _MARGIN),
        _tidy(bottom + _MARGIN / 2),
        engine,
    )


def _edges(ways: dict[Edge, Curve], nodes: dict[str, Node]) -> tuple[EdgePath, ...]:
    # Labels keep clear of boxes, and of the counts and times that stand below them.
    boxes = [_taken_by(node) for node in nodes.values()]
    spots = place_labels(list(ways.values()), boxes)
    return tuple(
        EdgePath(
            **asdict(edge),
            points=tuple((_tidy(x), _tidy(y)) for x, y in way),
            label=spot and (_tidy(spot[0]), _tidy(spot[1])),
        )
        for (edge, way), spot in zip(ways.items(), spots, strict=True)
    )


def _taken_by(node: Node) -> tuple[float, float, float, float]:
    half, foot = node.width / 2, 0.0
    if node.kind != "start":
        half, foot = max(half, _FOOT_WIDTH / 2), _FOOT
    top, bottom = node.y - node.height / 2 - 10, node.y + node.height / 2 + foot
    return (node.x - half, top, node.x + half, bottom)


def _tidy(number: float) -> float:
    """Round to a tenth of a pixel, so that the same graph gives the same text."""
    return round(number, 1) + 0.0
