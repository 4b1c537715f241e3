"""Vectorised steps on frames: looked at, and cut in two where rows fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.errors import JupyterGraphError, RunError
from jupyter_graph.run.batch.calls import Caller, Function
from jupyter_graph.run.batch.vectorised import column_text
from jupyter_graph.types import NOTHING
from jupyter_graph.values.dataframe_rows import is_pandas, name_twice

Call = Callable[..., Any]
Failed = Callable[[int, JupyterGraphError], None]


class WrongFrameError(RunError):
    """A vectorised step returned what does not belong to the rows it got."""


def watched(call: Call, code: StepCode) -> Call:
    """Return the call of a vectorised step; its result must be of the same rows."""
    name = code.step.name

    def run(frame: Any) -> Any:
        index = frame.index
        return _of_same_rows(call(frame), index, name)

    async def run_async(frame: Any) -> Any:
        index = frame.index
        return _of_same_rows(await call(frame), index, name)

    return run_async if code.is_awaited else run


def _of_same_rows(frame: Any, index: Any, name: str) -> Any:
    import pandas as pd

    if frame is NOTHING:
        raise WrongFrameError(
            f"step {name!r} is vectorised and must give a DataFrame, not NOTHING; "
            "drop rows in a step that is not vectorised"
        )
    if isinstance(frame, pd.Series):
        frame = frame.to_frame()
    if not is_pandas(frame):
        raise WrongFrameError(
            f"step {name!r} is vectorised and must give a DataFrame, got "
            f"{type(frame).__name__}"
        )
    if len(frame) != len(index):
        raise WrongFrameError(
            f"step {name!r} is vectorised and must give as many rows as it got, "
            f"{len(index)}, it gave {len(frame)}; drop rows in a step that is not "
            "vectorised"
        )
    if not frame.index.equals(index):
        raise WrongFrameError(
            f"step {name!r} is vectorised and must keep the index of the frame it got "
            f"({_first(index)}), it gave another ({_first(frame.index)})"
        )
    if not all(isinstance(column, str) for column in frame.columns):
        frame = frame.rename(columns=column_text)  # as the body of one event has them
    if (twice := name_twice(frame.columns)) is not None:
        raise WrongFrameError(
            f"step {name!r} is vectorised and must give columns of different names, it "
            f"gave {twice!r} twice"
        )
    return frame


def _first(index: Any) -> str:
    labels = ", ".join(repr(label) for label in index[:3].tolist())
    return f"{labels}, …" if len(index) > 3 else labels


def through(
    function: Function,
    frame: Any,
    caller: Caller,
    failed: Failed,
    *,
    again: Callable[[], Any] | None = None,
    at: int = 0,
) -> list[tuple[int, Any]]:
    """Send a frame through vectorised steps; halves show which rows fail.

    Args:
        function: the steps.
        frame: the rows; it stays as it is unless there is ``again``.
        caller: calls the function, each frame within the time of an event.
        failed: called with each row that fails, and why.
        again: returns the frame once more, which saves a copy of it.
        at: where the frame's first row stands.

    Returns:
        The frames that came out, each with the place of its first row.

    Raises:
        RunError: a step returned other rows than it got; the text names it.
    """
    given = caller.run(function, [frame.copy() if again is None else frame])
    if not given.failures:
        [result] = given.answers
        return [(at, result)]
    [failure] = given.failures
    if isinstance(failure.error.__cause__, WrongFrameError):
        raise RunError(str(failure.error.__cause__)) from None
    if len(frame) == 1:
        failed(at, failure.error)
        return []
    frame = frame if again is None else again()
    half = len(frame) // 2
    first = through(function, frame.iloc[:half], caller, failed, at=at)
    rest = through(function, frame.iloc[half:], caller, failed, at=at + half)
    return first + rest
