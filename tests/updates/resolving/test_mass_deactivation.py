"""A file that would deactivate most students is refused after the check."""

import pytest

from rollbook.districts.models import District
from rollbook.updates.state_machine import State
from tests.updates import night
from tests.updates.night import a_class, column_of, counts, dump, enroll, last, run


def leavers(count: int, status: str = "inactive") -> str:
    rows = "".join(f"s{number:03},{status}\n" for number in range(count))
    return f"STUDENT_ID,STATUS\n{rows}"


@pytest.mark.parametrize(("students", "leaving"), [(5, 5), (9, 5), (20, 11)])
def test_a_file_that_deactivates_more_than_half_is_refused(
    maple: District, cedar: District, students: int, leaving: int
) -> None:
    enroll(maple, a_class(students))
    enroll(cedar, a_class(30))
    before = dump(maple)
    result = run(maple, leavers(leaving))
    assert result.state is State.REFUSED
    assert result.refusal
    assert result.refusal.message.startswith(
        f"The file would deactivate most students. {leaving} of {students} active students "
    )
    assert night.problems(last(maple)) == {2: ["mass_deactivation"]}
    assert counts(result) == {}
    assert dump(maple) == before


@pytest.mark.parametrize(("students", "leaving"), [(4, 4), (10, 5), (20, 10)])
def test_a_file_that_deactivates_fewer_is_applied(
    maple: District, students: int, leaving: int
) -> None:
    enroll(maple, a_class(students))
    assert counts(run(maple, leavers(leaving))) == {"updated": leaving}
    assert list(column_of(maple, "STATUS").values()).count("inactive") == leaving


def test_students_who_are_inactive_already_do_not_count(maple: District) -> None:
    enroll(maple, a_class(10))
    run(maple, leavers(5))
    assert counts(run(maple, leavers(7))) == {"updated": 2, "unchanged": 5}


def test_a_text_that_looks_like_a_deactivation_is_none(maple: District) -> None:
    enroll(maple, a_class(6))
    text = '"""STATUS"": [""active"", ""inactive""]"'
    rows = "".join(f"s{number:03},active,{text}\n" for number in range(6))
    assert counts(run(maple, f"STUDENT_ID,STATUS,ADDITIONAL_INFO_1\n{rows}")) == {"updated": 6}
