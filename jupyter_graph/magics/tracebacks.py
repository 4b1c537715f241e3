"""How an error of ours looks in a notebook: short, with the user's own lines."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell

from jupyter_graph.errors import JupyterGraphError, said

PACKAGE = str(Path(__file__).parents[1])
P = ParamSpec("P")
R = TypeVar("R")


def reports_errors(magic: Callable[P, R]) -> Callable[P, R]:
    """Let errors of ours out of a magic without the frames of its machinery."""

    @functools.wraps(magic)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True
        try:
            result = magic(*args, **kwargs)
        except JupyterGraphError as error:
            shorten(error)
            raise
        if inspect.iscoroutine(result):  # a step cell with await fails after we return
            return _reported_later(result)  # type: ignore[return-value]
        return result

    return call


async def _reported_later(work: Awaitable[Any]) -> Any:
    __tracebackhide__ = True
    try:
        return await work
    except JupyterGraphError as error:
        shorten(error)
        raise


def shorten(error: JupyterGraphError) -> None:
    """Show an error by its own text and notes, below the user's lines that caused it.

    IPython asks an exception for ``_render_traceback_``; ``%tb`` and ``%debug`` still
    see all frames.
    """

    def render() -> list[str]:
        notes = getattr(error, "__notes__", ())
        return [*cause_lines(error), f"{said(error)} [{error.code}]", *notes]

    error._render_traceback_ = render  # type: ignore[attr-defined]


def cause_lines(error: BaseException) -> list[str]:
    """Return the traceback of what caused an error, from the user's first line on."""
    cause, shell = error.__cause__, get_ipython()
    if cause is None or shell is None:
        return []
    trace = first_of_user(cause.__traceback__)
    if trace is None:
        return [_of_cells(note, shell) for note in getattr(cause, "__notes__", ())]
    lines = shell.InteractiveTB.structured_traceback(
        type(cause), cause, trace, tb_offset=0
    )
    return [*lines, ""]


def _of_cells(note: str, shell: InteractiveShell) -> str:
    """Return the note of an error in another process with the names of its cells."""

    def named(match: re.Match[str]) -> str:
        cell = shell.compile.format_code_name(match[1])
        return match[0] if cell is None else " ".join(cell)

    return re.sub(r'File "([^"\n]+)"', named, note)


def first_of_user(trace: TracebackType | None) -> TracebackType | None:
    """Return the first frame outside of this package and of generated code."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        is_cell = file.startswith("<ipython-input-")
        if is_cell or not (file.startswith((PACKAGE, "<"))):
            return trace
        trace = trace.tb_next
    return None
