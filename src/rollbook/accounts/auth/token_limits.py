"""Limits of a token, which the person who creates it sets: from where it works, and what for.

The networks and the modes are checked when a file is received. The columns and the share of
students are stored with the update, and checked with its rows.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollbook.accounts.models import Token
from rollbook.districts.modes import MODES
from rollbook.studentfile.columns import BY_NAME
from rollbook.text import join_words, printable

MAX_NETWORKS = 20
MAX_PERCENT = 100
_MAX_SHOWN_LENGTH = 40


@dataclass(frozen=True)
class TokenLimits:
    """What a token may be used for; by default everything.

    Attributes:
        networks: Networks from which it works, in CIDR notation; empty: from anywhere.
        modes: Modes of its updates; empty: all.
        protected_columns: Columns that its files may not change.
        max_percent: The largest share of the district's students that a file may change; None: all.
    """

    networks: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    protected_columns: tuple[str, ...] = ()
    max_percent: int | None = None

    @classmethod
    def of(cls, token: Token) -> "TokenLimits":
        """Return the limits of a token."""
        return cls.from_json(token.limits, tuple(token.networks or ()))

    @classmethod
    def from_json(
        cls, limits: Mapping[str, Any] | None, networks: tuple[str, ...] = ()
    ) -> "TokenLimits":
        """Return the limits that a token or an update has stored."""
        found = limits or {}
        return cls(
            networks,
            tuple(found.get("modes", ())),
            tuple(found.get("columns", ())),
            found.get("percent"),
        )

    def as_json(self) -> dict[str, Any] | None:
        """Return what is stored besides the networks; None without limits."""
        stored = {
            "modes": list(self.modes),
            "columns": list(self.protected_columns),
            "percent": self.max_percent,
        }
        return {name: value for name, value in stored.items() if value} or None

    def allows_address(self, address: str) -> bool:
        """Return whether the token works from this address."""
        client = ipaddress.ip_address(address)
        if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped:
            client = client.ipv4_mapped
        networks = map(ipaddress.ip_network, self.networks)
        return not self.networks or any(client in network for network in networks)

    def allows_mode(self, mode: str) -> bool:
        """Return whether the token may start updates in this mode."""
        return not self.modes or mode in self.modes

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each limit, without its final period."""
        if self.networks:
            yield f"Works only from {join_words(self.networks)}"
        if self.modes:
            yield f"Starts only updates with mode={join_words(self.modes)}"
        if self.protected_columns:
            yield f"Never changes {join_words(self.protected_columns)}"
        if self.max_percent:
            yield f"Changes at most {self.max_percent}% of the students with a file"

    def problems(self) -> Iterator[str]:
        """Yield why a token can't have these limits."""
        if len(self.networks) > MAX_NETWORKS:
            yield f"a token can have at most {MAX_NETWORKS} networks"
        for text in self.networks:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                yield (
                    f"'{printable(text, _MAX_SHOWN_LENGTH)}' isn't an address or a network; use "
                    "one such as 203.0.113.7 or 203.0.113.0/24"
                )
        if unknown := set(self.modes).difference(MODES):
            yield f"there is no mode {join_words(sorted(unknown))}; use {' or '.join(MODES)}"
        if unknown := set(self.protected_columns).difference(BY_NAME):
            yield f"there is no column {join_words(sorted(unknown))}"
        if self.max_percent is not None and not 1 <= self.max_percent <= MAX_PERCENT:
            yield f"the share of students is a percentage from 1 to {MAX_PERCENT}"


NO_LIMITS = TokenLimits()
