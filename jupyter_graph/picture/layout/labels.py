"""Where on a line a few signs can stand without covering anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jupyter_graph.picture.layout.curves import Curve, Point, at

Box = tuple[float, float, float, float]  # left, top, right, bottom

LABEL_WIDTH, LABEL_HEIGHT = 128.0, 18.0

_CELL = 128.0


class Taken:
    """Boxes that are taken, looked up by the cell of a grid."""

    def __init__(self, boxes: Iterable[Box] = ()) -> None:
        self.cells: dict[tuple[int, int], list[Box]] = {}
        for box in boxes:
            self.add(box)

    def add(self, box: Box) -> None:
        for cell in _cells(box):
            self.cells.setdefault(cell, []).append(box)

    def hits(self, box: Box) -> bool:
        """Tell whether a box overlaps one that is taken."""
        left, top, right, bottom = box
        return any(
            left < other[2]
            and other[0] < right
            and top < other[3]
            and other[1] < bottom
            for cell in _cells(box)
            for other in self.cells.get(cell, ())
        )


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = (int(side // _CELL) for side in box)
    for column in range(left, right + 1):
        for row in range(top, bottom + 1):
            yield column, row


def place_labels(lines: list[Curve], boxes: Iterable[Box]) -> list[Point | None]:
    """Return the middle of each line's label, None where there is no free place.

    The label of one line covers neither a box nor another label.
    """
    taken = Taken(boxes)
    labels: list[Point | None] = []
    for line in lines:
        spot = next((p for p in _spots(line) if not taken.hits(_around(p))), None)
        if spot is not None:
            taken.add(_around(spot))
        labels.append(spot)
    return labels


def _spots(line: Curve) -> Iterator[Point]:
    if len(line) < 4:
        return
    steps = 8 * min((len(line) - 1) // 3, 12)
    middle = steps // 2
    for distance in range(middle):
        for index in {middle + distance, middle - distance}:
            yield at(line, index / steps)


def _around(middle: Point) -> Box:
    (x, y), wide, high = middle, LABEL_WIDTH / 2, LABEL_HEIGHT / 2
    return (x - wide, y - high, x + wide, y + high)
