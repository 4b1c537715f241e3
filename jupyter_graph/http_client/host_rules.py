"""Which hosts may be called.

A host is checked twice: its name before anything is sent, and its addresses when the
connection is made, so that a name that is resolved anew (DNS rebinding) gains nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import AccessDeniedError
from jupyter_graph.http_client.addresses import (
    Address,
    Kind,
    Network,
    is_within,
    kind_of,
    literal,
    network_of,
)
from jupyter_graph.http_client.urls import (
    HOST,
    is_number,
    plain_url,
    sent_url,
    shown_url,
    without_user,
)

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult
    from yarl import URL

_WORDS: Mapping[Kind, str] = {
    "private": "a private address",
    "loopback": "a loopback address",
    "closed": "a link-local, metadata or reserved address",
}


class HostRules:
    """What a caller may call.

    Link-local, multicast and reserved addresses, and those where clouds keep secrets,
    are closed for every caller. Without ``allow_local`` loopback addresses are closed
    too, and private ones unless the graph itself names the host. A list of hosts opens
    what is listed and closes everything else.

    Args:
        allow_hosts: names (``models.internal``, ``*.example.com``), addresses and
            networks (``10.1.0.0/16``). A listed name may have a loopback or a private
            address; link-local and other closed addresses are listed as addresses.
            None: the caller takes no list, and messages do not name one.
        allow_local: loopback and private addresses may be called. Remote steps and
            language models close them in a deployed function; sources, targets and
            downloads leave them open.
        own_host: the host that the graph itself names.

    Raises:
        SpecError: an entry of ``allow_hosts`` is neither a name nor a network.

    >>> HostRules(allow_local=False).check_url("http://127.0.0.1/")
    Traceback (most recent call last):
    jupyter_graph.errors.AccessDeniedError: http://127.0.0.1/: 127.0.0.1 is a loopback \
address, which is closed here; allow_hosts opens it
    """

    def __init__(
        self,
        allow_hosts: Iterable[str] | None = (),
        *,
        allow_local: bool = True,
        own_host: str | None = None,
    ) -> None:
        self._hint = "" if allow_hosts is None else "; allow_hosts opens it"
        allow_hosts = () if allow_hosts is None else allow_hosts
        is_list = isinstance(allow_hosts, Iterable) and not isinstance(allow_hosts, str)
        require(is_list, "allow_hosts must be a list", allow_hosts)
        self.allow_hosts = tuple(allow_hosts)
        self.allow_local = allow_local
        self.own_host = own_host
        self._networks: list[Network] = []
        self._names: list[str] = []
        for entry in self.allow_hosts:
            is_text = isinstance(entry, str)
            if is_text and (network := network_of(entry)) is not None:
                self._networks.append(network)
                continue
            name = str(entry).lower().removeprefix("*.")
            require(
                is_text and HOST.fullmatch(name) is not None and not is_number(name),
                "allow_hosts takes names like 'models.internal' or '*.example.com' "
                "and networks like '10.1.0.0/16'",
                entry,
            )
            self._names.append(str(entry).lower())
        self._not_listed = f"is not in allow_hosts ({', '.join(self.allow_hosts)})"

    def check_url(self, text: Any) -> URL:
        """Return a URL whose host may be called.

        Raises:
            AccessDeniedError: it may not, or the text is no plain http or https URL.
        """
        url = plain_url(text)
        host = str(url.raw_host).lower()
        if (address := literal(host)) is not None:
            self.check_address(host, address, shown_url(url))
        elif self._is_shut_out(host) and not self._networks:
            raise AccessDeniedError(f"{shown_url(url)}: {host} {self._not_listed}")
        return url

    def check_address(self, host: str, address: Address, shown: str = "") -> None:
        """Check an address that a host has.

        Raises:
            AccessDeniedError: it may not be called.
        """
        if any(is_within(address, network) for network in self._networks):
            return
        kind = kind_of(address)
        if self._is_shut_out(host):
            at = f"it is at {address}, which {self._not_listed}"
            raise AccessDeniedError(f"{shown or host}: {at}")
        if not self._is_open(host, kind):
            raise AccessDeniedError(
                f"{shown or host}: {address} is {_WORDS[kind]}, which is closed here"
                f"{self._hint}"
            )

    def _is_open(self, host: str, kind: Kind) -> bool:
        if kind in ("public", "closed"):
            return kind == "public"
        is_own = kind == "private" and host == self.own_host
        return is_own or self.allow_local or self._is_named(host)

    def _is_shut_out(self, host: str) -> bool:
        """Tell whether there is a list and the host's name is not on it."""
        is_known = host == self.own_host or self._is_named(host)
        return bool(self.allow_hosts) and not is_known

    def _is_named(self, host: str) -> bool:
        host = host.removesuffix(".")
        return any(
            host.endswith(name[1:]) if name.startswith("*.") else host == name
            for name in self._names
        )


OPEN_RULES = HostRules(None, allow_local=True)
"""Everything but link-local, metadata and reserved addresses may be called."""


def check_url(url: str) -> None:
    """Check the URL of a source, a target or a download, as it would be sent.

    Raises:
        AccessDeniedError: its host may not be called.
    """
    OPEN_RULES.check_url(without_user(sent_url(url)))


class CheckedResolver:
    """Returns the addresses of a name when all of them may be called.

    The client connects to exactly these, so no later answer of the name counts.
    """

    def __init__(self, inner: AbstractResolver, rules: HostRules) -> None:
        self._inner = inner
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: Any = 0
    ) -> list[ResolveResult]:
        answers = await self._inner.resolve(host, port, family)
        for answer in answers:
            if (address := literal(str(answer["host"]))) is None:
                raise AccessDeniedError(f"{host} has the address {answer['host']!r}")
            self._rules.check_address(host.lower(), address)
        return answers

    async def close(self) -> None:
        await self._inner.close()
