"""Targets that write bodies to tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.connectors.event_key import (
    MISSING_KEY,
    KeySpec,
    body_of,
    key_reader,
)
from jupyter_graph.connectors.rows import checked_text
from jupyter_graph.connectors.tables.memory_tables import GivenRows
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.connectors.tables.table import TIMEOUT_S
from jupyter_graph.errors import BadRequestError, SpecError, UnprocessableError
from jupyter_graph.types import Body


class TableTarget:
    """Write each body to a table, under its key; the body goes on unchanged.

    Body in, body out: ``{key: …, …}``, the same. What was there under the key is
    replaced, or with ``merge`` keeps the fields that the body does not have.

    Args:
        table: where, see ``connectors.tables.open_table``; by default ``memory``
            would be read by no step, so there is no default.
        key: the field that holds the key, a list of fields, ``"$key"`` and the like,
            or a function.
        attributes: only these fields are written; a body need not have them all.
        merge: keep the other fields of a row that is there already.
        timeout_s: seconds that the table may take, above 0.

    Raises:
        SpecError: an argument is wrong, or a package is missing.
        BadRequestError: (from ``do``) the body has no such key, or is no object where
            ``attributes`` or ``merge`` ask for one.
        UnprocessableError: (from ``do``) the key is None, empty or cannot be encoded.
        StatusError: (from ``do``) the table failed, see ``Table``.

    State:
        In the table. ``memory://NAME`` is gone with the process; the others outlive
        restart, hot swap and redeploy, and are shared by all workers, the last writer
        of a key wins. A body that comes late replaces a newer one. A run that only
        compares answers writes nothing.

    >>> target = TableTarget("memory://shelf", key="id")
    >>> target.do({"id": "a", "price": 3})
    {'id': 'a', 'price': 3}
    >>> open_table("memory://shelf").get("a")
    {'id': 'a', 'price': 3}
    """

    def __init__(
        self,
        table: Any,
        key: KeySpec,
        *,
        attributes: Sequence[str] | None = None,
        merge: bool = False,
        timeout_s: float = TIMEOUT_S,
        context: Any = None,
    ) -> None:
        if isinstance(attributes, str):
            raise SpecError(
                f"attributes must be a list of fields, got {attributes!r}; "
                f"write [{attributes!r}]"
            )
        self._key = key_reader(key)
        self._attributes = tuple(attributes) if attributes is not None else None
        self._merge = merge
        key_column = key if isinstance(key, str) and not key.startswith("$") else None
        self.table = open_table(
            table, key_column=key_column, timeout_s=timeout_s, context=context
        )
        if isinstance(self.table, GivenRows):
            raise SpecError(
                f"{self.table.name} can only be looked up; write to 'store', "
                "'redis://…', an SQL URL or 'memory://NAME'"
            )

    def do(self, body: Any) -> Any:
        key, row = self._key(body), self._row(body_of(body))
        if key in ("", MISSING_KEY):
            raise UnprocessableError(
                f"the key of table {self.table.name!r} is missing in the body or empty"
            )
        checked_text(key, f"the key of table {self.table.name!r}")
        if self._merge:
            self.table.update(key, lambda old: {**(old or {}), **row})
        else:
            self.table.put(key, row)
        return body

    def close(self) -> None:
        self.table.close()

    def _row(self, body: Body) -> Any:
        if self._attributes is None and not self._merge:
            return body
        if not isinstance(body, Mapping):
            raise BadRequestError(
                f"the body must be an object to be written by its fields, "
                f"got {type(body).__name__}"
            )
        if self._attributes is None:
            return body
        return {name: body[name] for name in self._attributes if name in body}
