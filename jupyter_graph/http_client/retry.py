"""Attempts at a request: how long each may take, and when there is another one."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypeVar

from jupyter_graph.argument_checks import is_count, is_number, require
from jupyter_graph.errors import (
    DeadlineError,
    GatewayTimeoutError,
    ServiceUnavailableError,
    StatusError,
)

LONGEST_WAIT_S = 120.0
Result = TypeVar("Result")


class RetryableError(Exception):
    """An attempt failed in a way that another one may mend.

    Args:
        message: the text of the error when no attempt follows.
        status_code: what the caller gets then.
        wait_s: seconds to wait at least, as the other side asks.
    """

    def __init__(
        self, message: str, *, status_code: int = 502, wait_s: float = 0.0
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.wait_s = wait_s


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long something is tried.

    Args:
        retries: attempts after the first one.
        backoff_s: seconds before the second attempt, doubled before each further one,
            120 at most.
        timeout_s: seconds of one attempt, None = as long as the event has.
        longest_wait_s: seconds between two attempts, at most.

    Raises:
        SpecError: a number is out of its range.

    >>> RetryPolicy(retries=3, backoff_s=50).wait_s(2)
    100.0
    """

    retries: int
    backoff_s: float
    timeout_s: float | None = None
    longest_wait_s: float = LONGEST_WAIT_S

    def __post_init__(self) -> None:
        is_few = is_count(self.retries, 0) and self.retries <= 100
        require(is_few, "retries must be 0 to 100", self.retries)
        is_wait = is_number(self.backoff_s) and self.backoff_s >= 0
        require(is_wait, "the backoff must be 0 s or more", self.backoff_s)
        limit_s = 1.0 if self.timeout_s is None else self.timeout_s
        is_limit = is_number(limit_s) and limit_s > 0
        require(is_limit, "timeout must be above 0 s", self.timeout_s)

    def wait_s(self, number: int) -> float:
        """Return the seconds after this attempt, the first being 1."""
        # 2.0 ** 1024 overflows; the longest wait is reached long before
        return min(self.longest_wait_s, self.backoff_s * 2.0 ** min(number - 1, 1000))

    def next_wait_s(
        self, number: int, asked_s: float, deadline: float | None = None
    ) -> float | None:
        """Return the seconds until the next attempt, None when there is none.

        Args:
            number: of the attempt that failed, from 1.
            asked_s: seconds that the other side asks to wait.
            deadline: moment of ``time.monotonic`` when the event's time is up.
        """
        wait_s = max(min(asked_s, self.longest_wait_s), self.wait_s(number))
        is_last = number > self.retries or wait_s >= left_s(deadline)
        return None if is_last else wait_s

    async def attempt(
        self,
        once: Callable[[int], Awaitable[Result]],
        *,
        shown: str,
        deadline: float | None = None,
        note: Callable[[str], None] = lambda _: None,
    ) -> Result:
        """Try until it works, fails for good, or there is no time left.

        Args:
            once: makes one attempt; gets its number, from 1.
            shown: whom it calls, for messages.
            deadline: moment of ``time.monotonic`` when the event's time is up.
            note: called with a text for each failed attempt that another one follows.

        Raises:
            GatewayTimeoutError: 504, the last attempt took too long.
            StatusError: 502, the host cannot be reached or failed.
            DeadlineError: the event's time was up before the first attempt.
        """
        import asyncio

        number = 0
        while True:
            number += 1
            try:
                return await _one(once, number, self._limit_s(deadline), shown)
            except RetryableError as error:
                # no local outlives this block: an error that is kept in a frame of its
                # own traceback keeps its connection until the next collection
                wait_s = self.next_wait_s(number, error.wait_s, deadline)
                if wait_s is None:
                    _give_up(error, number)
                note(f"attempt {number}: {error}; the next one follows in {wait_s:g} s")
            await asyncio.sleep(wait_s)

    def attempt_blocking(self, once: Callable[[], Result]) -> Result:
        """Try until it works or fails for good, in a thread that may wait.

        Raises:
            GatewayTimeoutError: 504, the last attempt took too long.
            ServiceUnavailableError: 503, the host cannot be reached or failed.
        """
        number = 0
        while True:
            number += 1
            try:
                return once()
            except RetryableError as error:
                if (wait_s := self.next_wait_s(number, error.wait_s)) is None:
                    is_late = error.status_code == 504
                    kind = GatewayTimeoutError if is_late else ServiceUnavailableError
                    raise kind(f"{error}") from error.__cause__
            time.sleep(wait_s)

    def _limit_s(self, deadline: float | None) -> float | None:
        if (left := left_s(deadline)) <= 0:
            raise DeadlineError("the event's time is up, nothing was sent")
        limit_s = min(left, math.inf if self.timeout_s is None else self.timeout_s)
        return None if math.isinf(limit_s) else limit_s


async def _one(
    once: Callable[[int], Awaitable[Result]],
    number: int,
    limit_s: float | None,
    shown: str,
) -> Result:
    import asyncio

    import aiohttp

    try:
        async with asyncio.timeout(limit_s):
            return await once(number)
    except TimeoutError:
        after = "" if limit_s is None else f" after {limit_s:.3g} s"
        text = f"http request to {shown} timed out{after} (TimeoutError)"
        raise RetryableError(text, status_code=504) from None
    except (aiohttp.ClientError, OSError) as error:
        reason = f"{error}" or type(error).__name__
        raise RetryableError(f"cannot invoke url {shown}: {reason}") from error


def _give_up(failed: RetryableError, number: int) -> NoReturn:
    message = str(failed) if number == 1 else f"{failed} ({number} attempts)"
    if failed.status_code == 504:
        raise GatewayTimeoutError(message) from None
    raise StatusError(message, status_code=failed.status_code) from None


def left_s(deadline: float | None) -> float:
    """Return the seconds until a moment of ``time.monotonic``; None is far away.

    >>> left_s(None)
    inf
    """
    return math.inf if deadline is None else deadline - time.monotonic()


def asked_wait_s(headers: Mapping[str, str]) -> float:
    """Return the seconds that an answer asks to wait: 0 when it does not, 120 at most.

    Source: RFC 9110, 10.2.3.

    >>> asked_wait_s({"Retry-After": "7"}), asked_wait_s({})
    (7.0, 0.0)
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if "retry-after-ms" in lower:
        return _seconds(lower["retry-after-ms"], unit_s=0.001)
    return _seconds(lower.get("retry-after", "0"))


def _seconds(text: str, unit_s: float = 1.0) -> float:
    try:
        wait_s = float(text) * unit_s
    except ValueError:
        wait_s = _until(text)
    return max(0.0, min(wait_s, LONGEST_WAIT_S)) if math.isfinite(wait_s) else 0.0


def _until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return 0.0
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return (moment - datetime.now(UTC)).total_seconds()
