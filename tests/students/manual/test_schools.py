"""Schools with their groups and students: added, loaded from a file, counted, closed."""

import pytest

from rollbook.districts import schools
from rollbook.districts.models import District, School
from rollbook.districts.schools import InvalidSchool
from rollbook.students.manual.schools import add_school, close_school, list_schools, load_schools
from rollbook.students.models import Group, Student
from tests.updates.night import a_class, enroll


def names(district: District) -> dict[str, str]:
    return dict(School.objects.filter(district=district).values_list("organization_id", "name"))


def test_a_school_is_added_with_its_default_group(maple: District) -> None:
    school = add_school(maple, " 300 ", "Hill  Middle ")
    assert (school.organization_id, school.name) == ("300", "Hill Middle")
    assert list(Group.objects.filter(school=school).values_list("name", flat=True)) == ["Default"]


@pytest.mark.parametrize(
    ("organization_id", "name", "reason"),
    [
        ("100", "Again", "School ID 100 is already in use; choose another one"),
        ("", "Hill", "SCHOOL_ID is missing; enter the school's ID"),
        ("1.5E+5", "Hill", "SCHOOL_ID '1.5E+5': A spreadsheet rounded a number"),
        ("300", " ", "NAME is missing; enter the school's name"),
        ("300", "x" * 201, "NAME is longer than 200 characters or not on one line; shorten it"),
    ],
)
def test_an_invalid_school_is_not_added(
    maple: District, organization_id: str, name: str, reason: str
) -> None:
    with pytest.raises(InvalidSchool) as caught:
        add_school(maple, organization_id, name)
    assert str(caught.value).startswith(reason)
    assert sorted(names(maple)) == ["100", "200"]


def test_districts_may_use_the_same_school_ids(maple: District, cedar: District) -> None:
    add_school(maple, "900", "Ours")
    assert names(cedar)["900"] == "School 900"


def test_a_school_with_inactive_students_only_is_not_closed(maple: District) -> None:
    enroll(maple, a_class(2))
    Student.objects.update(status="inactive")
    school = Student.objects.all()[0].school
    with pytest.raises(
        InvalidSchool, match="School 100 has 2 students, active or inactive; move them"
    ):
        close_school(school)
    assert len(names(maple)) == 2


def test_an_empty_school_is_closed_with_its_groups_and_may_be_added_again(maple: District) -> None:
    school = add_school(maple, "300", "Hill")
    Group.objects.create(school=school, name="Choir", name_key="choir")
    close_school(school)
    assert sorted(names(maple)) == ["100", "200"]
    assert add_school(maple, "300", "Hill").name == "Hill"


def test_students_are_counted_by_school(maple: District, cedar: District) -> None:
    enroll(maple, a_class(3))
    enroll(cedar, a_class(2))
    Student.objects.filter(pk=Student.objects.filter(district=maple)[0].pk).update(
        status="inactive"
    )
    counts = [(each.name, each.active, each.inactive) for each in list_schools(maple)]  # type: ignore[attr-defined]
    assert counts == [("School 100", 2, 1), ("School 200", 0, 0)]


def test_a_file_can_be_loaded_again(maple: District) -> None:
    file = schools.read(b"SCHOOL_ID,NAME\n100,Maple High\n300,Hill\n")
    assert str(load_schools(maple, file.names)) == "1 added, 1 renamed, 0 unchanged"
    assert str(load_schools(maple, file.names)) == "0 added, 0 renamed, 2 unchanged"
    assert names(maple) == {"100": "Maple High", "200": "School 200", "300": "Hill"}
