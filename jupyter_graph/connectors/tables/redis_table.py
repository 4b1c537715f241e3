"""Tables in Redis: state that the workers of many machines share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.tables.table import Change, KeyLocks, masked
from jupyter_graph.connectors.tables.table_json import encode, kept
from jupyter_graph.errors import (
    GatewayTimeoutError,
    InternalServerError,
    ServiceUnavailableError,
    SpecError,
    said,
)

T = TypeVar("T")
_SWAP = """
local now = redis.call('GET', KEYS[1])
if (now or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""
"""Set a key if it still holds what was read; no value of ours is the empty text."""


class RedisTable:
    """A table in Redis: key ``NAME:KEY`` holds the JSON of a value.

    A hash that another program wrote there is read as a row of texts.

    Args:
        url: ``redis://[user:password@]host[:port][/db]``, or ``rediss://`` for TLS.
        name: the table, the prefix of its keys.
        timeout_s: how long a call waits for Redis.

    Raises:
        SpecError: the client is not installed, or the URL is wrong.
    """

    def __init__(self, url: str, name: str, *, timeout_s: float) -> None:
        shown = f"table {masked(url)!r}"
        redis = needed("redis", "redis", shown, "the Redis client")
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self.name = f"{masked(url)}#{name}"
        self._prefix = f"{name}:"
        self._timeout_s = timeout_s
        self._errors = redis.exceptions
        try:
            self._client: Any = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),  # a swap sent twice might count twice
            )
        except ValueError as error:
            raise SpecError(f"{shown}: {error}") from None
        self._swap = self._client.register_script(_SWAP)
        self._locks = KeyLocks()

    def get(self, key: str, default: Any = None) -> Any:
        if (text := self._ask(lambda: self._text(key))) is None:
            return default
        return kept(text, self.name, key) if isinstance(text, str) else text

    def put(self, key: str, value: Any) -> None:
        text = encode(value, f"table {self.name!r}, key {key!r}")
        self._ask(lambda: self._client.set(self._prefix + key, text))

    def update(self, key: str, change: Change, default: Any = None) -> Any:
        end = time.monotonic() + self._timeout_s
        with self._locks.of(key):
            while True:
                old = self._ask(lambda: self._client.get(self._prefix + key))
                value = change(default if old is None else kept(old, self.name, key))
                if self._swapped(key, old or "", value):
                    return value
                if time.monotonic() > end:
                    raise GatewayTimeoutError(
                        f"table {self.name!r}: others kept changing key {key!r} for "
                        f"{self._timeout_s:g} s"
                    )

    def delete(self, key: str) -> None:
        self._ask(lambda: self._client.delete(self._prefix + key))

    def keys(self) -> Iterator[str]:
        pattern = "".join(f"[{c}]" if c in "*?[" else c for c in self._prefix) + "*"
        keys = self._ask(lambda: list(self._client.scan_iter(pattern, count=1000)))
        # SCAN may return a key twice.
        return (key[len(self._prefix) :] for key in dict.fromkeys(keys))

    def close(self) -> None:
        self._client.close()

    def _swapped(self, key: str, old: str, value: Any) -> bool:
        if (new := encode(value, f"table {self.name!r}, key {key!r}")) == old:
            return True
        return bool(self._ask(lambda: self._swap([self._prefix + key], [old, new])))

    def _text(self, key: str) -> Any:
        # Asking for the type first would be a second round trip for every lookup.
        try:
            return self._client.get(self._prefix + key)
        except self._errors.ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            return self._client.hgetall(self._prefix + key)

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except self._errors.TimeoutError as error:
            raise GatewayTimeoutError(
                f"table {self.name!r} did not answer within {self._timeout_s:g} s"
            ) from error
        except (self._errors.ConnectionError, OSError) as error:
            raise ServiceUnavailableError(
                f"table {self.name!r} cannot be reached: {said(error)}"
            ) from error
        except self._errors.RedisError as error:
            raise InternalServerError(
                f"table {self.name!r} refused: {said(error)}"
            ) from error
