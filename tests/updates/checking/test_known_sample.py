"""A sample of known records is compared with their students; what differs is no longer known."""

import pytest
from django.db import connection

from rollbook.districts.models import District
from rollbook.students.models import Student, TouchedStudent
from rollbook.updates.checking import check_range, known_sample
from rollbook.updates.checking.known_sample import Comparison
from rollbook.updates.receiving import files
from tests.updates.night import a_class, column_of, counts, enroll, known, last, run

FILE = a_class(10, GRADE="4")


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, FILE)
    run(maple, FILE)
    assert len(known(maple)) == 10
    return maple


def change_without_triggers(grade: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE students_student SET grade = %s", [grade])
    TouchedStudent.objects.all().delete()


def test_known_records_are_what_their_students_are(school: District, cedar: District) -> None:
    enroll(cedar, FILE)
    found = {each.district: (each.compared, each.wrong) for each in known_sample.compare(1000)}
    assert found == {school: (10, 0), cedar: (10, 0)}
    assert [each.compared for each in known_sample.compare(13)] == [10, 3]
    assert list(known_sample.compare(0)) == []


def test_a_difference_is_found_and_the_next_file_heals_it(school: District) -> None:
    change_without_triggers("7")
    assert counts(run(school, FILE)) == {"unchanged": 10}
    assert list(known_sample.compare(4)) == [Comparison(school, 4, 4)]
    assert list(known_sample.compare(4)) == []
    assert counts(run(school, FILE)) == {"updated": 10}
    assert set(column_of(school, "GRADE").values()) == {"4"}
    assert list(known_sample.compare(1000)) == [Comparison(school, 10, 0)]


def test_touched_students_are_not_compared(school: District) -> None:
    Student.objects.filter(student_id__lt="s004").update(grade="7", version=1)
    assert list(known_sample.compare(1000)) == [Comparison(school, 6, 0)]


def test_any_range_may_be_drawn(maple: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_range, "MAX_RECORDS", 4)
    enroll(maple, FILE)
    sizes = {each.compared for _ in range(60) for each in known_sample.compare(1000)}
    assert sizes == {4, 2}


def test_without_one_or_all_of_its_ranges_nothing_is_compared(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_range, "MAX_RECORDS", 4)
    enroll(maple, FILE)
    stored = last(maple).checkedrange_set.order_by("end_line")
    stored[0].delete()
    for _ in range(9):
        assert list(known_sample.compare(1000)) == [Comparison(maple, 0, 0)]
    stored.delete()
    assert list(known_sample.compare(1000)) == [Comparison(maple, 0, 0)]


def test_without_the_file_nothing_is_compared(school: District) -> None:
    files.remove([last(school).spool_name])
    if connection.vendor == "sqlite":
        assert list(known_sample.compare(1000)) == []
    last(school).__class__.objects.update(file_removed_at=last(school).ended_at)
    assert list(known_sample.compare(1000)) == []
