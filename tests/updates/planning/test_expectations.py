"""Expected changes: they don't count toward the limits, and end by themselves."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import AccountMail, Member
from rollbook.districts.models import District
from rollbook.updates.models import Expectation
from rollbook.updates.planning import expectations, limit_sets
from rollbook.updates.planning.expectations import MAX_EXPECTATIONS, Wanted
from rollbook.updates.state_machine import Mode, State
from rollbook.validation import ValidationFailed
from tests.conftest import make_member
from tests.updates.night import a_class, counts, enroll, last, run

NOW = datetime.fromisoformat("2026-12-04T12:00:00-06:00")
DAY = timedelta(days=1)


def expect(district: District, *columns: str, **more: bool) -> Expectation:
    now = timezone.now()
    return expectations.expect(district, Wanted(columns, now + DAY, **more), None, now)


def movers(count: int, grade: str = "8") -> str:
    rows = "".join(f"s{number:03},200,{grade}\n" for number in range(count))
    return f"STUDENT_ID,SCHOOL_ID,GRADE\n{rows}"


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(200))
    return maple


def test_expected_columns_may_change_for_everyone(school: District) -> None:
    expect(school, "school_id", " GRADE ")
    assert counts(run(school, movers(200))) == {"updated": 200}
    assert counts(run(school, movers(200, grade="9"))) == {"updated": 200}


def test_other_columns_are_still_limited(school: District) -> None:
    expect(school, "GRADE")
    result = run(school, movers(200))
    assert result.state is State.HELD
    assert result.plan
    assert {reason.measure for reason in result.plan.reasons} == {"moved_out", "changed"}


def test_an_expectation_for_one_update_is_used_up_by_it(school: District) -> None:
    stored = expect(school, "SCHOOL_ID", "GRADE", is_for_one_update=True)
    assert run(school, movers(200), is_check=True).state is State.CHECKED
    assert counts(run(school, movers(200))) == {"updated": 200}
    stored.refresh_from_db()
    assert stored.used_by == last(school)
    assert limit_sets.find_expectations(school.pk, timezone.now()) == []
    assert run(school, a_class(200, GRADE="3")).state is State.HELD


def test_new_students_can_be_expected(school: District) -> None:
    def new(size: int) -> str:
        return a_class(size, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", FIRST_NAME="Ted{0:03}")

    assert run(school, new(150), Mode.ADD).state is State.HELD
    expect(school, "STUDENT_ADDED")
    assert counts(run(school, new(151), Mode.ADD)) == {"added": 151}


def test_it_ends_by_itself_or_when_somebody_ends_it(maple: District, cedar: District) -> None:
    now = timezone.now()
    stored = expect(maple, "GRADE")
    assert limit_sets.find_expectations(maple.pk, now + DAY / 2) == [stored]
    assert limit_sets.find_expectations(maple.pk, now + DAY + timedelta(seconds=5)) == []
    assert expectations.end(cedar, stored.pk, timezone.now()) is None
    assert expectations.end(maple, stored.pk, timezone.now()) == stored
    assert expectations.end(maple, stored.pk, timezone.now()) is None
    assert limit_sets.find_expectations(maple.pk, timezone.now()) == []


def test_the_other_managers_are_notified(maple: District, manager: Member) -> None:
    colleague = make_member(maple, "ana@maple.example")
    wanted = Wanted(("student_added", "GRADE"), NOW + 7 * DAY)
    stored = expectations.expect(maple, wanted, manager, NOW)
    assert stored.columns == ["GRADE", "STUDENT_ADDED"]
    mail = AccountMail.objects.get()
    assert (mail.member, mail.actor) == (colleague, manager)
    assert mail.notice_detail == (
        "expected changes don't count toward the limits: GRADE and new students, until "
        "Dec 11, 2026, 12:00 PM CST"
    )


@pytest.mark.parametrize(
    ("columns", "until", "error"),
    [
        ((), DAY, "no column is named; name those that may change for everyone"),
        ((" ", ""), DAY, "no column is named"),
        (("GRADES",), DAY, "there is no column 'GRADES'; did you mean GRADE?"),
        (("SHOE_SIZE",), DAY, "there is no column 'SHOE_SIZE'; use column names of the student"),
        (("x" * 5000,), DAY, "there is no column 'XXXXX"),
        (("GRADE", "a\0b"), DAY, "there is no column 'AB';"),
        (("GRADE",), -DAY, "Dec 3, 2026, 12:00 PM CST is in the past; choose a later time"),
        (("GRADE",), 0 * DAY, "Dec 4, 2026, 12:00 PM CST is in the past"),
        (
            ("GRADE",),
            7 * DAY + timedelta(seconds=1),
            "changes can be expected for 7 days at most, until Dec 11, 2026, 12:00 PM CST",
        ),
    ],
)
def test_what_is_not_possible_is_refused(
    maple: District, columns: tuple[str, ...], until: timedelta, error: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        expectations.expect(maple, Wanted(columns, NOW + until), None, NOW)
    (reason,) = refused.value.reasons
    assert error in reason
    assert len(reason) < 200
    assert Expectation.objects.count() == 0


def test_there_are_at_most_twenty(maple: District) -> None:
    for _ in range(MAX_EXPECTATIONS):
        expect(maple, "GRADE")
    with pytest.raises(ValidationFailed, match="there are 20 expectations already; end one first"):
        expect(maple, "GRADE")
