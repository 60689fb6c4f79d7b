"""Who saw a student, by the audit events of the district."""

from datetime import UTC, datetime, timedelta

import pytest

from rollbook.accounts.audit import disclosures, log, seals
from rollbook.accounts.models import AuditEvent, AuditSeal, Member
from rollbook.districts.models import District

pytestmark = [pytest.mark.django_db, pytest.mark.statement("S45", "S57")]

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)


def see(member: Member, *students: int, days_ago: int = 0) -> None:
    now = NOW - timedelta(days=days_ago)
    log.record("students", "seen", member=member, students=students, now=now)


def test_events_that_showed_the_student_are_found_latest_first(manager: Member) -> None:
    see(manager, 4, 9, days_ago=2)
    see(manager, 9)
    see(manager, 8, 10, days_ago=1)
    log.record("settings", "changed", member=manager, now=NOW)
    found = disclosures.who_saw(manager.district, 9)
    assert [event.at for event in found] == [NOW, NOW - timedelta(days=2)]


def test_only_events_of_the_district_and_of_the_days_are_found(
    manager: Member, cedar: District
) -> None:
    see(manager, 9, days_ago=3)
    see(manager, 9, days_ago=1)
    log.record("students", "seen", district=cedar, students=[9], now=NOW)
    since, until = NOW - timedelta(days=2), NOW
    found = list(disclosures.who_saw(manager.district, 9, since, until))
    assert [event.at for event in found] == [NOW - timedelta(days=1)]
    assert [event.member for event in found] == [manager]


def test_the_seal_covers_who_was_seen(manager: Member) -> None:
    see(manager, 4, 9)
    seals.seal_pending(NOW)
    assert not seals.verify().broken
    digest = AuditSeal.objects.get().digest
    event = AuditEvent.objects.get()
    event.students = "4"
    assert seals._serialized(event) != seals._serialized(AuditEvent.objects.get())
    assert len(digest) == 64


def test_seals_of_events_without_students_are_as_before(manager: Member) -> None:
    """Seals of version 0.2 still match: their events had no students."""
    log.record("settings", "changed", member=manager, now=NOW)
    assert seals._serialized(AuditEvent.objects.get()).endswith(b'""]\n')
