"""The client's address behind reverse proxies, each of which adds one to ``X-Forwarded-For``."""

import ipaddress
import re
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_PROXIES = 10

_WITH_PORT = re.compile(r"\A(\[.*\]|[\d.]+):\d+\Z")


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose entries in ``X-Forwarded-For`` are believed.

    A client can send the header itself, so only entries that our own proxies have added count.

    Attributes:
        count: How many proxies a request passes, if ``networks`` is empty.
        networks: The networks of the proxies; they may be any number.
    """

    count: int = 1
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "TrustedProxies":
        """Read a number, or addresses and networks separated by commas.

        Raises:
            ValueError: The text is neither; the message says which part, and how to write it.
        """
        if re.fullmatch(r"\s*[0-9]{1,6}\s*", text):
            if 1 <= int(text) <= MAX_PROXIES:
                return cls(int(text))
            raise ValueError(f"is {text.strip()}; use 1 to {MAX_PROXIES}, or networks")
        return cls(networks=tuple(map(_parse_network, text.split(","))))

    def client_address(self, peer: str, forwarded_for: str) -> str:
        """Return the client's address as text, which may be malformed.

        Args:
            peer: The address of the last proxy; empty on a Unix socket.
            forwarded_for: The value of ``X-Forwarded-For``; empty without one.
        """
        if not forwarded_for.strip():
            return peer
        entries = [_without_port(entry.strip()) for entry in forwarded_for.split(",")]
        if not self.networks:
            return entries[-min(self.count, len(entries))]
        if peer and not self._is_proxy(peer):
            return peer
        for entry in reversed(entries):
            if not self._is_proxy(entry):
                return entry
        return entries[0]

    def _is_proxy(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)


def _parse_network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError:
        raise ValueError(
            f"has {text.strip()!r}, which is no address or network; "
            "write the number of proxies, or networks such as 10.0.0.0/8, 2001:db8::/32"
        ) from None


def _without_port(address: str) -> str:
    """Return the address without the port that some proxies add."""
    return _WITH_PORT.sub(r"\1", address).strip("[]")
