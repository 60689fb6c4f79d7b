"""Triggers mark students whose record changes as touched, whatever statement changes it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.students import touched
from rollbook.students.models import Change, Group, Student, TouchedStudent
from rollbook.students.touched import ComparedStudent
from tests.conftest import make_member
from tests.updates.night import enroll

HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,GROUPS,STAFF"


@pytest.fixture
def school(maple: District, manager: Member, cedar: District, neighbor: Member) -> District:
    """Four students with groups and staff, and a neighboring district with the same."""
    make_member(maple, "zoe@maple.example")
    students = f"""{HEADER}
        ann,Ann,Lee,2012-05-13,100,Band&Chess,ops@maple.example&zoe@maple.example
        bob,Bob,Lee,2012-05-13,100,Band,
        cleo,Cleo,Lee,2012-05-13,200,Band,zoe@maple.example
        dan,Dan,Lee,2012-05-13,200,,
        """
    enroll(maple, students)
    neighbors = f"{HEADER}\nann,Ann,Lee,2012-05-13,100,Band&Chess,ops@cedar.example\n"
    enroll(cedar, neighbors)
    TouchedStudent.objects.all().delete()
    return maple


def marked(district: District) -> set[str]:
    """Return the touched students of a district; they, and no others, have another version."""
    versions = dict(Student.objects.filter(district=district).values_list("pk", "version"))
    stored = TouchedStudent.objects.filter(district=district)
    for student, version, settled_by in stored.values_list("student_id", "version", "settled_by"):
        assert versions[student] == version > 0
        assert settled_by is None
        del versions[student]
    assert not any(versions.values())
    students = Student.objects.filter(pk__in=stored.values("student_id"))
    return {student.student_id or "" for student in students}


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def student(key: str) -> Student:
    return Student.objects.get(student_id=key, district__slug="maple-usd")


def band(school: str = "100") -> Group:
    return Group.objects.get(
        name="Band", school__organization_id=school, school__district__slug="maple-usd"
    )


def the_school() -> School:
    return School.objects.get(organization_id="100", district__slug="maple-usd")


def ops() -> Member:
    return Member.objects.get(email="ops@maple.example")


TOUCHES: dict[str, tuple[Callable[[], object], set[str]]] = {
    "a link with a group is deleted": (
        lambda: execute(
            f"DELETE FROM students_student_groups WHERE group_id = {band().pk}"
            f" AND student_id = {student('bob').pk}"
        ),
        {"bob"},
    ),
    "all links with a group are deleted": (
        lambda: execute(f"DELETE FROM students_student_groups WHERE group_id = {band().pk}"),
        {"ann", "bob"},
    ),
    "a student is taken out of a group": (lambda: student("ann").groups.remove(band()), {"ann"}),
    "a group's students are all taken out": (lambda: band().student_set.clear(), {"ann", "bob"}),
    "a group is deleted": (lambda: band().delete(), {"ann", "bob"}),
    "a group is renamed": (
        lambda: execute(f"UPDATE students_group SET name = 'Choir' WHERE id = {band().pk}"),
        {"ann", "bob"},
    ),
    "a group is renamed and saved": (lambda: renamed(band()).save(), {"ann", "bob"}),
    "a group is moved to another school": (
        lambda: Group.objects.filter(pk=band().pk).update(
            school=School.objects.create(
                district=the_school().district, organization_id="300", name=""
            )
        ),
        {"ann", "bob"},
    ),
    "a link with a member is deleted": (
        lambda: execute(
            f"DELETE FROM students_student_staff WHERE student_id = {student('cleo').pk}"
        ),
        {"cleo"},
    ),
    "a member is taken from a student": (lambda: student("ann").staff.remove(ops()), {"ann"}),
    "a member is deleted": (lambda: ops().delete(), {"ann"}),
    "a member's email is changed": (
        lambda: execute(
            "UPDATE accounts_member SET email = 'z@maple.example' WHERE email = 'zoe@maple.example'"
        ),
        {"ann", "cleo"},
    ),
    "a member goes to another district": (
        lambda: Member.objects.filter(pk=ops().pk).update(
            district=District.objects.get(slug="cedar-county")
        ),
        {"ann"},
    ),
    "a School ID is changed": (
        lambda: execute(
            f"UPDATE districts_school SET organization_id = '101' WHERE id = {the_school().pk}"
        ),
        {"ann", "bob"},
    ),
    "a school is moved to another district": (
        lambda: execute(
            "UPDATE districts_school SET district_id ="
            " (SELECT id FROM districts_district WHERE slug = 'cedar-county'),"
            f" organization_id = 'moved' WHERE id = {the_school().pk}"
        ),
        {"ann", "bob"},
    ),
}
TOUCHES |= {
    "a student is changed": (
        lambda: Student.objects.filter(pk=student("dan").pk).update(grade="7", version=1),
        {"dan"},
    ),
    "a password is set by hand": (
        lambda: Student.objects.filter(pk=student("dan").pk).update(password="x", version=1),
        {"dan"},
    ),
}
SPARES: dict[str, Callable[[], object]] = {
    "a school has another name": lambda: School.objects.update(name="Elementary"),
    "a group's folded name is written": lambda: Group.objects.filter(pk=band().pk).update(
        name_key="BAND"
    ),
    "a member is renamed": lambda: Member.objects.update(first_name="Zoe"),
    "a member has another password": lambda: Member.objects.update(
        password="x", last_login=datetime.now(UTC)
    ),
    "a member is deactivated": lambda: Member.objects.update(is_active=False),
    "a district has another name": lambda: District.objects.update(name="Oak", time_zone="UTC"),
    "a password is wrapped": lambda: Student.objects.update(password="argon2id$"),
    "a group without students is deleted": lambda: Group.objects.create(
        school=the_school(), name="x", name_key="x"
    ).delete(),
    "a member without students is deleted": lambda: make_member(
        the_school().district, "new@maple.example"
    ).delete(),
}


def rename(group: Group, name: str) -> None:
    Group.objects.filter(pk=group.pk).update(name=name)


def renamed(group: Group) -> Group:
    group.name = "Choir"
    return group


@pytest.mark.parametrize("cause", TOUCHES)
def test_these_students_are_touched_and_no_others(
    school: District, cedar: District, cause: str
) -> None:
    assert marked(school) == marked(cedar) == set()
    change, students = TOUCHES[cause]
    change()
    assert marked(school) == students
    assert marked(cedar) == set()


@pytest.mark.parametrize("cause", SPARES)
def test_no_students_are_marked(school: District, cedar: District, cause: str) -> None:
    SPARES[cause]()
    assert marked(school) == marked(cedar) == set()


def test_a_rolled_back_change_touches_no_students(school: District) -> None:
    with transaction.atomic():
        execute("UPDATE districts_school SET organization_id = organization_id || 'x'")
        assert marked(school) == {"ann", "bob", "cleo", "dan"}
        transaction.set_rollback(True)
    assert marked(school) == set()


def test_a_change_by_a_statement_that_forgets_the_version_counts(school: District) -> None:
    execute("UPDATE students_student SET grade = '7' WHERE student_id = 'dan'")
    assert touched.find(school.pk, 0) == {student("dan").pk}


def test_a_deleted_student_is_touched(school: District) -> None:
    dan = student("dan")
    Change.objects.filter(student=dan).delete()
    dan.groups.clear()
    pk, _ = dan.pk, dan.delete()
    assert touched.find(school.pk, 0) == {pk}
    touched.remove([pk])
    assert not touched.find(school.pk, 0)


# Settling


def test_a_settled_student_is_touched_for_all_updates_but_one(school: District) -> None:
    rename(band(), "Choir")
    ann, bob = student("ann").pk, student("bob").pk
    assert touched.find(school.pk, 7) == {ann, bob}
    touched.settle(7, [ann])
    assert (touched.find(school.pk, 7), touched.find(school.pk, 8)) == ({bob}, {ann, bob})
    assert [len(touched.find(school.pk, 8, limit)) for limit in (1, 2, 3)] == [1, 2, 2]


def test_another_change_takes_it_back(school: District) -> None:
    rename(band(), "Choir")
    ann, bob = student("ann").pk, student("bob").pk
    touched.settle(7, [ann, bob])
    student("ann").groups.clear()
    assert touched.find(school.pk, 7) == {ann}


def test_only_the_version_that_was_compared_is_settled(school: District) -> None:
    rename(band(), "Choir")
    ann, bob, cleo = (student(key).pk for key in ("ann", "bob", "cleo"))
    compared = [ComparedStudent(ann, 1), ComparedStudent(bob, 0), ComparedStudent(cleo, 0)]
    touched.settle_compared(7, compared)
    assert touched.find(school.pk, 7) == {bob}
    rename(Group.objects.get(name="Choir", student=ann), "Orchestra")
    touched.settle_compared(7, compared)
    assert touched.find(school.pk, 7) == {ann, bob}


def test_students_can_be_touched_by_hand(school: District) -> None:
    ann = student("ann").pk
    touched.touch([ann])
    touched.settle(7, [ann])
    assert not touched.find(school.pk, 7)
    touched.touch([ann])
    assert touched.find(school.pk, 7) == {ann}


def test_what_an_update_has_settled_is_removed_in_parts(
    school: District, cedar: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "REMOVED_AT_ONCE", 1)
    execute("UPDATE students_group SET name = name || ' 1'")
    ann, bob, cleo = (student(key).pk for key in ("ann", "bob", "cleo"))
    touched.settle(7, [ann, bob])
    assert [touched.remove_settled(school.pk, 7) for _ in range(3)] == [True, True, False]
    assert ann not in touched.find(school.pk, 0)
    assert cleo in touched.find(school.pk, 0)
    assert len(touched.find(cedar.pk, 0)) == 1


def test_each_change_counts_up_the_version(school: District) -> None:
    group = band()
    for name in ("Choir", "Orchestra", "Band"):
        rename(group, name)
    assert student("bob").version == 3
    assert TouchedStudent.objects.get(student_id=student("bob").pk).version == 3


def test_a_statement_that_changes_many_groups_touches_all_their_students(
    school: District, cedar: District
) -> None:
    execute("UPDATE students_group SET name = name || ' 1'")
    assert (marked(school), marked(cedar)) == ({"ann", "bob", "cleo", "dan"}, {"ann"})


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db
def test_no_connection_keeps_a_plan_for_few_students() -> None:
    settings = {
        "touch_student_updated": ["enable_nestloop=off"],  # it would compare all pairs
        "touch_group_link_removed": ["enable_seqscan=off"],
        "touch_staff_link_removed": ["enable_seqscan=off"],
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, proconfig FROM pg_proc WHERE proconfig IS NOT NULL")
        stored = dict(cursor.fetchall())
    assert {name: stored.get(name) for name in settings} == settings
