"""A check, on a sample, that vectorised steps treat each row by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import RunError
from jupyter_graph.run.batch.calls import Caller, Function
from jupyter_graph.run.batch.graph_parts import GraphPart
from jupyter_graph.run.batch.row_chunks import bodies_of_frame
from jupyter_graph.run.batch.vectorised import column_text

SAMPLE = 20
CLOSE = 1e-9


def agree(part: GraphPart, frame: Any, caller: Caller) -> None:
    """Run a few rows through each vectorised step, together and one by one.

    Args:
        part: vectorised steps.
        frame: rows that they get; some of them, evenly spread, are tried.
        caller: calls the steps.

    Raises:
        RunError: a step answers a row alone otherwise than among others; the text
            names the step, the row and the column.
    """
    step = max(1, len(frame) // SAMPLE)
    sample = frame.iloc[::step].head(SAMPLE)
    for name, function in (part.single or {}).items():
        together = _answer(function, sample.copy(), caller)
        if together is None or len(together) != len(sample):
            return  # the run itself will fail
        alone = caller.run(function, bodies_of_frame(sample))
        failures = {failure.at: failure.error for failure in alone.failures}
        for at, row in enumerate(bodies_of_frame(together)):
            where = f"step {name!r}, row {sample.index[at]!r}"
            if at in failures:
                raise RunError(f"{where} answers among others and fails alone") from (
                    failures[at]
                )
            _compare(row, alone.answers[at], where)
        sample = together


def _answer(function: Function, frame: Any, caller: Caller) -> Any:
    given = caller.run(function, [frame])
    if given.failures:
        return None
    [answer] = given.answers
    return answer.to_frame() if hasattr(answer, "to_frame") else answer


def _compare(together: Mapping[str, Any], alone: Any, where: str) -> None:
    if not isinstance(alone, Mapping):
        raise RunError(f"{where}: alone it gives no object, got {alone!r:.80}")
    texts = {column_text(key): value for key, value in together.items()}
    if texts.keys() != alone.keys():
        raise RunError(
            f"{where}: has the columns {sorted(texts)} among others, "
            f"{sorted(alone)} alone"
        )
    for key, value in texts.items():
        if not _is_same(value, alone[key]):
            raise RunError(
                f"{where}: {key!r} is {value!r:.80} among others, {alone[key]!r:.80} "
                "alone; a vectorised step must treat each row by itself"
            )


def _is_same(one: Any, other: Any) -> bool:
    if one is other or (_is_missing(one) and _is_missing(other)):
        return True
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays: as many answers as items
        return repr(one) == repr(other)


def _is_missing(value: Any) -> bool:
    """Tell whether it is None, NaN, NaT or pandas' NA."""
    import pandas as pd

    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))
