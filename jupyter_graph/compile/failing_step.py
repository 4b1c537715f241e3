"""Which step an exception came from, or whether something else stopped the event."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from traceback import walk_tb
from types import CodeType, FrameType
from typing import Any

from jupyter_graph.threads.interrupts import is_main_thread

LINES: dict[str, Mapping[int, str]] = {}
"""File name of a generated module to its lines and their steps."""

_FROM_OUTSIDE = (KeyboardInterrupt, GeneratorExit)
"""What steps may raise, and what else comes from a signal or from ``close``."""

DRIVERS: set[str] = set()
"""Further files whose frames call steps."""

FOLDER = __file__.rpartition("failing_step")[0]
"""The code that stands between generated code and a step: no step's own."""

TAG = "__jupyter_graph_step__"


class DeadlineInterrupt(BaseException):
    """Thrown into a step whose time is up; the runner makes a DeadlineError of it.

    ``owner`` is the runner whose event it ends; None where only one can be meant.
    """

    def __init__(self, owner: Any = None) -> None:
        super().__init__()
        self.owner = owner


# -- what no error handler may handle -------------------------------------------


def caught(error: BaseException, handlers: Collection[str] = ()) -> str:
    """Return the step that failed; raise again what no error handler may handle.

    That is the user's stop, a time limit, a cancelled caller, and the failure of an
    error handler itself.
    """
    if is_interrupt(error):
        raise error
    step = failed_step(error)
    if step in handlers:
        raise error
    untag(error)
    return step


def is_interrupt(error: BaseException) -> bool:
    """Tell whether an exception stops the event rather than fails its step."""
    if isinstance(error, DeadlineInterrupt) or is_cancelled(error):
        return True
    if isinstance(error, _FROM_OUTSIDE) and not _was_raised(error):
        return True
    return _is_of_a_handler(error)


def is_cancelled(error: BaseException) -> bool:
    """Tell whether somebody cancelled the task this event runs in."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def _was_raised(error: BaseException) -> bool:
    """Tell whether a step raised it, not a signal and not who closes a coroutine.

    Theirs comes from no instruction that raises, or from the handler that stands for
    the signal now.
    """
    import dis
    import signal

    traceback = error.__traceback__
    if traceback is None:
        return True
    on_signal = _handler(signal.SIGINT)
    while traceback.tb_next is not None and traceback.tb_frame.f_code is not on_signal:
        traceback = traceback.tb_next
    if traceback.tb_frame.f_code is on_signal:
        return False
    # CPython raises them between two instructions, so the last one that ran tells: a
    # ``raise`` in the step is an instruction of its own.
    code, at = traceback.tb_frame.f_code.co_code, traceback.tb_lasti
    return 0 <= at < len(code) and dis.opname[code[at]] in ("RAISE_VARARGS", "RERAISE")


def _is_of_a_handler(error: BaseException) -> bool:
    """Tell whether a handler of a signal raised it: ``sys.exit`` at SIGTERM, say.

    Such an error is for whoever set the handler, whatever step it met.
    """
    import signal

    if not is_main_thread():
        return False  # signals are handled in the main thread only
    codes = {_handler(number) for number in signal.valid_signals()} - {None}
    return any(frame.f_code in codes for frame, _ in walk_tb(error.__traceback__))


def _handler(number: int) -> CodeType | None:
    """Return the code of the handler of a signal, None where none is in Python."""
    import signal

    handler: Any = signal.getsignal(number)
    handler = getattr(handler, "func", handler)  # asyncio's is a partial
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return code if isinstance(code, CodeType) else None


# -- the step -------------------------------------------------------------------


def tag(error: BaseException, name: str, *, first: bool = False) -> None:
    """Note the step that failed, where its line cannot be read from the traceback.

    Args:
        error: what it raised.
        name: the step's name.
        first: a note that is there already stays.
    """
    notes = vars(error)  # not setattr: a class may refuse that
    notes[TAG] = notes.get(TAG, name) if first else name


def untag(error: BaseException) -> None:
    """Forget the note: the same object may be raised again elsewhere."""
    vars(error).pop(TAG, None)


def failed_step(error: BaseException) -> str:
    """Return the name of the step that failed, "" when no step did."""
    return _step_of_error(as_raised(error)) or _step_of_error(error)


def _step_of_error(error: BaseException) -> str:
    return vars(error).get(TAG) or _innermost(
        (frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)
    )


def as_raised(error: BaseException) -> BaseException:
    """Return what a step raised, where Python or we replaced it in a coroutine.

    StopIteration cannot leave a coroutine, GeneratorExit cannot leave a future: both
    become the cause of a RuntimeError.
    """
    cause = error.__cause__
    is_replaced = isinstance(cause, StopIteration | StopAsyncIteration | GeneratorExit)
    if cause is not None and is_replaced and type(error) is RuntimeError:
        return cause
    return error


NAMING: set[CodeType] = set()
"""Functions that call the step in their variable ``name``."""


def step_of(frame: FrameType | None) -> str:
    """Return the step that a running frame is in, the innermost one."""
    places: list[tuple[str, int]] = []
    while frame is not None:
        if frame.f_code in NAMING and not _innermost(reversed(places)):
            return str(frame.f_locals["name"])
        places.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return _innermost(reversed(places))


BRANCHES = "branch_tasks"
"""The variable by which a coroutine of ours shows the tasks it waits for."""


def step_awaited(task: Any) -> str:
    """Return the step that a suspended task waits in, the innermost one."""
    return _innermost(
        (frame.f_code.co_filename, frame.f_lineno) for frame in _frames_awaited(task)
    )


def tasks_below(task: Any) -> Iterator[Any]:
    """Yield a task and those of its branches that have not ended."""
    yield task
    for frame in _frames_of(task.get_coro()):
        for branch in frame.f_locals.get(BRANCHES, ()):
            if not branch.done():
                yield from tasks_below(branch)


def _frames_awaited(task: Any) -> Iterator[FrameType]:
    """Yield where a task stands, of several branches in the first one."""
    for frame in _frames_of(task.get_coro()):
        yield frame
        branches = frame.f_locals.get(BRANCHES, ())
        waiting = next((branch for branch in branches if not branch.done()), None)
        if waiting is not None:
            yield from _frames_awaited(waiting)
            return


def _frames_of(work: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine and of those it awaits."""
    while (frame := getattr(work, "cr_frame", None)) is not None:
        yield frame
        work = work.cr_await


def is_in_a_step(frame: FrameType | None) -> bool:
    """Tell whether generated code is being run in this frame or above it.

    This module is no sign of it: the runner asks it about an event that has ended.
    """
    while frame is not None:
        filename = frame.f_code.co_filename
        is_ours = filename.startswith(FOLDER) and filename != __file__
        if is_ours or filename in LINES or filename in DRIVERS:
            return True
        frame = frame.f_back
    return False


def _innermost(places: Iterable[tuple[str, int]]) -> str:
    """Return the step of the last generated line before a step's own code begins.

    What follows is no matter here: an error object that is raised a second time
    carries its first way there, a step may run a graph of its own.
    """
    step, is_inside = "", False
    for filename, line in places:
        lines = LINES.get(filename)
        if lines is not None:
            step, is_inside = lines.get(line, step), True
        elif is_inside and not filename.startswith(FOLDER) and filename not in DRIVERS:
            break
    return step
