"""Values that come from environment variables of this computer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import FunctionType
from typing import Any, Final

from jupyter_graph.cells.shipping.bytecode import inner_code

_WORDS: Final = frozenset({"environ", "getenv"})
_DEEPEST: Final = 5


def reads_environment(function: Any, names: Mapping[str, Any], depth: int = 0) -> bool:
    """Tell whether a function of the notebook, or one that it calls, reads variables.

    >>> def read(key): return os.environ[key]
    >>> reads_environment(read, {}), reads_environment(len, {})
    (True, False)
    """
    if not isinstance(function, FunctionType) or depth > _DEEPEST:
        return False
    codes = (function.__code__, *inner_code(function.__code__))
    mentioned = {name for code in codes for name in code.co_names}
    if mentioned & _WORDS:
        return True
    own = (names.get(name) for name in sorted(mentioned))
    return any(
        reads_environment(one, names, depth + 1) for one in own if one is not function
    )


def holds_any(value: Any, texts: Collection[str], depth: int = 0) -> bool:
    """Tell whether a value is one of these texts, or holds one in lists and dicts.

    >>> holds_any({"auth": ["tok-1"]}, {"tok-1"}), holds_any("tok", {"tok-1"})
    (True, False)
    """
    if isinstance(value, str):
        return value in texts
    if depth > _DEEPEST or not isinstance(value, dict | list | tuple | set):
        return False
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return any(holds_any(part, texts, depth + 1) for part in parts)
