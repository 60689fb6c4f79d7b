"""``rollbook audit``, and what commands record in the audit."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rollbook.accounts import installation_id
from rollbook.accounts.audit import head, log, seals, student_sets
from rollbook.accounts.audit.head import Head
from rollbook.accounts.audit.retention import YEAR, remove_expired
from rollbook.accounts.audit.seals import seal_pending
from rollbook.accounts.models import AuditEvent, Installation, Member
from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.system_accounts import command_agent
from tests.accounts.audit.test_seals import bypass_triggers
from tests.accounts.browser import NOW
from tests.cli.conftest import Rollbook
from tests.updates.night import a_class, enroll, finish, send

pytestmark = pytest.mark.django_db


def test_an_intact_audit_log_is_reported_as_such(rollbook: Rollbook, maple: District) -> None:
    log.record("start", "ok", district=maple)
    seal_pending(NOW)
    log.record("start", "ok", district=maple)
    result = rollbook("audit", "check")
    assert (result.code, result.out) == (
        0,
        "The audit log is intact: 1 event under 1 seal; 1 event not sealed yet.\n"
        f"The newest seal is {head.newest()}\n",
    )


def test_events_removed_by_retention_are_reported_and_break_no_seal(
    rollbook: Rollbook, maple: District
) -> None:
    for years in (8, 1):
        log.record("start", "ok", district=maple, now=NOW - years * YEAR)
    seal_pending(NOW)
    remove_expired(NOW)
    result = rollbook("audit", "check")
    assert result.code == 0
    assert result.out == (
        "The audit log is intact: 1 event under 1 seal; 1 event removed by retention or with "
        "their district; "
        "1 event not sealed yet.\n"
        f"The newest seal is {head.newest()}\n"
    )


@pytest.mark.statement("S48")
def test_a_broken_seal_is_reported_with_its_time(rollbook: Rollbook, maple: District) -> None:
    log.record("start", "ok", district=maple)
    seal_pending(NOW)
    bypass_triggers("UPDATE accounts_auditseal SET digest = 'x'")
    result = rollbook("audit", "check")
    assert result.code == 1
    assert result.out == (
        "seal 1, made <time>: the seal or one of its events was changed\n"
        "\nThe audit log was changed outside Rollbook: 1 event under 1 seal. "
        "Compare the database with a backup. If you have restored one on purpose, run "
        "`rollbook adopt`.\n"
    )


@pytest.fixture
def kept(maple: District) -> Iterator[Head]:
    """Two seals, of which the newest is kept in the data folder."""
    for minutes in (1, 2):
        log.record("start", "ok", district=maple, now=NOW)
        seal_pending(NOW + timedelta(minutes=minutes))
    assert head.keep_newest() == ""
    newest = head.newest()
    assert newest
    yield newest
    head.path().unlink(missing_ok=True)


def remove_newest_seal() -> None:
    bypass_triggers("DELETE FROM accounts_auditevent WHERE seal_id = 2")
    bypass_triggers("DELETE FROM accounts_auditseal WHERE number = 2")


@pytest.mark.statement("S48")
def test_removed_newest_seals_are_found_by_the_data_folder(rollbook: Rollbook, kept: Head) -> None:
    remove_newest_seal()
    result = rollbook("audit", "check")
    assert result.code == 1
    assert result.out.startswith("the log lacks its newest 1 seal, up to 2\n\n")
    assert head.keep_newest()
    assert head.Head.parse(head.path().read_text()) == kept, "the evidence is overwritten"


@pytest.mark.statement("S48")
def test_removed_newest_seals_are_found_by_an_email(rollbook: Rollbook, kept: Head) -> None:
    assert rollbook("audit", "check", "--expect", str(kept)).code == 0
    remove_newest_seal()
    head.path().unlink()
    assert rollbook("audit", "check").code == 0
    result = rollbook("audit", "check", "--expect", str(kept))
    assert result.code == 1
    assert "the log lacks its newest 1 seal" in result.out


@pytest.mark.statement("S48")
def test_a_log_that_was_sealed_again_with_the_key_is_found(rollbook: Rollbook, kept: Head) -> None:
    remove_newest_seal()
    log.record("start", "ok", now=NOW)
    seal_pending(NOW + timedelta(minutes=2))
    assert seals.verify().broken == ()
    result = rollbook("audit", "check", "--expect", str(kept))
    assert result.code == 1
    assert result.out.startswith("seal 2 is not the one that was kept: the log was replaced\n\n")


def test_what_is_no_seal_is_refused(rollbook: Rollbook, kept: Head) -> None:
    result = rollbook("audit", "check", "--expect", str(kept)[:-1])
    assert result.code == 2
    assert "is not the number and the digest of a seal" in result.err


def test_a_damaged_copy_is_reported(rollbook: Rollbook, kept: Head) -> None:
    head.path().write_text("2:")
    assert "audit-head can't be read, or is damaged" in rollbook("audit", "check").out


def test_a_restore_explains_an_older_log_and_adopt_accepts_it(
    rollbook: Rollbook, kept: Head
) -> None:
    remove_newest_seal()
    installation_id.adopt()
    Installation.objects.update(restored_at=NOW, restored_backup_at=NOW - timedelta(hours=3))
    result = rollbook("audit", "check")
    assert result.code == 1
    assert (
        "up to 2; a backup of 2026-11-23 05:00 UTC was restored at 2026-11-23 08:00 UTC, which "
        "explains it if that seal is newer\n"
    ) in result.out
    assert "The audit log is accepted as it is now" in rollbook("adopt").out
    assert rollbook("audit", "check").code == 0
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.result) == ("audit", "accepted")
    assert event.detail.startswith("the log lacks its newest 1 seal, up to 2; a backup of")
    assert "accepted" not in rollbook("adopt").out


class TestWhoSaw:
    @pytest.fixture
    def ana(self, maple: District) -> Student:
        enroll(maple, a_class(2))
        return Student.objects.get(student_id="s000")

    def test_every_view_of_a_student_is_listed(
        self, rollbook: Rollbook, ana: Student, manager: Member
    ) -> None:
        log.record(
            "students", "seen", member=manager, students=[ana.pk], detail="page 1", address="::1"
        )
        rollbook("student", "show", "maple-usd", "s000")
        result = rollbook("audit", "who-saw", "maple-usd", "--student", "s000")
        operator = command_agent()
        lines = [" ".join(line.split()) for line in result.out.splitlines()]
        assert (result.code, lines) == (
            0,
            [
                "when who what result details address",
                f"<time> {operator} confidential fields done"
                f" student show: student with key {ana.pk}",
                f"<time> {operator} student show done student with key {ana.pk}",
                "<time> ops@maple.example students seen page 1 ::1",
                "",
                f"The student with key {ana.pk} of Maple USD was seen 3 times.",
            ],
        )

    def test_an_erased_student_is_known_by_the_number(
        self, rollbook: Rollbook, ana: Student, manager: Member
    ) -> None:
        log.record("student", "seen", member=manager, students=[ana.pk])
        assert rollbook("student", "erase", "maple-usd", "s000", "--yes").code == 0
        result = rollbook("audit", "who-saw", "maple-usd", "--student", "s000")
        assert (result.code, result.err.partition(":")[0]) == (1, "ERROR no_such_student")
        result = rollbook("audit", "who-saw", "maple-usd", "--key", ana.pk, "--json")
        assert [event["who"] for event in json.loads(result.out)] == [manager.email]
        assert "s000" not in str(list(AuditEvent.objects.values()))

    @pytest.mark.parametrize(("days", "count"), [(("--since", "2026-01-02"), 1), ((), 2)])
    def test_days_can_be_chosen(
        self, rollbook: Rollbook, ana: Student, days: tuple[str, ...], count: int
    ) -> None:
        for day in (1, 2):
            at = datetime(2026, 1, day, 12, tzinfo=UTC)
            log.record("student", "seen", district=ana.district, students=[ana.pk], now=at)
        result = rollbook("audit", "who-saw", "maple-usd", "--key", ana.pk, "--json", *days)
        assert len(json.loads(result.out)) == count


COMMANDS = (
    ("student", "show", "maple-usd", "s000"),
    ("student", "show", "maple-usd", "s000", "--json"),
    ("student", "export", "maple-usd"),
    ("update", "show", "maple-usd", "2"),
    ("update", "show", "maple-usd", "2", "--json"),
    ("update", "show", "maple-usd", "2", "--rejected"),
    ("update", "show", "maple-usd", "2", "--changes"),
    ("update", "show", "maple-usd", "2", "--not-processed"),
    ("update", "list", "maple-usd"),
    ("district", "list"),
)


class TestCommandsRecordWhomTheyShow:
    @pytest.mark.statement("S45", "S57")
    @pytest.mark.parametrize("arguments", COMMANDS)
    def test_the_event_has_whom_the_output_names(
        self, arguments: tuple[str, ...], rollbook: Rollbook, maple: District
    ) -> None:
        enroll(maple, a_class(3))
        finish(send(maple, "STUDENT_ID,USERNAME,GRADE\ns000,,5\ns001,,99\ns002,u001,6"))
        AuditEvent.objects.all().delete()
        result = rollbook(*arguments)
        assert result.code in {0, 2}
        recorded = {
            key for event in AuditEvent.objects.all() for key in student_sets.decode(event.students)
        }
        named = dict(Student.objects.values_list("pk", "student_id"))
        shown = {
            key
            for key, student_id in named.items()
            if re.search(rf"\b(s|u){str(student_id)[1:]}\b", result.out)
        }
        assert recorded == shown
        agents = set(AuditEvent.objects.values_list("agent", flat=True))
        assert agents <= {command_agent()}
