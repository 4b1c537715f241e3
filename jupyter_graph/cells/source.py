"""A cell as it was run, and the Python in it with the line numbers the user sees."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_graph.cells.syntax import DEFINITION, FUNCTION
from jupyter_graph.errors import CellError

# Cell magics whose body is Python that leaves its names in the notebook.
PYTHON_MAGICS = frozenset({"graph_step", "time", "capture", "prun"})
_COMMENTS_ABOVE = re.compile(
    r"\A(?P<above>(?:[ \t]*(?:\#[^\n]*)?\n)+)(?P<header>%%graph_step\b[^\n]*\n?)"
)


@dataclass(frozen=True)
class Cell:
    """One code cell.

    Args:
        source: the text of the cell, as typed.
        number: the execution count, the ``3`` of "cell 3"; in a saved file the
            1-based place among the code cells.
        id: the notebook's id of the cell; the same for every run of it.
        tags: the cell's tags.
    """

    source: str
    number: int | None = None
    id: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParsedCell:
    """A cell read as Python; line numbers of the tree are those of the cell.

    Args:
        cell: where it comes from.
        tree: the syntax tree; empty for cells that hold no Python.
        lines: the Python text, one entry for each line of the cell.
        magic: name and words of ``%%graph_step``, else of the outermost cell magic.
        shell_lines: line number → text of each line in IPython's own syntax.
        captured: names that the cell magics themselves set, with their line.
        is_async: whether the cell awaits outside of functions.
    """

    cell: Cell
    tree: ast.Module
    lines: tuple[str, ...]
    magic: tuple[str, str] | None = None
    shell_lines: Mapping[int, str] = field(default_factory=dict)
    captured: Mapping[str, int] = field(default_factory=dict)
    is_async: bool = False


@dataclass(frozen=True)
class Definition:
    """The function or class of a cell that is its step."""

    name: str
    kind: Literal["function", "class"]
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    is_async: bool
    is_generator: bool


def with_header_first(source: str) -> str:
    r"""Return a step cell's text with the comments above its ``%%`` line below it.

    IPython takes a cell magic in a cell's first line alone. The lines below stay where
    they are.

    >>> with_header_first("#@title first\n%%graph_step\ndef f(x): ...")
    '%%graph_step\n#@title first\ndef f(x): ...'
    """
    found = _COMMENTS_ABOVE.match(source)
    if found is None:
        return source
    header = found["header"].removesuffix("\n") + "\n"
    return header + found["above"] + source[found.end() :]


def place(cell: Cell | int | None, line: int | None = None) -> str:
    """Return ``"cell 3, line 5"``, the way every message names a place.

    >>> place(3, 5), place(None, 2), place(None)
    ('cell 3, line 5', 'line 2', 'the cell')
    """
    number = cell.number if isinstance(cell, Cell) else cell
    parts = [f"cell {number}"] if number is not None else []
    parts += [f"line {line}"] if line is not None else []
    return ", ".join(parts) or "the cell"


def parse_cell(cell: Cell) -> ParsedCell:
    r"""Read a cell the way IPython does; magics and shell lines become calls.

    Raises:
        CellError: the cell is not valid Python after IPython's own transformation.

    >>> parsed = parse_cell(Cell("%%graph_step double --after x\ndef f(x): return x"))
    >>> parsed.magic, parsed.tree.body[0].lineno
    (('graph_step', 'double --after x'), 2)
    """
    reader = _Reader(cell)
    reader.read(cell.source.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(reader.lines)
    tree = _parsed(text, cell)
    return ParsedCell(
        cell=cell,
        tree=tree,
        lines=tuple(text.split("\n")),
        magic=reader.magic,
        shell_lines=reader.shell_lines,
        captured=reader.captured,
        is_async=any(awaits(statement) for statement in tree.body),
    )


def _parsed(text: str, cell: Cell) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" was warned about when the cell ran
            return ast.parse(text)
    except SyntaxError as error:
        message = f"{place(cell, error.lineno)}: not valid Python: {error.msg}"
        raise CellError(message, cell=cell.number, line=error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        message = f"{place(cell)}: cannot be read as Python: {error}"
        raise CellError(message, cell=cell.number) from None


class _Reader:
    """Runs IPython's transformations one by one, keeping every line in its place."""

    def __init__(self, cell: Cell) -> None:
        from IPython.core import inputtransformer2

        untyped: Any = inputtransformer2
        self.cell = cell
        self.manager = untyped.TransformerManager()
        self.lines: list[str] = []
        self.magic: tuple[str, str] | None = None
        self.shell_lines: dict[int, str] = {}
        self.captured: dict[str, int] = {}

    def read(self, source: str) -> None:
        """Append the Python of ``source`` to ``lines``; cell magics may be nested."""
        source = with_header_first(source)
        lines = (source if source.endswith("\n") else f"{source}\n").splitlines(True)
        for transform in self.manager.cleanup_transforms:
            count = len(lines)
            lines = transform(lines)
            self.lines += ["\n"] * (count - len(lines))
        header = self._cell_magic(lines)
        if header is None:
            self.lines += self._without_ipython_syntax(lines)
        else:
            self._read_below(*header)

    def _cell_magic(self, lines: list[str]) -> tuple[str, str, str] | None:
        plain = lines
        for transform in self.manager.line_transforms:
            plain = transform(plain)
        if plain == lines or len(plain) != 1:
            return None
        call: Any = ast.parse(plain[0]).body[0]
        name, words, body = (argument.value for argument in call.value.args)
        return name, words, body

    def _read_below(self, name: str, words: str, body: str) -> None:
        if name == "graph_step" or self.magic is None:
            self.magic = (name, words.strip())
        line = len(self.lines) + 1
        self.lines.append("\n")
        if name == "capture":
            names = (w for w in words.split() if not w.startswith("-"))
            self.captured |= {word: line for word in names if word.isidentifier()}
        if name in PYTHON_MAGICS and body.strip():
            self.read(body)

    def _without_ipython_syntax(self, lines: list[str]) -> list[str]:
        above = len(self.lines)
        for _ in range(10 * len(lines) + 10):
            changed, after = self._one_transform(lines)
            if not changed:
                break
            pairs = enumerate(zip(lines, after, strict=False))
            at = next((i for i, (a, b) in pairs if a != b), len(after) - 1)
            self.shell_lines.setdefault(above + at + 1, lines[at].strip())
            gone = len(lines) - len(after)
            lines = after[: at + 1] + ["\n"] * gone + after[at + 1 :]
        return lines

    def _one_transform(self, lines: list[str]) -> tuple[bool, list[str]]:
        try:
            changed, after = self.manager.do_one_token_transform(lines)
        except (SyntaxError, IndexError):  # IPython 9.18 on a cell of half a bracket
            return False, lines
        return bool(changed) and after != lines, list(after)


def awaits(node: ast.AST) -> bool:
    """Tell whether a statement awaits outside of functions.

    >>> [awaits(ast.parse(text)) for text in ("await f()", "async def f(): await g()")]
    [True, False]
    """
    is_async = getattr(node, "is_async", False)  # of a comprehension
    if is_async or isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
        return True
    inner = FUNCTION | ast.Lambda
    return not isinstance(node, inner) and any(map(awaits, ast.iter_child_nodes(node)))


def step_definition(cell: Cell, name: str | None = None) -> Definition:
    r"""Find the step of a cell: the one called ``name``, else the only one or the last.

    Raises:
        CellError: the cell is not Python, or defines no function or class.

    >>> cell = Cell("def a(x): yield x\nclass B: pass")
    >>> step_definition(cell).name, step_definition(cell, "a").is_generator
    ('B', True)
    """
    parsed = parse_cell(cell)
    definitions = [node for node in parsed.tree.body if isinstance(node, DEFINITION)]
    if not definitions:
        raise CellError(
            f"{place(cell)} defines no function or class that could be a step; "
            "write `def NAME(body): ...` or a class with `do(self, body)` in it",
            cell=cell.number,
            line=1,
        )
    node = next((d for d in reversed(definitions) if d.name == name), definitions[-1])
    return Definition(
        name=node.name,
        kind="class" if isinstance(node, ast.ClassDef) else "function",
        node=node,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        is_generator=not isinstance(node, ast.ClassDef)
        and any(map(_yields, node.body)),
    )


def _yields(node: ast.AST) -> bool:
    if isinstance(node, ast.Yield | ast.YieldFrom):
        return True
    inner = DEFINITION | ast.Lambda
    return not isinstance(node, inner) and any(map(_yields, ast.iter_child_nodes(node)))
