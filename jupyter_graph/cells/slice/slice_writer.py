"""Write the pieces of a slice as one module."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Iterator, Sequence

from jupyter_graph.cells.slice.fragments import Fragment
from jupyter_graph.cells.slice.statement_text import text_of
from jupyter_graph.cells.source import place

LOADER = "from jupyter_graph.host.artifacts import load_value"
Place = tuple[int | None, int | None]


class Writer:
    """Collects lines, and for each line the place it comes from."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.places: dict[int, Place] = {}

    def write(self, items: Sequence[Fragment]) -> str:
        """Write all pieces, which are in order, and give the text."""
        futures = sorted({f for i in items if i.statement for f in i.statement.futures})
        if futures:
            self._line(f"from __future__ import {', '.join(futures)}")
            self.lines.append("")
        top = [item for item in items if _goes_to_top(item, items)]
        for text, item in _import_lines(top):
            self._line(f"{text}{_comment(item)}", (item.cell, item.line))
        rest = [item for item in items if item not in top]
        loader = self._loader(items)
        if any(item.kind == "value" for item in rest):
            self.lines.append(
                LOADER + ("" if loader == "load_value" else f" as {loader}")
            )
        before: Fragment | None = None
        for item in rest:
            self._space(before, item)
            self._item(item, before, loader)
            before = item
        return "\n".join(self.lines).strip("\n") + "\n" if self.lines else ""

    def _loader(self, items: Iterable[Fragment]) -> str:
        taken = {name for item in items for name in item.binds}
        return "_load_value" if "load_value" in taken else "load_value"

    def _line(self, text: str, place_of: Place | None = None) -> None:
        self.lines.append(text)
        if place_of is not None:
            self.places[len(self.lines)] = place_of

    def _space(self, before: Fragment | None, item: Fragment) -> None:
        if not self.lines:
            return
        if before is None and not _is_definition(item):
            self.lines.append("")
        elif _is_definition(item) or (before is not None and _is_definition(before)):
            self.lines += ["", ""]
        elif not (before is not None and _follows(before, item)):
            self.lines.append("")

    def _item(self, item: Fragment, before: Fragment | None, loader: str) -> None:
        own: Place = (item.cell, item.line)
        if item.kind == "value":
            name = min(item.binds)
            text = f'{name} = {loader}(__file__, "{name}")'
            self._line(f"{text}  # {_where(item)}: value", own)
            return
        if item.kind == "import":
            self._line(f"{item.text}{_comment(item)}", own)
            return
        if not (before is not None and _follows(before, item)):
            note = f": {item.note}" if item.note else ""
            self.lines.append(f"# {_where(item)}{note}")
        if item.kind == "text" or item.statement is None:
            for text in item.text.split("\n"):
                self._line(text, own if item.line is not None else None)
            return
        lines, first = text_of(item.statement.parsed.lines, item.node)
        for line, text in enumerate(lines, first):
            self._line(text, (item.cell, line))


def _goes_to_top(item: Fragment, items: Sequence[Fragment]) -> bool:
    """Tell whether an import may stand above all: nothing else sets its name."""
    if item.kind != "import":
        return False
    others = [other for other in items if other.binds & item.binds]
    return all(
        other.kind == "import"
        and (other.text == item.text or _both_dotted(other, item))
        for other in others
    )


def _both_dotted(one: Fragment, two: Fragment) -> bool:
    nodes = (one.node, two.node)
    return all(isinstance(n, ast.Import) and not n.names[0].asname for n in nodes)


def _import_lines(items: Iterable[Fragment]) -> Iterator[tuple[str, Fragment]]:
    """Yield each import once; names that one line imports stay on one line."""
    lines: dict[Hashable, list[Fragment]] = {}
    seen: set[str] = set()
    for item in items:
        if item.text in seen:
            continue
        seen.add(item.text)
        module = getattr(item.node, "module", None)
        key = (module, item.cell, item.line) if module else item.text
        lines.setdefault(key, []).append(item)
    for found in lines.values():
        names = [item.text.partition(" import ")[2] for item in found[1:]]
        yield ", ".join([found[0].text, *names]), found[0]


def _comment(item: Fragment) -> str:
    return f"  # {_where(item)}" if item.cell is not None else ""


def _where(item: Fragment) -> str:
    if item.cell is None:
        return "from the kernel"
    return place(item.cell, item.line)


def _is_definition(item: Fragment) -> bool:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return isinstance(item.node, kinds) and item.kind != "value"


def _follows(before: Fragment, item: Fragment) -> bool:
    """Tell whether two pieces are simple and stand on neighbouring lines."""
    if {before.kind, item.kind} == {"value"} or {before.kind, item.kind} == {"import"}:
        return True
    simple = ast.Assign | ast.AnnAssign | ast.AugAssign
    return (
        before.kind == item.kind == "code"
        and before.cell == item.cell
        and isinstance(before.node, simple)
        and isinstance(item.node, simple)
        and item.line in ((before.node.end_lineno or 0) + 1, before.node.end_lineno)
    )
