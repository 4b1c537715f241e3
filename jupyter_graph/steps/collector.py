"""The step that makes one list of what a generator gave."""

from __future__ import annotations

from typing import Any, Literal

from jupyter_graph.argument_checks import at_least, require
from jupyter_graph.errors import said


class Collector:
    """Make one list of the items of a caller's stream; other bodies pass unchanged.

    Body in: an item at a time, from a generator step before it. Body out: the list of
    all items in the order they came; a single item stands alone, as in storey.

    Args:
        expected_completions: kept for storey's documents. Here a stream has ended when
            all of its branches have, so every number gives the same.
        single: a stream of one item gives ``"bare"`` the item or a ``"list"`` of it.
        on_error: when the generator fails, ``"raise"`` fails the event, ``"collect"``
            goes on with ``{"error": text}``, as storey's own Collector does.

    Raises:
        SpecError: an argument has a value that is not available.

    Source: https://storey.readthedocs.io, ``storey.Collector``.

    >>> Collector().collect([{"n": 1}, {"n": 2}])
    [{'n': 1}, {'n': 2}]
    >>> Collector().collect([5]), Collector(single="list").collect([5])
    (5, [5])
    """

    collects_streams = True

    def __init__(
        self,
        expected_completions: int = 1,
        *,
        single: Literal["bare", "list"] = "bare",
        on_error: Literal["raise", "collect"] = "raise",
    ) -> None:
        at_least("expected_completions", expected_completions, 1)
        require(single in ("bare", "list"), "single must be 'bare' or 'list'", single)
        is_known = on_error in ("raise", "collect")
        require(is_known, "on_error must be 'raise' or 'collect'", on_error)
        self.single = single
        self.on_error = on_error

    def collect(self, items: list[Any]) -> Any:
        """Return the body that stands for all items."""
        return items[0] if len(items) == 1 and self.single == "bare" else items

    def failed(self, error: Exception) -> Any:
        """Return the body that stands for a stream that broke off, or raise."""
        if self.on_error == "raise":
            raise error
        return {"error": said(error)}
