"""Checks of constructor arguments that several stateful steps share."""

from __future__ import annotations

from typing import Any

from jupyter_graph.connectors.tables.memory_tables import GivenRows
from jupyter_graph.connectors.tables.table import Table
from jupyter_graph.errors import SpecError


def either(argument: str, value: Any, other: str, other_value: Any) -> Any:
    """Return the one of two arguments that is there.

    Raises:
        SpecError: both are.
    """
    if value is not None and other_value is not None:
        raise SpecError(f"{argument} and {other} mean the same; give one of them")
    return value if value is not None else other_value


def writable(table: Table) -> Table:
    """Return the table back when state can be kept in it.

    Raises:
        SpecError: it is for lookups.
    """
    if isinstance(table, GivenRows):
        raise SpecError(
            f"state cannot be kept in {table.name}; use 'memory', 'store', "
            "'redis://…' or an SQL URL"
        )
    return table
