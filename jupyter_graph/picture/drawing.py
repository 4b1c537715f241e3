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

_KINDS = {
    "task": "step",
    "router": "router",
    "route": "route",
    "error_step": "error handler",
    "target": "target",
    "queue": "queue",
    "flow": "flow",
    "model_runner": "model runner",
    "missing": "missing step",
}
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
        "nodes": [_node(name, node) for name, node in places.nodes.items()],
    }


def _node(name: str, node: Node) -> dict[str, Any]:
    return {
        "name": name,
        "kind": node.kind,
        "x": node.x,
        "y": node.y,
        "width": node.width,
        "height": node.height,
        "title": node.label,
        "code": node.code,
        "title_y": _title_y(node),
        "code_y": _title_y(node) + 16.5,
        "responder": node.responder,
        "count": str(node.count) if node.kind == "model_runner" else "",
        "outline": outline(node.shape, node.width, node.height),
        "rim": rim(node.shape, node.width, node.height),
        "about": about_node(name, node),
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


def about_node(name: str, node: Node) -> str:
    """Return in words what a box shows.

    >>> about_node("a", Node(0, 0, 9, 9, "task", "box", "a", "f()", responder=True))
    'step a, f(), answers the caller'
    """
    if node.kind == "start":
        return "start of the graph"
    words = [f"{_KINDS.get(node.kind, 'step')} {clean(name)}", node.code]
    if node.kind == "model_runner":
        words.append(plural(node.count, "model"))
    words.append("answers the caller" if node.responder else "")
    return ", ".join(word for word in words if word)


def about(spec: GraphSpec, places: Layout) -> str:
    """Return in words what the whole picture shows, for those who cannot see it."""
    steps = sum(node.kind not in ("start", "missing") for node in places.nodes.values())
    sentences = [_about_edge(edge) for edge in places.edges[:_MOST_EDGES]]
    if len(places.edges) > _MOST_EDGES:
        sentences.append(f"and {len(places.edges) - _MOST_EDGES} more edges")
    kind = "router" if spec.topology == "router" else "flow"
    return f"A {kind} of {plural(steps, 'step')}. {'; '.join(sentences)}."


def _about_edge(edge: EdgePath) -> str:
    source, target = shown(edge.source), shown(edge.target)
    if edge.kind == "error":
        where = "of any step" if edge.source == START else f"of {source}"
        return f"errors {where} go to {target}"
    return f"{source} {'routes' if edge.kind == 'route' else 'leads'} to {target}"
