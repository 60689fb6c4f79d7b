"""Whether a member signs in from a network that they haven't used before.

Networks are compared as /24 (IPv4) and /48 (IPv6), because providers change the rest of an address.
"""

from rollbook.accounts.models import KnownAddress, Member
from rollbook.client_network import client_network, wide_network


def is_new(member: Member, address: str) -> bool:
    """Return whether the member has signed in before, but never from this network.

    Call this before the address is remembered.
    """
    known = KnownAddress.objects.filter(member=member).values_list("address", flat=True)
    networks = set(map(wide_network, known))
    return bool(networks) and wide_network(client_network(address)) not in networks
