"""Triggers clear the fingerprints of students whose links change, whatever statement does it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.students import fingerprints
from rollbook.students.fingerprints import ConfirmedRow
from rollbook.students.models import Group, RowFingerprint, Student
from tests.conftest import make_member
from tests.updates.night import enroll, run

HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,GROUPS,STAFF"
Students = dict[str, tuple[bool, int]]
"""Student to whether there is a fingerprint, and the version."""


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
    for district, text in ((maple, students), (cedar, neighbors)):
        run(district, text)  # a row with a warning about new groups has no fingerprint yet
    return maple


def known(district: District) -> Students:
    rows = RowFingerprint.objects.filter(district=district).values_list(
        "student__student_id", "fingerprint", "student__version"
    )
    return {student or "": (value is not None, version) for student, value, version in rows}


def cleared(district: District) -> set[str]:
    """Return the students without a fingerprint; they, and no others, have another version."""
    students = known(district)
    assert all(is_known == (version == 0) for is_known, version in students.values())
    return {student for student, (is_known, _) in students.items() if not is_known}


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


CLEARS: dict[str, tuple[Callable[[], object], set[str]]] = {
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


def renamed(group: Group) -> Group:
    group.name = "Choir"
    return group


@pytest.mark.parametrize("cause", CLEARS)
def test_linked_students_are_cleared_and_no_others(
    school: District, cedar: District, cause: str
) -> None:
    assert cleared(school) == cleared(cedar) == set()
    change, students = CLEARS[cause]
    change()
    assert cleared(school) == students
    assert cleared(cedar) == set()


@pytest.mark.parametrize("cause", SPARES)
def test_no_students_are_cleared(school: District, cedar: District, cause: str) -> None:
    SPARES[cause]()
    assert cleared(school) == cleared(cedar) == set()


def test_a_rolled_back_change_clears_no_students(school: District) -> None:
    with transaction.atomic():
        execute("UPDATE districts_school SET organization_id = organization_id || 'x'")
        assert cleared(school) == {"ann", "bob", "cleo", "dan"}
        transaction.set_rollback(True)
    assert cleared(school) == set()


def test_a_row_compared_before_a_change_is_not_confirmed_afterward(school: District) -> None:
    ann = student("ann").pk
    Group.objects.filter(pk=band().pk).update(name="Choir")
    fingerprints.confirm([ConfirmedRow(ann, 0, 7)])
    assert known(school)["ann"] == (False, 1)
    fingerprints.confirm([ConfirmedRow(ann, 1, 7)])
    assert known(school)["ann"] == (True, 1)


def test_each_change_counts_up_the_version(school: District) -> None:
    pk = band().pk
    for name in ("Choir", "Orchestra", "Band"):
        Group.objects.filter(pk=pk).update(name=name)
    assert known(school)["bob"] == (False, 3)


def test_a_statement_that_changes_many_groups_clears_all_their_students(
    school: District, cedar: District
) -> None:
    execute("UPDATE students_group SET name = name || ' 1'")
    assert (cleared(school), cleared(cedar)) == ({"ann", "bob", "cleo", "dan"}, {"ann"})
