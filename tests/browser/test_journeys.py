"""Journeys of members through the pages, from end to end, with and without scripts."""

import csv
import io
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import depth
from tests.accounts.phone import Phone
from tests.browser.accessibility import assert_accessible
from tests.browser.actions import (
    account_menu,
    apply_update,
    assert_no_email_about,
    choose_file,
    download_text,
    expect_signed_in,
    fill_sign_in,
    find_link,
    open_managed,
    pause_worker,
    search_students,
    sign_in,
    sign_out,
    wait_for_email_to,
    wait_for_plan,
    wait_until_ended,
)
from tests.browser.conftest import WITH_AND_WITHOUT_SCRIPTS, VisitorFactory
from tests.conftest import PASSWORD
from tests.endtoend.conftest import LOGIN, NEIGHBOUR, Rollbook, two_districts

__all__ = ["two_districts"]

SCHOOL_MANAGER, INSTRUCTOR = "school@maple.example", "teacher@maple.example"
# Journeys that are the same on every database: daily on SQLite alone, every night on both.
ONCE = pytest.mark.daily_on("sqlite")
NEW_PASSWORD = "seven quiet herons at dusk"
HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED,STAFF"
NEW_HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED\n"
LARGE_ROWS = depth.choose(daily=15_000, nightly=30_000)
STUDENTS = f"""{HEADER}
0001,Ana,Brook,5/13/2014,f,4,100,n,n,{INSTRUCTOR}
0002,Ben,Cole,11/2/2013,m,5,100,n,y,
0003,Chloé,Đặng,1/30/2012,x,6,200,y,n,
"""


@pytest.fixture(scope="module", autouse=True)
def enrolled(rollbook: Rollbook) -> None:
    """Add three students at two schools, and two members who see some of them."""
    folder = rollbook.data.parent
    (folder / "secret.txt").write_text(PASSWORD + "\n", encoding="utf-8")
    for email, role in ((SCHOOL_MANAGER, "school manager"), (INSTRUCTOR, "instructor")):
        options = ("--first", "Ines", "--last", "Tran", "--role", role, "--school", "100")
        rollbook.run("staff", "add", "maple-usd", email, *options, *_password_option(rollbook))
    (folder / "base.csv").write_text(STUDENTS, encoding="utf-8")
    rollbook.run("student", "load", "maple-usd", str(folder / "base.csv"))


@contextmanager
def paused_worker(rollbook: Rollbook) -> Iterator[None]:
    """Pause the worker until the block ends, so that no file is processed."""
    worker = pause_worker(rollbook)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


@WITH_AND_WITHOUT_SCRIPTS
def test_an_invited_manager_updates_students_and_corrects_errors(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    grades = ("7", "8") if javascript else ("9", "10")
    login = f"new-{javascript}@maple.example".lower()
    invited = ("--first", "Noa", "--last", "Park", "--role", "district manager")
    rollbook.run("staff", "add", "maple-usd", login, *invited)

    # Set the first password with the link in the email
    page.goto(find_link(wait_for_email_to(rollbook, login), "/password/"))
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Confirm new password").fill("short")
    page.locator("main button:not([type=button])").click()
    expect(page.get_by_role("main")).to_contain_text("It is shorter than 15 characters")
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Confirm new password").fill(NEW_PASSWORD)
    page.locator("main button:not([type=button])").click()
    expect(account_menu(page)).to_have_text("Noa Park")

    # Download a template with the current data of the students
    page.get_by_role("link", name="Students", exact=True).click()
    page.get_by_role("link", name="Update students", exact=True).click()
    page.get_by_text("Download a template or the current students").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download template").click()
    template = _rows(Path(download.value.path()).read_text(encoding="utf-8-sig"))
    assert [row["STUDENT_ID"] for row in template] == ["0001", "0002", "0003"]

    # The check finds the errors before anything is applied
    ana, ben, chloe = template
    ana["GRADE"], ben["GRADE"], chloe["GRADE"] = grades[0], "99", grades[0]
    chloe["DOB"] = "2/30/2012"
    choose_file(page, "filled-in.csv", _csv(template))
    wait_for_plan(page)
    expect(page.get_by_role("main")).to_contain_text("2 rows can’t be applied")
    expect(page.get_by_role("main")).to_contain_text("A value isn't recognized")
    if javascript:
        assert_accessible(page)

    # Apply it anyway: one student is updated, two rows are rejected, and no email is needed
    number = apply_update(page, "Change 1")
    wait_until_ended(page)
    expect(page.get_by_role("main")).to_contain_text("2 rows were rejected and not applied.")
    assert_no_email_about(rollbook, login, number)

    # Fix the rejected rows and upload them
    rejected = _rows(download_text(page, "Rejected rows"))
    assert [row[f"_LINE_OF_UPDATE_{number}"] for row in rejected] == ["3", "4"]
    birth_dates = {"0002": "11/2/2013", "0003": "1/30/2012"}
    for row in rejected:
        row["GRADE"], row["DOB"] = grades[1], birth_dates[row["STUDENT_ID"]]
    choose_file(page, "rejected-rows.csv", _csv(rejected))
    corrected = apply_update(page, "Change 2")
    wait_until_ended(page)
    expect(page.get_by_role("link", name=f"update {number}", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("No action needed.")

    # The history of the student contains the change
    search_students(page, "cole")
    page.get_by_role("link", name="Cole, Ben").click()
    history = page.get_by_role("region", name="History")
    expect(history.get_by_role("row").filter(has_text="Grade").first).to_contain_text(
        f"now: {grades[1]}"
    )
    page.get_by_role("link", name=f"Update {corrected}", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Update {corrected}")
    page.goto("/")
    expect(page.get_by_role("main")).to_contain_text(f"Sent by hand: update {corrected}")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_queued_update_is_canceled(page: Page, rollbook: Rollbook, javascript: bool) -> None:
    sign_in(page, LOGIN)
    with paused_worker(rollbook):
        choose_file(page, "cancel-me.csv", f"STUDENT_ID,GRADE\n0001,{11 if javascript else 12}\n")
        number = int(page.url.rpartition("/")[2])
        page.get_by_text("Cancel…").click()
        expect(page.get_by_text("The file is no longer checked, and nothing")).to_be_visible()
        page.get_by_role("button", name=f"Cancel update {number}").click()
        expect(page.get_by_role("status")).to_contain_text(
            f"Update {number} canceled: 0 students stay updated, 1 was not processed."
        )
    unprocessed = _rows(download_text(page, "Rows that were not processed"))
    assert [row["STUDENT_ID"] for row in unprocessed] == ["0001"]


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_large_update_is_canceled_while_it_runs(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    name = "Running" if javascript else "Standing"
    text = NEW_HEADER + "".join(
        f"{name}{n},{_alphabetic(n)},{name},5/13/2014,f,4,200,n,n\n" for n in range(LARGE_ROWS)
    )
    sign_in(page, LOGIN)
    choose_file(page, "large.csv", text)
    number = apply_update(page, f"Add {LARGE_ROWS:,}")
    while f"of {LARGE_ROWS:,} changed students" not in page.locator("#progress").inner_text():
        page.reload()
    page.get_by_text("Cancel…").click()
    page.get_by_role("button", name=f"Cancel update {number}").click()
    message = page.get_by_role("status").inner_text()
    changed = _number(r"canceled: ([\d,]+) students stay updated", message)
    assert 0 < changed < LARGE_ROWS
    assert _number(r", ([\d,]+) were not processed", message) == LARGE_ROWS - changed
    search_students(page, name)
    expect(page.get_by_role("main")).to_contain_text(f"{changed:,} students match")
    assert_no_email_about(rollbook, LOGIN, number)


@ONCE
def test_progress_is_refreshed_without_reloading_the_page(page: Page, rollbook: Rollbook) -> None:
    sign_in(page, LOGIN)
    with paused_worker(rollbook):
        choose_file(page, "watch-me.csv", "STUDENT_ID,ADDITIONAL_INFO_1\n0001,watched\n")
        page.evaluate("window.isSamePage = true")
        with page.expect_response("**/progress?*"):
            pass
        assert page.evaluate("window.isSamePage")
    wait_for_plan(page)


@ONCE
def test_the_list_of_students_is_filtered_while_typing(page: Page) -> None:
    sign_in(page, LOGIN)
    page.goto("/students")
    page.get_by_label("Search students").press_sequentially("brook")
    expect(page.get_by_role("link", name="Cole, Ben")).to_have_count(0)
    expect(page.get_by_role("link", name="Brook, Ana")).to_be_visible()
    expect(page.get_by_label("Search students")).to_be_focused()
    expect(page.locator("#count")).to_have_text("1 student matches")
    expect(page).to_have_url(re.compile("find="))
    assert "brook" not in page.url


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_large_file_is_uploaded_in_the_browser(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    """Upload a file larger than what the server keeps in memory, with unknown students only."""
    sign_in(page, LOGIN)
    text = "STUDENT_ID,ADDITIONAL_INFO_1\n" + "".join(
        f"{javascript}{n:06},{'x' * 200}\n" for n in range(5000)
    )
    choose_file(page, "large.csv", text)
    wait_for_plan(page)
    expect(page.get_by_role("main")).to_contain_text("5,000 rows can’t be applied.")
    expect(page.get_by_role("main")).to_contain_text("Nothing would be applied")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_second_manager_is_invited_in_the_browser(
    page: Page, new_visitor: VisitorFactory, rollbook: Rollbook, javascript: bool
) -> None:
    login = f"ida-{javascript}@maple.example".lower()
    sign_in(page, LOGIN)
    open_managed(page, "Staff")
    page.get_by_role("link", name="Invite staff member").click()
    page.get_by_label("First name").fill("Ida")
    page.get_by_label("Last name").fill("Stone")
    page.get_by_label("Email").fill(login)
    page.get_by_label("District manager").check()
    page.locator("main button:not([type=button])").click()
    expect(page.get_by_role("status")).to_contain_text(f"Invitation sent to {login}")
    ida = new_visitor()
    ida.goto(find_link(wait_for_email_to(rollbook, login), "/password/"))
    expect(ida.get_by_role("main")).to_contain_text("Maple USD")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_permission_is_turned_off_for_a_signed_in_member(
    page: Page, new_visitor: VisitorFactory, rollbook: Rollbook, javascript: bool
) -> None:
    login = f"permission-{javascript}@maple.example".lower()
    options = ("--first", "Lou", "--last", "Wen", "--role", "school manager", "--school", "100")
    rollbook.run("staff", "add", "maple-usd", login, *options, *_password_option(rollbook))
    sign_in(page, LOGIN)
    manager = new_visitor()
    sign_in(manager, login)
    manager.get_by_role("link", name="Students", exact=True).click()
    _set_permission(page, CONFIDENTIAL, on=False)
    _set_permission(page, "Sees the students of their schools", on=False)
    response = manager.reload()
    assert response
    assert response.status == 403
    expect(manager.get_by_role("link", name="Students", exact=True)).to_have_count(0)
    _set_permission(page, "Sees the students of their schools", on=True)
    _set_permission(page, CONFIDENTIAL, on=True)
    manager.goto("/students")
    expect(manager.get_by_role("heading", level=1)).to_have_text("Students")


CONFIDENTIAL = "Opens their birth dates and confidential information, each time with a record"


def _set_permission(page: Page, permission: str, *, on: bool) -> None:
    open_managed(page, "Roles")
    page.get_by_role("link", name="school manager", exact=True).click()
    page.get_by_label(permission).set_checked(on)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("Role saved: school manager.")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_settings_apply_to_the_next_file(page: Page, rollbook: Rollbook, javascript: bool) -> None:
    sign_in(page, LOGIN)
    open_managed(page, "Settings")
    # An invalid value isn't saved, whether the browser or the server finds it
    page.get_by_label("Student files, in days").fill("0")
    page.locator("main button:not([type=button])").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    expect(page.get_by_role("status")).to_have_count(0)
    # Valid settings apply to the next file
    page.get_by_label("Student files, in days").fill("30" if javascript else "31")
    page.get_by_label("Time zone").select_option(label="Denver" if javascript else "Chicago")
    page.get_by_label("Encoding of student files").select_option(
        "cp1252" if javascript else "mac-roman"
    )
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status")).to_contain_text("days to keep files")
    file = rollbook.data.parent / "old.csv"
    file.write_bytes(
        "STUDENT_ID,ADDITIONAL_INFO_2\n0003,Zoë\n".encode("cp1252" if javascript else "mac-roman")
    )
    rollbook.start_update(file)
    rollbook.until_ended()
    search_students(page, "0003")
    page.locator("tbody th a").click()
    expect(page.get_by_role("main")).to_contain_text("Zoë")
    open_managed(page, "Settings")
    page.get_by_label("Encoding of student files").select_option("utf-8")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status")).to_have_text("Settings saved: encoding.")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_forgotten_password_is_reset_by_email(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    login = SCHOOL_MANAGER if javascript else INSTRUCTOR
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(login)
    page.locator("main button:not([type=button])").click()
    link = find_link(wait_for_email_to(rollbook, login), "/password/")
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Confirm new password").fill(NEW_PASSWORD)
    page.locator("main button:not([type=button])").click()
    expect_signed_in(page)
    sign_out(page)
    fill_sign_in(page, login, NEW_PASSWORD)
    expect_signed_in(page)
    response = page.goto(link)
    assert response
    assert response.status == 410


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_member_ends_all_other_sessions(
    page: Page, new_visitor: VisitorFactory, javascript: bool
) -> None:
    sign_in(page, LOGIN)
    elsewhere = new_visitor()
    sign_in(elsewhere, LOGIN)
    account_menu(page).click()
    page.get_by_role("link", name="Account of Ana Ruiz").click()
    page.get_by_role("button", name="End all other sessions").click()
    elsewhere.goto("/students")
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/students")
    expect(page.get_by_role("heading", level=1)).to_have_text("Students")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_link_in_an_email_opens_its_page_after_sign_in(page: Page, javascript: bool) -> None:
    page.goto("/updates/1")
    fill_sign_in(page, LOGIN)
    expect(page.get_by_role("heading", level=1)).to_have_text("Update 1")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_limited_roles_see_their_students_and_no_update_button(
    new_visitor: VisitorFactory, rollbook: Rollbook, javascript: bool
) -> None:
    folder = rollbook.data.parent
    for number, (role, names) in enumerate(
        {"school manager": ["Brook, Ana", "Cole, Ben"], "instructor": ["Brook, Ana"]}.items()
    ):
        login = f"limited-{number}-{javascript}@maple.example".lower()
        options = ("--first", "Lou", "--last", "Wen", "--role", role, "--school", "100")
        rollbook.run("staff", "add", "maple-usd", login, *options, *_password_option(rollbook))
        if role == "instructor":
            (folder / "link.csv").write_text(
                f"STUDENT_ID,STAFF\n0001,{INSTRUCTOR}&{login}\n", encoding="utf-8"
            )
            rollbook.start_update(folder / "link.csv")
            rollbook.until_ended()
        page = new_visitor()
        sign_in(page, login)
        page.get_by_role("link", name="Students", exact=True).click()
        expect(page.locator("tbody th a")).to_have_text(names)
        expect(page.get_by_role("link", name="Update students", exact=True)).to_have_count(0)
        for address in ("/updates/1", "/students/update", "/automation", "/roles"):
            response = page.goto(address)
            assert response
            assert response.status == 403, address


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_search_is_not_in_the_address_and_the_back_button_returns_to_it(
    page: Page, javascript: bool
) -> None:
    sign_in(page, LOGIN)
    page.goto("/students")
    page.get_by_label("Search students").fill("brook")
    if not javascript:
        page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("link", name="Cole, Ben")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/students\?find=[\w-]+$"))
    page.get_by_role("link", name="Brook, Ana").click()
    page.go_back()
    expect(page.get_by_role("link", name="Brook, Ana")).to_be_visible()
    expect(page.get_by_role("link", name="Cole, Ben")).to_have_count(0)
    expect(page.get_by_label("Search students")).to_have_value("brook")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_another_district_sees_none_of_our_data(
    page: Page, new_visitor: VisitorFactory, javascript: bool
) -> None:
    sign_in(page, LOGIN)
    search_students(page, "brook")
    student = page.get_by_role("link", name="Brook, Ana").get_attribute("href")
    assert student
    neighbor = new_visitor()
    sign_in(neighbor, NEIGHBOUR)
    for address in (student, "/updates/1", "/updates/1/rows", "/updates/1/rejected.csv"):
        response = neighbor.goto(address)
        assert response
        assert response.status == 404, address
        expect(neighbor.get_by_role("main")).not_to_contain_text("Maple")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_a_student_is_added_edited_transferred_and_deactivated(
    page: Page, new_visitor: VisitorFactory, rollbook: Rollbook, javascript: bool
) -> None:
    login, name = f"hand-{javascript}@maple.example".lower(), "Oda" if javascript else "Odo"
    options = ("--first", "Lou", "--last", "Wen", "--role", "school manager", "--school", "100")
    rollbook.run("staff", "add", "maple-usd", login, *options, *_password_option(rollbook))

    # The school manager adds the student
    sign_in(page, login)
    page.get_by_role("link", name="Students", exact=True).click()
    page.get_by_role("link", name="Add student").click()
    for label, text in (("First name", name), ("Last name", "Quill"), ("Birth date", "5/13/2014")):
        page.get_by_label(label).fill(text)
    for label, value in (("Gender", "x"), ("Grade", "4"), ("School", "100")):
        page.get_by_label(label, exact=True).select_option(value)
    for label in ("English learner", "Special education"):
        page.get_by_label(label).select_option("n")
    page.get_by_role("button", name="Add student").click()
    expect(page.get_by_role("main")).to_contain_text("shown only once")

    # The school manager edits the student and adds them to a group
    page.get_by_role("link", name="View student").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Grade").select_option("5")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_have_text("Saved: Grade.")
    open_managed(page, "Groups")
    page.get_by_role("link", name="Add group").click()
    page.get_by_label("Name", exact=True).fill(f"Chess {name}")
    page.get_by_role("button", name="Add group").click()
    page.get_by_label("Student IDs or usernames").fill("oquill" if javascript else "oquill2")
    page.get_by_role("button", name="Add students").click()
    expect(page.get_by_role("status")).to_contain_text("1 student added to")

    # The school manager may not access the other school, so the district completes the transfer
    page.get_by_role("link", name=f"Quill, {name}").click()
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name="Transfer").click()
    page.get_by_label("New school").select_option("?")
    page.get_by_label("Where should they go?").fill("To School 200")
    page.get_by_role("button", name="Transfer students").click()
    expect(page.get_by_role("status")).to_contain_text("Transfer of 1 student requested")
    district = new_visitor()
    sign_in(district, LOGIN)
    district.get_by_role("link", name="Complete 1 transfer").click()
    district.get_by_role("region", name="Transfers").get_by_role("link").first.click()
    district.get_by_label("New school").select_option("200")
    district.get_by_role("button", name="Complete transfer").click()
    expect(district.get_by_role("status")).to_contain_text("1 student transferred to")

    # The history contains all changes, and the student is deactivated
    district.get_by_role("link", name=f"Quill, {name}").click()
    history = district.get_by_role("region", name="History")
    for field, member in (("School", "Ana Ruiz"), ("Grade", "Lou Wen"), ("Student", "Lou Wen")):
        expect(
            history.get_by_role("row")
            .filter(has=district.get_by_role("rowheader", name=field, exact=True))
            .last
        ).to_contain_text(member)
    district.get_by_text("Actions", exact=True).click()
    district.get_by_role("button", name="Deactivate").click()
    district.get_by_role("button", name=f"Deactivate {name}").click()
    expect(district.get_by_role("status")).to_contain_text("deactivated. The record is kept.")


@ONCE
@WITH_AND_WITHOUT_SCRIPTS
def test_two_step_verification_is_turned_on_used_and_turned_off(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    login = f"factor-{javascript}@maple.example".lower()
    options = ("--first", "Uma", "--last", "Ng", "--role", "district manager")
    rollbook.run("staff", "add", "maple-usd", login, *options, *_password_option(rollbook))

    # Set up the phone with the secret, and confirm it with a code
    sign_in(page, login)
    account_menu(page).click()
    page.get_by_role("link", name="Account of Uma Ng").click()
    page.get_by_role("link", name="Two-step verification").click()
    expect(page.get_by_role("img")).to_be_visible()
    phone = Phone.with_secret(page.locator("main pre").inner_text())
    page.get_by_label("Code").fill(phone.code(datetime.now(UTC)))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Turn on two-step verification").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Save your recovery codes")
    recovery_codes, header, _ = page.locator("main pre").all_inner_texts()
    first_code, second_code, *_ = recovery_codes.split()
    assert header.startswith("Authorization: Bearer rb_")
    page.get_by_role("link", name="I’ve saved everything").click()

    # The password is no longer enough, and a wrong code is rejected
    sign_out(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/students")
    fill_sign_in(page, login)
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-step verification")
    page.get_by_label("Code").fill("000000")
    page.locator("main button:not([type=button])").click()
    expect(page.get_by_role("main")).to_contain_text("That code isn’t right.")
    page.get_by_label("Code").fill(phone.code(datetime.now(UTC), later=1))
    page.locator("main button:not([type=button])").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Students")

    # The phone is lost: use one recovery code to sign in and another one to turn it off
    sign_out(page)
    fill_sign_in(page, login)
    page.get_by_label("Code").fill(first_code)
    page.locator("main button:not([type=button])").click()
    expect(page.get_by_role("status")).to_contain_text("Recovery codes left: 9.")
    account_menu(page).click()
    page.get_by_role("link", name="Account of Uma Ng").click()
    page.get_by_role("link", name="Two-step verification").click()
    page.get_by_role("link", name="Turn off two-step verification").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code").fill(second_code)
    page.get_by_role("button", name="Turn off two-step verification").click()
    expect(page.get_by_role("status")).to_contain_text("Two-step verification was turned off.")
    sign_out(page)
    sign_in(page, login)


def _password_option(rollbook: Rollbook) -> tuple[str, str]:
    """Return the option for the file with the password that all members have."""
    return "--password-file", str(rollbook.data.parent / "secret.txt")


def _alphabetic(number: int) -> str:
    """Return a name for the number, without digits, because names can't contain them."""
    return str(number).translate(str.maketrans("0123456789", "abcdefghij"))


def _number(pattern: str, text: str) -> int:
    match = re.search(pattern, text)
    assert match, text
    return int(match[1].replace(",", ""))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _csv(rows: "list[dict[str, str]]") -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
