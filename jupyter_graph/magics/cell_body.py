"""Run the body of a step cell as the notebook would, in the user's namespace.

``shell.run_cell`` would count the cell twice and shift the numbers in tracebacks.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from jupyter_graph.cells.source import Cell, parse_cell, with_header_first

CALL = "get_ipython().run_cell_magic('graph_step',"


class CellBody:
    """The body of a step cell, compiled; its lines count the ``%%`` line.

    Args:
        shell: the notebook's shell.
        cell: the whole cell, its ``%%graph_step`` line included.
        body: the text below that line.

    Raises:
        SyntaxError: the body is no Python; the place is the user's cell and line.
    """

    def __init__(self, shell: InteractiveShell, cell: Cell, body: str) -> None:
        self.shell = shell
        source = _python(shell, cell, body)
        number = cell.number if cell.number is not None else shell.execution_count
        name = shell.compile.cache(source, number, raw_code=cell.source)
        tree = shell.transform_ast(shell.compile.ast_parse(source, filename=name))
        last = tree.body[-1] if tree.body else None
        is_quiet = DisplayHook.semicolon_at_end_of_expression(source)
        flag = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if shell.autoawait else 0
        with shell.compile.extra_flags(flag):
            compiled: Any = shell.compile  # it takes trees too, its types do not say so
            # The last expression's value is displayed, as in a cell without the magic.
            shown: list[CodeType] = []
            if isinstance(last, ast.Expr) and not is_quiet:
                tree.body.pop()
                shown.append(compiled(ast.Expression(last.value), name, "eval"))
            self._parts: list[CodeType] = [compiled(tree, name, "exec"), *shown]

    @property
    def awaits(self) -> bool:
        """Whether it awaits outside of functions."""
        return any(map(_awaits, self._parts))

    def run(self) -> None:
        """Run it; the value of a last expression is displayed."""
        __tracebackhide__ = True
        for code in self._parts:
            _show(eval(code, self.shell.user_global_ns, self.shell.user_ns))

    async def run_async(self) -> None:
        """Run it where it awaits; otherwise as ``run``."""
        __tracebackhide__ = True
        for code in self._parts:
            value = eval(code, self.shell.user_global_ns, self.shell.user_ns)
            _show(await value if _awaits(code) else value)


def _awaits(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _show(value: Any) -> None:
    if value is not None:
        display(value)


def _python(shell: InteractiveShell, cell: Cell, body: str) -> str:
    """Return the body as Python, each line where the user's cell has it."""
    transformed = str(shell.transform_cell(body))
    leading = len(body) - len(body.lstrip("\n"))
    is_magic = transformed.startswith("get_ipython().run_cell_magic(")
    if is_magic or _lines(transformed) + leading == _lines(body):
        return _header(cell, body) + "\n" * leading + transformed
    return "\n".join(parse_cell(cell).lines)  # a magic over several lines became one


def _header(cell: Cell, body: str) -> str:
    """Return the lines above the body as comments: those below keep their place."""
    text = body.rstrip("\n")
    source = cell.source.replace("\r\n", "\n").rstrip("\n")
    above = source.removesuffix(text) if source.endswith(text) else "%%graph_step\n"
    return "".join(f"# {line}\n" for line in above.split("\n")[:-1])


def _lines(text: str) -> int:
    return len(text.rstrip("\n").split("\n"))


def run_now(shell: InteractiveShell, work: Callable[[], Awaitable[Any]]) -> Any:
    """Run async work to its end, or hand it to the loop that is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return shell.loop_runner(work())
    return work()


def header_first(lines: list[str]) -> list[str]:
    """Put the comments above a ``%%graph_step`` line below it: an input transformer."""
    return with_header_first("".join(lines)).splitlines(keepends=True)


def await_step_cells(lines: list[str]) -> list[str]:
    """Put ``await`` before a step cell that awaits outside of functions.

    An input transformer: the magic returns an awaitable for such a cell, and the cell
    then runs on the kernel's own loop, as any other cell with a top-level await.
    """
    text = "".join(lines)
    if not text.startswith(CALL):
        return lines
    try:
        call: Any = ast.parse(text).body[0]
        _, words, body = (argument.value for argument in call.value.args)
        if not body:  # IPython would print a UsageError and let the cell succeed
            return [f"{CALL} {words!r}, '\\n')\n"]
        parsed = parse_cell(Cell(f"%%graph_step\n{body}"))
    except Exception:
        return lines
    return [f"await {text}"] if parsed.is_async else lines
