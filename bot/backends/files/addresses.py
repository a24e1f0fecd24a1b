"""Which addresses a stranger may send the bot to: those of the public internet, and no others."""

import asyncio
import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from bot.domain.errors import FileRefused

# Other networks of IPv6 lead back into IPv4, stay inside a site, or are not assigned.
_UNICAST = IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_CLOSED_4 = (
    IPv4Network("192.0.0.0/24"),  # parts of it count as global; a cloud keeps its metadata here
    IPv4Network("192.88.99.0/24"),  # relays into IPv6
    IPv4Network("168.63.129.16/32"),  # public by number, but a cloud answers its own machines there
)
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet."""
    found = ip_address(address)
    if isinstance(found, IPv4Address):
        closed = any(found in network for network in _CLOSED_4)
        return found.is_global and not (closed or found.is_multicast or found.is_reserved)
    closed = any(found in network for network in _CLOSED_6)
    return found.is_global and found in _UNICAST and not closed


def literal(host: str) -> str | None:
    """Return the address that a host is written as; None when it is a name.

    Raises:
        FileRefused: a number in a spelling that programs read in different ways.
    """
    try:
        return str(ip_address(host))
    except ValueError:
        if _NUMBER.fullmatch(host):
            raise FileRefused("The link names its server by an unusual number.") from None
        return None


async def resolved(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
