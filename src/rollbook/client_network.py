"""The networks by which a client's failed sign-ins and uploads are counted."""

import ipaddress

WIDE_IPV4, WIDE_IPV6 = 24, 48
"""How much of an address names the network of an internet provider's neighboring customers."""


def client_network(address: str) -> str:
    """Return an IPv4 address unchanged, and the /64 network of an IPv6 address.

    One customer of an internet provider usually has a whole /64 network.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False).network_address)


def wide_network(address: str) -> str:
    """Return the /24 network of an IPv4 address, or the /48 network of an IPv6 address."""
    parsed = ipaddress.ip_address(address)
    width = WIDE_IPV4 if parsed.version == 4 else WIDE_IPV6
    return str(ipaddress.ip_network((address, width), strict=False))
