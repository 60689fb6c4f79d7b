"""Files that were sent with a limited token: protected columns, and the share of students."""

from typing import Any

import pytest

from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from tests.updates import night
from tests.updates.night import a_class, column_of, counts, dump, enroll, last, send

pytestmark = pytest.mark.statement("S12")


def run_limited(district: District, content: str, **limits: Any) -> Any:
    """Run an update of a file that was sent with a limited token."""
    update = send(district, content)
    UpdateJob.objects.filter(pk=update.pk).update(limits=limits)
    return night.finish(update)


def test_a_row_that_changes_a_protected_column_is_rejected(maple: District) -> None:
    enroll(maple, a_class(4))
    content = "STUDENT_ID,STATUS,GRADE\ns000,inactive,8\ns001,active,8\ns002,,9\n"
    result = run_limited(maple, content, columns=["STATUS", "PASSWORD"])
    assert counts(result) == {"updated": 2, "rejected": 1}
    assert night.problems(last(maple)) == {2: ["protected_column"]}
    assert "inactive" not in column_of(maple, "STATUS").values()
    assert list(column_of(maple, "GRADE").values()).count("8") == 1


def test_without_a_limit_it_is_changed(maple: District) -> None:
    enroll(maple, a_class(4))
    assert counts(run_limited(maple, "STUDENT_ID,STATUS\ns000,inactive\n")) == {"updated": 1}


@pytest.mark.parametrize(("percent", "is_refused"), [(20, True), (30, False), (100, False)])
def test_a_file_that_changes_too_many_students_is_refused(
    maple: District, percent: int, *, is_refused: bool
) -> None:
    enroll(maple, a_class(10))
    before = dump(maple)
    content = "STUDENT_ID,GRADE\n" + "".join(f"s{number:03},8\n" for number in range(3))
    result = run_limited(maple, content, percent=percent)
    assert (result.state is State.REFUSED) == is_refused
    assert (dump(maple) == before) == is_refused
    if is_refused:
        assert result.refusal.message.startswith(
            "The file would change more students than its token allows. "
            "3 students would change, and 20% of 10 may: check the export"
        )
