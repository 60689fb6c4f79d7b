"""The seals of the audit log, and which changes they reveal."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from rollbook.accounts import key_ring
from rollbook.accounts.audit import log, seals
from rollbook.accounts.audit.seals import Verification, seal_pending, verify
from rollbook.accounts.models import AuditEvent, AuditSeal, Member
from rollbook.accounts.retention_guard import MAX_GAP
from rollbook.db.triggers import install_triggers
from tests.accounts.browser import NOW

TRIGGERS = {
    "audit_sealed_update": "accounts_auditevent",
    "audit_sealed_delete": "accounts_auditevent",
    "audit_seal_update": "accounts_auditseal",
    "audit_seal_delete": "accounts_auditseal",
}


@pytest.fixture
def three_seals(manager: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven events under three seals: three, three and one."""
    monkeypatch.setattr(seals, "MAX_EVENTS_PER_SEAL", 3)
    for number in range(7):
        log.record(
            "student",
            "seen",
            member=manager,
            address="2001:db8::1",
            agent="curl/8",
            detail=f"Ōtani {number}",
            now=NOW,
        )
    assert [seal_pending(NOW + timedelta(minutes=1)) for _ in range(4)] == [3, 3, 1, 0]


def bypass_triggers(statement: str) -> None:
    """Execute a statement without triggers, as an owner of the database could."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for name, table in TRIGGERS.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        cursor.execute(statement)
    install_triggers("default")


def event(index: int) -> int:
    return list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))[index]


def broken() -> list[tuple[int, str]]:
    return [(each.number, each.problem) for each in verify().broken]


def test_unchanged_events_have_valid_seals(three_seals: None, manager: Member) -> None:
    log.record("student", "seen", member=manager)
    assert verify() == Verification(events=7, seals=3, unsealed_events=1, broken=())


def test_without_events_there_is_no_seal(db: None) -> None:
    assert seal_pending(NOW) == 0
    assert verify() == Verification(0, 0, 0, ())


@pytest.mark.statement("S48")
@pytest.mark.parametrize(
    "change",
    [
        "detail = 'Ōtani 9'",
        "member_id = NULL",
        "action = 'nothing'",
        "result = 'ok'",
        "address = '2001:db8::2'",
        "agent = ''",
        "district_id = NULL",
    ],
)
def test_a_changed_event_breaks_its_seal_and_no_other(three_seals: None, change: str) -> None:
    bypass_triggers(f"UPDATE accounts_auditevent SET {change} WHERE id = {event(4)}")
    assert broken() == [(2, "the seal or one of its events was changed")]


def test_a_changed_time_is_revealed(three_seals: None) -> None:
    bypass_triggers(
        f"UPDATE accounts_auditevent SET at = '2020-01-01 00:00:00' WHERE id = {event(0)}"
    )
    assert [number for number, _ in broken()] == [1]


@pytest.mark.statement("S48")
def test_a_removed_event_is_revealed(three_seals: None) -> None:
    bypass_triggers(f"DELETE FROM accounts_auditevent WHERE id = {event(1)}")
    assert broken() == [(1, "it should have 3 events, but has 2")]


@pytest.mark.statement("S48")
def test_an_inserted_event_is_revealed(three_seals: None, manager: Member) -> None:
    log.record("student", "seen", member=manager)
    bypass_triggers(f"UPDATE accounts_auditevent SET seal_id = 3 WHERE id = {event(-1)}")
    assert broken() == [(3, "it should have 1 event, but has 2")]


def test_a_seal_removed_with_its_events_is_revealed(three_seals: None) -> None:
    bypass_triggers("DELETE FROM accounts_auditevent WHERE seal_id = 2")
    bypass_triggers("DELETE FROM accounts_auditseal WHERE number = 2")
    assert broken() == [(3, "the seals before it are missing, from seal 2")]


@pytest.mark.statement("S48")
def test_a_forged_seal_is_revealed(three_seals: None) -> None:
    bypass_triggers(f"UPDATE accounts_auditseal SET digest = '{'0' * 64}' WHERE number = 2")
    assert [number for number, _ in broken()] == [2, 3]


@pytest.mark.statement("S48")
def test_a_back_dated_event_is_revealed_and_an_unclear_clock_is_not(
    three_seals: None, manager: Member
) -> None:
    log.record("student", "seen", member=manager, now=NOW - MAX_GAP + timedelta(hours=1))
    assert seal_pending(NOW + timedelta(minutes=2)) == 1
    assert broken() == []
    log.record("student", "seen", member=manager, now=NOW - timedelta(days=30))
    assert seal_pending(NOW + timedelta(minutes=3)) == 1
    [(number, problem)] = broken()
    assert number == 5
    assert problem.startswith("1 event back-dated: dated ")


def test_events_that_waited_for_a_full_seal_are_not_back_dated(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "MAX_EVENTS_PER_SEAL", 3)
    for _ in range(7):
        log.record("student", "seen", member=manager, now=NOW - timedelta(days=9))
    assert [seal_pending(NOW) for _ in range(3)] == [3, 3, 1]
    assert broken() == []


@pytest.mark.statement("S48")
def test_the_time_of_a_seal_is_sealed(three_seals: None) -> None:
    bypass_triggers("UPDATE accounts_auditseal SET at = '2020-01-01 00:00:00' WHERE number = 2")
    assert [number for number, _ in broken()] == [2]


def test_seals_of_an_older_version_are_still_valid(three_seals: None, manager: Member) -> None:
    log.record("student", "seen", member=manager, now=NOW)
    events = list(AuditEvent.objects.filter(seal=None))
    previous = AuditSeal.objects.get(number=3)
    older = AuditSeal(number=4, events=1, at=NOW, key_version=1, covers_time=False)
    older.digest = seals._digest(key_ring.ring(key_ring.LOGINS), older, previous.digest, events)
    older.save(force_insert=True)
    AuditEvent.objects.filter(seal=None).update(seal=older)
    assert broken() == []
    bypass_triggers("UPDATE accounts_auditseal SET covers_time = NOT covers_time WHERE number = 4")
    assert [number for number, _ in broken()] == [4]


@pytest.mark.statement("S45", "S48")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts_auditseal WHERE number = 1",
        "UPDATE accounts_auditseal SET digest = 'x' WHERE number = 3",
        "UPDATE accounts_auditseal SET removed_events = -1 WHERE number = 3",
        pytest.param("TRUNCATE accounts_auditevent", marks=pytest.mark.only_on("postgresql")),
        pytest.param(
            "TRUNCATE accounts_auditseal CASCADE", marks=pytest.mark.only_on("postgresql")
        ),
    ],
)
def test_the_database_refuses_to_shorten_or_replace_the_log(
    three_seals: None, statement: str
) -> None:
    connection.check_constraints()  # on PostgreSQL, now instead of at the end
    with (
        pytest.raises(DatabaseError, match=r"sealed|permanent"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert verify().broken == ()


@pytest.mark.statement("S45")
def test_the_database_refuses_to_change_sealed_events(three_seals: None, manager: Member) -> None:
    log.record("student", "seen", member=manager)
    for attempt in (
        lambda: AuditEvent.objects.filter(pk=event(0)).update(detail=""),
        lambda: AuditEvent.objects.filter(pk=event(0)).delete(),
    ):
        with pytest.raises(DatabaseError, match="audit events are sealed"), transaction.atomic():
            attempt()
    assert verify().broken == ()
