"""Erasing one student removes everything about them, and nothing about anyone else."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District
from rollbook.operations.lifecycle import certificates, erasure, resumption
from rollbook.operations.lifecycle import mentions as student_mentions
from rollbook.operations.lifecycle.suspension import NotPossible
from rollbook.operations.models import Destruction
from rollbook.students.models import Change, Student
from rollbook.updates.models import Draft, Problem, UpdateJob
from rollbook.updates.problem_store import to_problem
from rollbook.updates.receiving import drafts
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.db.database_errors import Kill, fault_at
from tests.operations.lifecycle.district import rows
from tests.updates.night import enroll, incoming, run, send, send_bytes, students

HEADER = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE,PASSWORD"
ZOE = "zq.77,zoe.q,Zoeanna,Quill,05/13/2012"
NIGHTS = (
    f"{HEADER}\n{ZOE},4,sunny1\ns001,ann1,Ann,Lee,06/14/2012,4,sunny2\n",
    f"{HEADER}\n{ZOE},5,sunny1\ns001,ann1,Ann,Lee,06/14/2012,99,sunny2\n",
    f"{HEADER}\nzq.77,zoe.q,Zoeanna,Quill,05/13/2012,99,sunny1\ns001,ann1,Ann,Lee,06/14/2012,6,sunny2\n",
    # Another row whose problem quotes the ID of the student, and a former username.
    f"{HEADER}\ns009,zoe.q,Ann,Nine,06/15/2012,6,sunny3\nZQ.77,zoe.x,Al,Lower,01/02/2012,5,sunny4\n",
    "STUDENT_ID,USERNAME\nzq.77,zoe.y\n",
)
TRACES = ("zq.77", "zoe.q", "zoe.y", "Quill", "quill", "Zoeanna")
"""No text of random bytes, like a key or a digest, can contain these: too long or with a dot."""


@pytest.fixture
def enrolled(maple: District, cedar: District, manager: Member) -> District:
    """Maple USD with Zoe, who is in five files, and Cedar County with a student of the same ID."""
    enroll(maple, NIGHTS[0])
    enroll(cedar, NIGHTS[0])
    modes = (Mode.UPDATE, Mode.UPDATE, Mode.ADD, Mode.UPDATE)
    for text, mode in zip(NIGHTS[1:], modes, strict=True):
        run(maple, text, mode)
    data = f"{HEADER}\n{ZOE},7,sunny1\n".encode()
    drafts.create_draft(manager, incoming(data), file_name="d.csv", now=timezone.now())
    return maple


def erase(district: District, *, removes_files: bool) -> Destruction:
    student = Student.objects.get(district=district, student_id="zq.77")
    begun = erasure.start(student, timezone.now(), removes_files=removes_files)
    return erasure.run(begun, lambda removed: None)


def keys_of(query: "QuerySet[Any]") -> set[int]:
    return set(query.values_list("pk", flat=True))


def traces(district: District, *, besides: tuple[str, ...] = ()) -> list[str]:
    """Return the rows of the district that name the student; the other district has the same."""
    others = set(District.objects.exclude(pk=district.pk).values_list("pk", flat=True))
    students_of_others = set(
        Student.objects.filter(district__in=others).values_list("pk", flat=True)
    )
    updates_of_others = set(
        UpdateJob.objects.filter(district__in=others).values_list("pk", flat=True)
    )
    found = []
    for table, content in rows().items():
        for fields in content.values():
            text = json.dumps(fields)
            is_theirs = (
                fields.get("district") in others
                or fields.get("student") in students_of_others
                or fields.get("update") in updates_of_others
            )
            if table not in besides and not is_theirs and any(each in text for each in TRACES):
                found.append(f"{table}: {text}")
    return found


@pytest.mark.statement("S42")
def test_no_trace_is_left_in_the_database_nor_in_files(enrolled: District) -> None:
    assert traces(enrolled)
    finished = erase(enrolled, removes_files=True)
    assert traces(enrolled) == []
    assert finished.remaining == []
    kept = UpdateJob.objects.filter(district=enrolled, file_removed_at=None)
    assert [update.number for update in kept] == []
    for path in Path(settings.SPOOL).glob("*"):
        names = UpdateJob.objects.filter(spool_name=path.name).values_list("district", flat=True)
        assert enrolled.pk not in names
    assert not Draft.objects.exists()
    assert finished.counts["files"] == 6
    assert finished.counts["students"] == 1


def test_other_students_keep_everything(enrolled: District, cedar: District) -> None:
    before = students(enrolled)
    ann = Student.objects.get(district=enrolled, student_id="s001")
    history = list(Change.objects.filter(student=ann).values())
    theirs = students(cedar)
    erase(enrolled, removes_files=False)
    del before["zq.77"]
    assert students(enrolled) == before
    assert students(cedar) == theirs
    assert list(Change.objects.filter(student=ann).values()) == history


def test_the_counts_of_updates_stay(enrolled: District) -> None:
    names = ("number", "rows", "rows_updated", "rows_added", "rows_rejected", "problem_counts")
    before = list(UpdateJob.objects.order_by("pk").values(*names))
    erase(enrolled, removes_files=True)
    assert list(UpdateJob.objects.order_by("pk").values(*names)) == before


def test_a_problem_of_another_row_loses_only_the_text_that_quotes_the_student(
    enrolled: District,
) -> None:
    student = Student.objects.get(district=enrolled, student_id="zq.77")
    quotes = student_mentions.find(student).quotes
    assert quotes
    count = Problem.objects.filter(pk__in=quotes).count()
    erase(enrolled, removes_files=False)
    left = [to_problem(problem) for problem in Problem.objects.filter(pk__in=quotes)]
    assert [(problem.found, problem.hint) for problem in left] == [("", "")] * count


def test_without_files_the_certificate_names_those_that_remain(enrolled: District) -> None:
    finished = erase(enrolled, removes_files=False)
    day = timezone.localdate() + timedelta(days=14)
    lines = finished.signed_certificate["statement"]["remaining"]
    assert len(lines) == 6
    assert lines[0].startswith("the uploaded file of update 1, until ")
    assert str(day.year) in lines[0]
    assert lines[5].startswith("a file that was uploaded but not applied, until ")
    assert "  the uploaded file of update 1" in certificates.to_text(finished.signed_certificate)
    assert traces(enrolled, besides=("updates.Draft",)) == []


def test_a_file_without_the_student_is_kept(enrolled: District) -> None:
    run(enrolled, "STUDENT_ID,GRADE\ns001,8\n")
    erase(enrolled, removes_files=True)
    kept = UpdateJob.objects.filter(district=enrolled, file_removed_at=None)
    assert [update.number for update in kept] == [6]


def test_a_file_that_was_not_accepted_is_searched_as_text(enrolled: District) -> None:
    refused = send_bytes(enrolled, b"some notes\nabout zq.77 and others\n").update
    harmless = send_bytes(enrolled, b"some notes\nabout nobody\n").update
    assert (refused.state, harmless.state) == ("refused", "refused")
    erase(enrolled, removes_files=True)
    refused.refresh_from_db()
    harmless.refresh_from_db()
    assert (refused.file_removed_at is None, harmless.file_removed_at is None) == (False, True)


def test_a_later_file_adds_a_new_student(enrolled: District) -> None:
    old = Student.objects.get(district=enrolled, student_id="zq.77").pk
    erase(enrolled, removes_files=False)
    result = run(enrolled, NIGHTS[0], Mode.UPDATE)
    assert result.rejected >= 1
    again = run(enrolled, NIGHTS[0], Mode.ADD)
    assert again.added == 1
    new = Student.objects.get(district=enrolled, student_id="zq.77")
    assert new.pk != old
    assert Change.objects.filter(student=new).count() == 1


def test_it_waits_for_updates(enrolled: District) -> None:
    update = send(enrolled, "STUDENT_ID,GRADE\ns001,8\n")
    with pytest.raises(NotPossible, match=f"update {update.number} of the district could contain"):
        erase(enrolled, removes_files=False)
    assert Student.objects.filter(district=enrolled, student_id="zq.77").exists()
    assert not Destruction.objects.exists()


def test_an_update_that_arrives_meanwhile_is_read_too(
    enrolled: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, arrivals = student_mentions.find, [NIGHTS[2]]

    def find_and_receive(student: Student) -> student_mentions.Mentions:
        found = find(student)
        if arrivals:
            run(enrolled, arrivals.pop())
        return found

    monkeypatch.setattr(student_mentions, "find", find_and_receive)
    erase(enrolled, removes_files=True)
    assert traces(enrolled) == []


def test_the_audit_and_the_certificate_name_no_student(enrolled: District) -> None:
    student = Student.objects.get(district=enrolled, student_id="zq.77")
    finished = erase(enrolled, removes_files=True)
    events = AuditEvent.objects.filter(action="student erase").order_by("pk")
    detail = f"student with key {student.pk} of maple-usd, certificate {finished.pk}"
    assert [(event.result, event.detail) for event in events] == [
        ("started", detail),
        ("done", detail),
    ]
    certificate = finished.signed_certificate
    text = json.dumps(certificate) + certificates.to_text(certificate)
    assert not [trace for trace in TRACES if trace in text]
    digest = certificate["statement"]["student_digest"]
    assert digest == certificates.subject_digest("zq.77")
    assert digest != certificates.subject_digest("zq.78")


def test_after_a_kill_at_any_statement_the_worker_finishes(enrolled: District) -> None:
    for statement in depth.sample(range(1, 130), "kills of an erasure", daily=2):
        with transaction.atomic():
            with suppress(Kill), fault_at(statement):
                erase(enrolled, removes_files=True)
            if not Destruction.objects.exists():  # it was killed before it began
                erase(enrolled, removes_files=True)
            while resumption.continue_unfinished():
                pass
            assert traces(enrolled) == [], f"after a kill at {statement}"
            assert Destruction.objects.get().counts["students"] == 1
            transaction.set_rollback(True)
