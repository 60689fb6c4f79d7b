"""Audit events that are too old go, and what is left stays sealed."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.db import DatabaseError, transaction

from rollbook.accounts.audit import log, retention, seals
from rollbook.accounts.audit.retention import YEAR, remove_expired
from rollbook.accounts.audit.seals import seal_pending, verify
from rollbook.accounts.models import AuditEvent, AuditSeal, Member
from rollbook.districts.models import District
from tests.accounts.audit.test_seals import behind_its_back
from tests.accounts.browser import NOW
from tests.db.database_errors import Kill, fault_at


@pytest.fixture(autouse=True)
def two_districts(maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch) -> None:
    """One keeps its audit for a year, the other for two; their events stand under the same seals, three under each."""
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


def forget_all(now: datetime) -> int:
    removed = 0
    while some := remove_expired(now):
        removed += some
    return removed


def left(district: District | None) -> int:
    """How many events, but for the notes of retention itself."""
    return AuditEvent.objects.filter(district=district).exclude(action="retention").count()


def notes() -> list[str]:
    events = AuditEvent.objects.filter(action="retention").order_by("pk")
    return [f"{event.district}: {event.result}: {event.detail}" for event in events]


def broken() -> list[int]:
    return [each.number for each in verify().broken]


def test_nothing_goes_before_its_time(maple: District) -> None:
    assert forget_all(later(1, hours=-9)) == 0
    assert left(maple) == 4


def test_events_go_by_whole_days_and_a_note_says_how_many(maple: District, cedar: District) -> None:
    assert forget_all(later(1, days=2)) == 2
    assert (left(maple), left(cedar)) == (2, 4)
    assert notes() == ["maple-usd: audit removed: 2 events of before 2026-11-25"]
    assert forget_all(later(1, days=2, hours=10)) == 0


def test_what_is_left_under_a_seal_is_still_sealed(maple: District, cedar: District) -> None:
    forget_all(later(1, days=2))
    verified = verify()
    assert (verified.events, verified.seals, verified.forgotten, verified.broken) == (7, 3, 2, ())
    assert verified.waiting == 1  # the note
    forget_all(later(2, days=4))
    verified = verify()
    assert (verified.events, verified.forgotten, verified.broken) == (1, 8, ())
    assert (left(maple), left(cedar), left(None)) == (0, 0, 1)


def test_the_chain_goes_on_when_all_that_was_under_it_is_gone() -> None:
    forget_all(later(7, days=10))
    assert not AuditEvent.objects.exclude(action="retention").exists()
    seal_all(later(7, days=10))
    assert AuditSeal.objects.count() > 3
    assert broken() == []


def test_events_of_no_district_are_kept_for_the_longest_time() -> None:
    forget_all(later(7))
    assert left(None) == 1
    forget_all(later(7, days=1))
    assert left(None) == 0


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE accounts_auditevent SET detail = 'x' WHERE seal_id = 1",
        "DELETE FROM accounts_auditevent WHERE seal_id = 1",
        "UPDATE accounts_auditseal SET removed_events = removed_events + 1 WHERE number = 1",
        "UPDATE accounts_auditseal SET removed_events = 0 WHERE number = 1",
        "UPDATE accounts_auditseal SET remaining_digest = digest WHERE number = 1",
        "UPDATE accounts_auditseal SET digest = remaining_digest WHERE number = 1",
    ],
)
def test_whoever_touches_the_rest_is_noticed(deed: str) -> None:
    forget_all(later(1, days=2))
    assert broken() == []
    behind_its_back(deed)
    assert 1 in broken()


def test_nobody_can_pretend_that_it_was_retention() -> None:
    behind_its_back("UPDATE accounts_auditseal SET removed_events = 1 WHERE number = 2")
    behind_its_back(
        "DELETE FROM accounts_auditevent WHERE id = (SELECT min(id) FROM accounts_auditevent WHERE seal_id = 2)"
    )
    assert broken() == [2]


def test_under_a_seal_that_does_not_fit_nothing_is_removed(maple: District) -> None:
    behind_its_back(
        "UPDATE accounts_auditevent SET detail = 'x' WHERE id = (SELECT min(id) FROM accounts_auditevent)"
    )
    assert forget_all(later(1, days=10)) == 2
    assert left(maple) == 2  # both under the first seal
    assert broken() == [1]


def test_the_database_lets_go_of_as_many_as_the_seal_says_and_no_more() -> None:
    AuditSeal.objects.filter(number=1).update(removed_events=1)
    first, second, _ = AuditEvent.objects.filter(seal=1).order_by("pk").values_list("pk", flat=True)
    AuditEvent.objects.filter(pk=first).delete()
    with pytest.raises(DatabaseError, match="audit events are sealed"), transaction.atomic():
        AuditEvent.objects.filter(pk=second).delete()
    with pytest.raises(DatabaseError, match="audit events are sealed"), transaction.atomic():
        AuditEvent.objects.filter(pk=second).update(detail="x")


def test_of_several_at_once_the_database_lets_none_go_that_the_seal_does_not_name() -> None:
    AuditSeal.objects.filter(number=1).update(removed_events=1)
    with pytest.raises(DatabaseError, match="audit events are sealed"), transaction.atomic():
        AuditEvent.objects.filter(seal=1).delete()
    assert AuditEvent.objects.filter(seal=1).count() == 3


def test_a_fault_in_the_middle_leaves_everything(
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
    for statement in count(1):
        with transaction.atomic():
            try:
                with fault_at(statement):
                    forget_all(later(1, days=10))
                was_killed = False
            except Kill:
                was_killed = True
                assert broken() == []
            forget_all(later(1, days=10))
            assert (left(maple), broken()) == (0, [])
            assert [note.partition(" of before")[0] for note in notes()] == [
                "maple-usd: audit removed: 2 events",
                "maple-usd: audit removed: 1 event",
                "maple-usd: audit removed: 1 event",
            ]
            transaction.set_rollback(True)
        if not was_killed:
            break
    assert statement > 20


def test_many_go_a_few_seals_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MAX_EVENTS_PER_TRANSACTION", 1)
    assert [remove_expired(later(1, days=10)) for _ in range(4)] == [2, 1, 1, 0]
    assert broken() == []


def test_an_event_that_is_not_sealed_yet_stays(maple: District) -> None:
    log.record("start", "ok", district=maple, now=datetime(2020, 1, 1, tzinfo=UTC))
    assert forget_all(later(1, hours=-9)) == 0
    assert left(maple) == 5


def test_a_member_whose_events_are_gone_is_a_member_all_the_same(manager: Member) -> None:
    log.record("start", "ok", member=manager, now=NOW)
    seal_all(NOW)
    forget_all(later(1, days=10))
    assert not AuditEvent.objects.filter(member=manager).exists()
    assert Member.objects.filter(pk=manager.pk).exists()
