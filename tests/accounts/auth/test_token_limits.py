"""Limits of tokens: what they allow, and which of them can't be set."""

import pytest

from rollbook.accounts.auth.token_limits import NO_LIMITS, TokenLimits

NETWORKS = ("203.0.113.7", "198.51.100.0/24", "2001:db8::/32")


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("203.0.113.7", True),
        ("::ffff:203.0.113.7", True),
        ("203.0.113.8", False),
        ("198.51.100.255", True),
        ("2001:db8:1::1", True),
        ("2001:db9::1", False),
    ],
)
def test_networks_limit_the_address(address: str, *, is_allowed: bool) -> None:
    assert TokenLimits(networks=NETWORKS).allows_address(address) == is_allowed
    assert NO_LIMITS.allows_address(address)


def test_modes_limit_the_mode() -> None:
    assert TokenLimits(modes=("update",)).allows_mode("update")
    assert not TokenLimits(modes=("update",)).allows_mode("add")
    assert NO_LIMITS.allows_mode("add")


def test_what_is_stored_is_read_again() -> None:
    limits = TokenLimits(NETWORKS, ("add",), ("STATUS", "PASSWORD"), 5)
    assert TokenLimits.from_json(limits.as_json(), NETWORKS) == limits
    assert NO_LIMITS.as_json() is None
    assert TokenLimits.from_json(None) == NO_LIMITS


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (TokenLimits(networks=("school",)), "'school' isn't an address or a network"),
        (TokenLimits(networks=("203.0.113.7/24",)), "isn't an address or a network"),
        (TokenLimits(networks=("203.0.113.7",) * 21), "at most 20 networks"),
        (TokenLimits(modes=("replace",)), "there is no mode replace"),
        (TokenLimits(protected_columns=("SHOE_SIZE",)), "there is no column SHOE_SIZE"),
        (TokenLimits(max_percent=0), "from 1 to 100"),
        (TokenLimits(max_percent=101), "from 1 to 100"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: TokenLimits, problem: str) -> None:
    (found,) = limits.problems()
    assert problem in found


def test_each_limit_has_a_sentence() -> None:
    assert list(TokenLimits(("203.0.113.7",), ("add",), ("STATUS",), 5).sentences()) == [
        "Works only from 203.0.113.7",
        "Starts only updates with mode=add",
        "Never changes STATUS",
        "Changes at most 5% of the students with a file",
    ]
