"""Outlines of boxes, lines and arrow heads as SVG path data."""

from __future__ import annotations

from math import hypot

from jupyter_graph.picture.layout.curves import Curve, Point

_HEAD = 7.5
_ROUND = 9.0
_BEND = 6.0
_TAB = 8.0
_FLAT = 0.05
_KAPPA = 0.5523  # a quarter of a circle as a Bézier curve
_COMMANDS = frozenset("MHVLCQZ")


def outline(shape: str, width: float, height: float) -> str:
    """Return the outline of a box around ``0, 0``; unknown shapes are drawn as a box.

    >>> outline("diamond", 20, 10)
    'M-10 0L0 -5L10 0L0 5Z'
    """
    w, h = width / 2, height / 2
    if shape == "egg":  # the upper half is the pointed one
        return _oval(w, h, top=w * 0.39, waist=h * 0.14, bottom=h * _KAPPA * 1.1)
    if shape in ("ellipse", "oval", "circle"):
        return _oval(w, h, top=w * _KAPPA, waist=0, bottom=h * _KAPPA)
    if shape == "cylinder":
        return _cylinder(w, h)
    if shape == "diamond":
        return _polygon((-w, 0), (0, -h), (w, 0), (0, h))
    if shape in ("octagon", "doubleoctagon", "tripleoctagon", "hexagon"):
        c = min(12.0, h)
        return _polygon(
            (-w, -h + c), (-w + c, -h), (w - c, -h), (w, -h + c),
            (w, h - c), (w - c, h), (-w + c, h), (-w, h - c),
        )  # fmt: skip
    if shape in ("cds", "rarrow"):
        return _polygon((-w, -h), (w - h / 2, -h), (w, 0), (w - h / 2, h), (-w, h))
    if shape in ("folder", "tab"):
        return _folder(w, h, left=shape == "tab")
    return _box(w, h)


def rim(shape: str, width: float, height: float) -> str:
    """Return the line inside a shape: the rim of a cylinder or a folder, or nothing."""
    if shape in ("folder", "tab"):
        return _path("M", -width / 2, -height / 2 + _TAB, "H", width / 2)
    if shape != "cylinder":
        return ""
    w, top = width / 2, -height / 2 + _BEND
    return _path("M", -w, top, "C", -w, top + 8, w, top + 8, w, top)


def _box(w: float, h: float) -> str:
    r = min(_ROUND, w, h)
    return _path(
        "M", -w + r, -h, "H", w - r, "Q", w, -h, w, -h + r,
        "V", h - r, "Q", w, h, w - r, h,
        "H", -w + r, "Q", -w, h, -w, h - r,
        "V", -h + r, "Q", -w, -h, -w + r, -h, "Z",
    )  # fmt: skip


def _oval(w: float, h: float, *, top: float, waist: float, bottom: float) -> str:
    """Draw an ellipse; ``waist`` is how far below the middle it is widest."""
    x, y = w * _KAPPA, h * _KAPPA
    return _path(
        "M", 0, -h, "C", top, -h, w, -y, w, waist, "C", w, bottom, x, h, 0, h,
        "C", -x, h, -w, bottom, -w, waist, "C", -w, -y, -top, -h, 0, -h, "Z",
    )  # fmt: skip


def _cylinder(w: float, h: float) -> str:
    top, low = -h + _BEND, h - _BEND
    return _path(
        "M", -w, top, "C", -w, top - 8, w, top - 8, w, top,
        "V", low, "C", w, low + 8, -w, low + 8, -w, low, "Z",
    )  # fmt: skip


def _folder(w: float, h: float, *, left: bool) -> str:
    """Draw a box with a tab at its top, on the left or on the right."""
    top, wide, slope = -h + _TAB, min(40.0 if left else 60.0, w), 5.0
    tab: list[Point] = [(-w, -h), (-w + wide, -h), (-w + wide + slope, top), (w, top)]
    if not left:
        tab = [(-w, top), (w - wide - slope, top), (w - wide, -h), (w, -h)]
    return _polygon(*tab, (w, h), (-w, h))


def _path(*words: str | float) -> str:
    """Write commands and numbers as path data, a blank between two numbers.

    >>> _path("M", 1.0, -2.5, "Z")
    'M1 -2.5Z'
    """
    written: list[str] = []
    for word in words:
        if isinstance(word, str):
            written.append(word)
        else:
            blank = " " if written and written[-1] not in _COMMANDS else ""
            written.append(f"{blank}{number(word)}")
    return "".join(written)


def _polygon(*corners: Point) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners) + "Z"


def line(points: Curve) -> str:
    """Return the path of a line, ended where its arrow head begins."""
    (ux, uy), tip = _direction(points), points[-1]
    end = (tip[0] - ux * (_HEAD - 1.5), tip[1] - uy * (_HEAD - 1.5))
    here, rest = points[0], (*points[1:-1], end)
    words: list[str | float] = ["M", *here]
    for one, two, there in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if there == here:
            continue
        if max(abs(p[1] - here[1]) for p in (one, two, there)) < _FLAT:
            words += ["H", there[0]]
        else:
            words += ["C", *one, *two, *there]
        here = there
    return _path(*words)


def head(points: Curve) -> str:
    """Return the arrow head at the end of a line.

    >>> head(((0, 0), (1, 0), (2, 0), (20, 0)))
    'M20 0L12.5 3.8L12.5 -3.8Z'
    """
    (ux, uy), (x, y) = _direction(points), points[-1]
    bx, by = x - ux * _HEAD, y - uy * _HEAD
    side = _HEAD / 2
    return _polygon(
        (x, y), (bx - uy * side, by + ux * side), (bx + uy * side, by - ux * side)
    )


def _direction(points: Curve) -> Point:
    x, y = points[-1]
    for px, py in reversed(points[:-1]):
        if (length := hypot(x - px, y - py)) > 0.5:
            return ((x - px) / length, (y - py) / length)
    return (1.0, 0.0)


def number(value: float) -> str:
    """Write a number with at most one decimal place.

    >>> number(-0.04), number(2.0), number(2.26)
    ('0', '2', '2.3')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
