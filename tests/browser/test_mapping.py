"""The file of another system is mapped with one click, with scripts and without them."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.actions import apply_update, choose_file, sign_in, wait_until_ended
from tests.browser.conftest import WITH_AND_WITHOUT_SCRIPTS
from tests.endtoend.conftest import LOGIN, Rollbook, two_districts

__all__ = ["two_districts"]

pytestmark = pytest.mark.daily_share(1 / 2)
NAMES = ("Ana", "Ben", "Cleo")


@WITH_AND_WITHOUT_SCRIPTS
def test_a_refused_file_is_mapped_and_applied(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    prefix = "m" if javascript else "n"
    needed = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED"
    rows = [f"{prefix}{name},{name},{prefix}ap,5/13/2014,f,4,100,n,n" for name in NAMES]
    roster = rollbook.data.parent / "mapped-roster.csv"
    roster.write_text("\n".join([needed, *rows, ""]))
    rollbook.run("student", "load", "maple-usd", str(roster))

    sign_in(page, LOGIN)
    lines = [f"{prefix}{name},{name},{prefix}ap,5,0" for name in NAMES]
    header = "Student_Number,First_Name,Last_Name,Grade_Level,Enroll_Status"
    choose_file(page, "export.csv", "\n".join([header, *lines, ""]))
    main = page.get_by_role("main")
    if page.get_by_role("button", name="Check the file with these columns").count():
        # The first of both times; the second time, the saved mapping applies by itself.
        expect(main).to_contain_text("This file can’t be used.")
        expect(main).to_contain_text("This looks like a file of PowerSchool")
        if javascript:
            assert_accessible(page)
        page.get_by_role("button", name="Check the file with these columns").click()
        expect(main).to_contain_text("powerschool, version 1, is saved.")
    apply_update(page, "Change 3")
    wait_until_ended(page)
    expect(main).to_contain_text("powerschool, version 1")
    expect(main.locator(".tabs")).to_contain_text("Changed 3")
