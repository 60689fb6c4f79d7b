"""Test what is done with the selected students of the list, and that it asks before."""

from typing import Any

import pytest

from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent, Member, Role
from rollbook.districts.models import District
from rollbook.students.models import Student, Transfer
from rollbook.students.passwords import verify
from rollbook.web.pages.students import chosen
from rollbook.web.pages.students.chosen import CHANGED_SINCE, NONE_SELECTED, TOO_MANY
from rollbook.web.pages.students.chosen_views import TOO_MANY_PASSWORDS
from tests.updates.night import a_class, enroll
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read, text_of

ACTIONS = ("passwords", "deactivate", "reactivate", "transfer")
SELECTED = "/students/selected"


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.fixture
def keys(maple: District) -> list[int]:
    """The keys of three students."""
    enroll(maple, a_class(3))
    return list(Student.objects.filter(district=maple).order_by("pk").values_list("pk", flat=True))


def statuses() -> list[str]:
    return list(Student.objects.order_by("pk").values_list("status", flat=True))


def cards(page: Page) -> list[list[str]]:
    """Username and password of each card."""
    return [
        [text_of(code) for code in card.iter("code")] for card in page.main.iterfind(".//ul/li")
    ]


def test_the_list_has_a_box_for_each_student_and_one_for_all(
    browser: Visitor, keys: list[int]
) -> None:
    page = browser.read("/students")
    form = page.form(f"{SELECTED}/passwords")
    assert form.values["listed"] == [str(key) for key in keys]
    assert {"all", "student"} <= form.fields.keys()
    assert form.buttons == [
        "Transfer",
        "New passwords and sign-in cards",
        "Deactivate",
        "Reactivate",
    ]


def test_selected_students_are_deactivated_and_reactivated_after_a_question(
    browser: Visitor, keys: list[int]
) -> None:
    page = browser.search("/students", {"search": "ann", "sort": "-name"})
    back = page.form(f"{SELECTED}/passwords").values["list"]
    fields = {"student": keys[:2], "list": back}
    asked = read(browser.post(f"{SELECTED}/deactivate", fields))
    assert asked.heading == "Deactivate 2 students?"
    assert "Ann000 Lee000 (s000)" in asked.text
    assert statuses() == ["active"] * 3
    page = browser.follow(browser.confirm(f"{SELECTED}/deactivate", fields))
    assert page.messages == ["2 students deactivated."]
    assert statuses() == ["inactive", "inactive", "active"]
    assert page.form("/students").values["search"] == ["ann"]
    assert page.form("/students").values["sort"] == ["-name"]
    event = AuditEvent.objects.get(action="edit student", result="ok")
    assert (event.detail, student_sets.decode(event.students)) == (
        "2 students: inactive",
        keys[:2],
    )
    page = browser.follow(browser.confirm(f"{SELECTED}/reactivate", {"student": keys}))
    assert page.messages == ["2 students reactivated."]
    assert statuses() == ["active"] * 3


def test_one_box_selects_the_whole_page(browser: Visitor, keys: list[int]) -> None:
    fields = {"all": "yes", "listed": keys, "student": keys[:1]}
    browser.confirm(f"{SELECTED}/deactivate", fields)
    assert statuses() == ["inactive"] * 3


def test_new_passwords_are_shown_once_on_cards(browser: Visitor, keys: list[int]) -> None:
    page = read(browser.confirm(f"{SELECTED}/passwords", {"student": keys[:2]}))
    assert page.heading == "Sign-in cards"
    students = Student.objects.filter(pk__in=keys[:2]).order_by("pk")
    for student, (username, password) in zip(students, cards(page), strict=True):
        assert username == student.username
        assert verify(student.password, password)
    event = AuditEvent.objects.get(action="new password", result="ok")
    assert (event.detail, student_sets.decode(event.students)) == ("2 students", keys[:2])
    assert cards(page)[0][1] not in event.detail


@pytest.mark.parametrize("action", ["passwords", "deactivate"])
def test_an_answer_that_is_submitted_twice_does_nothing_the_second_time(
    browser: Visitor, keys: list[int], action: str
) -> None:
    asked = read(browser.post(f"{SELECTED}/{action}", {"student": keys}))
    answer = asked.form(f"{SELECTED}/{action}").values
    browser.post(f"{SELECTED}/{action}", answer)
    before = list(Student.objects.order_by("pk").values())
    page = browser.follow(browser.post(f"{SELECTED}/{action}", answer))
    assert page.messages[-1] == CHANGED_SINCE
    assert list(Student.objects.order_by("pk").values()) == before


def test_if_one_has_changed_in_another_tab_none_is_changed(
    browser: Visitor, keys: list[int]
) -> None:
    asked = read(browser.post(f"{SELECTED}/deactivate", {"student": keys}))
    browser.confirm(f"/students/{keys[2]}/password")
    answer = asked.form(f"{SELECTED}/deactivate").values
    page = browser.follow(browser.post(f"{SELECTED}/deactivate", answer))
    assert page.messages == [CHANGED_SINCE]
    assert statuses() == ["active"] * 3


def test_an_answer_without_a_question_does_nothing(browser: Visitor, keys: list[int]) -> None:
    fields = {"student": keys, "sure": "yes"}
    assert browser.follow(browser.post(f"{SELECTED}/deactivate", fields)).messages == [
        CHANGED_SINCE
    ]
    assert statuses() == ["active"] * 3


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"student": ""},
        {"student": "x:y"},
        {"student": "9" * 40},
        {"student": "-1:1", "sure": "yes"},
    ],
)
def test_without_a_selection_nothing_happens(
    browser: Visitor, keys: list[int], action: str, fields: dict[str, Any]
) -> None:
    page = browser.follow(browser.post(f"{SELECTED}/{action}", fields))
    assert page.messages == [NONE_SELECTED]


@pytest.mark.parametrize("action", ACTIONS)
def test_students_of_another_district_cannot_be_selected(
    browser: Visitor, keys: list[int], cedar: District, action: str
) -> None:
    enroll(cedar, a_class(1))
    theirs = Student.objects.get(district=cedar)
    fields = {"student": f"{theirs.pk}:{theirs.version}", "sure": "yes", "target": "200"}
    page = browser.follow(browser.post(f"{SELECTED}/{action}", fields))
    assert page.messages == [NONE_SELECTED]
    after = Student.objects.get(district=cedar)
    assert (after.version, after.status) == (theirs.version, "active")


def test_members_who_may_not_edit_have_no_boxes(
    visitor: SignedIn, school_manager: Member, keys: list[int]
) -> None:
    Role.objects.filter(pk=school_manager.role_id).update(permissions=["see students"])
    browser = visitor(school_manager)
    page = browser.read("/students")
    assert page.actions == ["/students"]
    for action in ACTIONS:
        answer = browser.post(f"{SELECTED}/{action}", {"student": keys, "sure": "yes"})
        assert answer.status_code == 403
    assert statuses() == ["active"] * 3


def test_selected_students_are_transferred(browser: Visitor, keys: list[int]) -> None:
    page = read(browser.post(f"{SELECTED}/transfer", {"student": keys[1:]}))
    assert page.heading == "Transfer 2 students"
    assert "Ann001 Lee001 (s001)" in page.text
    form = page.form_with("target").values
    page = read(browser.post(f"{SELECTED}/transfer", form))
    assert page.problems == ["New school: This field is required."]
    page = browser.follow(browser.post(f"{SELECTED}/transfer", {**form, "target": "200"}))
    assert page.messages == ["2 students transferred from School 100 to School 200."]
    assert Transfer.objects.get().students.count() == 2


def test_students_of_several_schools_are_not_transferred_together(
    browser: Visitor, keys: list[int]
) -> None:
    first = Student.objects.get(pk=keys[0])
    first.school = first.district.school_set.get(organization_id="200")
    first.save()
    page = browser.follow(browser.post(f"{SELECTED}/transfer", {"student": keys}))
    (message,) = page.messages
    assert "these students are at School 100 and School 200; select those of one school" in message
    assert not Transfer.objects.exists()


# All who match


@pytest.fixture
def many(maple: District) -> list[int]:
    """The keys of 60 students, on two pages; all but one are in grade 5."""
    enroll(maple, a_class(60, GRADE="5"))
    keys = Student.objects.filter(district=maple).order_by("pk").values_list("pk", flat=True)
    Student.objects.filter(pk=keys[0]).update(grade="6")
    return list(keys)


def matching(browser: Visitor, **filters: str) -> dict[str, Any]:
    """Return the fields of the list with these filters, with the box of all who match."""
    page = browser.search("/students", filters) if filters else browser.read("/students")
    form = page.form(f"{SELECTED}/passwords")
    assert "matching" in form.fields
    return {**form.values, "matching": "yes"}


def test_all_who_match_are_selected_on_all_pages(browser: Visitor, many: list[int]) -> None:
    fields = matching(browser, grade="5")
    asked = read(browser.post(f"{SELECTED}/deactivate", fields))
    assert asked.heading == "Deactivate 59 students?"
    assert asked.form().buttons == ["Deactivate 59 students"]
    names = [text_of(item) for item in asked.main.iter("li")]
    assert (len(names), names[-1]) == (21, "and 39 more")
    assert statuses() == ["active"] * 60
    page = browser.follow(
        browser.post(f"{SELECTED}/deactivate", asked.form(f"{SELECTED}/deactivate").values)
    )
    assert page.messages == ["59 students deactivated."]
    assert statuses() == ["active", *["inactive"] * 59]
    seen, done = AuditEvent.objects.filter(action="edit student").order_by("pk")
    assert len(student_sets.decode(seen.students)) == 20
    assert student_sets.decode(done.students) == many[1:]


def test_without_filters_all_students_of_the_list_are_selected(
    browser: Visitor, many: list[int]
) -> None:
    browser.confirm(f"{SELECTED}/deactivate", matching(browser))
    assert statuses() == ["inactive"] * 60


def test_a_list_of_one_page_has_no_box_for_other_pages(browser: Visitor, keys: list[int]) -> None:
    assert "matching" not in browser.read("/students").form(f"{SELECTED}/passwords").fields


@pytest.mark.parametrize("action", ["deactivate", "transfer"])
def test_if_another_student_matches_since_the_question_nothing_is_changed(
    browser: Visitor, many: list[int], action: str
) -> None:
    asked = read(browser.post(f"{SELECTED}/{action}", matching(browser, grade="5")))
    field = "target" if action == "transfer" else "digest"
    answer = {**asked.form_with(field).values, "target": "200"}
    Student.objects.filter(pk=many[0]).update(grade="5")
    page = browser.follow(browser.post(f"{SELECTED}/{action}", answer))
    assert page.messages == [CHANGED_SINCE]
    assert statuses() == ["active"] * 60
    assert not Transfer.objects.exists()


def test_an_answer_about_all_who_match_works_once(browser: Visitor, many: list[int]) -> None:
    fields = matching(browser, grade="5", status="active")
    asked = read(browser.post(f"{SELECTED}/deactivate", fields))
    answer = asked.form(f"{SELECTED}/deactivate").values
    browser.post(f"{SELECTED}/deactivate", answer)
    before = list(Student.objects.order_by("pk").values())
    page = browser.follow(browser.post(f"{SELECTED}/deactivate", answer))
    assert page.messages[-1] == NONE_SELECTED
    assert list(Student.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("digest", [{}, {"digest": ""}, {"digest": "x"}])
def test_an_answer_that_was_not_asked_for_does_nothing(
    browser: Visitor, many: list[int], digest: dict[str, str]
) -> None:
    fields = {**matching(browser), **digest, "sure": "yes"}
    page = browser.follow(browser.post(f"{SELECTED}/deactivate", fields))
    assert page.messages == [CHANGED_SINCE]
    assert statuses() == ["active"] * 60


@pytest.mark.parametrize("action", ACTIONS)
def test_more_than_the_limit_are_refused(
    browser: Visitor, many: list[int], action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = matching(browser)
    monkeypatch.setattr(chosen, "MAX_MATCHING", 59)
    page = browser.follow(browser.post(f"{SELECTED}/{action}", fields))
    assert page.messages == [TOO_MANY]
    assert statuses() == ["active"] * 60


def test_new_passwords_are_for_one_page(browser: Visitor, many: list[int]) -> None:
    page = browser.follow(browser.post(f"{SELECTED}/passwords", matching(browser)))
    assert page.messages == [TOO_MANY_PASSWORDS]


def test_all_who_match_are_transferred(browser: Visitor, many: list[int]) -> None:
    page = read(browser.post(f"{SELECTED}/transfer", matching(browser, grade="5")))
    assert page.heading == "Transfer 59 students"
    form = page.form_with("target").values
    page = browser.follow(browser.post(f"{SELECTED}/transfer", {**form, "target": "200"}))
    assert page.messages == ["59 students transferred from School 100 to School 200."]


def test_a_school_manager_selects_no_students_of_other_schools(
    visitor: SignedIn, school_manager: Member, many: list[int], cedar: District
) -> None:
    enroll(cedar, a_class(60))
    elsewhere = Student.objects.get(pk=many[0])
    elsewhere.school = elsewhere.district.school_set.get(organization_id="200")
    elsewhere.save()
    browser = visitor(school_manager)
    browser.confirm(f"{SELECTED}/deactivate", matching(browser))
    inactive = Student.objects.filter(status="inactive")
    assert sorted(inactive.values_list("pk", flat=True)) == many[1:]
