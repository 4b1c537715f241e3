"""The addresses of a name, when all of them may be called."""

from __future__ import annotations

from typing import Any, Protocol

from jupyter_graph.errors import AccessDeniedError
from jupyter_graph.http_client.addresses import literal
from jupyter_graph.http_client.host_rules import HostRules


class Resolver(Protocol):
    """Finds the addresses of a name, as aiohttp's resolvers do."""

    async def resolve(
        self, host: str, port: int = 0, family: Any = 0
    ) -> list[dict[str, Any]]: ...

    async def close(self) -> None: ...


class CheckedResolver:
    """Returns the addresses of a name when all of them may be called.

    The client connects to exactly these, so no later answer of the name counts.
    """

    def __init__(self, inner: Resolver, rules: HostRules) -> None:
        self._inner = inner
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: Any = 0
    ) -> list[dict[str, Any]]:
        answers = await self._inner.resolve(host, port, family)
        for answer in answers:
            address = literal(str(answer["host"]))
            if address is None:
                raise AccessDeniedError(f"{host} has the address {answer['host']!r}")
            self._rules.check_address(host.lower(), address)
        return answers

    async def close(self) -> None:
        await self._inner.close()
