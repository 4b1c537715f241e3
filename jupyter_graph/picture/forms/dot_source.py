"""A graph in the DOT language, in MLRun's visual grammar.

Start is an egg, a router a cluster with its routes, the way to an error handler
dashed, a target a cylinder, a queue an arrow, a model runner a folder.
"""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_graph.picture import theme
from jupyter_graph.picture.layout.measure import clean
from jupyter_graph.picture.scene import Figure, Scene, scene
from jupyter_graph.spec.model import START, START_WORD, GraphSpec

_GRAPH = (
    'graph [rankdir=LR, compound=true, fontname="Helvetica", nodesep=0.3, '
    'ranksep=0.6, pad=0.2, bgcolor="#ffffff"]',
    'node [fontname="Helvetica", fontsize=13, style="filled,rounded", '
    'margin="0.18,0.08", penwidth=1.2, fontcolor="#1c2430"]',
    'edge [color="#8a94a2", arrowsize=0.7, penwidth=1.3]',
)


def body(spec: GraphSpec, attributes: dict[str, str] | None = None) -> list[str]:
    """Return the lines between the braces of a ``digraph``.

    Args:
        spec: the graph; names are quoted, so that every name is fine.
        attributes: graph attributes, such as ``rankdir``, that go before ours.
    """
    drawn = scene(spec)
    own = ", ".join(f"{quoted(k)}={quoted(v)}" for k, v in (attributes or {}).items())
    lines = [*_GRAPH, *([f"graph [{own}]"] if own else [])]
    for figure, routes in drawn.boxes():
        lines += _box(figure, routes, drawn)
    return [f"\t{line}\n" for line in (*lines, *_lines(drawn))]


def _box(figure: Figure, routes: list[Figure], drawn: Scene) -> Iterator[str]:
    if not routes:
        yield _node(figure, drawn)
        return
    yield f"subgraph {quoted('cluster_' + figure.name)} {{"
    yield f'\tgraph [style=rounded, color="{theme.PLAIN["route"][1]}", label=""]'
    yield f"\t{_node(figure, drawn)}"
    for route in routes:
        yield f"\t{_node(route, drawn)}"
        yield f"\t{quoted(figure.name)} -> {quoted(route.name)}"
    yield "}"


def _id(name: str, drawn: Scene) -> str:
    """Return the name of a node: that of its step, ``start`` before the first."""
    is_free = START_WORD not in drawn.figures  # a step of a document may be called so
    return quoted(START_WORD if name == START and is_free else name)


def _node(figure: Figure, drawn: Scene) -> str:
    fill, colour = theme.PLAIN.get(figure.kind, theme.PLAIN["task"])
    style = "filled,rounded" if figure.shape == "box" else "filled"
    if figure.kind == "missing":
        style += ",dashed"
    width = 1.2
    if figure.responder:
        colour, width = theme.PLAIN_GREEN, 2.2
    label = "\\n".join(escaped(word) for word in (figure.title, *figure.below) if word)
    return (
        f'{_id(figure.name, drawn)} [label="{label}", shape={quoted(figure.shape)}, '
        f'style="{style}", fillcolor="{fill}", color="{colour}", penwidth={width}, '
        f"tooltip={quoted(START_WORD if figure.kind == 'start' else figure.name)}]"
    )


def _lines(drawn: Scene) -> Iterator[str]:
    for edge in drawn.edges:
        if edge.kind == "route":
            continue
        ends = f"{_id(edge.source, drawn)} -> {_id(edge.target, drawn)}"
        marks = []
        if edge.kind == "error":
            marks.append(f'style=dashed, color="{theme.PLAIN_ERROR_LINE}"')
        if drawn.routes_of(edge.source):
            # Two ranks on, so that it stands behind the routes.
            marks.append(f"ltail={quoted('cluster_' + edge.source)}, minlen=2")
        yield f"{ends} [{', '.join(marks)}]" if marks else ends


def quoted(word: str) -> str:
    r"""Quote a name for the DOT language.

    >>> quoted('say "a:b"')
    '"say \\"a:b\\""'
    """
    return f'"{escaped(word)}"'


def escaped(word: str) -> str:
    """Escape the quote and the backslash; control signs are replaced."""
    return clean(word).replace("\\", "\\\\").replace('"', '\\"')


def source(spec: GraphSpec) -> str:
    """Return the whole document.

    >>> source(GraphSpec(name="g")).splitlines()[0]
    'digraph "g" {'
    """
    return f"digraph {quoted(spec.name)} {{\n{''.join(body(spec))}}}\n"
