"""Close what a cell opened when it ran before, if nothing else refers to it."""

from __future__ import annotations

import ast
import gc
import re
import threading
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from jupyter_graph.threads.reaper import PACKAGE, all_open
from jupyter_graph.threads.running_cell import Cell, running_cell, shell
from jupyter_graph.threads.stack_frames import frame_of

_TIMED = re.compile(r"\A(?:\s*%%\w+[^\n]*\n)+|^%(?:time|timeit|prun) ", re.MULTILINE)
"""Magics before Python code that runs in the notebook's names."""
MOST_PARTS = 10_000
"""Objects of an owner to look at; one that has more is not closed."""


def close_older(kind: type) -> None:
    """Close what earlier runs of the running cell opened and only its variables hold.

    Outside of a notebook this does nothing.

    Args:
        kind: the class of what shall be closed.
    """
    here = running_cell()
    if here is None:
        return
    for one in all_open():
        owner: Any = one.owner if _is_older(one.cell, here) else None
        if type(owner) is kind and not is_held(owner, shell()):
            _close(owner)
        del owner


def _close(owner: Any) -> None:
    owner.close()


def _is_older(cell: Cell | None, here: Cell) -> bool:
    return cell is not None and cell.id == here.id and cell.run < here.run


def is_held(owner: Any, shell: Any) -> bool:
    """Tell whether anybody has it but the running cell's names and IPython's memory.

    A traceback that a cell showed does not count, a thread that uses it does.
    """
    names, parts = _assigned_by_cell(shell), _parts(owner, shell.user_ns)
    if parts is None or _is_used(owner, shell.user_ns):
        return True
    known = parts | _memory_of(shell)
    # No generators here: one that knew the owner would be another holder of it.
    holders = gc.get_referrers(owner)
    for holder in holders:
        if holder is shell.user_ns:
            if _is_bound(owner, holder, names):
                return True
        elif id(holder) not in known and not _is_of_a_frame(holder, holders):
            return True
    return False


def _is_of_a_frame(holder: Any, holders: list[Any]) -> bool:
    """Tell whether it is a frame, or the variables of frames and nothing else.

    Those that run have been looked at; others belong to a traceback, or to the
    watchdog until it looks again.
    """
    if isinstance(holder, FrameType):
        return True
    return type(holder) is dict and all(
        isinstance(one, FrameType) or one is holders for one in gc.get_referrers(holder)
    )


def _memory_of(shell: Any) -> set[int]:
    """Return the ids of what IPython keeps the values of earlier cells in."""
    last, hook = getattr(shell, "last_execution_result", None), shell.displayhook
    memory = [shell.user_ns.get("Out"), shell.user_ns_hidden, last, hook]
    return {id(one) for one in memory} | {id(vars(one)) for one in (last, hook) if one}


def _is_bound(owner: Any, user_ns: dict[str, Any], names: set[str]) -> bool:
    """Tell whether another name than these, and IPython's ``_``, stands for it."""
    return any(
        value is owner and not (name in names or name.startswith("_"))
        for name, value in user_ns.items()
    )


def _assigned_by_cell(shell: Any) -> set[str]:
    """Return the names that the running cell binds; none where that cannot be read."""
    try:
        code = _TIMED.sub("", shell.get_parent()["content"]["code"])
        tree = ast.parse(shell.transform_cell(code))
    except Exception:  # the parser of IPython runs other people's transformers
        return set()
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _parts(owner: Any, user_ns: dict[str, Any]) -> set[int] | None:
    """Return the ids of what the owner consists of, None where there is too much.

    Code is shared with others, so what a function's globals hold is no part of it.
    """
    parts, todo = {id(owner)}, [owner]
    while todo:
        one = todo.pop()
        if isinstance(one, FunctionType):
            held = [one.__closure__, one.__defaults__, one.__kwdefaults__]
        else:
            held = gc.get_referents(one)
        for part in held:
            is_shared = isinstance(part, ModuleType | type | CodeType | FrameType)
            if is_shared or part is user_ns or id(part) in parts:
                continue
            parts.add(id(part))
            todo.append(part)
        if len(parts) > MOST_PARTS:
            return None
    return parts


def _is_used(owner: Any, user_ns: dict[str, Any]) -> bool:
    """Tell whether a function that runs now, in any thread, has it in a variable."""
    return any(
        value is owner
        for thread in threading.enumerate()
        for names in _variables(thread, user_ns)
        for value in names.values()
    )


def _variables(thread: threading.Thread, user_ns: dict[str, Any]) -> list[Any]:
    """Return the variables of the functions that a thread is in, but for ours here."""
    variables, is_here = [], thread is threading.current_thread()
    with frame_of(thread.ident) as frame:
        while frame is not None:
            is_ours = is_here and frame.f_code.co_filename.startswith(PACKAGE)
            if not is_ours and frame.f_locals is not user_ns:
                variables.append(frame.f_locals)
            frame = frame.f_back
    return variables
