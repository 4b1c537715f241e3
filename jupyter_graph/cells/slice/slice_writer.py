"""Write the pieces of a slice as one module."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from jupyter_graph.cells.scope.program import first_line
from jupyter_graph.cells.shipping.fragments import Fragment, Place
from jupyter_graph.cells.source import place
from jupyter_graph.cells.syntax import ASSIGNMENT, DEFINITION

LOADER = "from jupyter_graph.host.artifacts import load_value"


class SliceWriter:
    """Collects lines, and for each line the place it comes from."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.places: dict[int, Place] = {}

    def write(self, fragments: Sequence[Fragment]) -> str:
        """Write all pieces, which are in order, and return the text."""
        origins = (f.statement for f in fragments if f.statement)
        futures = sorted({name for origin in origins for name in origin.futures})
        if futures:
            self.lines += [f"from __future__ import {', '.join(futures)}", ""]
        top = [fragment for fragment in fragments if _goes_to_top(fragment, fragments)]
        for text, fragment in _import_lines(top):
            self._line(f"{text}{_comment(fragment)}", fragment)
        rest = [fragment for fragment in fragments if fragment not in top]
        taken = {name for fragment in fragments for name in fragment.binds}
        loader = "_load_value" if "load_value" in taken else "load_value"
        if any(fragment.kind == "value" for fragment in rest):
            self.lines.append(
                LOADER + ("" if loader == "load_value" else f" as {loader}")
            )
        before: Fragment | None = None
        for fragment in rest:
            self._space(before, fragment)
            self._fragment(fragment, before, loader)
            before = fragment
        return "\n".join(self.lines).strip("\n") + "\n" if self.lines else ""

    def _line(self, text: str, origin: Fragment, line: int | None = None) -> None:
        self.lines.append(text)
        if origin.kind != "text" or origin.line is not None:
            self.places[len(self.lines)] = (origin.cell, line or origin.line)

    def _space(self, before: Fragment | None, fragment: Fragment) -> None:
        """Write the blank lines that a formatter would put here."""
        if not self.lines:
            return
        if _is_definition(fragment) or (before and _is_definition(before)):
            self.lines += ["", ""]
        elif before is None or not _follows(before, fragment):
            self.lines.append("")

    def _fragment(
        self, fragment: Fragment, before: Fragment | None, loader: str
    ) -> None:
        if fragment.kind == "value":
            name = min(fragment.binds)
            text = f'{name} = {loader}(__file__, "{name}")'
            self._line(f"{text}  # {_where(fragment)}: value", fragment)
            return
        if fragment.kind == "import":
            self._line(f"{fragment.text}{_comment(fragment)}", fragment)
            return
        if before is None or not _follows(before, fragment):
            note = f": {fragment.note}" if fragment.note else ""
            self.lines.append(f"# {_where(fragment)}{note}")
        if fragment.kind == "text" or fragment.statement is None:
            for text in fragment.text.split("\n"):
                self._line(text, fragment)
            return
        lines, first = text_of(fragment.statement.parsed.lines, fragment.node)
        for line, text in enumerate(lines, first):
            self._line(text, fragment, line)


def _goes_to_top(fragment: Fragment, fragments: Sequence[Fragment]) -> bool:
    """Tell whether an import may stand above all: nothing else sets its name."""
    return fragment.kind == "import" and all(
        other.kind == "import"
        and (other.text == fragment.text or _both_dotted(other, fragment))
        for other in fragments
        if other.binds & fragment.binds
    )


def _both_dotted(one: Fragment, two: Fragment) -> bool:
    nodes = (one.node, two.node)
    return all(isinstance(n, ast.Import) and not n.names[0].asname for n in nodes)


def _import_lines(fragments: Iterable[Fragment]) -> Iterator[tuple[str, Fragment]]:
    """Yield each import once; names that one line imports stay on one line."""
    lines: dict[Hashable, list[Fragment]] = {}
    seen: set[str] = set()
    for fragment in fragments:
        if fragment.text in seen:
            continue
        seen.add(fragment.text)
        module = getattr(fragment.node, "module", None)
        key = (module, fragment.cell, fragment.line) if module else fragment.text
        lines.setdefault(key, []).append(fragment)
    for first, *more in lines.values():
        names = [fragment.text.partition(" import ")[2] for fragment in more]
        yield ", ".join([first.text, *names]), first


def _comment(fragment: Fragment) -> str:
    return f"  # {_where(fragment)}" if fragment.cell is not None else ""


def _where(fragment: Fragment) -> str:
    if fragment.cell is None:
        return "from the kernel"
    return place(fragment.cell, fragment.line)


def _is_definition(fragment: Fragment) -> bool:
    return isinstance(fragment.node, DEFINITION) and fragment.kind != "value"


def _follows(before: Fragment, fragment: Fragment) -> bool:
    """Tell whether two pieces are simple and stand on neighbouring lines."""
    if before.kind != fragment.kind or before.kind in ("value", "import"):
        return before.kind == fragment.kind
    simple = ASSIGNMENT | ast.AugAssign
    return (
        before.kind == "code"
        and before.cell == fragment.cell
        and isinstance(before.node, simple)
        and isinstance(fragment.node, simple)
        and fragment.line in ((before.node.end_lineno or 0) + 1, before.node.end_lineno)
    )


def text_of(lines: Sequence[str], node: Any) -> tuple[list[str], int]:
    """Return the lines of a statement, and the cell's line of the first of them.

    A statement out of a block is moved to the left; where that would change a string
    in it, it stays where it is under ``if True:``.

    >>> lines = ["a = 1; b = 2  # two"]
    >>> text_of(lines, ast.parse(lines[0]).body[1])
    (['b = 2  # two'], 1)
    """
    first, last = first_line(node), node.end_lineno
    cut = list(lines[first - 1 : last])
    cut[-1] = _ended(cut[-1], node.end_col_offset)
    indent = cut[0].encode()[: node.col_offset].decode()
    if indent.strip():  # something stands before it on its line
        cut[0] = cut[0][len(indent) :]
    if indent.strip() or not indent:
        return cut, first
    moved = textwrap.dedent("\n".join(cut)).split("\n")
    if _is_same(moved, node):
        return moved, first
    return ["if True:", *cut], first - 1


def _ended(line: str, column: int) -> str:
    head, rest = line.encode()[:column].decode(), line.encode()[column:].decode()
    is_comment = rest.lstrip(" \t;").startswith("#")
    return f"{head}{rest.replace(';', '', 1) if is_comment else ''}".rstrip()


def _is_same(lines: list[str], node: ast.AST) -> bool:
    try:
        [again] = ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError):
        return False
    return ast.dump(again) == ast.dump(node)
