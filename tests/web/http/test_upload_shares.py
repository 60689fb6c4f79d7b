"""How uploads share slots and bytes between strangers and those who have proved who they are."""

import pytest

from rollbook.web.http.upload_shares import (
    BUSY,
    TOO_MANY,
    UNIDENTIFIED,
    Caller,
    ShareExceeded,
    Shares,
    Trust,
)
from rollbook.web.http.upload_slots import SLOTS
from rollbook.web.http.upload_slots import slots as slots_of_server


def address(number: int) -> str:
    """Return the address of one of many networks."""
    return f"192.{number}.2.1"


def taken_until_refused(shares: Shares, callers: list[Caller], everything: int) -> tuple[int, str]:
    """Return how many of the callers got one each, and why the next one was refused."""
    for number, caller in enumerate(callers):
        try:
            shares.take(caller, 1, everything)
        except ShareExceeded as exceeded:
            return number, exceeded.code
    return len(callers), ""


@pytest.mark.parametrize(
    ("trust", "addresses", "expected"),
    [
        (Trust.STRANGER, [address(number) for number in range(50)], (20, UNIDENTIFIED)),
        (Trust.STRANGER, ["192.0.2.1"] * 50, (10, TOO_MANY)),
        (Trust.STRANGER, [f"192.0.2.{number}" for number in range(50)], (10, TOO_MANY)),
        (Trust.STRANGER, [f"2001:db8:1:{number}::" for number in range(50)], (10, TOO_MANY)),
        (Trust.PROVEN, [address(number) for number in range(50)], (39, BUSY)),
        (Trust.KNOWN, [address(number) for number in range(50)], (40, BUSY)),
        (Trust.KNOWN, ["192.0.2.1"] * 50, (20, TOO_MANY)),
        (Trust.KNOWN, [f"192.0.2.{number}" for number in range(50)], (30, TOO_MANY)),
        (Trust.KNOWN, [f"2001:db8:1:{number}::" for number in range(50)], (30, TOO_MANY)),
        (Trust.KNOWN, [""] * 50, (40, BUSY)),
    ],
)
def test_how_many_slots_callers_get(
    trust: Trust, addresses: list[str], expected: tuple[int, str]
) -> None:
    shares = Shares(slots_of_server._of_others)
    callers = [Caller(each, trust) for each in addresses]
    assert taken_until_refused(shares, callers, SLOTS) == expected


def test_strangers_and_those_who_proved_themselves_leave_one_for_known_addresses() -> None:
    shares = Shares(slots_of_server._of_others)
    for trust, others in ((Trust.STRANGER, 20), (Trust.PROVEN, 19)):
        callers = [Caller(address(number), trust) for number in range(50)]
        assert taken_until_refused(shares, callers, SLOTS)[0] == others
    shares.take(Caller("203.0.113.1", Trust.KNOWN), 1, SLOTS)
    with pytest.raises(ShareExceeded):
        shares.take(Caller("203.0.113.1", Trust.KNOWN), 1, SLOTS)


def test_what_is_refused_takes_nothing_and_what_is_given_back_can_be_taken_again() -> None:
    shares = Shares()
    stranger = Caller("192.0.2.1", Trust.STRANGER)
    for _ in range(3):
        shares.take(stranger, 100, 400)
        with pytest.raises(ShareExceeded):
            shares.take(stranger, 1, 400)
        shares.give_back(stranger, 100)
    assert not shares._taken


def test_strangers_take_nothing_from_an_address_that_has_signed_in() -> None:
    """Others at the same address may be strangers: members of another organization."""
    shares = Shares()
    shares.take(Caller("192.0.2.1", Trust.STRANGER), 100, 400)
    shares.take(Caller("192.0.2.1", Trust.KNOWN), 100, 400)
