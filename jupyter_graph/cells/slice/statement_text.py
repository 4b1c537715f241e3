"""Cut the text of a statement out of its cell, comments included."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from typing import Any

from jupyter_graph.cells.scope.program import first_line


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
