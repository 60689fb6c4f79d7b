"""The schools of a district: files are read and validated, schools are found and renamed."""

import pytest

from rollbook.districts import schools
from rollbook.districts.models import District, School
from rollbook.districts.schools import InvalidSchool
from rollbook.studentfile.small_csv import CsvRejected


def test_schools_of_other_districts_are_not_found(maple: District, cedar: District) -> None:
    ours = School.objects.get(district=maple, organization_id="100")
    theirs = School.objects.get(district=cedar, organization_id="100")
    assert schools.find(maple, ours.pk) == ours
    assert schools.find(maple, theirs.pk) is None


def test_a_school_is_renamed(maple: District) -> None:
    schools.rename(School.objects.get(organization_id="100"), " Maple  High")
    assert School.objects.get(district=maple, organization_id="100").name == "Maple High"
    with pytest.raises(InvalidSchool):
        schools.rename(School.objects.get(organization_id="100"), "Maple\u2028High")


def test_every_problem_of_a_file_is_reported_in_order() -> None:
    file = schools.read(b"SCHOOL_ID,NAME\n300,Hill\n400\n300,Again\n,Nameless\n")
    assert file.problems == [
        (3, "there must be 2 cells, not 1; put values that contain a comma in quotation marks"),
        (4, "SCHOOL_ID 300 is already in line 2; keep one of them"),
        (5, "SCHOOL_ID is missing; enter the school's ID"),
    ]
    with pytest.raises(CsvRejected):
        schools.read(b"ID,NAME\n")
