"""Plans in the browser: a file is checked and applied, and a held update is approved in part."""

import csv
import io

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.actions import choose_file, sign_in, wait_for_plan, wait_until_ended
from tests.browser.conftest import WITH_AND_WITHOUT_SCRIPTS
from tests.endtoend.conftest import LOGIN, Rollbook, two_districts

__all__ = ["two_districts"]

pytestmark = pytest.mark.daily_share(1 / 2)
NEEDED = "FIRST_NAME,LAST_NAME,DOB,GENDER,ELL,SPECIAL_ED"
NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn")


@pytest.fixture(autouse=True)
def enrolled(rollbook: Rollbook) -> None:
    """Make six students of each of two schools active, in grade 4."""
    rows = [
        f"{school}{name},{name},School{school},5/13/2014,f,n,n,4,{school},active"
        for school in (100, 200)
        for name in NAMES
    ]
    file = rollbook.data.parent / "roster.csv"
    file.write_text("\n".join([f"STUDENT_ID,{NEEDED},GRADE,SCHOOL_ID,STATUS", *rows, ""]))
    rollbook.run("student", "load", "maple-usd", str(file))


@WITH_AND_WITHOUT_SCRIPTS
def test_a_held_update_is_approved_without_one_school(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    rows = "".join(f"{school}{name},inactive\n" for school in (100, 200) for name in NAMES)
    file = rollbook.data.parent / "leavers.csv"
    file.write_text(f"STUDENT_ID,STATUS\n{rows}")
    rollbook.start_update(file)
    assert rollbook.until_ended().startswith("HELD")

    sign_in(page, LOGIN)
    main = page.get_by_role("main")
    expect(main).to_contain_text("is held: 12 of 12 students would be deactivated")
    page.get_by_role("link", name="Review update").click()
    expect(main).to_contain_text("12 students would be deactivated, 6 of them at")
    if javascript:
        assert_accessible(page)
    page.get_by_text("Leave out schools").click()
    page.get_by_label("(200)").check()
    page.get_by_label("Note (optional)").first.fill("School 200 stays open")
    page.get_by_role("button", name="Approve without these schools").click()
    wait_until_ended(page)
    expect(main).to_contain_text("without 1 school: 200. Note: School 200 stays open")
    expect(main.locator(".tabs")).to_contain_text("Left out")
    active = _active(rollbook)
    assert {f"200{name}" for name in NAMES} <= active
    assert not active & {f"100{name}" for name in NAMES}


@WITH_AND_WITHOUT_SCRIPTS
def test_a_file_is_checked_against_the_roster_and_exactly_that_is_applied(
    page: Page, javascript: bool
) -> None:
    new = f"new{javascript}".lower()
    text = (
        f"STUDENT_ID,{NEEDED},GRADE,SCHOOL_ID\n"
        "100Ana,,,,,,,5,\n100Ben,,,,,,,5,\n100Cleo,,,,,,,4,\n100Dan,,,,,,,99,\n"
        f"{new},Gus,{new},5/13/2014,m,n,n,4,200\n"
    )
    sign_in(page, LOGIN)
    choose_file(page, "some.csv", text)
    number = wait_for_plan(page)
    main = page.get_by_role("main")
    expect(main).to_contain_text("2 students would change, 1 would be added,")
    expect(main).to_contain_text("1 row would change nothing, 1 row can’t be applied.")
    if javascript:
        assert_accessible(page)
    page.get_by_role("button", name="Change 2 and add 1", exact=True).click()
    wait_until_ended(page)
    expect(main).to_contain_text("2 of 5 students changed, 1 added.")
    page.goto("/updates")
    row = page.get_by_role("row").filter(has_text=f"Update {number}")
    expect(row).to_contain_text("completed with errors")


def _active(rollbook: Rollbook) -> set[str]:
    """Return the IDs of the active students of the roster."""
    rows = csv.DictReader(io.StringIO(rollbook.run("student", "export", "maple-usd")))
    return {row["STUDENT_ID"] for row in rows if row["STATUS"] == "active"}
