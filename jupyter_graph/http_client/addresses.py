"""What kind of address an IP address is: who may be behind it."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Literal, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Kind: TypeAlias = Literal["public", "private", "loopback", "closed"]

_CLOUDS = ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
METADATA = frozenset(map(ip_address, _CLOUDS))
"""Where clouds keep their instances' secrets, beside the link-local addresses."""

_THIS_HOST = IPv4Network("0.0.0.0/8")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_OUT_OF_USE = IPv6Network("::/96")


def kind_of(address: Address) -> Kind:
    """Tell what an address is; an IPv4 address within an IPv6 one counts as itself.

    ``closed`` are link-local, multicast and reserved addresses, tunnels, and those
    where clouds keep secrets.

    >>> [kind_of(ip_address(at)) for at in ("8.8.8.8", "10.0.0.1", "127.1.2.3")]
    ['public', 'private', 'loopback']
    >>> kind_of(ip_address("::ffff:169.254.169.254"))
    'closed'
    """
    if isinstance(address, IPv6Address) and not address.is_loopback:
        if address.is_unspecified:
            return "loopback"
        if address.sixtofour or address.teredo or address.scope_id:
            return "closed"
        if (inner := _inner(address)) is not None:
            return kind_of(inner)
        if address in _OUT_OF_USE:
            return "closed"
        if address.is_site_local:  # the private addresses of before RFC 3879
            return "private"
    return _plain_kind(address)


def _inner(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def _plain_kind(address: Address) -> Kind:
    if address in METADATA or address.is_link_local or address.is_multicast:
        return "closed"
    if address.is_loopback or address in _THIS_HOST:
        return "loopback"
    if address.is_reserved:
        return "closed"
    return "public" if address.is_global else "private"


def literal(host: str) -> Address | None:
    """Return the address that a host is, None where it is a name.

    >>> literal("192.0.2.1"), literal("example.com")
    (IPv4Address('192.0.2.1'), None)
    """
    try:
        return ip_address(host)
    except ValueError:
        return None


def network_of(entry: str) -> Network | None:
    """Return the network that an entry of a list is, None where it is a name.

    >>> network_of("10.1.0.0/16"), network_of("models.internal")
    (IPv4Network('10.1.0.0/16'), None)
    """
    try:
        return ip_network(entry)
    except ValueError:
        return None


def is_within(address: Address, network: Network) -> bool:
    """Tell whether an address, or the IPv4 address mapped into it, is in a network.

    >>> is_within(ip_address("::ffff:10.1.2.3"), ip_network("10.0.0.0/8"))
    True
    """
    inner = getattr(address, "ipv4_mapped", None)
    return address in network or (inner is not None and inner in network)
