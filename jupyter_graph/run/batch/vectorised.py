"""Vectorised steps: a DataFrame of bodies in, a DataFrame of bodies out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.values.dataframe_rows import name_twice

Call = Callable[..., Any]


def of_frame(call: Call, code: StepCode) -> Call:
    """Let a vectorised step take one body: a frame of one row, unwrapped again.

    A DataFrame goes through as it is, so that a batch run calls the same step.
    """
    from jupyter_graph.values.dataframe_rows import is_pandas

    def run(body: Any) -> Any:
        if is_pandas(body):
            return call(body)
        return _row(call(_frame(body, code)), code)

    async def run_async(body: Any) -> Any:
        if is_pandas(body):
            return await call(body)
        return _row(await call(_frame(body, code)), code)

    return run_async if code.is_async or code.is_called_away else run


def _frame(body: Any, code: StepCode) -> Any:
    import pandas as pd

    if not isinstance(body, Mapping):
        raise TypeError(
            f"step {code.step.name!r} is vectorised and takes an object of fields, "
            f"got {type(body).__name__}"
        )
    return pd.DataFrame([dict(body)])


def _row(frame: Any, code: StepCode) -> Any:
    import pandas as pd

    if isinstance(frame, pd.Series):
        frame = frame.to_frame()
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"step {code.step.name!r} is vectorised and must give a DataFrame back, "
            f"got {type(frame).__name__}"
        )
    if len(frame) != 1:
        raise TypeError(
            f"step {code.step.name!r} is vectorised and must give as many rows as it "
            f"got, 1, it gave {len(frame)}"
        )
    texts = [column_text(name) for name in frame.columns]
    if (twice := name_twice(texts)) is not None:
        raise TypeError(
            f"step {code.step.name!r} is vectorised and must give columns of different "
            f"names, it gave {twice!r} twice"
        )
    return {text: _or_none(plain(frame.iloc[0, at])) for at, text in enumerate(texts)}


def column_text(name: Any) -> str:
    """Return the name of a column as the key of a body.

    >>> column_text("a"), column_text(1), column_text(None)
    ('a', '1', 'null')
    """
    return "null" if name is None else str(name)


def _or_none(value: Any) -> Any:
    """Return None for pandas' NA and NaT, as bodies of a table have it."""
    import pandas as pd

    return None if value is pd.NA or value is pd.NaT else value


def plain(value: Any) -> Any:
    """Return Python's own number for one of numpy's; an array in a cell stays one."""
    is_scalar = hasattr(value, "item") and not getattr(value, "shape", None)
    return value.item() if is_scalar else value
