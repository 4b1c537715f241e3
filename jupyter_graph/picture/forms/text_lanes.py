"""Lines of a graph as columns of signs, the way ``git log --graph`` draws them."""

from __future__ import annotations

from dataclasses import dataclass, field

Way = tuple[str, str]  # where a lane leads to, and the kind of its edge

_UPRIGHT = {"flow": "│", "error": "┆"}
_LEVEL = {"flow": "─", "error": "┄"}


@dataclass(slots=True)
class Lanes:
    """The lanes open below the last row; each leads to a step that comes later."""

    open: list[Way | None] = field(default_factory=list)

    def enter(self, name: str) -> tuple[int, str | None]:
        """Lead all lanes of a step into one.

        Returns:
            The lane's column, and the row that shows how they meet, if they do.
        """
        columns = [i for i, way in enumerate(self.open) if way and way[0] == name]
        if not columns:
            self.open.append(None)
            return len(self.open) - 1, None
        first, others = columns[0], columns[1:]
        row = self._joint(first, others, "┴", "╯") if others else None
        for column in others:
            self.open[column] = None
        return first, row

    def leave(self, column: int, ways: list[Way]) -> str | None:
        """Open a lane for each way out of a step; the first goes straight on.

        Returns:
            The row that shows how they part, if they do.
        """
        self.open[column] = ways[0] if ways else None
        taken = []
        for way in ways[1:]:
            free = [i for i, w in enumerate(self.open) if w is None and i > column]
            if not free:
                self.open.append(None)
                free = [len(self.open) - 1]
            self.open[free[0]] = way
            taken.append(free[0])
        row = self._joint(column, sorted(taken), "┬", "╮") if taken else None
        self._trim()
        return row

    def row(self, column: int | None = None, sign: str = "") -> str:
        """Draw all lanes going down, with a step's sign in its column."""
        signs = [_UPRIGHT[way[1]] if way else " " for way in self.open]
        if column is not None:
            signs[column] = sign
        return " ".join(signs).rstrip()

    def _joint(self, first: int, others: list[int], middle: str, last: str) -> str:
        """Draw the row where the other lanes part from the first one, or meet it."""
        cells: list[str] = []
        for index, way in enumerate(self.open):
            sign = _UPRIGHT[way[1]] if way else " "
            if index == first:
                sign = "├"
            elif index in others:
                sign = last if index == others[-1] else middle
            elif first < index < others[-1]:
                sign = "┼" if way else self._level(index, others)
            cells.append(sign)
            is_between = first <= index < others[-1]
            cells.append(self._level(index, others) if is_between else " ")
        return "".join(cells).rstrip()

    def _level(self, index: int, others: list[int]) -> str:
        ahead = next((self.open[i] for i in others if i > index), None)
        return _LEVEL[ahead[1]] if ahead else "─"

    def _trim(self) -> None:
        while self.open and self.open[-1] is None:
            self.open.pop()
