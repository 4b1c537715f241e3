"""How many tokens were used, over all events."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


class Usage:
    """Counts requests and tokens; safe from several threads.

    >>> usage = Usage()
    >>> usage.add({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9})
    >>> usage.totals()
    {'requests': 1, 'prompt_tokens': 7, 'completion_tokens': 2, 'total_tokens': 9}
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._tokens = dict.fromkeys(COUNTS, 0)

    def add(self, usage: Any) -> None:
        """Add one request; what the server did not count stays as it is."""
        counted = usage if isinstance(usage, Mapping) else {}
        with self._lock:
            self._requests += 1
            for key in COUNTS:
                value = counted.get(key)
                if isinstance(value, int):
                    self._tokens[key] += value

    def totals(self) -> dict[str, int]:
        """Return the sums so far."""
        with self._lock:
            return {"requests": self._requests, **self._tokens}

    def __repr__(self) -> str:
        return f"Usage({self.totals()})"
