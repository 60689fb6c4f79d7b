"""Students added and edited by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots
from rollbook.students.manual import edits
from rollbook.students.manual.edits import InvalidStudent
from rollbook.students.models import Change, Student
from rollbook.students.passwords import verify
from rollbook.students.writer import ChangeAuthor
from tests.updates.night import (
    a_class,
    counts,
    enroll,
    history,
    known,
    password_of,
    run,
    students,
    values_of,
)

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TODAY = date(2026, 11, 24)
ANA = {
    "FIRST_NAME": "Ana",
    "LAST_NAME": "Brook",
    "DOB": "5/13/2014",
    "GENDER": "f",
    "GRADE": "4",
    "SCHOOL_ID": "100",
    "ELL": "n",
    "SPECIAL_ED": "n",
}


@pytest.fixture
def author(manager: Member) -> ChangeAuthor:
    return ChangeAuthor(None, manager.pk, NOW)


def key(district: District, student_id: str) -> int:
    return Student.objects.get(district=district, student_id=student_id).pk


def refused(action: Callable[[], object]) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidStudent) as caught:
        action()
    return [(problem.code, problem.column) for problem in caught.value.problems]


def test_a_student_is_added_with_a_generated_username_and_password(
    maple: District, author: ChangeAuthor
) -> None:
    added = edits.add(
        maple.pk, {**ANA, "STUDENT_ID": "7", "PASSWORD": "", "USERNAME": ""}, author, TODAY
    )
    assert added.username == "abrook"
    assert verify(password_of(maple, "7"), added.password)
    assert values_of(maple, "7", "DOB", "GROUPS", "STATUS") == ("2014-05-13", "Default", "active")
    assert history(maple, "7") == [("STUDENT", "", "added")]
    assert Change.objects.get().member_id == author.member_id


def test_the_entered_username_and_password_are_used(
    maple: District, manager: Member, author: ChangeAuthor
) -> None:
    fields = {
        **ANA,
        "USERNAME": "Ana.B",
        "PASSWORD": "Sunny7",
        "GROUPS": "Band & Chess",
        "STAFF": manager.email,
    }
    added = edits.add(maple.pk, fields, author, TODAY)
    assert (added.username, added.password) == ("ana.b", "sunny7")
    assert students(maple)["ana.b"]["GROUPS"] == "Band&Chess"
    assert students(maple)["ana.b"]["STAFF"] == manager.email


def test_every_problem_is_reported(maple: District, author: ChangeAuthor) -> None:
    fields = {
        **ANA,
        "FIRST_NAME": "",
        "GRADE": "99",
        "SCHOOL_ID": "900",
        "STAFF": "nobody@maple.example",
    }
    assert refused(lambda: edits.add(maple.pk, fields, author, TODAY)) == [
        ("bad_value", "GRADE"),
        ("required", "FIRST_NAME"),
        ("unknown_school", "SCHOOL_ID"),
        ("unknown_staff", "STAFF"),
    ]
    assert not Student.objects.exists()


def test_keys_of_another_student_are_taken(
    maple: District, cedar: District, author: ChangeAuthor
) -> None:
    enroll(cedar, a_class(1))
    enroll(maple, a_class(2))
    theirs = {
        "STUDENT_ID": "s001",
        "USERNAME": "u001",
        "FIRST_NAME": "ANN001",
        "LAST_NAME": "Lee001",
    }
    assert refused(
        lambda: edits.add(maple.pk, {**ANA, **theirs, "DOB": "5/13/2012"}, author, TODAY)
    ) == [
        ("student_id_taken", "STUDENT_ID"),
        ("username_taken", "USERNAME"),
    ]
    assert refused(lambda: edits.edit(maple.pk, key(maple, "s000"), theirs, author, TODAY)) == [
        ("student_id_taken", "STUDENT_ID"),
        ("username_taken", "USERNAME"),
    ]


def test_an_unusual_value_is_accepted_with_a_warning(maple: District, author: ChangeAuthor) -> None:
    added = edits.add(maple.pk, {**ANA, "DOB": "5/13/1980"}, author, TODAY)
    assert [(problem.code, problem.column) for problem in added.warnings] == [
        ("unusual_age", "DOB")
    ]


def test_changed_fields_change_the_student(maple: District, author: ChangeAuthor) -> None:
    enroll(maple, a_class(1, RACE="WH", ADDITIONAL_INFO_1="bus 4"))
    pk = key(maple, "s000")
    student = snapshots.load_by_id([pk])[pk]
    snapshots.add_links([student])
    fields = edits.form_values(student) | {
        "GRADE": "5",
        "RACE": "",
        "MIDDLE_INITIAL": "Q",
        "ADDITIONAL_INFO_1": " bus 4 ",
    }
    edited = edits.edit(maple.pk, pk, fields, author, TODAY, student.version)
    assert sorted(edited.columns) == ["GRADE", "MIDDLE_INITIAL", "RACE"]
    assert history(maple, "s000")[1:] == [
        ("MIDDLE_INITIAL", "", "Q"),
        ("GRADE", "4", "5"),
        ("RACE", "WH", ""),
    ]
    by_hand = Change.objects.filter(member=author.member_id, update=None)
    assert list(by_hand.values_list("field", flat=True).order_by("pk")) == [
        "MIDDLE_INITIAL",
        "GRADE",
        "RACE",
    ]


def test_an_unchanged_form_changes_nothing(maple: District, author: ChangeAuthor) -> None:
    enroll(maple, a_class(1, GROUPS="Chess&Band", CLASSIFICATIONS="Dyslexia&Autism"))
    pk = key(maple, "s000")
    student = snapshots.load_by_id([pk])[pk]
    snapshots.add_links([student])
    assert (
        edits.edit(maple.pk, pk, edits.form_values(student), author, TODAY, student.version).columns
        == ()
    )
    assert Student.objects.get(pk=pk).version == student.version


def test_required_values_cannot_be_cleared(maple: District, author: ChangeAuthor) -> None:
    enroll(maple, a_class(1))
    fields = {"FIRST_NAME": " ", "STUDENT_ID": "", "GENDER": ""}
    assert refused(lambda: edits.edit(maple.pk, key(maple, "s000"), fields, author, TODAY)) == [
        ("required", "FIRST_NAME"),
        ("required", "STUDENT_ID"),
        ("required", "GENDER"),
    ]


def test_a_password_must_not_be_the_unchanged_username(
    maple: District, author: ChangeAuthor
) -> None:
    enroll(maple, a_class(1))
    assert refused(
        lambda: edits.edit(maple.pk, key(maple, "s000"), {"PASSWORD": "U000"}, author, TODAY)
    ) == [("weak_password", "PASSWORD")]
    edits.edit(maple.pk, key(maple, "s000"), {"PASSWORD": "Sunny7"}, author, TODAY)
    assert verify(password_of(maple, "s000"), "sunny7")
    assert history(maple, "s000")[1:] == [("PASSWORD", "", "changed")]


def test_a_form_for_an_earlier_version_changes_nothing(
    maple: District, author: ChangeAuthor
) -> None:
    enroll(maple, a_class(1))
    pk = key(maple, "s000")
    version = Student.objects.get(pk=pk).version
    edits.edit(maple.pk, pk, {"GRADE": "5"}, author, TODAY, version)
    assert refused(lambda: edits.edit(maple.pk, pk, {"GRADE": "6"}, author, TODAY, version)) == [
        ("changed_meanwhile", None)
    ]
    assert values_of(maple, "s000", "GRADE") == ("5",)


def test_the_next_file_overwrites_an_edit(maple: District, author: ChangeAuthor) -> None:
    """The student is touched, so the same row is compared again."""
    file = a_class(2, GRADE="4")
    enroll(maple, file)
    assert counts(run(maple, file)) == {"unchanged": 2}
    edits.edit(maple.pk, key(maple, "s000"), {"GRADE": "5"}, author, TODAY)
    assert known(maple) == {"s001"}
    assert counts(run(maple, file)) == {"updated": 1, "unchanged": 1}


def test_a_transfer_removes_links_and_keeps_the_other_values(
    maple: District, manager: Member, author: ChangeAuthor
) -> None:
    enroll(maple, a_class(2, GROUPS="Band", STAFF=manager.email))
    before = students(maple)
    school = School.objects.get(district=maple, organization_id="200")
    assert edits.transfer_students(maple.pk, [key(maple, "s000")], school, author) == 1
    assert edits.transfer_students(maple.pk, [key(maple, "s000")], school, author) == 0
    after = students(maple)
    assert after["s001"] == before["s001"]
    left = {"SCHOOL_ID": "200", "GROUPS": "Default"}
    assert (
        after["s000"]
        == {name: text for name, text in before["s000"].items() if name != "STAFF"} | left
    )
    assert history(maple, "s000")[1:] == [
        ("SCHOOL_ID", "100", "200"),
        ("GROUPS", "Band", "Default"),
        ("STAFF", manager.email, ""),
    ]


def test_an_error_reads_as_a_sentence() -> None:
    text = str(InvalidStudent([Problem("required", column="GRADE", hint="fill it in")]))
    assert text == "A value is missing. Fill it in"
