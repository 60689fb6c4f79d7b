"""What of an update's changes can be set back in one student."""

import pytest

from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.undoing.reversal import (
    LeftField,
    Obstacle,
    PastChange,
    Places,
    Reversal,
    plan_reversal,
)

NOW = {"GRADE": "5", "SCHOOL_ID": "200", "GROUPS": "Default", "STAFF": "", "STATUS": "active"}
COACH = "coach@maple.example"
PLACES = Places({"100", "200"}, lambda email, school: (email, school) == (COACH, "100"))
MOVE, ADDED = PastChange("100", "200"), PastChange("", "added")


def reverse(
    later: dict[str, str] | None = None,
    now: dict[str, str] | None = None,
    **changes: PastChange,
) -> Reversal:
    by_column = changes or {STUDENT_ADDED: ADDED}
    return plan_reversal(by_column, NOW | (now or {}), later or {}, PLACES)


def changed(column: str, cause: str = "") -> LeftField:
    return LeftField(column, Obstacle.CHANGED, cause)


def test_a_value_goes_back_if_it_is_still_the_new_one() -> None:
    assert reverse(GRADE=PastChange("4", "5")) == Reversal({"GRADE": "4"})
    assert reverse(GRADE=PastChange("5", "6")) == Reversal()
    assert reverse({"GRADE": "in update 9"}, GRADE=PastChange("3", "4")) == Reversal(
        {}, [changed("GRADE", "in update 9")]
    )


def test_a_value_that_was_changed_and_changed_back_goes_back() -> None:
    assert reverse({"GRADE": "in update 9"}, GRADE=PastChange("4", "5")).new == {"GRADE": "4"}


def test_lists_are_the_same_in_any_order_and_case() -> None:
    change = PastChange("Chess", "math & ART")
    assert reverse(now={"GROUPS": "Art&Math"}, GROUPS=change).new == {"GROUPS": "Chess"}


def test_a_student_who_was_added_is_deactivated_if_nothing_has_changed() -> None:
    assert reverse() == Reversal({"STATUS": "inactive"})
    assert reverse(now={"STATUS": "inactive"}) == Reversal()
    later = {"GRADE": "in update 9", "RACE": "in update 10"}
    assert reverse(later) == Reversal({}, [changed("RACE", "in update 10")])


def test_a_password_stays() -> None:
    reversal = reverse(PASSWORD=PastChange("", "changed"), GRADE=PastChange("4", "5"))
    assert reversal == Reversal({"GRADE": "4"}, [LeftField("PASSWORD", Obstacle.PASSWORD)])


def test_groups_and_staff_without_an_entry_go_with_the_school() -> None:
    assert reverse(SCHOOL_ID=MOVE).new == {"SCHOOL_ID": "100", "GROUPS": "Default", "STAFF": ""}


def test_groups_and_staff_go_back_with_the_school() -> None:
    reversal = reverse(
        SCHOOL_ID=MOVE, GROUPS=PastChange("Chess", "Default"), STAFF=PastChange(COACH, "")
    )
    assert reversal.new == {"SCHOOL_ID": "100", "GROUPS": "Chess", "STAFF": COACH}


@pytest.mark.parametrize("column", ["GROUPS", "STAFF"])
def test_a_student_whose_links_have_changed_stays_at_the_school(column: str) -> None:
    reversal = reverse({column: "in update 9"}, SCHOOL_ID=MOVE, GRADE=PastChange("4", "5"))
    assert reversal.new == {"GRADE": "4"}
    assert changed("SCHOOL_ID", "in update 9") in reversal.left


def test_links_stay_with_a_school_that_stays() -> None:
    chess = PastChange("Chess", "Default")
    reversal = reverse({"SCHOOL_ID": "in update 9"}, GROUPS=chess)
    assert reversal == Reversal({}, [changed("GROUPS", "in update 9")])
    other = reverse(SCHOOL_ID=PastChange("100", "300"), GROUPS=chess)
    assert other == Reversal({}, [changed("SCHOOL_ID"), changed("GROUPS")])


def test_nobody_goes_back_to_a_closed_school() -> None:
    reversal = reverse(SCHOOL_ID=PastChange("300", "200"), GRADE=PastChange("4", "5"))
    assert reversal == Reversal({"GRADE": "4"}, [LeftField("SCHOOL_ID", Obstacle.GONE)])


def test_only_staff_who_work_at_the_school_are_linked_again() -> None:
    gone = LeftField("STAFF", Obstacle.GONE)
    change = PastChange(f"{COACH}&x@maple.example", "")
    assert reverse(STAFF=change) == Reversal({}, [gone])  # the coach isn't at School 200
    at_school = reverse(now={"SCHOOL_ID": "100"}, STAFF=change)
    assert at_school == Reversal({"STAFF": COACH}, [gone])
