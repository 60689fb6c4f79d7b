"""Share what uploads take, bytes or slots, so that strangers never take what others need."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from rollbook.client_network import wide_network

TOO_MANY, BUSY, UNIDENTIFIED = "too_many_uploads", "server_busy", "uploads_unidentified"
"""Codes of the errors."""


class Trust(Enum):
    """What is known of a caller before the body of the request is received."""

    STRANGER = "stranger"
    PROVEN = "proven"
    """The caller has proved who they are, in the header of the request."""
    KNOWN = "known"
    """A member has recently signed in from the address."""


@dataclass(frozen=True)
class Caller:
    """Who uploads.

    Attributes:
        address: The network of ``client_network``; empty for a proxy on this machine.
        trust: How far the caller is trusted.
    """

    address: str
    trust: Trust

    @property
    def wide_network(self) -> str:
        """The /24 network of an IPv4 address, the /48 network of an IPv6 address."""
        return wide_network(self.address) if self.address else ""


@dataclass(frozen=True)
class Limit:
    """How much of everything those that share a key may take together.

    Attributes:
        key: What is counted.
        share: The share of everything.
        code: The code of the error if that is exceeded.
    """

    key: tuple[str, str]
    share: Fraction
    code: str


EVERYTHING = Fraction(1)
EXCEPT_RESERVED = Fraction(3, 4)  # of bytes: the rest is one largest file
OF_STRANGERS = Fraction(1, 2)
OF_AN_ADDRESS = Fraction(1, 2)
OF_A_WIDE_NETWORK = Fraction(3, 4)
OF_A_STRANGERS_ADDRESS = Fraction(1, 4)


class ShareExceeded(Exception):
    """A caller can't have as much now.

    Attributes:
        code: The code of the error.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Shares:
    """How much of something callers have taken.

    Half of everything is for callers that are trusted. The last part of that is reserved for
    addresses from which members have signed in, which include those of all scripts that send their
    credentials in the body.

    Args:
        of_others: The share that those from other addresses may have together.
    """

    def __init__(self, of_others: Fraction = EXCEPT_RESERVED) -> None:
        self._of_others = of_others
        self._lock = threading.Lock()
        self._taken: Counter[tuple[str, str]] = Counter()

    @property
    def total(self) -> int:
        """How much is taken."""
        return self._taken["all", ""]

    def of_strangers(self) -> int:
        """Return how much strangers have taken."""
        return self._taken["strangers", ""]

    def take(self, caller: Caller, amount: int, everything: int) -> None:
        """Let the caller have an amount.

        Args:
            caller: Who uploads.
            amount: How much.
            everything: How much there is.

        Raises:
            ShareExceeded: A limit would be exceeded; nothing is taken.
        """
        limits = list(self._limits(caller))
        with self._lock:
            for limit in limits:
                if self._taken[limit.key] + amount > limit.share * everything:
                    raise ShareExceeded(limit.code)
            for limit in limits:
                self._taken[limit.key] += amount

    def give_back(self, caller: Caller, amount: int) -> None:
        """Take back what the caller has had."""
        with self._lock:
            for limit in self._limits(caller):
                self._taken[limit.key] -= amount
            self._taken = +self._taken  # removes addresses without uploads

    def _limits(self, caller: Caller) -> Iterator[Limit]:
        # Behind a proxy that names no client, all have the same address.
        if caller.address:
            yield Limit(("address", caller.address), OF_AN_ADDRESS, TOO_MANY)
            yield Limit(("wide", caller.wide_network), OF_A_WIDE_NETWORK, TOO_MANY)
        if caller.trust is Trust.STRANGER:
            if caller.address:
                share = OF_A_STRANGERS_ADDRESS
                yield Limit(("stranger", caller.address), share, TOO_MANY)
                yield Limit(("wide stranger", caller.wide_network), share, TOO_MANY)
            yield Limit(("strangers", ""), OF_STRANGERS, UNIDENTIFIED)
        if caller.trust is not Trust.KNOWN:
            yield Limit(("others", ""), self._of_others, BUSY)
        yield Limit(("all", ""), EVERYTHING, BUSY)
