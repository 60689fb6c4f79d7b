"""The number of changed students by column always matches the history."""

from collections import Counter

import pytest

from rollbook.districts.models import District
from rollbook.students.models import Change, Student
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, applying, enroll, finish, last, run, send

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(6, GRADE="4"))
    return maple


def counts_from_history(update: UpdateJob) -> Counter[str]:
    update.refresh_from_db()
    return Counter(Change.objects.filter(update=update).values_list("field", flat=True))


NIGHT = """
    STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE,PASSWORD,SCHOOL_ID,GROUPS
    s000,,,,,5,,,
    s001,free,,,,5,secret,,
    s002,,,,,15,,,
    s003,,,,,,,200,
    s004,,,,,,,200,Band
    s005,,,,,4,,,Band;Chess
    n1,n1,Zoe,Fox,2012-01-01,4,canary,100,
"""


def test_counts_match_the_history(school: District) -> None:
    run(school, NIGHT, Mode.ADD)
    update = last(school)
    counts = changes_by_field(update)
    assert counts == {
        "STUDENT": 1,
        "USERNAME": 1,
        "PASSWORD": 1,
        "GRADE": 2,
        "SCHOOL_ID": 2,
        "GROUPS": 2,
    }
    assert counts == counts_from_history(update)
    assert list(counts) == ["STUDENT", "USERNAME", "PASSWORD", "GRADE", "SCHOOL_ID", "GROUPS"]


def test_counts_match_the_history_after_each_chunk_and_run(school: District) -> None:
    update = send(school, a_class(6, GRADE="5", GENDER="m"))
    for chunks in (0, 1, 1):
        applying(update, chunks)  # and this run is abandoned
        update.refresh_from_db()
        assert changes_by_field(update) == counts_from_history(update)
    finish(update)
    assert changes_by_field(update) == counts_from_history(update) == {"GENDER": 6, "GRADE": 6}


def test_a_canceled_update_counts_the_changes_it_made(school: District) -> None:
    update = send(school, a_class(6, GRADE="5"))
    applying(update, 1)
    cancel(school)
    update.refresh_from_db()
    assert changes_by_field(update) == {"GRADE": 2}


def test_an_update_without_changes_has_no_counts(school: District) -> None:
    run(school, a_class(6, GRADE="4"))
    assert changes_by_field(last(school)) == {}
    assert changes_by_field(send(school, a_class(1))) == {}


def test_a_row_with_a_late_conflict_is_not_counted(school: District) -> None:
    update = send(school, "STUDENT_ID,USERNAME,GRADE\ns000,free,5\ns001,,5")
    work = applying(update)
    Student.objects.filter(student_id="s005").update(username="free")
    list(work)
    update.refresh_from_db()
    assert changes_by_field(update) == counts_from_history(update) == {"GRADE": 1}
