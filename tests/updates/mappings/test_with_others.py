"""A column mapping together with full sync, and with what is looked for in a file."""

import pytest

from rollbook.districts.models import District
from rollbook.updates.absences import named
from rollbook.updates.feed import sample
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from tests.updates.mappings.test_engine import file_of, save
from tests.updates.night import a_class, enroll, finish, send_bytes


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(120))
    save(maple_once)


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


def night(district: District, grade: str = "4", prefix: str = "") -> UpdateJob:
    rows = [(f"{prefix}s{number:03}", grade, "student") for number in range(120)]
    update = send_bytes(district, file_of(*rows)).update
    finish(update)
    update.refresh_from_db()
    return update


def test_the_shape_is_that_of_the_values_after_the_mapping(school: District) -> None:
    update = night(school)
    assert (update.state, update.findings) == (State.COMPLETED, None)
    assert update.shape is not None
    columns = update.shape["columns"]
    assert set(columns) == {"STUDENT_ID", "FIRST_NAME", "LAST_NAME", "GRADE"}
    header = sample.header_of_cells(update.parse_header())
    (first, *_) = sample.sample(update, update.parse_header())
    named_cells = dict(zip(header.names, first, strict=True))
    assert named_cells["STUDENT_ID"] == "s000"


def test_ids_that_the_mapping_reads_correctly_are_no_finding(school: District) -> None:
    night(school)
    assert night(school, grade="5").findings is None


def test_ids_that_are_wrong_behind_the_mapping_are_one(school: District) -> None:
    night(school)
    wrong = night(school, prefix="0")
    assert "ids_changed_form" in {each["code"] for each in wrong.findings or []}


def test_a_rejected_row_keeps_the_student_whom_it_names_through_the_mapping(
    school: District,
) -> None:
    rows = [("s000", "99", "student"), ("s001", "4", "student")]
    update = send_bytes(school, file_of(*rows).replace(b'"Lee000, Ann000"', b"?")).update
    finish(update)
    student = school.student_set.get(student_id="s000")
    assert named.students_named(update, [2]) == {student.pk}
