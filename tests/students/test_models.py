"""Database constraints reject invalid students."""

import pytest
from django.db import IntegrityError, transaction

from rollbook.districts.models import District, School
from rollbook.students.models import Group, Student
from tests.conftest import make_district
from tests.updates.night import a_class, enroll


@pytest.mark.parametrize("taken", ["student_id", "username"])
def test_two_students_of_a_district_never_share_a_key(maple: District, taken: str) -> None:
    enroll(maple, a_class(2))
    held = Student.objects.values_list(taken, flat=True).get(student_id="s000")
    with pytest.raises(IntegrityError), transaction.atomic():
        Student.objects.filter(student_id="s001").update(**{taken: held})


def test_two_students_of_a_district_may_share_name_and_birth_date(maple: District) -> None:
    enroll(maple, a_class(2))
    ann = Student.objects.get(student_id="s000")
    Student.objects.filter(student_id="s001").update(name_key=ann.name_key, loose_key=ann.loose_key)
    assert Student.objects.filter(loose_key=ann.loose_key).count() == 2


def test_a_student_is_active_or_inactive_and_nothing_else(maple: District) -> None:
    enroll(maple, a_class(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Student.objects.update(status="gone")


def test_school_ids_and_group_names_are_unique(maple: District) -> None:
    school = School.objects.get(district=maple, organization_id="100")
    Group.objects.create(school=school, name="Band", name_key="band")
    with pytest.raises(IntegrityError), transaction.atomic():
        Group.objects.create(school=school, name="BAND", name_key="band")
    with pytest.raises(IntegrityError), transaction.atomic():
        School.objects.create(district=maple, organization_id="100", name="Another")


def test_any_number_of_students_may_have_no_student_id(maple: District) -> None:
    enroll(maple, a_class(3, STUDENT_ID=""))
    assert Student.objects.filter(student_id=None).count() == 3


def test_a_log_line_contains_only_the_id_of_a_student(db: None) -> None:
    district = make_district("Oak Hills", "1")
    enroll(district, a_class(1, SCHOOL_ID="1"))
    ann = Student.objects.get()
    assert str(ann) == f"student {ann.pk}"
    assert "Ann" not in str(ann.change_set.get())
