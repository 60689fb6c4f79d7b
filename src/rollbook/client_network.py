"""Where a client comes from, as far as it can be held to account: one customer of a network counts as one."""

import ipaddress


def client_network(address: str) -> str:
    """What a client's failures and uploads are counted by: an IPv4 address, or the /64 network that one IPv6 customer
    has to himself.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False).network_address)
