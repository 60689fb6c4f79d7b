"""The schools of a district: added, renamed, closed, and loaded out of a file."""

import pytest

from rollbook.districts import schools
from rollbook.districts.models import District, School
from rollbook.districts.schools import InvalidSchool
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.students.models import Group, Student
from tests.updates.night import a_class, enroll


def names(district: District) -> dict[str, str]:
    return dict(School.objects.filter(district=district).values_list("organization_id", "name"))


def test_a_school_is_added_with_its_default_group(maple: District) -> None:
    school = schools.add(maple, " 300 ", "Hill  Middle ")
    assert (school.organization_id, school.name) == ("300", "Hill Middle")
    assert list(Group.objects.filter(school=school).values_list("name", flat=True)) == ["Default"]


@pytest.mark.parametrize(
    ("key", "name", "reason"),
    [
        ("100", "Again", "there is a school 100 already; give it another organization ID"),
        ("", "Hill", "there is no SCHOOL_ID; write the school's organization ID"),
        ("1.5E+5", "Hill", "SCHOOL_ID '1.5E+5': A number was rounded by a spreadsheet"),
        ("300", " ", "there is no NAME; write the school's name"),
        ("300", "x" * 201, "the NAME is longer than 200 characters or not on one line; shorten it"),
    ],
)
def test_what_can_be_no_school_is_refused(
    maple: District, key: str, name: str, reason: str
) -> None:
    with pytest.raises(InvalidSchool) as caught:
        schools.add(maple, key, name)
    assert str(caught.value).startswith(reason)
    assert sorted(names(maple)) == ["100", "200"]


def test_the_neighbour_may_have_the_same_organization_ids(maple: District, cedar: District) -> None:
    assert schools.find(maple, School.objects.get(district=cedar, organization_id="100").pk) is None
    schools.add(maple, "900", "Ours")
    assert names(cedar)["900"] == "School 900"


def test_a_school_is_renamed(maple: District) -> None:
    schools.rename(School.objects.get(organization_id="100"), " Maple  High")
    assert names(maple)["100"] == "Maple High"
    with pytest.raises(InvalidSchool):
        schools.rename(School.objects.get(organization_id="100"), "Maple\u2028High")


def test_a_school_with_students_is_not_closed_though_all_are_inactive(maple: District) -> None:
    enroll(maple, a_class(2))
    Student.objects.update(status="inactive")
    school = Student.objects.all()[0].school
    with pytest.raises(
        InvalidSchool, match="2 students are at School 100, inactive ones too; move them"
    ):
        schools.close(school)
    assert len(names(maple)) == 2


def test_an_empty_school_is_closed_with_its_groups_and_may_be_opened_again(maple: District) -> None:
    school = schools.add(maple, "300", "Hill")
    Group.objects.create(school=school, name="Choir", name_key="choir")
    schools.close(school)
    assert sorted(names(maple)) == ["100", "200"]
    assert schools.add(maple, "300", "Hill").name == "Hill"


def test_students_are_counted_by_school(maple: District, cedar: District) -> None:
    enroll(maple, a_class(3))
    enroll(cedar, a_class(2))
    Student.objects.filter(pk=Student.objects.filter(district=maple)[0].pk).update(
        status="inactive"
    )
    found = [(each.name, each.active, each.inactive) for each in schools.schools_of(maple)]  # type: ignore[attr-defined]
    assert found == [("School 100", 2, 1), ("School 200", 0, 0)]


def test_a_file_is_loaded_as_often_as_one_likes(maple: District) -> None:
    file = schools.read(b"SCHOOL_ID,NAME\n100,Maple High\n300,Hill\n")
    assert str(schools.load(maple, file.names)) == "1 added, 1 renamed, 0 unchanged"
    assert str(schools.load(maple, file.names)) == "0 added, 0 renamed, 2 unchanged"
    assert names(maple) == {"100": "Maple High", "200": "School 200", "300": "Hill"}


def test_every_line_that_is_wrong_is_told_in_order() -> None:
    file = schools.read(b"SCHOOL_ID,NAME\n300,Hill\n400\n300,Again\n,Nameless\n")
    assert file.problems == [
        (3, "it does not have 2 cells but 1; put a text with a comma into quotes"),
        (4, "SCHOOL_ID 300 stands in line 2 already; keep one of them"),
        (5, "there is no SCHOOL_ID; write the school's organization ID"),
    ]
    with pytest.raises(CsvRejected):
        schools.read(b"ID,NAME\n")
