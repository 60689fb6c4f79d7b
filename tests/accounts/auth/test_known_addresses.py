"""From where members have signed in: how long it counts, for whom, and how often it is written."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rollbook.accounts.auth import known_addresses
from rollbook.accounts.auth.known_addresses import is_known, remember, signed_in_from
from rollbook.accounts.auth.sign_in import record_sign_in
from rollbook.accounts.models import KnownAddress, Member

HERE = "203.0.113.7"


def test_an_address_is_known_once_a_member_has_signed_in(manager: Member) -> None:
    assert not is_known(HERE)
    remember(manager, HERE)
    assert is_known(HERE)
    assert not is_known("203.0.113.8")


def test_it_is_known_of_that_member_only(manager: Member, neighbor: Member) -> None:
    remember(manager, HERE)
    assert signed_in_from(manager, HERE)
    assert not signed_in_from(neighbor, HERE)


def test_a_network_of_ipv6_is_one_address(manager: Member) -> None:
    remember(manager, "2001:db8::1")
    assert is_known("2001:db8::2")
    assert not is_known("2001:db8:0:1::1")


@pytest.mark.parametrize(("days", "counts"), [(29, True), (31, False)])
def test_it_is_known_for_30_days(manager: Member, days: int, *, counts: bool) -> None:
    remember(manager, HERE, timezone.now() - timedelta(days=days))
    known_addresses.cache.clear()
    assert is_known(HERE) == counts
    assert signed_in_from(manager, HERE) == counts


def test_that_of_a_former_member_is_not_known(manager: Member) -> None:
    remember(manager, HERE)
    Member.objects.update(is_active=False)
    known_addresses.cache.clear()
    assert not is_known(HERE)


def test_a_sign_in_is_written_once_a_day(manager: Member) -> None:
    now = timezone.now().replace(hour=1)
    seen = []
    for hours in (0, 1, 24):
        record_sign_in(manager, HERE, "curl", now + timedelta(hours=hours))
        seen.append(KnownAddress.objects.get().last_seen_at)
    assert seen == [now, now, now + timedelta(days=1)]


def test_a_sign_in_that_is_remembered_costs_one_query(manager: Member) -> None:
    now = timezone.now()
    record_sign_in(manager, HERE, "curl", now)
    with CaptureQueriesContext(connection) as queries:
        record_sign_in(manager, HERE, "curl", now)
    assert len(queries) == 1


def test_answers_are_cached(manager: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_known(HERE)
    with CaptureQueriesContext(connection) as queries:
        assert not is_known(HERE)
    assert len(queries) == 0
    KnownAddress.objects.create(member=manager, address=HERE, last_seen_at=timezone.now())
    monkeypatch.setattr(known_addresses, "CACHE_S", -1.0)
    known_addresses.cache.put(HERE, is_known=False)
    assert is_known(HERE)


def test_the_cache_is_bounded(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_addresses, "MAX_CACHED", 2)
    for number in range(3):
        is_known(f"203.0.113.{number}")
    assert known_addresses.cache.get("203.0.113.0") is None
    assert known_addresses.cache.get("203.0.113.2") is False


def test_expired_ones_are_removed_except_the_last_of_each_member(
    manager: Member, neighbor: Member
) -> None:
    now = timezone.now()
    for member, address, days in (
        (manager, "203.0.113.1", 40),
        (manager, "203.0.113.2", 31),
        (manager, "203.0.113.3", 29),
        (neighbor, "203.0.113.4", 50),
        (neighbor, "203.0.113.5", 45),
    ):
        remember(member, address, now - timedelta(days=days))
    assert known_addresses.remove_expired(now) == 3
    assert set(KnownAddress.objects.values_list("address", flat=True)) == {
        "203.0.113.3",
        "203.0.113.5",
    }
    assert known_addresses.remove_expired(now) == 0
