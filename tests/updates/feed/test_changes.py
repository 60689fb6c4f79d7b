"""Which changes count as undone, and which files as sent before."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.students.models import Change
from rollbook.updates.models import UpdateJob
from tests.conftest import make_member
from tests.updates.night import a_class, complete, enroll, finish, run, send

SIZE = 12


@pytest.fixture
def changed(maple: District) -> District:
    """Students whose grade an update has changed from 4 to 5."""
    enroll(maple, a_class(SIZE))
    run(maple, grades("5"))
    assert Change.objects.filter(field="GRADE").count() == SIZE
    return maple


def grades(grade: str, size: int = SIZE) -> str:
    return complete(a_class(size, GRADE=grade))


def codes(district: District, text: str) -> dict[str, int]:
    """Return what is found about a file."""
    update = send(district, text, is_check=True)
    finish(update)
    return {each["code"]: each["count"] for each in update.findings or []}


def test_changes_of_files_are_undone(changed: District) -> None:
    assert codes(changed, grades("4")) == {"goes_back": SIZE}


@pytest.mark.parametrize("links", [{}, {"GROUPS": "Band"}])
def test_links_that_end_with_a_change_of_school_are_no_changes_of_their_own(
    maple: District, links: dict[str, str]
) -> None:
    """An old file that moves all students back is held, whatever else it changes."""
    enroll(maple, a_class(SIZE, **links))
    run(maple, a_class(SIZE, SCHOOL_ID="200"))
    update = send(maple, a_class(SIZE, SCHOOL_ID="100", GRADE="5"), is_check=True)
    finish(update)
    [found] = [each for each in update.findings or [] if each["code"] == "goes_back"]
    assert (found["count"], found["of"], found["holds"]) == (SIZE, 2 * SIZE, True)


def test_another_value_undoes_nothing(changed: District) -> None:
    assert codes(changed, grades("6")) == {}


@pytest.mark.parametrize("other", [{"old": "3"}, {"new": "6"}, {"field": "GENDER"}])
def test_a_change_is_undone_if_column_and_both_values_are_the_same(
    changed: District, other: dict[str, str]
) -> None:
    Change.objects.update(**other)
    assert codes(changed, grades("4")) == {}


def test_what_was_changed_of_another_student_is_not_undone(changed: District) -> None:
    Change.objects.update(student=Change.objects.filter(field="GRADE")[0].student)
    assert codes(changed, grades("4")) == {}


def test_few_changes_are_nothing_unusual(changed: District) -> None:
    assert codes(changed, grades("4", size=9)) == {}


def test_old_changes_are_forgotten(changed: District) -> None:
    old = timezone.now() - timedelta(days=14, minutes=1)
    Change.objects.update(changed_at=old)
    assert codes(changed, grades("4")) == {}


def test_a_file_may_undo_what_people_have_changed(changed: District) -> None:
    """Edits by hand last until the next file."""
    member = make_member(changed, "ana@maple.example")
    Change.objects.update(update=None, member=member)
    assert codes(changed, grades("4")) == {}
    assert Member.objects.count() == 1


def test_the_file_of_an_earlier_night_is_recognized(maple: District) -> None:
    enroll(maple, a_class(SIZE))
    for grade in ("5", "6"):
        run(maple, grades(grade))
    assert codes(maple, grades("5")) == {"goes_back": SIZE, "earlier_file": 1}
    assert codes(maple, grades("6")) == {}


def test_a_file_with_other_columns_in_between_does_not_count(maple: District) -> None:
    enroll(maple, a_class(SIZE))
    run(maple, grades("5"))
    rows = "\n".join(f"s{number:03},6" for number in range(SIZE))
    run(maple, f"STUDENT_ID,GRADE\n{rows}")
    assert "earlier_file" not in codes(maple, grades("5"))


def test_what_is_found_is_stored_once_however_often_the_check_is_finished(
    changed: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash in the transaction in which the update leaves checking leaves nothing behind."""
    update = send(changed, grades("4"), is_check=True)

    def crash(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("rollbook.updates.planning.judge.use_expectations", crash)
        with pytest.raises(MemoryError):
            finish(update)
    assert UpdateJob.objects.get(pk=update.pk).findings is None
    finish(update)
    assert update.problem_counts == {"goes_back": 1}
    assert update.problem_set.filter(code="goes_back").count() == 1
