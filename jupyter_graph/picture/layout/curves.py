"""Lines as Bézier curves: a start point, then three points for each curve."""

from __future__ import annotations

Point = tuple[float, float]
Curve = tuple[Point, ...]


def curve(start: Point, end: Point) -> Curve:
    """Return a curve that leaves and arrives level.

    >>> curve((0, 0), (10, 5))
    ((0, 0), (5.0, 0), (5.0, 5), (10, 5))
    """
    middle = (start[0] + end[0]) / 2
    return (start, (middle, start[1]), (middle, end[1]), end)


def straight(start: Point, end: Point) -> Curve:
    """Return a straight line in the form of a curve."""
    (x1, y1), (x2, y2) = start, end
    third = ((2 * x1 + x2) / 3, (2 * y1 + y2) / 3)
    two_thirds = ((x1 + 2 * x2) / 3, (y1 + 2 * y2) / 3)
    return (start, third, two_thirds, end)


def at(points: Curve, part: float) -> Point:
    """Return the point of a line after this part of its curves, 0 to 1.

    >>> at(straight((0, 0), (10, 0)), 0.5)
    (5.0, 0.0)
    """
    count = (len(points) - 1) // 3
    index = min(int(part * count), count - 1)
    t = part * count - index
    p = points[3 * index : 3 * index + 4]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return (
        sum(w * x for w, (x, _) in zip(weights, p, strict=True)),
        sum(w * y for w, (_, y) in zip(weights, p, strict=True)),
    )


def moved(points: Curve, x: float, y: float) -> Curve:
    """Return the same line, moved."""
    return tuple((px + x, py + y) for px, py in points)
