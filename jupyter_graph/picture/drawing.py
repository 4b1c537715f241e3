"""A picture ready to draw: texts, outlines and paths, as JSON values.

The SVG writer and the widget's JavaScript both draw from this, so they look alike.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jupyter_graph.picture.layout.layout import EdgePath, Layout, Node
from jupyter_graph.picture.layout.measure import clean, plural
from jupyter_graph.picture.scene import shown
from jupyter_graph.picture.shapes import head, line, outline, rim
from jupyter_graph.spec.model import START, GraphSpec

Drawing = dict[str, Any]

# How they are called, where otherwise than by their kind.
_KINDS = {
    "task": "step",
    "error_step": "error handler",
    "model_runner": "model runner",
    "missing": "missing step",
}
_OF_NODE = (
    "name", "kind", "x", "y", "width", "height", "title", "code", "responder"
)  # fmt: skip
_MOST_EDGES = 60  # a description read aloud must end some time


def drawing(spec: GraphSpec, places: Layout) -> Drawing:
    """Return everything a renderer needs; names are plain text and not escaped."""
    return {
        "name": clean(spec.name),
        "width": places.width,
        "height": places.height,
        "about": about(spec, places),
        "frames": [asdict(frame) for frame in places.frames],
        "edges": [_edge(edge) for edge in places.edges],
        "nodes": [_node(node) for node in places.nodes.values()],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        **{key: getattr(node, key) for key in _OF_NODE},
        "title_y": _title_y(node),
        "code_y": _title_y(node) + 16.5,
        "count": str(node.count) if node.kind == "model_runner" else "",
        "outline": outline(node.shape, node.width, node.height),
        "rim": rim(node.shape, node.width, node.height),
        "about": about_node(node),
    }


def _title_y(node: Node) -> float:
    """Return the base line of the first line, from the middle of the box."""
    lower = 4.0 if node.shape in ("cylinder", "folder", "tab") else 0.0
    return lower + (-3.5 if node.code else 4.5)


def _edge(edge: EdgePath) -> dict[str, Any]:
    return {
        "source": edge.source,
        "target": edge.target,
        "kind": edge.kind,
        "ends": f"{shown(edge.source)} → {shown(edge.target)}",
        "line": line(edge.points),
        "head": head(edge.points),
        "label": list(edge.label) if edge.label else None,
    }


def about_node(node: Node) -> str:
    """Return in words what a box shows.

    >>> about_node(Node("a", "task", "box", "a", "f()", responder=True))
    'step a, f(), answers the caller'
    """
    if node.kind == "start":
        return "start of the graph"
    kind = _KINDS.get(node.kind, node.kind)
    answers = "answers the caller" if node.responder else ""
    words = (f"{kind} {clean(node.name)}", node.code, node.models, answers)
    return ", ".join(word for word in words if word)


def about(spec: GraphSpec, places: Layout) -> str:
    """Return in words what the whole picture shows, for those who cannot see it."""
    steps = sum(node.kind not in ("start", "missing") for node in places.nodes.values())
    sentences = [_about_edge(edge) for edge in places.edges[:_MOST_EDGES]]
    if len(places.edges) > _MOST_EDGES:
        sentences.append(f"and {len(places.edges) - _MOST_EDGES} more edges")
    return f"A {spec.topology} of {plural(steps, 'step')}. {'; '.join(sentences)}."


def _about_edge(edge: EdgePath) -> str:
    source, target = shown(edge.source), shown(edge.target)
    if edge.kind == "error":
        where = "of any step" if edge.source == START else f"of {source}"
        return f"errors {where} go to {target}"
    return f"{source} {'routes' if edge.kind == 'route' else 'leads'} to {target}"
