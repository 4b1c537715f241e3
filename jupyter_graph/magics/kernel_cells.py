"""What the kernel tells: the executed cells, which one is running, the file's name."""

from __future__ import annotations

import ast
import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from jupyter_graph.cells.source import Cell

_STEP_CELL = re.compile(r"(?:\s|\#[^\n]*\n|%%\w+[^\n]*\n)*%%graph_step\b")
_RUN = re.compile(
    r"^[ \t]*%run[ \t]+(?:-\w+[ \t]+)*"
    r"(?P<quote>[\"']?)(?P<file>[^\"'\n]+?\.py)(?P=quote)(?=\s|\Z)",
    re.MULTILINE,
)


class KernelCells:
    """The cells that this kernel has run, in the order they ran.

    A cell that runs again (same id; without ids, as in a terminal, same text) takes the
    place of its older self. Of a cell that failed, the part above the failing statement
    counts; of a failed step cell nothing, because its graph is unchanged.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self._done: list[Cell] = _history(shell)
        self._running: list[Cell | None] = []
        """The running cell, and below it those that it runs itself."""

    @property
    def running(self) -> Cell | None:
        """The cell that the user runs, None between two of them."""
        return self._running[0] if self._running else None

    def register(self) -> None:
        self.shell.events.register("pre_run_cell", self._begin)
        self.shell.events.register("post_run_cell", self._end)

    def unregister(self) -> None:
        self.shell.events.unregister("pre_run_cell", self._begin)
        self.shell.events.unregister("post_run_cell", self._end)

    def cells(self) -> list[Cell]:
        """Return the cells so far, the running one included."""
        if self.running is None:
            return list(self._done)
        return [*self._others(self.running), self.running]

    def _others(self, cell: Cell) -> list[Cell]:
        def is_older_self(done: Cell) -> bool:
            if cell.id is not None and done.id is not None:
                return done.id == cell.id
            return done.source == cell.source

        return [done for done in self._done if not is_older_self(done)]

    def _begin(self, info: Any) -> None:
        if getattr(info, "store_history", False):
            # Not execution_count: IPython 9 raises it before this event, 8 after it.
            number = len(self.shell.user_ns["In"])
            self._running = [Cell(info.raw_cell, number, _cell_id(self.shell, info))]
        elif self.running is not None:  # %%capture, %run notebook, run_cell("…")
            self._running.append(Cell(info.raw_cell, self.running.number))
        else:  # a front end asks for something
            self._running = [None]

    def _end(self, result: Any) -> None:
        cell = self._running.pop() if self._running else None
        if cell is None or result is None:
            return
        if outer := self.running:
            # The text below a cell magic is a part of its cell.
            if result.success and cell.source.strip() not in outer.source:
                self._done = [*self._others(cell), cell]
        elif result.success:
            self._done = [*self._others(cell), *_run_files(cell), cell]
        elif not is_step_cell(cell.source) and (
            rest := _before_failure(cell, result.error_in_exec)
        ):
            self._done.append(rest)


def _run_files(cell: Cell) -> list[Cell]:
    """Return the files that ``%run`` lines of a cell ran, as cells of its number."""
    texts = []
    for match in _RUN.finditer(cell.source):
        path = Path(match["file"]).expanduser()
        with suppress(OSError):  # it may be gone, and its names are known all the same
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
    return [Cell(text, cell.number) for text in texts]


def is_step_cell(source: str) -> bool:
    r"""Tell whether a cell is a step, maybe below other cell magics.

    >>> is_step_cell("%%time\n%%graph_step f\ndef f(body): ...")
    True
    """
    return _STEP_CELL.match(source) is not None


def _cell_id(shell: InteractiveShell, info: Any) -> str | None:
    own = getattr(info, "cell_id", None)
    if own is None and hasattr(shell, "get_parent"):
        own = (shell.get_parent() or {}).get("metadata", {}).get("cellId")
    return str(own) if own else None


def _history(shell: InteractiveShell) -> list[Cell]:
    """Return the cells that ran before the extension was loaded."""
    manager = shell.history_manager
    raw = list(manager.input_hist_raw) if manager is not None else []
    # The last entry is the cell that loads the extension: the event is not sent to us.
    return [Cell(source, n) for n, source in enumerate(raw) if source.strip()]


def _before_failure(cell: Cell, error: BaseException | None) -> Cell | None:
    frames = walk_tb(error.__traceback__ if error is not None else None)
    failing = (line for frame, line in frames if frame.f_code.co_name == "<module>")
    line = next(failing, None)
    if line is None:
        return None
    lines = cell.source.splitlines(keepends=True)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:  # IPython syntax: cut at the line itself
        kept = line - 1
    else:
        ends = (node.end_lineno or 0 for node in tree.body)
        kept = max((end for end in ends if end < line), default=0)
    source = "".join(lines[:kept])
    return replace(cell, source=source) if source.strip() else None


def notebook_path(user_ns: dict[str, Any]) -> Path | None:
    """Return the notebook's file when the front end tells which it is.

    Jupyter Server sets ``JPY_SESSION_NAME``, VS Code ``__vsc_ipynb_file__``.
    """
    for name in (os.environ.get("JPY_SESSION_NAME"), user_ns.get("__vsc_ipynb_file__")):
        if isinstance(name, str) and name.endswith(".ipynb"):
            return Path(name).absolute()
    return None
