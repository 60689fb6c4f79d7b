"""Which entry of X-Forwarded-For is the client's address."""

import pytest

from rollbook.trusted_proxies import TrustedProxies

FORGED = "198.51.100.1"
CLIENT = "203.0.113.9"


@pytest.mark.statement("S13")
@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded_for", "address"),
    [
        ("1", "127.0.0.1", "", "127.0.0.1"),
        ("1", "127.0.0.1", " ", "127.0.0.1"),
        ("1", "127.0.0.1", CLIENT, CLIENT),
        ("1", "127.0.0.1", f"{FORGED}, {CLIENT}", CLIENT),
        ("1", "", f"{FORGED},{CLIENT}", CLIENT),
        ("1", "127.0.0.1", f"{CLIENT}:4711", CLIENT),
        ("1", "127.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"),
        ("2", "10.0.0.2", f"{FORGED}, {CLIENT}, 10.0.0.1", CLIENT),
        ("2", "10.0.0.2", CLIENT, CLIENT),
        ("3", "10.0.0.2", f"{FORGED}, {CLIENT}, 192.0.2.7, 10.0.0.1", CLIENT),
        # by networks
        ("10.0.0.0/8", "10.0.0.2", f"{FORGED}, {CLIENT}, 10.0.0.1", CLIENT),
        ("10.0.0.0/8", "10.0.0.2", f"{FORGED}, {CLIENT}", CLIENT),
        ("10.0.0.0/8, 2001:db8::/32", "2001:db8::1", f"{FORGED}, {CLIENT}, 10.9.9.9", CLIENT),
        ("10.0.0.0/8", "::ffff:10.0.0.2", CLIENT, CLIENT),
        ("10.0.0.0/8", "192.0.2.7", f"{FORGED}, 10.0.0.1", "192.0.2.7"),
        ("10.0.0.0/8", "", CLIENT, CLIENT),
        ("10.0.0.0/8", "10.0.0.2", "10.0.0.5, 10.0.0.1", "10.0.0.5"),
        ("10.0.0.1", "10.0.0.1", "unknown", "unknown"),
        ("fe80::/10", "fe80::1%eth0", f"{FORGED}, {CLIENT}", CLIENT),
        ("10.0.0.0/8", "10.0.0.2", f"{CLIENT}, 10.0.0.1:80", CLIENT),
    ],
)
def test_the_entry_that_our_outermost_proxy_added(
    proxies: str, peer: str, forwarded_for: str, address: str
) -> None:
    assert TrustedProxies.parse(proxies).client_address(peer, forwarded_for) == address


@pytest.mark.parametrize(
    "text", ["0", "11", "-1", "1.5", "10.0.0.1/8", "proxy.example", "10.0.0.1,"]
)
def test_what_is_no_number_of_proxies_and_no_network(text: str) -> None:
    with pytest.raises(ValueError, match=r"use 1 to 10|the number of proxies"):
        TrustedProxies.parse(text)
