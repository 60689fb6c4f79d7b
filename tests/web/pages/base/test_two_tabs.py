"""Test a form that is open twice: in two tabs, with two people, or with the back button.

The tab that saves second is refused if it would undo what the first one has changed. Where that
can't happen, because the form adds something or is about a single value, it is saved as usual.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.concurrent_edits import version_of
from tests.web.pages.base.form_cases import FORMS, Maple, everything
from tests.web.pages.conftest import SignedIn
from tests.web.pages.reading import read

OTHER_CHANGES: Mapping[str, Mapping[str, Any]] = {
    "student": {"last_name": "Vu"},
    "member": {"last_name": "Vu"},
    "role": {"description": "Sees the students"},
    "settings": {"details_kept_days": "120"},
    "full sync": {"absent_days": "9"},
    "expected files": {"Tuesday": "07:00"},
    "quiet hours": {"Tuesday": "8:00 AM–9:00 AM"},
    "limits": {"second_person": "on"},
    "profile": {"name": "holidays"},
    "new profile": {"name": "holidays"},
}
"""What the first tab changes, in forms with more than one value."""

HARMLESS = {
    "new student": "adds a student",
    "transfer": "begins another transfer, which can be withdrawn",
    "new school": "adds a school",
    "school": "is about one value",
    "new group": "adds a group",
    "group's name": "is about one value",
    "group's students": "adds students",
    "invitation": "adds a member",
    "new role": "adds a role",
    "new token": "adds a token",
    "password": "needs the present password",
    "emails": "is about one value",
    "pause": "adds a pause",
    "expected changes": "adds an expectation",
}
"""Forms of which the second one can't undo anything unseen, and why."""


@pytest.fixture
def maple_usd(manager: Member, visitor: SignedIn) -> Maple:
    return Maple(manager, visitor(manager))


def test_each_form_is_in_one_of_the_lists() -> None:
    assert sorted([*OTHER_CHANGES, *HARMLESS]) == sorted(FORMS)


@pytest.mark.parametrize("title", OTHER_CHANGES)
def test_the_second_tab_is_refused_and_keeps_what_was_typed(maple_usd: Maple, title: str) -> None:
    case = FORMS[title]
    second = maple_usd.filled(case)
    first = {**maple_usd.as_shown(case), **OTHER_CHANGES[title]}
    if title == "new profile":
        first |= {"first": "2098-12-21", "last": "2098-12-31"}
    assert maple_usd.submit(case, first).status_code == 302
    before = everything()
    answer = maple_usd.submit(case, second)
    page = read(answer)
    assert answer.status_code == 422
    assert any("open the page again" in problem.lower() for problem in page.problems)
    kept = page.form_with(next(iter(case.valid))).values
    for name, value in case.valid.items():
        if name != "version":
            assert kept[name] == [value]
    assert everything() == before


@pytest.mark.parametrize("title", sorted(OTHER_CHANGES.keys() - {"new profile", "profile"}))
def test_once_the_page_is_opened_again_both_changes_are_kept(maple_usd: Maple, title: str) -> None:
    case = FORMS[title]
    valid = {name: value for name, value in case.valid.items() if name != "version"}
    first = {**maple_usd.as_shown(case), **OTHER_CHANGES[title]}
    assert maple_usd.submit(case, first).status_code == 302
    second = {**maple_usd.as_shown(case), **valid}
    assert maple_usd.submit(case, second).status_code == 302
    shown = maple_usd.as_shown(case)
    for name in (*valid, *OTHER_CHANGES[title]):
        assert shown[name] in ([second[name]], second[name])


@pytest.mark.parametrize(
    "title", sorted(OTHER_CHANGES.keys() - {"new profile", "profile", "student"})
)
def test_the_same_form_twice_changes_nothing_more(maple_usd: Maple, title: str) -> None:
    case = FORMS[title]
    sent = maple_usd.filled(case)
    maple_usd.submit(case, sent)
    after = everything()
    answer = maple_usd.submit(case, sent)
    assert answer.status_code in {302, 422}
    assert everything() == after


def test_the_version_depends_on_every_value_but_not_on_the_order_of_lists() -> None:
    values = {"name": "Aide", "permissions": ["a", "b"]}
    version = version_of(values)
    assert version_of({"permissions": ["b", "a"], "name": "Aide"}) == version
    assert version_of({**values, "name": "Aid"}) != version
    assert version_of({**values, "permissions": ["a"]}) != version
