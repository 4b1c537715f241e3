"""What is opened by ``with`` and by ``async with``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Openable(ABC):
    """Something that is opened and closed, in a ``with`` statement of either kind."""

    @abstractmethod
    def open(self) -> Self:
        """Open it; calling it twice is harmless."""

    @abstractmethod
    def close(self) -> None:
        """Close it; calling it twice is harmless."""

    @abstractmethod
    async def aclose(self) -> None:
        """``close`` from a coroutine."""

    def _close_now(self) -> None:
        """Close it without waiting for anything that is under way."""
        self.close()

    def _borrow_loop(self) -> None:  # noqa: B027  # most have no use for the loop
        """Called by ``async with`` before it opens, on the caller's loop."""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):
            self.close()
        else:  # who stopped the block does not want to wait for what it sent
            self._close_now()

    async def __aenter__(self) -> Self:
        self._borrow_loop()
        return self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
