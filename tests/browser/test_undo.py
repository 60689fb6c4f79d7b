"""Undo an update in the browser: ask, review the plan, apply it, and see what stays."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.actions import sign_in, wait_until_ended
from tests.browser.conftest import WITH_AND_WITHOUT_SCRIPTS
from tests.endtoend.conftest import LOGIN, Rollbook, two_districts

__all__ = ["two_districts"]

pytestmark = pytest.mark.daily_share(1 / 2)
HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,ELL,SPECIAL_ED,GRADE,SCHOOL_ID"
NAMES = ("Ana", "Ben", "Cleo")


def load(rollbook: Rollbook, text: str, *options: str) -> None:
    """Process a student file to its end."""
    file = rollbook.data.parent / "students.csv"
    file.write_text(text, encoding="utf-8")
    rollbook.run("student", "load", "maple-usd", str(file), *options)


@WITH_AND_WITHOUT_SCRIPTS
def test_a_wrong_file_is_undone_and_what_has_changed_since_stays(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    new = f"new{javascript}".lower()
    rows = [f"{name}{new},{name},{new},5/13/2014,f,n,n,4,100" for name in NAMES]
    load(rollbook, "\n".join([HEADER, *rows, ""]), "--mode", "add")
    wrong = [row.replace(",4,100", ",9,100") for row in rows]
    added = f"Dan{new},Dan,{new},5/13/2014,m,n,n,9,200"
    load(rollbook, "\n".join([HEADER, *wrong, added, ""]), "--mode", "add")
    load(rollbook, f"STUDENT_ID,GRADE\nCleo{new},8\n")

    sign_in(page, LOGIN)
    page.goto("/updates")
    page.get_by_role("link", name=re.compile(r"^Update \d+$")).nth(1).click()
    undone = int(page.url.rpartition("/")[2])
    main = page.get_by_role("main")
    page.get_by_role("button", name="Undo…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Undo update {undone}?")
    expect(main).to_contain_text("changed 3 students and added 1.")
    if javascript:
        assert_accessible(page)
    page.get_by_role("button", name="Make a plan").click()
    expect(page.get_by_role("heading", name="Decision")).to_be_visible()
    expect(main).to_contain_text("2 students would be set back, 1 would be deactivated, 1 can't")
    if javascript:
        assert_accessible(page)
    page.get_by_role("button", name="Set back 2 students and deactivate 1", exact=True).click()
    wait_until_ended(page)
    expect(main).to_contain_text(f"undid update {undone}: 3 of 4 students were set back.")
    expect(main).to_contain_text(f"It changed in update {undone + 1}")
    if javascript:
        assert_accessible(page)
    page.get_by_role("link", name=f"update {undone}", exact=True).first.click()
    expect(main).to_contain_text(f"Undone by update {undone + 2}.")
    expect(page.get_by_role("button", name="Undo…")).to_have_count(0)
    if javascript:
        assert_accessible(page)
