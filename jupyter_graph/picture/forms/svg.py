"""A graph as one self-contained SVG document."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from jupyter_graph.picture import counter_texts, theme
from jupyter_graph.picture.counter_texts import Snapshot
from jupyter_graph.picture.drawing import Drawing, drawing
from jupyter_graph.picture.layout.curves import Point
from jupyter_graph.picture.layout.layout import Layout
from jupyter_graph.picture.layout.layout import layout as lay_out
from jupyter_graph.picture.layout.measure import mono_width, plural, text_width
from jupyter_graph.picture.shapes import number as n
from jupyter_graph.spec.model import GraphSpec


def svg(
    spec: GraphSpec,
    counters: Snapshot | None = None,
    *,
    dark: bool | None = None,
    layout: Layout | None = None,
) -> str:
    """Draw a graph; the same graph and counters give the same text.

    Args:
        spec: the graph.
        counters: what ``Counters.snapshot()`` returns: counts, times, errors, values.
        dark: colours for a dark or a light page; None = as the page or reader has it.
        layout: the places, where they are known.

    >>> from jupyter_graph.spec.model import StepSpec
    >>> svg(GraphSpec(steps=(StepSpec(name="a<b"),)))[:4]
    '<svg'
    """
    roomy = bool((counters or {}).get("edges"))
    drawn = drawing(spec, layout or lay_out(spec, roomy=roomy))
    inside = "".join(_inside(drawn, counters))
    look = {None: "jg", False: "jg jg-light", True: "jg jg-dark"}[dark]
    content = f"{look} {drawn['name']} {inside}".encode(errors="replace")
    # A notebook shows many pictures on one page: their ids must differ, and the same
    # picture must have the same one, or every run would change the notebook's file.
    key = f"jg-{sha256(content).hexdigest()[:10]}"
    width, height = n(drawn["width"]), n(drawn["height"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{key}" class="{look}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="graphics-document document" aria-labelledby="{key}-t" '
        f'aria-describedby="{key}-d" font-family="Helvetica, Arial, sans-serif" '
        f'style="max-width:100%;height:auto">'
        f'<title id="{key}-t">graph {escape(drawn["name"])}</title>'
        f'<desc id="{key}-d">{escape(drawn["about"])}</desc>'
        f"<style>{theme.stylesheet()}</style>{inside}</svg>"
    )


def _inside(drawn: Drawing, counters: Snapshot | None) -> Iterator[str]:
    yield (
        f'<rect class="jg-ground" width="100%" height="100%" rx="8" '
        f'fill="{theme.PLAIN_GROUND}"/>'
    )
    fill, stroke = theme.PLAIN["route"]
    for frame in drawn["frames"]:
        yield (
            f'<rect class="jg-frame" x="{n(frame["x"])}" y="{n(frame["y"])}" '
            f'width="{n(frame["width"])}" height="{n(frame["height"])}" rx="12" '
            f'fill="{fill}" stroke="{stroke}"/>'
        )
    for edge in drawn["edges"]:
        yield _edge(edge)
    for node in drawn["nodes"]:
        yield _node(node, counter_texts.of_step(counters, node["name"]))
    for edge in drawn["edges"]:
        yield _chip(
            edge, counter_texts.of_edge(counters, edge["source"], edge["target"])
        )


def _edge(edge: dict[str, Any]) -> str:
    error = edge["kind"] == "error"
    colour = theme.PLAIN_ERROR_LINE if error else theme.PLAIN_LINE
    dashes = ' stroke-dasharray="5 4"' if error else ""
    return (
        f'<g class="jg-edge jg-{edge["kind"]}" aria-hidden="true">'
        f'<path class="jg-line" d="{edge["line"]}" fill="none" stroke="{colour}" '
        f'stroke-width="1.5"{dashes}/>'
        f'<path class="jg-head" d="{edge["head"]}" fill="{colour}"/></g>'
    )


def _node(node: dict[str, Any], counted: Any) -> str:
    figure, errors = counter_texts.step_line(counted), counter_texts.errors_of(counted)
    about = [node["about"], figure, plural(errors, "error") if errors else ""]
    label = ", ".join(word for word in about if word)
    responder = " jg-responder" if node["responder"] else ""
    fill, stroke = theme.PLAIN[node["kind"]]
    title, code = (0.0, node["title_y"]), (0.0, node["code_y"])
    below = (0.0, node["height"] / 2 + 14)
    parts = [
        f'<g class="jg-node jg-kind-{node["kind"]}{responder}" '
        f'transform="translate({n(node["x"])} {n(node["y"])})" '
        f'role="graphics-symbol img" aria-label={quoteattr(label)}>',
        f"<title>{escape(label)}</title>",
        f'<path class="jg-outline" d="{node["outline"]}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.3"/>',
        f'<path class="jg-rim" d="{node["rim"]}" fill="none" stroke="{stroke}"/>'
        if node["rim"]
        else "",
        _text("title", title, node["title"], 13, theme.PLAIN_TEXT, bold=True),
        _text("code", code, node["code"], 10.5, theme.PLAIN_MUTED),
        _text("figures", below, figure, 11, theme.PLAIN_MUTED),
        _count(node) if node["count"] else "",
        _reply(node) if node["responder"] else "",
        _badge(node, errors) if errors else "",
        "</g>",
    ]
    return "".join(parts)


def _text(
    class_: str, at: Point, text: str, size: float, fill: str, *, bold: bool = False
) -> str:
    """Draw a text in the middle of a place; nothing where there is no text."""
    if not text:
        return ""
    x, y = at
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text class="jg-{class_}" x="{n(x)}" y="{n(y)}" font-size="{n(size)}" '
        f'text-anchor="middle" fill="{fill}"{weight}>{escape(text)}</text>'
    )


def _pill(class_: str, at: Point, size: Point, fill: str, stroke: str = "") -> str:
    """Draw a rectangle with round ends around a place."""
    (x, y), (width, height) = at, size
    line = f' stroke="{stroke}"' if stroke else ""
    return (
        f'<rect class="jg-{class_}" x="{n(x - width / 2)}" y="{n(y - height / 2)}" '
        f'width="{n(width)}" height="{n(height)}" rx="{n(height / 2)}" '
        f'fill="{fill}"{line}/>'
    )


def _reply(node: dict[str, Any]) -> str:
    x, y = -node["width"] / 2 + 26, -node["height"] / 2 - 5
    colours = theme.PLAIN_GROUND, theme.PLAIN_GREEN
    text = _text("reply-text", (x, y + 3.5), "↩ answer", 9.5, theme.PLAIN_GREEN)
    return _pill("reply", (x, y), (60, 16), *colours) + text


def _count(node: dict[str, Any]) -> str:
    """Draw how many models a runner holds, in the tab of its folder."""
    fill, stroke = theme.PLAIN[node["kind"]]
    wide = 12 + text_width(node["count"], 10)
    x, y = node["width"] / 2 - 44, -node["height"] / 2 + 4
    text = _text("count-text", (x, y + 3.5), node["count"], 10, theme.PLAIN_TEXT)
    return _pill("count", (x, y), (wide, 16), fill, stroke) + text


def _badge(node: dict[str, Any], errors: int) -> str:
    text = f"✕ {counter_texts.number(errors)}"
    wide = 14 + text_width(text, 10)
    x, y = node["width"] / 2 - wide / 2 + 6, -node["height"] / 2
    label = _text("badge-text", (x, y + 3.5), text, 10, "#ffffff", bold=True)
    return _pill("badge", (x, y), (wide, 18), theme.PLAIN_RED) + label


def _chip(edge: dict[str, Any], counted: Any) -> str:
    count, value = counter_texts.count_of(counted), counter_texts.edge_value(counted)
    if not count or edge["label"] is None:
        return ""
    (x, y), many = edge["label"], counter_texts.number(count)
    wide = 16 + text_width(many, 10.5, bold=True)
    wide += 5 + mono_width(value, 9.5) if value else 0
    about = f"{edge['ends']}: {count} events"
    if value:
        about = f"{about}, last {counter_texts.whole_value(counted)}"
    about = counter_texts.clean_lines(about)
    shown = (
        f'<tspan dx="5" class="jg-chip-value" font-size="9.5" '
        f'font-family="monospace" fill="{theme.PLAIN_MUTED}">{escape(value)}</tspan>'
    )
    return (
        f'<g class="jg-flow-value" role="graphics-symbol img" '
        f"aria-label={quoteattr(about)}>"
        f"<title>{escape(about)}</title>"
        f"{_pill('chip', (x, y), (wide, 18), theme.PLAIN_GROUND, '#dde1e6')}"
        f'<text x="{n(x - wide / 2 + 8)}" y="{n(y + 3.6)}">'
        f'<tspan class="jg-chip-count" font-size="10.5" font-weight="600" '
        f'fill="{theme.PLAIN_TEXT}">{many}</tspan>{shown if value else ""}</text></g>'
    )
