"""What generated code calls beside the steps themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.compile.failing_step import caught
from jupyter_graph.compile.runtime import (
    aside,
    beside_branches,
    branches,
    collect,
    cycles,
    event_paths,
    flat_lists,
    joins,
    live_branches,
    overlap,
    streams,
)
from jupyter_graph.types import NOTHING

_MODULES: Final = (
    aside,
    beside_branches,
    branches,
    collect,
    cycles,
    event_paths,
    flat_lists,
    joins,
    live_branches,
    overlap,
    streams,
)

HELPERS: Final[Mapping[str, Any]] = {
    "NOTHING": NOTHING,
    "caught": caught,
    **{name: getattr(module, name) for module in _MODULES for name in module.__all__},
}
"""Name in generated code to what it stands for: what the modules here export."""
