"""Which boxes and lines a graph is drawn with, before anything has a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_graph.picture.measure import (
    MONO,
    clean,
    fitting,
    mono_width,
    shorten,
    text_width,
)
from jupyter_graph.spec.model import START, GraphSpec, StepSpec
from jupyter_graph.spec.topology import Edge, edges, handler_names, responder_of

TITLE_SIZE = 13.0
CODE_SIZE = 10.5
LONGEST_NAME = 63

_PADDING = 14.0
_HEIGHT = 46.0
_NARROWEST, _WIDEST = 96.0, 236.0
_QUEUE_CLASSES = (">>", "$queue")
_EXTRA = {"cylinder": (0.0, 8.0), "ellipse": (28.0, 0.0), "diamond": (56.0, 18.0)}


@dataclass(frozen=True, slots=True)
class Figure:
    """One box of the picture; sizes in pixels.

    Attributes:
        name: the step's name.
        kind: ``start task router route error_step target queue missing``.
        shape: a graphviz shape, such as ``box``, ``egg``, ``cylinder``.
        title: first line, shortened to fit.
        code: second line: the class or function, shortened to fit.
        responder: its result answers the caller.
        router: for a route, the name of its router.
    """

    name: str
    kind: str
    shape: str
    title: str
    code: str = ""
    width: float = _NARROWEST
    height: float = _HEIGHT
    responder: bool = False
    router: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """All boxes by name, all lines, and the names of the error handlers."""

    figures: dict[str, Figure]
    edges: tuple[Edge, ...]
    handlers: frozenset[str]

    def routes_of(self, router: str) -> list[Figure]:
        """Give the boxes of a router's routes, in order."""
        return [figure for figure in self.figures.values() if figure.router == router]


def scene(spec: GraphSpec) -> Scene:
    """Give the boxes and lines of a graph, wrong ones included.

    What a step names and nobody defined becomes a box of kind ``missing``; of two
    steps with one name the first is drawn.

    >>> flow = GraphSpec(steps=(StepSpec(name="parse", handler="parse"),))
    >>> [(f.kind, f.title, f.code) for f in scene(flow).figures.values()]
    [('start', 'start', ''), ('task', 'parse', 'parse()')]
    """
    handlers = handler_names(spec)
    responder = responder_of(spec)
    figures: dict[str, Figure] = {}
    for figure in _figures(spec, handlers, responder):
        figures.setdefault(figure.name, figure)
    lines = tuple(dict.fromkeys(edges(spec)))
    for edge in lines:
        for name in (edge.source, edge.target):
            if name not in figures:
                figures[name] = _sized(name, "missing", "box", "not defined")
    return Scene(figures, lines, handlers)


def _figures(
    spec: GraphSpec, handlers: frozenset[str], responder: str | None
) -> Iterator[Figure]:
    yield Figure(START, "start", "egg", "start", width=66, height=44)
    tops = (*((spec.router,) if spec.router else ()), *spec.steps)
    for step in tops:
        kind = "error_step" if step.name in handlers else _kind(step)
        yield _figure(step, kind, responder=step.name == responder)
        for route in step.routes:
            yield _figure(route, "route", router=step.name)


def _figure(
    step: StepSpec, kind: str, *, responder: bool = False, router: str | None = None
) -> Figure:
    shape = step.shape or _SHAPES.get(kind, "box")
    return _sized(step.name, kind, shape, code_line(step), responder, router)


_SHAPES = {"target": "cylinder", "queue": "cylinder", "router": "octagon"}


def _sized(
    name: str,
    kind: str,
    shape: str,
    code: str,
    responder: bool = False,
    router: str | None = None,
) -> Figure:
    room = _WIDEST - 2 * _PADDING
    title = fitting(shorten(clean(name), LONGEST_NAME), TITLE_SIZE, room, bold=True)
    code = shorten(code, int(room / CODE_SIZE / MONO))
    text = max(text_width(title, TITLE_SIZE, bold=True), mono_width(code, CODE_SIZE))
    wider, higher = _EXTRA.get(shape, (0.0, 0.0))
    width = min(max(text + 2 * _PADDING, _NARROWEST), _WIDEST) + wider
    size = (float(round(width)), _HEIGHT + higher)
    return Figure(name, kind, shape, title, code, *size, responder, router)


def _kind(step: StepSpec) -> str:
    name = step.class_name or ""
    if step.kind == "queue" or name in _QUEUE_CLASSES:
        return "queue"
    if step.kind == "router" or step.routes:
        return "router"
    return "target" if name.endswith("Target") else "task"


def code_line(step: StepSpec) -> str:
    """Name the code behind a step in a few signs.

    >>> code_line(StepSpec(name="a", handler="parse"))
    'parse()'
    >>> code_line(StepSpec(name="a", class_name="Model", handler="score"))
    'Model.score'
    """
    if step.class_name:
        method = f".{step.handler}" if step.handler else ""
        return clean(f"{step.class_name}{method}")
    if step.handler:
        handler = clean(step.handler)
        return handler if handler.startswith("(") else f"{handler}()"
    return "ModelRouter" if step.kind == "router" else ""
