"""Every page in every state to test; add a state with one line in ``STATES``.

The accessibility tests and the screenshots visit all of them. Maple USD has updates of all kinds,
and Birch ISD is a new district.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FilePayload, Page

from tests.accounts.phone import Phone
from tests.browser.actions import (
    choose_file,
    emails_to,
    expect_signed_in,
    fill_sign_in,
    find_link,
    pause_worker,
    search_students,
)
from tests.conftest import PASSWORD
from tests.endtoend.conftest import LOGIN, Rollbook
from tests.installations import execute

NEW_DISTRICT = "new@birch.example"
SCHOOL_MANAGER = "school@maple.example"
INSTRUCTOR = "teacher@maple.example"
INVITED = "invited@maple.example"
SIGNED_OUT = ""

HEADER = (
    "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED,"
    "GROUPS,STAFF"
)
FIRST_NAMES = ["Ana", "Ben", "Chloé", "Đặng", "Elif", "Fatima", "Grigori", "花子", "Iñaki", "محمد"]
LAST_NAMES = [
    "Brook",
    "Cole",
    "Müller-Lüdenscheidt-Hohenstein",
    "O'Brien",
    "Ōtani",
    "Павлова",
    "Ruiz",
    "Smith",
    "Tran",
    "Li",
]
STUDENTS = 60
EVERY_PROBLEM = (
    "STUDENT_ID,GRADE,DOB,SCHOOL_ID,Home room\n00001,99,,,\n00002,5,2/30/2015,,\nnobody,4,,,\n"
    "00004,7,,900,\n00005,9,,200,B\n1.23E+05,6,,,\n00007,8\n"
)

OpenState = Callable[[Page], None]


@dataclass(frozen=True)
class State:
    """A page in a state.

    Attributes:
        name: The name of the state, also used for its screenshots.
        opener: The address of the page, or a function that opens it in the state.
        login: The email of the member who is signed in; empty if nobody is.
    """

    name: str
    opener: str | OpenState
    login: str = LOGIN


def prepare(rollbook: Rollbook) -> None:
    """Create the data that ``STATES`` need, and pause the worker."""
    _add_staff(rollbook)
    _send(rollbook, _roster(), "mode=add")
    _send(rollbook, "STUDENT_ID,GRADE\n" + "".join(f"{n:05},{n % 12 + 1}\n" for n in range(30)))
    _send(rollbook, EVERY_PROBLEM)
    for number, days in ((1, 4), (2, 2), (3, 1)):
        _backdate(rollbook, number, days)
    _send(rollbook, "")
    _add_plans(rollbook)
    pause_worker(rollbook)
    for grade in (7, 8, 9):
        _send(rollbook, f"STUDENT_ID,GRADE\n00001,{grade}\n00002,{grade}\n", wait=False)
    rollbook.curl("cancel", "-F", "update=9")
    _set_running_update(rollbook, "state = 'checking', started_at = received_at, rows_read = 1")


def _add_plans(rollbook: Rollbook) -> None:
    """Add an update that is held, number 5, and a dry run with all kinds of rows, number 6."""
    leavers = "".join(f"{n:05},inactive\n" for n in range(40))
    _send(rollbook, f"STUDENT_ID,STATUS\n{leavers}")
    rows = "00001,6,200\n00002,99,\n00003,,100\nnobody,4,\n"
    _send(rollbook, f"STUDENT_ID,GRADE,SCHOOL_ID\n{rows}", "check=yes", wait=False)
    status = rollbook.curl("status", "-F", "update=6", "-F", "wait=60")
    assert status.verdict.startswith("CHECKED"), status


def _add_staff(rollbook: Rollbook) -> None:
    secret = rollbook.data.parent / "secret.txt"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    rollbook.add_district("Birch ISD", "birch-isd", NEW_DISTRICT, "1,Birch School\n")
    for email, first, last, role in (
        (SCHOOL_MANAGER, "Sam", "Ōkubo", "school manager"),
        (INSTRUCTOR, "Ines", "Tran", "instructor"),
    ):
        options = ("--first", first, "--last", last, "--role", role, "--school", "100")
        rollbook.run("staff", "add", "maple-usd", email, *options, "--password-file", str(secret))
    invited = ("--first", "Noa", "--last", "Park", "--role", "district manager")
    rollbook.run("staff", "add", "maple-usd", INVITED, *invited)


def _backdate(rollbook: Rollbook, number: int, days: int) -> None:
    """Move the times of an update into the past, so that the home page has several days."""
    past = (datetime.now(UTC) - timedelta(days=days)).isoformat(" ")
    of_update = f"update_id IN (SELECT id FROM updates_updatejob WHERE number = {number})"
    for table, condition, columns in (
        (
            "updates_updatejob",
            f"number = {number}",
            ("received_at", "started_at", "applying_at", "ended_at"),
        ),
        ("updates_resultmail", of_update, ("queued_at", "sent_at")),
        ("students_change", of_update, ("changed_at",)),
    ):
        assignments = ", ".join(f"{column} = '{past}'" for column in columns)
        execute(rollbook.data, f"UPDATE {table} SET {assignments} WHERE {condition}")


def _set_running_update(rollbook: Rollbook, assignments: str) -> None:
    """Change the running update in the database, because a worker can't be paused at any point."""
    execute(rollbook.data, f"UPDATE updates_updatejob SET {assignments} WHERE number = 7")


def _expire(rollbook: Rollbook, column: str) -> None:
    """Mark data of the update with errors as deleted, as retention does after some weeks."""
    execute(rollbook.data, f"UPDATE updates_updatejob SET {column} = ended_at WHERE number = 3")


def _roster() -> str:
    rows = [_roster_row(n) for n in range(STUDENTS)]
    return "\n".join([HEADER, *rows, ""])


def _roster_row(n: int) -> str:
    first_name, last_name = FIRST_NAMES[n % 10], LAST_NAMES[(n * 7 + n // 10) % 10]
    birth_date = f"{1 + n % 12}/{1 + n % 28}/{2010 + n % 8}"
    gender, grade, school = "fmx"[n % 3], n % 12 + 1, 100 + 100 * (n % 2)
    is_ell = "ny"[n % 2]
    instructor = INSTRUCTOR if n % 10 == 0 else ""
    return (
        f"{n:05},user{n},{first_name},{last_name},{birth_date},{gender},{grade},{school},"
        f"{is_ell},n,Homeroom {n % 4}&Choir,{instructor}"
    )


def _send(rollbook: Rollbook, text: str, *fields: str, wait: bool = True) -> None:
    file = rollbook.data.parent / "students.csv"
    file.write_text(text, encoding="utf-8")
    rollbook.start_update(file, *fields)
    if wait:
        rollbook.until_ended()
        time.sleep(0.5)  # its emails are created a moment later


FINAL_STATES = (
    "password",
    "password-refused",
    "update-applying",
    "update-failed",
    "home-after-failure",
    "update-file-removed",
    "update-details-removed",
    "update-rows-removed",
    "second-factor-required",
)
"""The names of the states that need changes of the data, in the order of ``_states``."""


def state_names() -> list[str]:
    """Return the names of all states, in the order of ``visits``."""
    return [*(state.name for state in STATES), *FINAL_STATES]


def visits(rollbook: Rollbook, new_page: Callable[[], Page]) -> Iterator[tuple[State, Page]]:
    """Yield each state with its page; each member has one browser context."""
    pages: dict[str, Page] = {}
    for state in _states(rollbook):
        if state.login not in pages:
            pages[state.login] = new_page()
            if state.login:
                pages[state.login].goto("/sign-in")
                fill_sign_in(pages[state.login], state.login)
                expect_signed_in(pages[state.login])
        page = pages[state.login]
        if isinstance(state.opener, str):
            page.goto(state.opener)
        else:
            state.opener(page)
        page.wait_for_load_state()  # a click waits only until its page begins to arrive
        yield state, page


def _states(rollbook: Rollbook) -> Iterator[State]:
    """Yield ``STATES``, then change the data for each of ``FINAL_STATES`` and yield it."""
    yield from STATES
    link = find_link(emails_to(rollbook, INVITED)[0], "/password/")
    yield State("password", link, SIGNED_OUT)
    yield State("password-refused", lambda page: _submit_bad_password(page, link), SIGNED_OUT)
    _set_running_update(
        rollbook,
        "state = 'applying', applying_at = received_at, rows_read = 2, rows_staged = 2,"
        " rows_updated = 1",
    )
    yield State("update-applying", "/updates/7")
    _set_running_update(
        rollbook, "state = 'failed', ended_at = received_at, error_reference = '8f3a1c'"
    )
    yield State("update-failed", "/updates/7")
    yield State("home-after-failure", "/")
    _expire(rollbook, "file_removed_at")
    yield State("update-file-removed", "/updates/3")
    _expire(rollbook, "details_hidden_at")
    yield State("update-details-removed", "/updates/3")
    yield State("update-rows-removed", "/updates/3/rows")
    execute(
        rollbook.data,
        "UPDATE districts_district SET requires_second_factor = true WHERE slug = 'maple-usd'",
    )
    yield State("second-factor-required", "/", INSTRUCTOR)


def _submit_bad_password(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Confirm new password").fill("another")
    _submit(page)


def _wrong_password(page: Page) -> None:
    page.goto("/sign-in")
    fill_sign_in(page, LOGIN, "this is not the password")
    page.get_by_role("alert").wait_for()


def _password_reset_requested(page: Page) -> None:
    page.goto("/forgotten-password")
    page.get_by_label("Email").fill("nobody@maple.example")
    _submit(page)


POWERSCHOOL = (
    "Student_Number,First_Name,Last_Name,DOB,Grade_Level,Home_Room\n"
    "00001,Ana,Brook,5/13/2014,5,B1\n00002,Ben,Cole,31/31/2014,5,B2\n"
)


def _draft(text: str) -> OpenState:
    """Return a function that uploads a file with this text and opens the result of its check."""
    return lambda page: choose_file(page, "students.csv", text)


def _kept_draft(page: Page) -> None:
    """Upload files until the queue is full, so that the last one is kept."""
    for grade in range(10):
        _draft(f"STUDENT_ID,GRADE,Home room\n00001,{grade},A\n")(page)
        if "/drafts/" in page.url:
            return


def _expanded(address: str) -> OpenState:
    """Return a function that opens the address and expands all its details."""

    def expand(page: Page) -> None:
        page.goto(address)
        page.evaluate(
            "document.querySelectorAll('main details').forEach(details => details.open = true)"
        )

    return expand


def _open_menu(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate(
        "document.querySelectorAll('.menu:not(.me)').forEach(details => details.open = true)"
    )


def _submit_invitation(page: Page, email: str) -> None:
    page.goto("/staff/invite")
    page.get_by_label("First name").fill("Noa")
    page.get_by_label("Last name").fill("Park")
    page.get_by_label("Email").fill(email)
    page.get_by_label("District manager").check()
    _submit(page)


def _last_manager_refused(page: Page) -> None:
    page.goto("/staff/1")
    page.get_by_label("Instructor").check()
    _submit(page)


def _staff_imported(page: Page) -> None:
    page.goto("/staff/import")
    text = (
        "FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS\n"
        "Ida,Stone,instructor,ida@maple.example,100\n"
        "Cy,Loe,king,cy@maple.example,\n"
        "Bo,Li,instructor,bo,999\n"
    )
    page.get_by_label("Staff file").set_input_files(
        FilePayload(name="staff.csv", mimeType="text/csv", buffer=text.encode())
    )
    _submit(page)


def _undo_question(page: Page) -> None:
    page.goto("/updates/1")
    page.get_by_role("button", name="Undo…").click()
    page.get_by_role("button", name="Make a plan").wait_for()


def _school_refused(page: Page) -> None:
    page.goto("/schools/new")
    page.get_by_label("School ID").fill("100")
    page.get_by_label("Name", exact=True).fill("Again")
    _submit(page)


def _schools_refused(page: Page) -> None:
    page.goto("/schools/import")
    text = "SCHOOL_ID,NAME\n300,Hill\n300,Again\n400,\n"
    page.get_by_label("File of schools").set_input_files(
        FilePayload(name="schools.csv", mimeType="text/csv", buffer=text.encode())
    )
    _submit(page)


def _student_refused(page: Page) -> None:
    page.goto("/students/new?school=100")
    page.get_by_label("First name").fill("Noa")
    page.get_by_label("Birth date").fill("2/30/2014")
    _submit(page)


def _student_added(page: Page) -> None:
    page.goto("/students/new?school=100")
    for label, text in (("First name", "Noa"), ("Last name", "Park"), ("Birth date", "5/13/2014")):
        page.get_by_label(label).fill(text)
    for label, value in (("Gender", "x"), ("Grade", "4"), ("School", "100")):
        page.get_by_label(label, exact=True).select_option(value)
    for label in ("English learner", "Special education"):
        page.get_by_label(label).select_option("n")
    _submit(page)


def _automation_ready(page: Page) -> None:
    page.goto("/automation/setup/cron")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create download").click()


def _student_action(page: Page, action: str) -> None:
    page.goto("/students/3")
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("button", name=action).click()


def _student_password(page: Page) -> None:
    _student_action(page, "New password")
    page.get_by_role("button", name="Set new password").click()


def _selected_students(page: Page, action: str) -> None:
    search_students(page, "ben")
    page.get_by_label("All students on this page").check()
    with page.expect_navigation():
        page.get_by_role("button", name=action).click()


def _matching_students(page: Page) -> None:
    page.goto("/students")
    page.get_by_label(re.compile("^All [0-9]+ students of the list$")).check()
    with page.expect_navigation():
        page.get_by_role("button", name="Deactivate").click()


def _cards(page: Page) -> None:
    _selected_students(page, "New passwords")
    with page.expect_navigation():
        page.get_by_role("button", name="Set new passwords").click()


def _open_group(page: Page, name: str) -> None:
    page.goto("/groups")
    _follow(page, name)


def _group_question(page: Page) -> None:
    _open_group(page, "Choir")
    page.get_by_role("button", name="Delete Choir").click()


def _group_refused(page: Page) -> None:
    page.goto("/groups/new")
    page.get_by_label("Name", exact=True).fill("choir")
    _submit(page)


def _transfer_requested(page: Page) -> None:
    page.goto("/transfers/new/student/3")
    page.get_by_label("New school").select_option("?")
    page.get_by_label("Where should they go?").fill("To School 200")
    _submit(page)


def _transfer_completed(page: Page) -> None:
    page.goto("/transfers/new/student/4")
    page.get_by_label("New school").select_option(index=1)
    _submit(page)


def _standard_role(page: Page) -> None:
    page.goto("/roles")
    _follow(page, "school manager")


def _role_refused(page: Page) -> None:
    page.goto("/roles/new/instructor")
    page.get_by_label("Name", exact=True).fill("Instructor")
    _submit(page)


def _second_factor_refused(page: Page) -> None:
    page.goto("/account/second-factor")
    page.get_by_label("Code").fill("12345")
    page.get_by_label("Your password").fill(PASSWORD)
    _submit(page)


def _second_factor_turned_on(page: Page) -> None:
    page.goto("/account/second-factor")
    phone = Phone.with_secret(page.locator("main pre").inner_text())
    page.get_by_label("Code").fill(phone.code(datetime.now(UTC)))
    page.get_by_label("Your password").fill(PASSWORD)
    _submit(page)


def _code_required(page: Page) -> None:
    page.goto("/sign-in")
    fill_sign_in(page, NEW_DISTRICT)
    page.get_by_label("Code").wait_for()


def _wrong_code(page: Page) -> None:
    _code_required(page)
    page.get_by_label("Code").fill("000000")
    _submit(page)


def _submit_token(page: Page, password: str) -> None:
    page.goto("/account/tokens/new")
    page.get_by_label("Name", exact=True).fill("Nightly script")
    page.get_by_label("Your password").fill(password)
    _submit(page)


def _submit_full_sync(page: Page) -> None:
    """Turn full sync on for pages, then enter a number of files that is too small."""
    page.goto("/full-sync")
    page.get_by_label("Full sync").nth(1).check()
    page.get_by_role("button", name="Save full sync").click()
    page.get_by_label("Files without a student").fill("1")
    page.get_by_role("button", name="Save full sync").click()


def _submit_expected_files(page: Page) -> None:
    """Save a week and a pause, then a pause that ends before it begins."""
    page.goto("/expected-files")
    for weekday in ("Monday", "Friday"):
        page.get_by_label(weekday).fill("06:00")
    page.get_by_role("button", name="Save").click()
    for first, last in (("2098-12-21", "2099-01-03"), ("2099-06-30", "2099-06-01")):
        page.get_by_label("First day").fill(first)
        page.get_by_label("Last day").fill(last)
        page.get_by_role("button", name="Add pause").click()


def _submit_quiet_hours(page: Page) -> None:
    """Enter quiet hours without an end."""
    page.goto("/quiet-hours")
    page.get_by_label("Monday").fill("7:30 AM")
    page.get_by_role("button", name="Save").click()


def _map_columns(page: Page, button: str = "") -> None:
    """Open the mapping of a file that isn't understood, and submit it."""
    _draft(POWERSCHOOL)(page)
    page.get_by_role("link", name="More about columns").click()
    if button:
        page.get_by_role("button", name=button).click()


def _columns_chosen(page: Page, **choices: str) -> None:
    """Choose what columns of a file are on its result page, and check it with them."""
    summary = page.get_by_text("Change how columns are used")
    if not page.get_by_label("Name of the mapping").is_visible():
        summary.click()
    for column, choice in choices.items():
        page.get_by_label(column, exact=True).select_option(choice)
    page.get_by_role("button", name="Check the file with these columns").click()


def _columns_refused(page: Page) -> None:
    """Choose the same for two columns of a plan's file."""
    page.goto("/updates/6")
    _columns_chosen(page, SCHOOL_ID="GRADE")
    page.get_by_text("would both be Grade").first.wait_for()


def _unknown_columns_refused(page: Page) -> None:
    """Save the proposed columns under a name that isn't possible."""
    _draft(POWERSCHOOL)(page)
    page.get_by_label("Name of the mapping").fill("Power School")
    _columns_chosen(page)
    page.get_by_text("a-z, 0-9 and hyphens, such as").first.wait_for()


def _columns_saved(page: Page) -> None:
    """Save the proposed mapping of a file; it waits to be checked against the roster."""
    _draft(POWERSCHOOL)(page)
    _columns_chosen(page)
    page.get_by_role("status").wait_for()


def _map_wrongly(page: Page) -> None:
    _map_columns(page)
    page.get_by_label("Name", exact=True).fill("Power School")
    page.get_by_role("button", name="Try these columns").click()
    page.get_by_text("a-z, 0-9 and hyphens, such as").first.wait_for()


def _try_limits(page: Page) -> None:
    """Try limits that some of the past updates exceed."""
    page.goto("/limits")
    page.get_by_label("Students changed in any way, whole district: %").fill("0")
    page.get_by_label("Students changed in any way, whole district: number").fill("0")
    page.get_by_role("button", name="Try these limits").click()
    page.get_by_role("link", name="Update #3").wait_for()


def _limits_refused(page: Page) -> None:
    page.goto("/limits")
    page.get_by_label("Students added, one school: %").fill("101")
    _submit(page)


def _expect_changes(page: Page) -> None:
    page.goto("/limits")
    for name in ("Grade", "New students"):
        page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Expect these changes").click()
    page.get_by_text("Changes expected:").wait_for()


def _expect_nothing(page: Page) -> None:
    page.goto("/limits")
    page.get_by_role("button", name="Expect these changes").click()
    page.get_by_text("Choose at least one of these.", exact=True).wait_for()


def _add_profile(page: Page, last: str) -> None:
    page.goto("/limits/profiles/new")
    page.get_by_label("Name", exact=True).fill("rollover")
    page.get_by_label("First day").fill("2099-06-01")
    page.get_by_label("Last day").fill(last)
    _submit(page)


def _pause_question(page: Page) -> None:
    page.goto("/expected-files")
    page.get_by_label("First day").fill("2099-12-21")
    page.get_by_label("Last day").fill("2099-12-31")
    page.get_by_role("button", name="Add pause").click()
    page.get_by_role("button", name="Remove the pause from Dec 21, 2099").click()
    page.get_by_role("button", name="Remove pause").wait_for()


def _profile_question(page: Page) -> None:
    page.goto("/limits")
    page.get_by_role("button", name="Remove the profile rollover").click()
    page.get_by_role("button", name="Remove rollover").wait_for()


def _submit_settings(page: Page, days: str) -> None:
    page.goto("/settings")
    page.get_by_label("Student files, in days").fill(days)
    _submit(page)


def _no_file(page: Page) -> None:
    page.goto("/students/update/format")
    _submit(page)


def _other_session(page: Page) -> None:
    """Sign in again without cookies, so that the member has another session."""
    page.context.clear_cookies()
    page.goto("/sign-in")
    fill_sign_in(page, LOGIN)
    page.goto("/account")


def _follow(page: Page, link: str) -> None:
    """Click the first link of this name, and wait for its page."""
    with page.expect_navigation():
        page.get_by_role("link", name=link, exact=True).first.click()


def _approve_without_selection(page: Page) -> None:
    page.goto("/updates/5")
    page.get_by_text("Leave out schools").click()
    page.get_by_role("button", name="Approve without these schools").click()
    page.get_by_role("status").wait_for()


def _discard_plan(page: Page) -> None:
    page.goto("/updates/5")
    page.get_by_text("Discard this plan").click()
    page.get_by_role("button", name="Discard update 5").click()
    page.get_by_role("status").wait_for()


def _no_rows(page: Page) -> None:
    page.goto("/updates/3/rows")
    page.get_by_label("Line, ID, username or name").fill("zzz")
    _submit(page)


def _submit(page: Page) -> None:
    """Submit the form without validation by the browser."""
    page.evaluate("document.querySelector('main form').noValidate = true")
    with page.expect_navigation():
        page.locator("main form button:not([type=button])").first.click()


STATES = (
    State("sign-in", "/sign-in", SIGNED_OUT),
    State("sign-in-wrong", _wrong_password, SIGNED_OUT),
    State("forgotten-password", "/forgotten-password", SIGNED_OUT),
    State("password-reset-requested", _password_reset_requested, SIGNED_OUT),
    State("password-bad-link", "/password/nothing", SIGNED_OUT),
    State("home-held", "/"),
    State("plan-held", _expanded("/updates/5")),
    State("plan-checked", _expanded("/updates/6")),
    State("plan-columns-refused", _columns_refused),
    State("plan-not-approved", _approve_without_selection),
    State("plan-rows", "/updates/5/rows?figure=deactivated&school=100"),
    State("update-discarded", _discard_plan),
    State("home", _expanded("/")),
    State("home-menu", lambda page: _open_menu(page, "/")),
    State("home-new", "/", NEW_DISTRICT),
    State("home-school-manager", "/", SCHOOL_MANAGER),
    State("home-instructor", "/", INSTRUCTOR),
    State("students", "/students"),
    State("students-second-page", "/students?page=2"),
    State("students-filtered", lambda page: search_students(page, "brook")),
    State("students-none-found", lambda page: search_students(page, "zzz")),
    State("students-new", "/students", NEW_DISTRICT),
    State("students-school-manager", "/students", SCHOOL_MANAGER),
    State("students-instructor", "/students", INSTRUCTOR),
    State("student", _expanded("/students/2")),
    State("student-instructor", _expanded("/students/1"), INSTRUCTOR),
    State("student-confidential", "/students/2/confidential"),
    State("student-seen", "/students/2/seen-by"),
    State("student-new-school", "/students/new"),
    State("student-new", "/students/new?school=100"),
    State("student-refused", _student_refused),
    State("student-edit", _expanded("/students/2/edit")),
    State("student-added", _student_added),
    State("group-question", _group_question),
    State("student-question", lambda page: _student_action(page, "Deactivate")),
    State("student-password", _student_password),
    State("students-selected", lambda page: _selected_students(page, "Deactivate")),
    State("students-all-selected", _matching_students),
    State("students-cards", _cards),
    State("students-transfer", lambda page: _selected_students(page, "Transfer")),
    State("groups", "/groups"),
    State("groups-instructor", "/groups", INSTRUCTOR),
    State("group", lambda page: _open_group(page, "Choir")),
    State("group-instructor", lambda page: _open_group(page, "Choir"), INSTRUCTOR),
    State("group-default", lambda page: _open_group(page, "Default")),
    State("group-new", "/groups/new"),
    State("group-refused", _group_refused),
    State("transfers-none", "/transfers"),
    State("transfer-new", "/transfers/new/student/5"),
    State("transfer-new-school-manager", "/transfers/new/school/1", SCHOOL_MANAGER),
    State("transfer-requested", _transfer_requested, SCHOOL_MANAGER),
    State("transfer-waiting", "/transfers/1"),
    State("home-transfer-requested", "/"),
    State("transfer-completed", _transfer_completed),
    State("transfers", "/transfers"),
    State("students-update", _expanded("/students/update")),
    State("students-format", _expanded("/students/update/format")),
    State("students-no-file", _no_file),
    State("draft-problems", _draft("STUDENT_ID,GRADE,Home room\n00001,99,A\n00002,98,B\n")),
    State("draft-refused", _draft("")),
    State("draft-expired", "/students/update/drafts/00000000-0000-4000-8000-000000000000"),
    State("updates", "/updates"),
    State("updates-none-found", "/updates?state=failed"),
    State("updates-new", "/updates", NEW_DISTRICT),
    State("update-completed", "/updates/2"),
    State("update-undo", _undo_question),
    State("update-with-errors", "/updates/3"),
    State("update-fix", _expanded("/updates/3/fix")),
    State("update-refused", "/updates/4"),
    State("update-running", _expanded("/updates/7")),
    State("update-waiting", "/updates/8"),
    State("update-canceled", "/updates/9"),
    State("update-missing", "/updates/1/missing"),
    State("update-rows", "/updates/3/rows"),
    State("update-rows-none", _no_rows),
    State("automation", _expanded("/automation")),
    State("automation-setup", "/automation/setup/systemd"),
    State("automation-ready", _automation_ready),
    State("staff", "/staff"),
    State("staff-unused", "/staff?unused=90"),
    State("staff-tokens", "/staff/tokens"),
    State("staff-invite", "/staff/invite"),
    State("staff-invite-refused", lambda page: _submit_invitation(page, LOGIN)),
    State("staff-invited", lambda page: _submit_invitation(page, "new@maple.example")),
    State("staff-member", "/staff/3"),
    State("staff-member-refused", _last_manager_refused),
    State("staff-school-manager", "/staff", SCHOOL_MANAGER),
    State("staff-import", "/staff/import"),
    State("staff-imported", _staff_imported),
    State("schools", "/schools"),
    State("school", "/schools/1"),
    State("school-new", "/schools/new"),
    State("school-refused", _school_refused),
    State("schools-import", "/schools/import"),
    State("schools-import-problems", _schools_refused),
    State("roles", "/roles"),
    State("role-standard", _standard_role),
    State("role-new", "/roles/new/school-manager"),
    State("role-refused", _role_refused),
    State("settings", "/settings"),
    State("settings-refused", lambda page: _submit_settings(page, "0")),
    State("full-sync", "/full-sync"),
    State("full-sync-refused", _submit_full_sync),
    State("expected-files", "/expected-files"),
    State("quiet-hours", "/quiet-hours"),
    State("quiet-hours-refused", _submit_quiet_hours),
    State("expected-files-refused", _submit_expected_files),
    State("pause-question", _pause_question),
    State("settings-saved", lambda page: _submit_settings(page, "30")),
    State("settings-question", lambda page: _submit_settings(page, "7")),
    State("mappings-none", "/mappings"),
    State("draft-mapping", _map_columns),
    State("draft-mapping-tried", lambda page: _map_columns(page, "Try these columns")),
    State("draft-mapping-refused", _map_wrongly),
    State("draft-columns", _draft(POWERSCHOOL)),
    State("draft-columns-refused", _unknown_columns_refused),
    State("draft-columns-saved", _columns_saved),
    State("draft-kept", _kept_draft),
    State("mappings", "/mappings"),
    State("mapping", "/mappings/powerschool"),
    State("limits", "/limits"),
    State("limits-tried", _try_limits),
    State("limits-refused", _limits_refused),
    State("limits-profile-new", "/limits/profiles/new"),
    State("limits-profile-refused", lambda page: _add_profile(page, "2099-05-31")),
    State("limits-profile-added", lambda page: _add_profile(page, "2099-07-15")),
    State("limits-profile", "/limits/profiles/1"),
    State("limits-profile-question", _profile_question),
    State("limits-expect-refused", _expect_nothing),
    State("limits-expected", _expect_changes),
    State("limits-version", "/limits/versions/1"),
    State("audit", "/audit"),
    State("audit-none-found", "/audit?action=zzz"),
    State("account", "/account"),
    State("account-other-session", _other_session),
    State("account-emails", "/account/emails"),
    State("account-password", "/account/password"),
    State("account-password-refused", lambda page: _submit_bad_password(page, "/account/password")),
    State("tokens-none", "/account/tokens"),
    State("token-new", "/account/tokens/new"),
    State("token-refused", lambda page: _submit_token(page, "not the password")),
    State("token-created", lambda page: _submit_token(page, PASSWORD)),
    State("tokens", "/account/tokens"),
    State("second-factor-new", "/account/second-factor", NEW_DISTRICT),
    State("second-factor-refused", _second_factor_refused, NEW_DISTRICT),
    State("second-factor-turned-on", _second_factor_turned_on, NEW_DISTRICT),
    State("second-factor", "/account/second-factor", NEW_DISTRICT),
    State("second-factor-off", "/account/second-factor/off", NEW_DISTRICT),
    State("recovery-codes", "/account/second-factor/recovery-codes", NEW_DISTRICT),
    State("account-second-factor", "/account", NEW_DISTRICT),
    State("automation-second-factor", _expanded("/automation"), NEW_DISTRICT),
    State("sign-in-code", _code_required, SIGNED_OUT),
    State("sign-in-code-wrong", _wrong_code, SIGNED_OUT),
    State("second-factor-turned-on-without-token", _second_factor_turned_on, SCHOOL_MANAGER),
    State("staff-second-factor", "/staff"),
    State("staff-member-second-factor", "/staff/3"),
    State("help", "/help"),
    State("help-student-file", _expanded("/help/student-file")),
    State("help-problems", "/help/problems"),
    State("help-commands", "/help/commands"),
    State("not-allowed", "/updates", SCHOOL_MANAGER),
    State("not-found", "/nothing"),
)
