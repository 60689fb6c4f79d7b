"""After an update has ended, its staged rows contain nothing about students."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.jobs import housekeeping
from rollbook.operations.lifecycle import mentions
from rollbook.students import touched
from rollbook.students.models import Student, TouchedStudent
from rollbook.updates import leftovers
from rollbook.updates.cancel import cancel
from rollbook.updates.exports import changes
from rollbook.updates.models import StagedRow, UpdateJob
from rollbook.updates.receiving import drafts, file_chunks
from rollbook.updates.reporting import rows
from rollbook.updates.state_machine import Mode, Outcome, State
from tests.updates.night import (
    applying,
    complete,
    counts,
    enroll,
    finish,
    incoming,
    known,
    report_of,
    send,
    stored_text,
)

CANARY = re.compile(rb"zqcanary|Zq-?canary|2013-02-1\d", re.IGNORECASE)
HEADER = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,PASSWORD"


def row(name: str, number: int = 7) -> str:
    return (
        f"zqcanary-{name},zqcanaryu{name},Zqcanary{name},Zqcanary,2013-02-1{number},zqcanary{name}9"
    )


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "ROWS_PER_STEP", 2)


@pytest.fixture
def enrolled(maple: District) -> District:
    enroll(maple, f"{HEADER}\n{row('old')}\n{row('twin')}")
    return maple


def night(district: District) -> UpdateJob:
    """Change one student, add two of whom one has no ID, reject two rows."""
    changed = row("old").replace("ZqcanaryoldX", "").replace("Zqcanaryold", "Zqcanarynew")
    no_id = row("anon", 5).replace("zqcanary-anon", "").replace("zqcanaryuanon", "zqcanaryfree")
    bad = row("bad").replace("2013-02-17", "2013-02-17x")
    text = complete(f"{HEADER}\n{changed}\n{row('added', 3)}\n{no_id}\n{bad}\n,,,,,\n{row('twin')}")
    return finish_update(send(district, text, Mode.ADD))


def finish_update(update: UpdateJob) -> UpdateJob:
    finish(update)
    update.refresh_from_db()
    return update


def remove_all() -> int:
    steps = 0
    while leftovers.remove_batch():
        steps += 1
    return steps


def staged_text() -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM updates_stagedrow")
        return repr(cursor.fetchall()).encode()


def outcomes(update: UpdateJob) -> list[tuple[int, str | None]]:
    found = StagedRow.objects.filter(update=update).with_outcome(update).order_by("line")
    return [(row.line, row.effective_outcome) for row in found]


@pytest.mark.statement("S36", "S37")
def test_no_staged_row_contains_anything_about_a_student(enrolled: District) -> None:
    night(enrolled)
    assert CANARY.search(staged_text())
    assert remove_all() > 3
    assert not CANARY.search(staged_text())
    assert "hmac" not in staged_text().decode()
    assert not UpdateJob.objects.filter(leftovers_removed_at=None).exists()
    assert housekeeping.remove_leftovers() == 0


def test_outcomes_counts_and_the_changes_with_their_lines_stay(enrolled: District) -> None:
    update = night(enrolled)
    before = (report_of(update), outcomes(update), list(changes.csv_lines(update)))
    assert {outcome for _, outcome in outcomes(update)} == {
        Outcome.UPDATED,
        Outcome.ADDED,
        Outcome.REJECTED,
    }
    remove_all()
    update.refresh_from_db()
    assert (report_of(update), outcomes(update), list(changes.csv_lines(update))) == before


def test_rows_are_still_listed_with_their_students_and_found_by_their_keys(
    enrolled: District,
) -> None:
    update = night(enrolled)
    remove_all()
    update.refresh_from_db()
    listed = {row.number: row for row in rows.rows_of(update).items}
    names = {number: row.student and row.student.name for number, row in listed.items()}
    assert names[2] == "Zqcanarynew Zqcanary"
    assert names[3] == "Zqcanaryadded Zqcanary"
    assert names[4] == "Zqcanaryanon Zqcanary"
    assert [change.column for change in listed[2].changes] == ["FIRST_NAME"]
    rejected = next(number for number, row in listed.items() if row.outcome == Outcome.REJECTED)
    assert listed[rejected].student is None
    for key in ("zqcanary-bad", "ZQCANARYUBAD"):
        assert [row.number for row in rows.rows_of(update, search=key).items] == [rejected]
    assert [row.number for row in rows.rows_of(update, search="zqcanary-added").items] == [3]


def test_an_erased_student_is_found_in_rejected_rows(enrolled: District) -> None:
    update = night(enrolled)
    student = Student.objects.get(student_id="zqcanary-old")
    Student.objects.filter(pk=student.pk).update(student_id="zqcanary-bad", username="other")
    student.refresh_from_db()
    UpdateJob.objects.update(file_removed_at=timezone.now())
    before = mentions.find(student)
    remove_all()
    assert mentions.find(student) == before
    assert before.rows & set(
        StagedRow.objects.filter(update=update, outcome="rejected").values_list("pk", flat=True)
    )


@pytest.mark.usefixtures("small_chunks")
def test_an_unfinished_update_keeps_its_values_until_it_is_canceled(enrolled: District) -> None:
    remove_all()
    update = send(enrolled, f"{HEADER}\n" + row("old").replace("Zqcanaryold", "Zqcanarynew"))
    applying(update, chunks=0)
    assert remove_all() == 0
    assert CANARY.search(staged_text())
    assert cancel(enrolled).is_canceled
    assert remove_all() == 1
    assert not CANARY.search(staged_text())
    assert counts(report_of(update)) == {"not_processed": 1}
    assert report_of(update).state is State.CANCELED


def test_students_whom_a_completed_update_has_settled_are_no_longer_marked(
    enrolled: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "REMOVED_AT_ONCE", 1)
    update = night(enrolled)
    before = known(enrolled)
    edited = Student.objects.get(student_id="zqcanary-added").pk
    Student.objects.filter(pk=edited).update(version=F("version") + 1, first_name="Edited")
    assert TouchedStudent.objects.filter(settled_by=update.pk).exists()
    remove_all()
    assert set(TouchedStudent.objects.values_list("student_id", "settled_by")) == {(edited, None)}
    assert known(enrolled) == before - {"zqcanary-added"}


def test_an_error_in_a_step_undoes_it_and_it_is_done_again(
    enrolled: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(enrolled)
    with monkeypatch.context() as broken:
        broken.setattr(leftovers, "_clear_others", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            leftovers.remove_batch()
    assert UpdateJob.objects.filter(leftovers_through_line=0).count() == 2
    remove_all()
    assert not CANARY.search(staged_text())


@pytest.mark.statement("S36", "S43")
def test_nothing_that_is_left_of_an_update_or_a_draft_contains_a_student(
    enrolled: District, manager: Member
) -> None:
    """As ``strings`` over the spool folder, the chunks, staged rows and the mail folder."""
    update = night(enrolled)
    drafts.create_draft(
        manager,
        incoming(complete(f"{HEADER}\n{row('draft')}").encode()),
        file_name="students.csv",
        now=timezone.now(),
    )
    for task in (housekeeping.remove_leftovers, housekeeping.send_mails):
        while task():
            pass
    folders = [Path(settings.SPOOL), Path(settings.MAIL_FOLDER)]
    paths = [path for folder in folders if folder.exists() for path in folder.rglob("*")]
    left = {path.name: path.read_bytes() for path in paths if path.is_file()}
    assert len([name for name in left if name.startswith(update.spool_name[:16])]) == 3
    if settings.ON_POSTGRESQL:
        left["chunks"] = b"".join(file_chunks.read(update.spool_name))
        assert left["chunks"]
    left["staged rows"] = staged_text()
    assert [name for name, data in left.items() if CANARY.search(data)] == []
    assert CANARY.search(stored_text(update.spool_name))
