"""Which boxes and lines a graph is drawn with, before anything has a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jupyter_graph.picture.layout.measure import (
    MONO,
    clean,
    fitting,
    mono_width,
    plural,
    shorten,
    text_width,
)
from jupyter_graph.spec.model import (
    DEFAULT_CLASSES,
    START,
    START_WORD,
    GraphSpec,
    StepSpec,
)
from jupyter_graph.spec.subgraphs import distinct
from jupyter_graph.spec.topology import (
    Edge,
    back_edges,
    edges,
    handler_names,
    responder_of,
)

TITLE_SIZE = 13.0
CODE_SIZE = 10.5
LONGEST_NAME = 63

_PADDING = 14.0
_HEIGHT = 46.0
_NARROWEST, _WIDEST = 96.0, 236.0
_QUEUE_CLASSES = (">>", "$queue")
_EXTRA = {
    "cylinder": (0.0, 8.0),
    "ellipse": (28.0, 0.0),
    "diamond": (56.0, 18.0),
    "cds": (20.0, 0.0),
    "folder": (0.0, 8.0),
    "tab": (0.0, 8.0),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One box of the picture; sizes in pixels.

    Attributes:
        name: the step's name.
        kind: ``start task router route error_step target queue flow model_runner
            missing``.
        shape: a graphviz shape, such as ``box``, ``egg``, ``cylinder``.
        title: first line, shortened to fit.
        code: second line: the class or function, shortened to fit.
        responder: its result answers the caller.
        router: for a route, the name of its router.
        count: steps inside a flow, models of a runner; 0 elsewhere.
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
    count: int = 0

    @property
    def models(self) -> str:
        """How many models a model runner holds, nothing of other boxes."""
        return plural(self.count, "model") if self.kind == "model_runner" else ""

    @property
    def below(self) -> list[str]:
        """The lines below its title."""
        lines = (self.code, self.models, "answers" if self.responder else "")
        return [line for line in lines if line]


@dataclass(frozen=True, slots=True)
class Scene:
    """All boxes by name, all lines, the error handlers, and lines that lead back."""

    figures: dict[str, Figure]
    edges: tuple[Edge, ...]
    handlers: frozenset[str]
    back: frozenset[tuple[str, str]] = frozenset()

    def leads_back(self, edge: Edge) -> bool:
        """Tell whether a line closes a cycle."""
        return (edge.source, edge.target) in self.back

    def back_from(self, name: str) -> list[str]:
        """Return the steps that a step leads back to."""
        return [e.target for e in self.edges if e.source == name and self.leads_back(e)]

    def boxes(self) -> Iterator[tuple[Figure, list[Figure]]]:
        """Yield each box that is no route, with the boxes of its routes."""
        for figure in self.figures.values():
            if figure.router is None:
                yield figure, self.routes_of(figure.name)

    def routes_of(self, router: str) -> list[Figure]:
        """Return the boxes of a router's routes, in order."""
        return [figure for figure in self.figures.values() if figure.router == router]


def scene(spec: GraphSpec) -> Scene:
    """Return the boxes and lines of a graph, wrong ones included.

    What a step names and no step defines becomes a box of kind ``missing``; of two
    steps with one name the first is drawn.

    >>> flow = GraphSpec(steps=(StepSpec(name="parse", handler="parse"),))
    >>> [(f.kind, f.title, f.code) for f in scene(flow).figures.values()]
    [('start', 'start', ''), ('task', 'parse', 'parse()')]
    """
    spec = distinct(spec)
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
    return Scene(figures, lines, handlers, back_edges(spec))


def _figures(
    spec: GraphSpec, handlers: frozenset[str], responder: str | None
) -> Iterator[Figure]:
    yield Figure(START, "start", "egg", START_WORD, width=66.0, height=44.0)
    tops = (*((spec.router,) if spec.router else ()), *spec.steps)
    for step in tops:
        kind = "error_step" if step.name in handlers else _kind(step)
        yield _figure(step, kind, responder=step.name == responder)
        for route in step.routes:
            yield _figure(route, "route", router=step.name)


def _figure(
    step: StepSpec, kind: str, *, responder: bool = False, router: str | None = None
) -> Figure:
    inner = _kind(step)  # a route may be a flow, an error handler a runner
    shape = step.shape or _SHAPES.get(kind) or _SHAPES.get(inner, "box")
    figure = _sized(step.name, kind, shape, code_line(step))
    count = len(step.steps) or len(models_of(step))
    return replace(figure, responder=responder, router=router, count=count)


_SHAPES = {
    "target": "cylinder",
    "queue": "cds",
    "router": "octagon",
    "flow": "tab",
    "model_runner": "folder",
}


def _sized(name: str, kind: str, shape: str, code: str) -> Figure:
    room = _WIDEST - 2 * _PADDING
    title = fitting(shorten(clean(name), LONGEST_NAME), TITLE_SIZE, room, bold=True)
    code = shorten(code, int(room / CODE_SIZE / MONO))
    text = max(text_width(title, TITLE_SIZE, bold=True), mono_width(code, CODE_SIZE))
    wider, higher = _EXTRA.get(shape, (0.0, 0.0))
    width = min(max(text + 2 * _PADDING, _NARROWEST), _WIDEST) + wider
    return Figure(name, kind, shape, title, code, float(round(width)), _HEIGHT + higher)


def models_of(step: StepSpec) -> Mapping[str, object]:
    """Return the models of a model runner, nothing of other steps."""
    models = step.class_args.get("models")
    is_runner = _kind(step) == "model_runner"
    return models if is_runner and isinstance(models, Mapping) else {}


def _kind(step: StepSpec) -> str:
    name = step.class_name or ""
    own = name.rpartition(".")[2]
    if step.kind == "queue" or name in _QUEUE_CLASSES:
        return "queue"
    if step.kind == "router" or step.routes:
        return "router"
    if step.kind == "flow" or step.steps:
        return "flow"
    if step.kind == "model_runner" or own in ("ModelRunnerStep", "ModelRunner"):
        return "model_runner"
    return "target" if own.endswith("Target") else "task"


def shown(name: str) -> str:
    """Return the name of a box as users read it.

    >>> shown("$start"), shown("parse")
    ('start', 'parse')
    """
    return START_WORD if name == START else clean(name)


def code_line(step: StepSpec) -> str:
    """Return a few signs that name the code behind a step.

    >>> code_line(StepSpec(name="a", handler="parse"))
    'parse()'
    >>> code_line(StepSpec(name="a", class_name="Model", handler="score"))
    'Model.score'
    >>> code_line(StepSpec(name="a", kind="flow", steps=(StepSpec(name="b"),)))
    '1 step'
    >>> code_line(StepSpec(name="a", handler="add", join="all"))
    'add() · join all'
    """
    if step.join:
        plain = code_line(replace(step, join=None))
        return f"{plain} · join {step.join}" if plain else f"join {step.join}"
    if step.kind == "flow" or step.steps:
        return plural(len(step.steps), "step")
    if step.kind == "queue":
        return clean(without_secrets(step.path)) if step.path else "in process"
    if step.class_name:
        method = f".{step.handler}" if step.handler else ""
        return clean(f"{step.class_name}{method}")
    if step.handler:
        handler = clean(step.handler)
        return handler if handler.startswith("(") else f"{handler}()"
    return DEFAULT_CLASSES.get(step.kind, "")


def without_secrets(url: str) -> str:
    """Return a URL as a picture may show it: without user, password and query.

    >>> without_secrets("amqp://ann:pw@host/orders?key=1")
    'amqp://host/orders'
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url.partition("?")[0]
    place, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
