"""Bodies with violations: marked, or without their bad parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jupyter_graph.steps.validators.violations import Violation
from jupyter_graph.types import NOTHING
from jupyter_graph.values.dataframe_rows import is_pandas


def tagged(body: Any, violations: Sequence[Violation], field: str) -> Any:
    """Return a new body whose field lists the violations.

    In a list the items that have some get the field; in a table it is a column
    with a list in each row. What the field already lists is kept.

    Raises:
        TypeError: the body, or an item of it, can hold no field.
    """
    if isinstance(body, Mapping):
        return _marked(body, [one.as_dict() for one in violations], field)
    if is_pandas(body):
        rows = _by_row(violations, len(body))
        before = body[field].tolist() if field in body.columns else [[]] * len(body)
        column = [[*_kept(old), *new] for old, new in zip(before, rows, strict=True)]
        return body.assign(**{field: _objects(column, body.index)})
    if isinstance(body, list | tuple):
        rows = _by_row(violations, len(body))
        return [
            _marked(item, new, field) if new else item
            for item, new in zip(body, rows, strict=True)
        ]
    raise _unmarkable(body, field)


def without(body: Any, violations: Iterable[Violation]) -> Any:
    """Return a list or table without its bad items; ``NOTHING`` when none is left."""
    bad = {one.row for one in violations}
    if None in bad:
        return NOTHING
    good = [row for row in range(len(body)) if row not in bad]
    if not good:
        return NOTHING
    return body.iloc[good] if is_pandas(body) else [body[row] for row in good]


def _marked(body: Any, new: list[dict[str, Any]], field: str) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise _unmarkable(body, field)
    return {**body, field: [*_kept(body.get(field)), *new]}


def _kept(old: Any) -> list[Any]:
    return old if isinstance(old, list) else []


def _by_row(violations: Iterable[Violation], length: int) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = [[] for _ in range(length)]
    for one in violations:
        for row in range(length) if one.row is None else (one.row,):
            rows[row].append(one.as_dict())
    return rows


def _objects(column: list[Any], index: Any) -> Any:
    import pandas

    return pandas.Series(column, index=index, dtype=object)


def _unmarkable(body: Any, field: str) -> TypeError:
    return TypeError(
        f"only an object can get the field {field!r}, got {type(body).__name__}"
    )
