"""What people come for, from end to end, with scripts and without."""

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

from tests.accounts.phone import Phone
from tests.browser.accessibility import accessible
from tests.browser.conftest import BOTH_WAYS, Visitor
from tests.browser.ways import (
    apply,
    choose_file,
    fill_sign_in,
    link_in,
    put_to_rest,
    sign_in,
    taken,
    until_ended,
    until_mailed_about,
    until_mailed_to,
)
from tests.conftest import PASSWORD
from tests.endtoend.conftest import LOGIN, NEIGHBOUR, Rollbook, two_districts

__all__ = ["two_districts"]

SCHOOL_MANAGER, INSTRUCTOR = "school@maple.example", "teacher@maple.example"
# Journeys of which no step depends on the database's kind go on SQLite alone, and every night on both.
ONCE = pytest.mark.daily_on("sqlite")
NEW_PASSWORD = "seven quiet herons at dusk"
HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED,STAFF"
NEW_HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED\n"
LARGE = 30_000
STUDENTS = f"""{HEADER}
0001,Ana,Brook,5/13/2014,f,4,100,n,n,{INSTRUCTOR}
0002,Ben,Cole,11/2/2013,m,5,100,n,y,
0003,Chloé,Đặng,1/30/2012,x,6,200,y,n,
"""


@pytest.fixture(scope="module", autouse=True)
def enrolled(rollbook: Rollbook) -> None:
    """Three students at two schools, and staff who see some of them."""
    folder = rollbook.data.parent
    (folder / "secret.txt").write_text(PASSWORD + "\n", encoding="utf-8")
    for email, role in ((SCHOOL_MANAGER, "school manager"), (INSTRUCTOR, "instructor")):
        who = ("--first", "Ines", "--last", "Tran", "--role", role, "--school", "100")
        rollbook.run(
            "staff", "add", "maple-usd", email, *who, "--password-file", str(folder / "secret.txt")
        )
    (folder / "base.csv").write_text(STUDENTS, encoding="utf-8")
    rollbook.run("student", "load", "maple-usd", str(folder / "base.csv"))


@contextmanager
def resting_worker(rollbook: Rollbook) -> Iterator[None]:
    """Until the block ends no file is worked on."""
    worker = put_to_rest(rollbook)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


@BOTH_WAYS
def test_from_the_invitation_to_a_corrected_update_and_its_history(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    grades = ("7", "8") if javascript else ("9", "10")
    login = f"new-{javascript}@maple.example".lower()
    invited = ("--first", "Noa", "--last", "Park", "--role", "district manager")
    rollbook.run("staff", "add", "maple-usd", login, *invited)

    # The first password, by the mail's link
    page.goto(link_in(until_mailed_to(rollbook, login), "/password/"))
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Confirm new password").fill("short")
    page.locator("main button").click()
    expect(page.get_by_role("main")).to_contain_text("It is shorter than 15 characters")
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Confirm new password").fill(NEW_PASSWORD)
    page.locator("main button").click()
    expect(page.get_by_role("link", name="Noa Park")).to_be_visible()

    # A template with the students as they are
    page.get_by_role("link", name="Students", exact=True).click()
    page.get_by_role("link", name="Update students", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download template").click()
    template = _rows(Path(download.value.path()).read_text(encoding="utf-8-sig"))
    assert [row["STUDENT_ID"] for row in template] == ["0001", "0002", "0003"]

    # The check finds the errors before anything is applied
    ana, ben, chloe = template
    ana["GRADE"], ben["GRADE"], chloe["GRADE"] = grades[0], "99", grades[0]
    chloe["DOB"] = "2/30/2012"
    choose_file(page, "filled-in.csv", _csv(template))
    expect(page.get_by_role("main")).to_contain_text("2 of 3 rows will be rejected")
    expect(page.get_by_role("main")).to_contain_text("A value isn't recognized")
    accessible(page) if javascript else None

    # It is applied anyway: one student is updated, two rows are rejected, and an email is sent
    number = apply(page)
    until_ended(page)
    expect(page.get_by_role("main")).to_contain_text(
        "2 rows of the file had errors and were not applied"
    )
    assert f"update {number}" in until_mailed_to(rollbook, login, 2)

    # The rejected rows are fixed and uploaded
    rejected = _rows(taken(page, "Rejected rows"))
    assert [row[f"_LINE_OF_UPDATE_{number}"] for row in rejected] == ["3", "4"]
    for row in rejected:
        row["GRADE"], row["DOB"] = (
            grades[1],
            {"0002": "11/2/2013", "0003": "1/30/2012"}[row["STUDENT_ID"]],
        )
    choose_file(page, "rejected-rows.csv", _csv(rejected))
    expect(page.get_by_role("main")).to_contain_text("No problems found in 2 rows.")
    corrected = apply(page)
    until_ended(page)
    expect(page.get_by_role("link", name=f"update {number}", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("There is nothing to do.")

    # The history of a student has the change
    page.goto("/students?search=cole")
    page.get_by_role("link", name="Cole, Ben").click()
    history = page.get_by_role("region", name="History")
    expect(history.get_by_role("row").filter(has_text="Grade").first).to_contain_text(
        f"now: {grades[1]}"
    )
    page.get_by_role("link", name=f"Update {corrected}", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Update {corrected}")
    page.goto("/")
    expect(page.locator(".says")).to_contain_text(
        "update finished: 2 of 2 students changed. No action needed."
    )


@BOTH_WAYS
def test_an_update_is_canceled_before_its_turn(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    sign_in(page, LOGIN)
    with resting_worker(rollbook):
        choose_file(page, "cancel-me.csv", f"STUDENT_ID,GRADE\n0001,{11 if javascript else 12}\n")
        number = apply(page)
        page.get_by_text("Cancel this update").click()
        expect(page.get_by_text("Students who were already updated stay updated")).to_be_visible()
        page.get_by_role("button", name=f"Cancel update {number}").click()
        expect(page.get_by_role("status")).to_contain_text(
            f"Update {number} canceled: 0 students stay updated, 1 was not processed."
        )
    rest = _rows(taken(page, "Rows that were not processed"))
    assert [row["STUDENT_ID"] for row in rest] == ["0001"]


@BOTH_WAYS
def test_a_large_update_is_canceled_while_it_runs(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    name = "Running" if javascript else "Standing"
    text = NEW_HEADER + "".join(
        f"{name}{n},{_letters(n)},{name},5/13/2014,f,4,200,n,n\n" for n in range(LARGE)
    )
    sign_in(page, LOGIN)
    choose_file(page, "large.csv", text)
    page.get_by_label("Also add new students").check()
    number = apply(page)
    while f"of {LARGE:,} changed students" not in page.locator("#progress").inner_text():
        page.reload()
    page.get_by_text("Cancel this update").click()
    page.get_by_role("button", name=f"Cancel update {number}").click()
    told = page.get_by_role("status").inner_text()
    stayed = _number(r"canceled: ([\d,]+) students stay updated", told)
    assert 0 < stayed < LARGE
    assert _number(r", ([\d,]+) were not processed", told) == LARGE - stayed
    page.goto(f"/students?search={name}")
    expect(page.get_by_role("main")).to_contain_text(f"{stayed:,} students match")
    assert f"{LARGE - stayed:,} rows were not processed" in until_mailed_about(
        rollbook, LOGIN, number
    )


def test_progress_is_watched_without_reloading(page: Page, rollbook: Rollbook) -> None:
    sign_in(page, LOGIN)
    with resting_worker(rollbook):
        choose_file(page, "watch-me.csv", "STUDENT_ID,ADDITIONAL_INFO_1\n0001,watched\n")
        apply(page)
        page.evaluate("window.stayed = true")
        with page.expect_response("**/progress"):
            pass
        assert page.evaluate("window.stayed")
    until_ended(page)


@ONCE
def test_students_are_found_while_typing(page: Page) -> None:
    sign_in(page, LOGIN)
    page.goto("/students")
    page.get_by_label("Name or ID").press_sequentially("brook")
    expect(page.get_by_role("link", name="Cole, Ben")).to_have_count(0)
    expect(page.get_by_role("link", name="Brook, Ana")).to_be_visible()
    expect(page.get_by_label("Name or ID")).to_be_focused()
    expect(page.locator("#count")).to_have_text("1 student matches")
    expect(page).to_have_url(re.compile("search=brook"))


@ONCE
@BOTH_WAYS
def test_a_large_file_goes_in_through_the_browser(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    """Larger than what the server holds in memory of a request; the rows are of nobody who is here."""
    sign_in(page, LOGIN)
    text = "STUDENT_ID,ADDITIONAL_INFO_1\n" + "".join(
        f"{javascript}{n:06},{'x' * 200}\n" for n in range(5000)
    )
    choose_file(page, "large.csv", text)
    expect(page.get_by_role("main")).to_contain_text("No problems found in 5,000 rows.")


@ONCE
@BOTH_WAYS
def test_a_second_manager_is_invited_in_the_browser(
    page: Page, visitor: Visitor, rollbook: Rollbook, javascript: bool
) -> None:
    login = f"ida-{javascript}@maple.example".lower()
    sign_in(page, LOGIN)
    page.get_by_role("link", name="Staff").click()
    page.get_by_role("link", name="Invite staff member").click()
    page.get_by_label("First name").fill("Ida")
    page.get_by_label("Last name").fill("Stone")
    page.get_by_label("Email").fill(login)
    page.get_by_label("District manager").check()
    page.locator("main button").click()
    expect(page.get_by_role("status")).to_contain_text(f"Invitation sent to {login}")
    ida = visitor()
    ida.goto(link_in(until_mailed_to(rollbook, login), "/password/"))
    expect(ida.get_by_role("main")).to_contain_text("Maple USD")


@ONCE
@BOTH_WAYS
def test_a_permission_switched_off_is_gone_for_who_is_signed_in(
    page: Page, visitor: Visitor, rollbook: Rollbook, javascript: bool
) -> None:
    login = f"switched-{javascript}@maple.example".lower()
    who = ("--first", "Lou", "--last", "Wen", "--role", "school manager", "--school", "100")
    rollbook.run(
        "staff", "add", "maple-usd", login, *who, "--password-file", str(_secret(rollbook))
    )
    sign_in(page, LOGIN)
    school = visitor()
    sign_in(school, login)
    school.get_by_role("link", name="Students", exact=True).click()
    _switch(page, "Sees the students of their schools", on=False)
    answer = school.reload()
    assert answer
    assert answer.status == 403
    expect(school.get_by_role("link", name="Students", exact=True)).to_have_count(0)
    _switch(page, "Sees the students of their schools", on=True)
    school.goto("/students")
    expect(school.get_by_role("heading", level=1)).to_have_text("Students")


def _switch(page: Page, permission: str, *, on: bool) -> None:
    page.get_by_role("link", name="Roles").click()
    page.get_by_role("link", name="school manager", exact=True).click()
    page.get_by_label(permission).set_checked(on)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("Role saved: school manager.")


@ONCE
@BOTH_WAYS
def test_settings_count_for_the_next_file(page: Page, rollbook: Rollbook, javascript: bool) -> None:
    sign_in(page, LOGIN)
    page.get_by_role("link", name="Settings").click()
    # What cannot be is told at its field, by the browser already or by the server
    page.get_by_label("Student files, in days").fill("0")
    page.locator("main button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    expect(page.get_by_role("status")).to_have_count(0)
    # What can be counts for the next file
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
    page.goto("/students?search=0003")
    page.locator("tbody th a").click()
    expect(page.get_by_role("main")).to_contain_text("Zoë")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Encoding of student files").select_option("utf-8")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status")).to_have_text("Settings saved: encoding.")


@ONCE
@BOTH_WAYS
def test_a_forgotten_password_is_replaced_by_mail(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    login = SCHOOL_MANAGER if javascript else INSTRUCTOR
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(login)
    page.locator("main button").click()
    link = link_in(until_mailed_to(rollbook, login), "/password/")
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Confirm new password").fill(NEW_PASSWORD)
    page.locator("main button").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    fill_sign_in(page, login, NEW_PASSWORD)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    used = page.goto(link)
    assert used
    assert used.status == 410


@ONCE
@BOTH_WAYS
def test_my_account_shows_where_i_am_signed_in_and_ends_it(
    page: Page, visitor: Visitor, javascript: bool
) -> None:
    sign_in(page, LOGIN)
    elsewhere = visitor()
    sign_in(elsewhere, LOGIN)
    page.get_by_role("link", name="Ana Ruiz").click()
    page.get_by_role("button", name="End all other sessions").click()
    elsewhere.goto("/students")
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/students")
    expect(page.get_by_role("heading", level=1)).to_have_text("Students")


@ONCE
@BOTH_WAYS
def test_a_mails_link_leads_a_stranger_there_by_way_of_the_sign_in(
    page: Page, javascript: bool
) -> None:
    page.goto("/updates/1")
    fill_sign_in(page, LOGIN)
    expect(page.get_by_role("heading", level=1)).to_have_text("Update 1")


@ONCE
@BOTH_WAYS
def test_lesser_roles_see_their_students_and_no_update_button(
    visitor: Visitor, rollbook: Rollbook, javascript: bool
) -> None:
    folder = rollbook.data.parent
    for number, (role, names) in enumerate(
        {"school manager": ["Brook, Ana", "Cole, Ben"], "instructor": ["Brook, Ana"]}.items()
    ):
        login = f"lesser-{number}-{javascript}@maple.example".lower()
        who = ("--first", "Lou", "--last", "Wen", "--role", role, "--school", "100")
        rollbook.run(
            "staff", "add", "maple-usd", login, *who, "--password-file", str(folder / "secret.txt")
        )
        if role == "instructor":
            (folder / "link.csv").write_text(
                f"STUDENT_ID,STAFF\n0001,{INSTRUCTOR}&{login}\n", encoding="utf-8"
            )
            rollbook.start_update(folder / "link.csv")
            rollbook.until_ended()
        page = visitor()
        sign_in(page, login)
        page.get_by_role("link", name="Students", exact=True).click()
        expect(page.locator("tbody th a")).to_have_text(names)
        expect(page.get_by_role("link", name="Update students", exact=True)).to_have_count(0)
        for address in ("/updates/1", "/students/update", "/automation", "/roles"):
            answer = page.goto(address)
            assert answer
            assert answer.status == 403, address


@ONCE
@BOTH_WAYS
def test_the_neighbor_sees_nothing_of_ours(page: Page, visitor: Visitor, javascript: bool) -> None:
    sign_in(page, LOGIN)
    page.goto("/students?search=brook")
    student = page.get_by_role("link", name="Brook, Ana").get_attribute("href")
    assert student
    neighbor = visitor()
    sign_in(neighbor, NEIGHBOUR)
    for address in (student, "/updates/1", "/updates/1/rows", "/updates/1/rejected.csv"):
        answer = neighbor.goto(address)
        assert answer
        assert answer.status == 404, address
        expect(neighbor.get_by_role("main")).not_to_contain_text("Maple")


@BOTH_WAYS
def test_a_student_by_hand_from_the_first_day_to_another_school(
    page: Page, visitor: Visitor, rollbook: Rollbook, javascript: bool
) -> None:
    login, name = f"hand-{javascript}@maple.example".lower(), "Oda" if javascript else "Odo"
    who = ("--first", "Lou", "--last", "Wen", "--role", "school manager", "--school", "100")
    rollbook.run(
        "staff", "add", "maple-usd", login, *who, "--password-file", str(_secret(rollbook))
    )

    # The school's manager adds the student
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
    expect(page.get_by_role("main")).to_contain_text("shown this once")

    # edits the student, and adds them to a group
    page.get_by_role("link", name="View student").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Grade").select_option("5")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_have_text("Saved: Grade.")
    page.get_by_role("link", name="Groups").click()
    page.get_by_role("link", name="Add group").click()
    page.get_by_label("Name").fill(f"Chess {name}")
    page.get_by_role("button", name="Add group").click()
    page.get_by_label("Student IDs or usernames").fill("oquill" if javascript else "oquill2")
    page.get_by_role("button", name="Add students").click()
    expect(page.get_by_role("status")).to_contain_text("1 student added to")

    # The other school is not theirs: the district completes the transfer
    page.get_by_role("link", name=f"Quill, {name}").click()
    page.get_by_role("link", name="Transfer").click()
    page.get_by_label("New school").select_option("?")
    page.get_by_label("Where should they go?").fill("To School 200")
    page.get_by_role("button", name="Transfer students").click()
    expect(page.get_by_role("status")).to_contain_text("Transfer of 1 student requested")
    district = visitor()
    sign_in(district, LOGIN)
    district.get_by_role("link", name="View transfer").click()
    district.get_by_role("region", name="Transfers").get_by_role("link").first.click()
    district.get_by_label("New school").select_option("200")
    district.get_by_role("button", name="Complete transfer").click()
    expect(district.get_by_role("status")).to_contain_text("1 student transferred to")

    # All of it is history, and a leaver is deactivated
    district.get_by_role("link", name=f"Quill, {name}").click()
    history = district.get_by_role("region", name="History")
    for field, by in (("School", "Ana Ruiz"), ("Grade", "Lou Wen"), ("Student", "Lou Wen")):
        expect(
            history.get_by_role("row")
            .filter(has=district.get_by_role("rowheader", name=field, exact=True))
            .last
        ).to_contain_text(by)
    district.get_by_role("button", name=f"Deactivate {name}").click()
    expect(district.get_by_role("status")).to_contain_text("deactivated. The record is kept.")


@ONCE
@BOTH_WAYS
def test_a_second_factor_from_the_first_code_to_a_lost_phone(
    page: Page, rollbook: Rollbook, javascript: bool
) -> None:
    login = f"factor-{javascript}@maple.example".lower()
    who = ("--first", "Uma", "--last", "Ng", "--role", "district manager")
    rollbook.run(
        "staff", "add", "maple-usd", login, *who, "--password-file", str(_secret(rollbook))
    )

    # The phone reads the secret, and shows that it has it
    sign_in(page, login)
    page.get_by_role("link", name="Uma Ng").click()
    page.get_by_role("link", name="Two-step verification").click()
    expect(page.get_by_role("img")).to_be_visible()
    phone = Phone.with_secret(page.locator("main pre").inner_text())
    page.get_by_label("Code").fill(phone.code(datetime.now(UTC)))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Turn on two-step verification").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Save your recovery codes")
    codes, header, _ = page.locator("main pre").all_inner_texts()
    first, second, *_ = codes.split()
    assert header.startswith("Authorization: Bearer rb_")
    page.get_by_role("link", name="I’ve saved everything").click()

    # The password alone is not enough any more, and a wrong code is not either
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/students")
    fill_sign_in(page, login)
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-step verification")
    page.get_by_label("Code").fill("000000")
    page.locator("main button").click()
    expect(page.get_by_role("main")).to_contain_text("That code isn’t right.")
    page.get_by_label("Code").fill(phone.code(datetime.now(UTC), later=1))
    page.locator("main button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Students")

    # The phone is lost: one recovery code signs in, another one turns it off
    page.get_by_role("button", name="Sign out").click()
    fill_sign_in(page, login)
    page.get_by_label("Code").fill(first)
    page.locator("main button").click()
    expect(page.get_by_role("status")).to_contain_text("Recovery codes left: 9.")
    page.get_by_role("link", name="Uma Ng").click()
    page.get_by_role("link", name="Two-step verification").click()
    page.get_by_role("link", name="Turn off two-step verification").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code").fill(second)
    page.get_by_role("button", name="Turn off two-step verification").click()
    expect(page.get_by_role("status")).to_contain_text("Two-step verification was turned off.")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, login)


def _secret(rollbook: Rollbook) -> Path:
    """The file with everybody's password."""
    return rollbook.data.parent / "secret.txt"


def _letters(number: int) -> str:
    """A name for each number; digits are none."""
    return str(number).translate(str.maketrans("0123456789", "abcdefghij"))


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1].replace(",", ""))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _csv(rows: "list[dict[str, str]]") -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
