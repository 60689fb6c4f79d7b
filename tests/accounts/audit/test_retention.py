"""Removal of old audit events, after which the remaining events are still sealed."""

from datetime import UTC, datetime, timedelta
from itertools import count as count_from

import pytest
from django.db import DatabaseError, transaction

from rollbook.accounts.audit import log, retention, seals
from rollbook.accounts.audit.retention import YEAR, remove_expired
from rollbook.accounts.audit.seals import seal_pending, verify
from rollbook.accounts.models import AuditEvent, AuditSeal, Member
from rollbook.districts.models import District
from tests.accounts.audit.test_seals import bypass_triggers
from tests.accounts.browser import NOW
from tests.db.database_errors import Kill, fault_at


@pytest.fixture(autouse=True)
def two_districts(maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep audit events for one year and two years; both have events under the same seals."""
    monkeypatch.setattr(seals, "MAX_EVENTS_PER_SEAL", 3)
    District.objects.filter(pk=maple.pk).update(audit_kept_years=1)
    District.objects.filter(pk=cedar.pk).update(audit_kept_years=2)
    for day in range(4):
        for district in (maple, cedar):
            log.record("start", "ok", district=district, now=NOW + timedelta(days=day))
    log.record("sign in", "failed", now=NOW)
    seal_all(NOW + timedelta(days=4))


def seal_all(now: datetime) -> None:
    while seal_pending(now):
        pass


def later(years: int, **span: float) -> datetime:
    return NOW + years * YEAR + timedelta(**span)


def remove_all_expired(now: datetime) -> int:
    removed = 0
    while count := remove_expired(now):
        removed += count
    return removed


def left(district: District | None) -> int:
    """Return the number of events, without those of retention itself."""
    return AuditEvent.objects.filter(district=district).exclude(action="retention").count()


def records() -> list[str]:
    events = AuditEvent.objects.filter(action="retention").order_by("pk")
    return [f"{event.district}: {event.result}: {event.detail}" for event in events]


def broken() -> list[int]:
    return [each.number for each in verify().broken]


@pytest.mark.statement("S41")
def test_nothing_is_removed_too_early(maple: District) -> None:
    assert remove_all_expired(later(1, hours=-9)) == 0
    assert left(maple) == 4


@pytest.mark.statement("S41")
def test_events_are_removed_by_day_and_the_count_is_recorded(
    maple: District, cedar: District
) -> None:
    assert remove_all_expired(later(1, days=2)) == 2
    assert (left(maple), left(cedar)) == (2, 4)
    assert records() == ["maple-usd: audit removed: 2 events before 2026-11-25"]
    assert remove_all_expired(later(1, days=2, hours=10)) == 0


def test_remaining_events_are_still_sealed(maple: District, cedar: District) -> None:
    remove_all_expired(later(1, days=2))
    verified = verify()
    assert (verified.events, verified.seals, verified.removed_events, verified.broken) == (
        7,
        3,
        2,
        (),
    )
    assert verified.unsealed_events == 1  # the record of the removal
    remove_all_expired(later(2, days=4))
    verified = verify()
    assert (verified.events, verified.removed_events, verified.broken) == (1, 8, ())
    assert (left(maple), left(cedar), left(None)) == (0, 0, 1)


def test_seals_continue_after_all_events_are_removed() -> None:
    remove_all_expired(later(7, days=10))
    assert not AuditEvent.objects.exclude(action="retention").exists()
    seal_all(later(7, days=10))
    assert AuditSeal.objects.count() > 3
    assert broken() == []


def test_events_without_a_district_are_kept_for_the_maximum_time() -> None:
    remove_all_expired(later(7))
    assert left(None) == 1
    remove_all_expired(later(7, days=1))
    assert left(None) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET detail = 'x' WHERE seal_id = 1",
        "DELETE FROM accounts_auditevent WHERE seal_id = 1",
        "UPDATE accounts_auditseal SET removed_events = removed_events + 1 WHERE number = 1",
        "UPDATE accounts_auditseal SET removed_events = 0 WHERE number = 1",
        "UPDATE accounts_auditseal SET remaining_digest = digest WHERE number = 1",
        "UPDATE accounts_auditseal SET digest = remaining_digest WHERE number = 1",
    ],
)
def test_changes_after_a_removal_are_revealed(statement: str) -> None:
    remove_all_expired(later(1, days=2))
    assert broken() == []
    bypass_triggers(statement)
    assert 1 in broken()


def test_a_removal_by_someone_else_is_revealed() -> None:
    bypass_triggers("UPDATE accounts_auditseal SET removed_events = 1 WHERE number = 2")
    bypass_triggers(
        "DELETE FROM accounts_auditevent"
        " WHERE id = (SELECT min(id) FROM accounts_auditevent WHERE seal_id = 2)"
    )
    assert broken() == [2]


def test_events_of_a_broken_seal_are_not_removed(maple: District) -> None:
    bypass_triggers(
        "UPDATE accounts_auditevent SET detail = 'x'"
        " WHERE id = (SELECT min(id) FROM accounts_auditevent)"
    )
    assert remove_all_expired(later(1, days=10)) == 2
    assert left(maple) == 2  # both under the first seal
    assert broken() == [1]


def test_the_database_allows_as_many_removals_as_the_seal_says() -> None:
    AuditSeal.objects.filter(number=1).update(removed_events=1)
    first, second, _ = AuditEvent.objects.filter(seal=1).order_by("pk").values_list("pk", flat=True)
    AuditEvent.objects.filter(pk=first).delete()
    with pytest.raises(DatabaseError, match="audit events are sealed"), transaction.atomic():
        AuditEvent.objects.filter(pk=second).delete()
    with pytest.raises(DatabaseError, match="audit events are sealed"), transaction.atomic():
        AuditEvent.objects.filter(pk=second).update(detail="x")


def test_the_database_refuses_to_remove_more_at_once() -> None:
    AuditSeal.objects.filter(number=1).update(removed_events=1)
    with pytest.raises(DatabaseError, match="audit events are sealed"), transaction.atomic():
        AuditEvent.objects.filter(seal=1).delete()
    assert AuditEvent.objects.filter(seal=1).count() == 3


def test_nothing_is_removed_if_the_record_fails(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as faulty:
        faulty.setattr(log, "record", fails)
        with pytest.raises(RuntimeError):
            remove_expired(later(1, days=2))
    assert left(maple) == 4
    assert broken() == []


def test_a_fault_at_any_statement_does_no_harm(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_EVENTS_PER_TRANSACTION", 1)
    for statement in count_from(1):
        with transaction.atomic():
            try:
                with fault_at(statement):
                    remove_all_expired(later(1, days=10))
                was_killed = False
            except Kill:
                was_killed = True
                assert broken() == []
            remove_all_expired(later(1, days=10))
            assert (left(maple), broken()) == (0, [])
            assert [record.partition(" before")[0] for record in records()] == [
                "maple-usd: audit removed: 2 events",
                "maple-usd: audit removed: 1 event",
                "maple-usd: audit removed: 1 event",
            ]
            transaction.set_rollback(True)
        if not was_killed:
            break
    assert statement > 20


def test_a_transaction_removes_a_limited_number_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MAX_EVENTS_PER_TRANSACTION", 1)
    assert [remove_expired(later(1, days=10)) for _ in range(4)] == [2, 1, 1, 0]
    assert broken() == []


def test_events_that_are_not_sealed_yet_are_kept(maple: District) -> None:
    log.record("start", "ok", district=maple, now=datetime(2020, 1, 1, tzinfo=UTC))
    assert remove_all_expired(later(1, hours=-9)) == 0
    assert left(maple) == 5


def test_members_are_kept_when_their_events_are_removed(manager: Member) -> None:
    log.record("start", "ok", member=manager, now=NOW)
    seal_all(NOW)
    remove_all_expired(later(1, days=10))
    assert not AuditEvent.objects.filter(member=manager).exists()
    assert Member.objects.filter(pk=manager.pk).exists()
