"""What steps that keep or look up something by a key have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.connectors.event_key import KeySpec, body_of, is_event
from jupyter_graph.connectors.tables.memory_tables import GivenRows
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.connectors.tables.table import Table
from jupyter_graph.errors import BadRequestError, SpecError


def one_key(key: KeySpec | None, key_field: KeySpec | None) -> KeySpec | None:
    """Return the one of two arguments that is there.

    Raises:
        SpecError: both are.
    """
    if key is not None and key_field is not None:
        raise SpecError("key and key_field mean the same; give one of them")
    return key_field if key is None else key


def state_table(
    where: Any, name: str, max_keys: int | None, timeout_s: float, context: Any
) -> Table:
    """Open a table that state is kept in; the arguments are those of ``open_table``.

    Raises:
        SpecError: it is for lookups, there is no such place, or a package is missing.
    """
    table = open_table(
        where, name=name, max_keys=max_keys, timeout_s=timeout_s, context=context
    )
    if isinstance(table, GivenRows):
        raise SpecError(
            f"state cannot be kept in {table.name}; use 'memory', 'store', "
            "'redis://…' or an SQL URL"
        )
    return table


def object_in(item: Any, use: str) -> Mapping[str, Any]:
    """Return the body that a step was given, alone or in an event.

    Raises:
        BadRequestError: it is no object; ``use`` says what it is needed for.
    """
    body = body_of(item)
    if isinstance(body, Mapping):
        return body
    raise BadRequestError(
        f"the body must be an object to be {use}, got {type(body).__name__}"
    )


def with_body(item: Any, body: Any, new: dict[str, Any]) -> Any:
    """Return the new body, or the event with it where the step was given an event."""
    if item is body or not is_event(item):
        return new
    item.body = new
    return item
