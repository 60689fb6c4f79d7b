"""Links between staff and students end with the school or the role."""

from datetime import date

import pytest

from rollbook.accounts.members import changes
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import RoleType
from rollbook.accounts.roles import create_role
from rollbook.districts.models import District, School
from rollbook.students.manual import edits
from rollbook.students.manual.edits import InvalidStudent
from rollbook.students.models import Change, Student
from rollbook.students.visibility import visible_students
from rollbook.students.writer import ChangeAuthor
from rollbook.updates.state_machine import Mode
from tests.accounts.browser import NOW
from tests.conftest import make_member
from tests.updates.night import counts, dump, enroll, last, problems, run, stored_problems

pytestmark = pytest.mark.statement("S20", "S23")

TEACHER, OTHER = "teacher@maple.example", "other@maple.example"
FILE = """
    STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,STAFF
    1,Ana,Brook,2012-05-13,100,teacher@maple.example
    2,Ben,Cole,2012-05-13,200,teacher@maple.example&other@maple.example
"""


@pytest.fixture
def teacher(maple: District) -> Member:
    """An instructor of two schools, with a student at each; another one works at one of them."""
    teacher = make_member(maple, "teacher@maple.example", "instructor")
    other = make_member(maple, "other@maple.example", "instructor")
    teacher.schools.set(School.objects.filter(district=maple))
    other.schools.set(School.objects.filter(district=maple, organization_id="200"))
    enroll(maple, FILE)
    return teacher


def change(
    member: Member, by: Member | None = None, role: str = "instructor", *schools: str
) -> Member:
    """Change the role and the schools; both schools if none are given."""
    return changes.change(
        member,
        by,
        NOW,
        email=member.email,
        first_name="Ana",
        last_name="Ruiz",
        role=role,
        schools=schools or ("100", "200"),
    )


def staff_of(student_id: str) -> list[str]:
    staff = Student.objects.get(student_id=student_id).staff
    return list(staff.order_by("email").values_list("email", flat=True))


def ids(member: Member) -> list[str | None]:
    return list(visible_students(member).order_by("pk").values_list("student_id", flat=True))


def test_leaving_a_school_ends_the_links_there_for_good(teacher: Member, manager: Member) -> None:
    assert ids(teacher) == ["1", "2"]
    left = change(teacher, manager, "instructor", "100")
    assert ids(left) == ["1"]
    returned = change(left, manager)
    assert ids(returned) == ["1"]
    ben = Student.objects.get(student_id="2")
    assert [member.email for member in ben.staff.all()] == ["other@maple.example"]
    entry = Change.objects.latest("pk")
    assert (entry.student, entry.field, entry.old, entry.new, entry.member) == (
        ben,
        "STAFF",
        "other@maple.example&teacher@maple.example",
        "other@maple.example",
        manager,
    )


def test_another_email_is_a_change_of_the_staff_of_each_student(
    teacher: Member, manager: Member
) -> None:
    before = {student.pk: student.version for student in Student.objects.all()}
    changes.change(
        teacher,
        manager,
        NOW,
        email="amy@maple.example",
        first_name="Ana",
        last_name="Ruiz",
        role="instructor",
        schools=("100", "200"),
    )
    history = Change.objects.filter(field="STAFF").order_by("student__student_id")
    assert list(history.values_list("student__student_id", "old", "new", "member")) == [
        ("1", TEACHER, "amy@maple.example", manager.pk),
        ("2", f"{OTHER}&{TEACHER}", f"amy@maple.example&{OTHER}", manager.pk),
    ]
    assert all(student.version > before[student.pk] for student in Student.objects.all())


def test_another_type_of_role_ends_all_links(teacher: Member) -> None:
    head = change(teacher, None, "school manager")
    again = change(head)
    assert ids(again) == []
    assert not Student.objects.filter(staff=teacher).exists()


MOVES = {
    "without the column": "STUDENT_ID,SCHOOL_ID\n1,200",
    "with an empty cell": "STUDENT_ID,SCHOOL_ID,STAFF\n1,200,",
    "with the teacher": f"STUDENT_ID,SCHOOL_ID,STAFF\n1,200,{TEACHER}",
    "in two rows": f"STUDENT_ID,SCHOOL_ID,STAFF\n1,200,\n1,,{TEACHER}",
}


@pytest.mark.parametrize("text", MOVES.values(), ids=MOVES)
def test_a_student_who_changes_schools_by_a_file_is_no_longer_linked(
    teacher: Member, manager: Member, text: str
) -> None:
    change(teacher, manager, "instructor", "100")
    assert ids(teacher) == ["1"]
    update = run(teacher.district, text)
    assert ids(teacher) == []
    assert staff_of("1") == []
    entry = Change.objects.filter(field="STAFF").latest("pk")
    assert (entry.old, entry.new, entry.update_id) == (TEACHER, "", last(teacher.district).pk)
    assert counts(update)["updated"] == 1
    before = dump(teacher.district)
    assert "updated" not in counts(run(teacher.district, text))
    assert dump(teacher.district) == before
    change(teacher, manager)
    assert ids(teacher) == []


def test_a_file_links_no_staff_of_another_school_and_warns_each_time(
    teacher: Member, manager: Member
) -> None:
    change(teacher, manager, "instructor", "100")
    maple, text = teacher.district, f"STUDENT_ID,STAFF\n2,{TEACHER}&{OTHER}&{manager.email}"
    assert counts(run(maple, text)) == {"updated": 1}
    for _ in range(2):
        assert staff_of("2") == [manager.email, OTHER]
        [problem] = stored_problems(last(maple))
        assert (problem.code, problem.line, problem.found) == ("staff_elsewhere", 2, TEACHER)
        assert counts(run(maple, text)) == {"unchanged": 1}
    change(teacher, manager)
    assert counts(run(maple, text)) == {"updated": 1}
    assert staff_of("2") == [manager.email, OTHER, TEACHER]
    assert counts(run(maple, text)) == {"unchanged": 1}
    assert stored_problems(last(maple)) == []


def test_the_same_file_again_does_not_restore_links_that_ended(
    teacher: Member, manager: Member
) -> None:
    change(teacher, manager, "instructor", "100")
    assert counts(run(teacher.district, FILE)) == {"unchanged": 2}
    assert staff_of("2") == [OTHER]
    assert problems(last(teacher.district)) == {3: ["staff_elsewhere"]}


@pytest.mark.parametrize(
    "text", [f"9,Zoe,Day,2012-05-13,100,{OTHER}", f"9,Zoe,Day,2012-05-13,100,\n9,,,,,{OTHER}"]
)
def test_a_new_student_is_not_linked_with_staff_of_another_school(
    teacher: Member, text: str
) -> None:
    header = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,STAFF"
    assert counts(run(teacher.district, f"{header}\n{text}", Mode.ADD))["added"] == 1
    assert staff_of("9") == []


def test_staff_of_another_school_can_not_be_linked_by_hand(
    teacher: Member, manager: Member
) -> None:
    ana, author = Student.objects.get(student_id="1"), ChangeAuthor(None, manager.pk, NOW)
    with pytest.raises(InvalidStudent) as refused:
        edits.edit(
            teacher.district.pk, ana.pk, {"STAFF": f"{TEACHER}&{OTHER}"}, author, date(2026, 11, 28)
        )
    [problem] = refused.value.problems
    assert (problem.code, problem.column, problem.found) == ("staff_elsewhere", "STAFF", OTHER)
    assert staff_of("1") == [TEACHER]


def test_another_role_of_the_same_type_and_other_changes_keep_them(
    teacher: Member, manager: Member
) -> None:
    create_role(manager, RoleType.INSTRUCTOR, "Coach", "", teacher.role.granted_permissions)
    assert ids(change(teacher, manager, "Coach")) == ["1", "2"]
    assert not Change.objects.filter(field="STAFF", member=manager).exists()


def test_a_link_at_a_school_that_is_not_the_members_shows_nothing(teacher: Member) -> None:
    """Earlier versions linked anybody whom a student file named."""
    teacher.schools.set(School.objects.filter(district=teacher.district, organization_id="200"))
    assert ids(teacher) == ["2"]
