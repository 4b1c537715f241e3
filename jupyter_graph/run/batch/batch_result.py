"""The result of a batch run: the answers in their order, and the rows that failed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jupyter_graph.errors import JupyterGraphError, RunError, StepError, said
from jupyter_graph.run.batch.row_chunks import frame_of_bodies
from jupyter_graph.values.dataframe_rows import is_pandas
from jupyter_graph.values.whole_numbers import of_one_kind

ANSWER = "answer"
"""The column of answers that are no dicts."""


class RowError(NamedTuple):
    """A row that failed.

    Attributes:
        row: its label in the data's index, else its number; None for what buffered
            steps flushed at the end.
        step: the step that failed, "" when it was none.
        error: ``Class: message``.
        type: the class alone.
    """

    row: Any
    step: str
    error: str
    type: str


def row_error_of(label: Any, error: JupyterGraphError) -> RowError:
    """Return the entry of a row that failed.

    >>> row_error_of(7, StepError("parse", None, KeyError("user")))
    RowError(row=7, step='parse', error="KeyError: 'user'", type='KeyError')
    """
    step = error.step if isinstance(error, StepError) else ""
    cause = error.cause if isinstance(error, StepError) else error
    return RowError(label, step, said(cause), type(cause).__name__)


class BatchResult:
    """The answers of a batch run.

    Attributes:
        count: how many rows were read.
        answered: how many answers there are.
        errors: the rows that failed, in the order of the data.
        target: where the answers were written to, None where ``frame`` has them.
        row_by_row: the vectorised steps that got one row at a time, because of where
            they stand in the graph; slow.
    """

    def __init__(
        self,
        *,
        count: int,
        answered: int,
        errors: Sequence[RowError],
        frames: Sequence[Any] | None = None,
        target: str | None = None,
        row_by_row: Sequence[str] = (),
    ) -> None:
        self.count = count
        self.answered = answered
        self.errors = list(errors)
        self.target = target
        self.row_by_row = tuple(row_by_row)
        self._frames = list(frames or ())

    @property
    def frame(self) -> Any:
        """The answers as a DataFrame, in the order of the data.

        Answers that are dicts are columns, others stand in the column ``answer``. The
        index is the data's; rows without an answer are left out.

        Raises:
            RunError: they were written to a target.
        """
        if self.target is not None:
            raise RunError(
                f"the answers were written to {self.target}; read them there"
            )
        self._frames = [together(self._frames)]
        return self._frames[0]

    def __repr__(self) -> str:
        to = f" in {self.target}" if self.target else ""
        slow = ", ".join(self.row_by_row)
        return (
            f"<batch of {self.count:,} rows: {self.answered:,} answers{to}, "
            f"{len(self.errors):,} failed"
            f"{f'; row by row: {slow}' if slow else ''}>"
        )


def together(frames: Sequence[Any]) -> Any:
    """Return frames as one, below each other."""
    import pandas as pd

    if len(frames) == 1:
        return frames[0]
    if not frames:
        return pd.DataFrame()
    with warnings.catch_warnings():
        # columns that hold nothing in one chunk have the type of the others, as yet
        warnings.simplefilter("ignore", FutureWarning)
        return pd.concat(of_one_kind(frames))


def frame_of_answers(labels: Any, answers: Any) -> Any:
    """Return answers as a DataFrame.

    >>> frame_of_answers([0, 2], [{"a": 1}, {"a": 2}]).to_dict("index")
    {0: {'a': 1}, 2: {'a': 2}}
    """
    return answers if is_pandas(answers) else frame_of_bodies(answers, labels, as_row)


def as_row(answer: Any) -> dict[Any, Any]:
    """Return an answer as columns.

    >>> as_row({"a": 1}), as_row(3)
    ({'a': 1}, {'answer': 3})
    """
    return dict(answer) if isinstance(answer, Mapping) else {ANSWER: answer}


class Gathered:
    """Answers of a run without a target: kept in memory, by columns."""

    name = None

    def __init__(self) -> None:
        self.frames: list[Any] = []

    def take(self, labels: Any, answers: Any) -> None:
        """Keep the answers of some rows."""
        self.frames.append(frame_of_answers(labels, answers))

    def finish(self, rows: int) -> None:
        """Do nothing: all is in memory."""
