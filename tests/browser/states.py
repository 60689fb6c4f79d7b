"""Every page in every state worth looking at: a new one is one line. axe and the pictures go through all of them.

The districts are made up: Maple USD in all kinds of states, Birch ISD where nothing has happened yet.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FilePayload, Page

from tests.accounts.phone import Phone
from tests.browser.ways import choose_file, fill_sign_in, link_in, mails_to, put_to_rest
from tests.conftest import PASSWORD
from tests.endtoend.conftest import LOGIN, Rollbook
from tests.installations import execute

NEW = "new@birch.example"
SCHOOL_MANAGER = "school@maple.example"
INSTRUCTOR = "teacher@maple.example"
INVITED = "invited@maple.example"
STRANGER = ""

HEADER = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED,GROUPS,STAFF"
FIRST = ["Ana", "Ben", "Chloé", "Đặng", "Elif", "Fatima", "Grigori", "花子", "Iñaki", "محمد"]
LAST = [
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

Way = Callable[[Page], None]


@dataclass(frozen=True)
class State:
    """A page as somebody finds it; ``way`` is its address, or how one gets there."""

    name: str
    way: str | Way
    who: str = LOGIN


def prepare(rollbook: Rollbook) -> None:
    """Bring the server into the states that ``STATES`` show; its worker sleeps from then on."""
    _staff(rollbook)
    _send(rollbook, _roster(), "mode=add")
    _send(rollbook, "STUDENT_ID,GRADE\n" + "".join(f"{n:05},{n % 12 + 1}\n" for n in range(30)))
    _send(rollbook, EVERY_PROBLEM)
    for number, days in ((1, 4), (2, 2), (3, 1)):
        _date_back(rollbook, number, days)
    _send(rollbook, "")
    put_to_rest(rollbook)
    for grade in (7, 8, 9):
        _send(rollbook, f"STUDENT_ID,GRADE\n00001,{grade}\n00002,{grade}\n", wait=False)
    rollbook.curl("cancel", "-F", "update=7")
    _move(rollbook, "state = 'checking', started_at = received_at, rows_read = 1")


def _staff(rollbook: Rollbook) -> None:
    secret = rollbook.data.parent / "secret.txt"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    rollbook.add_district("Birch ISD", "birch-isd", NEW, "1,Birch School\n")
    for email, first, last, role in (
        (SCHOOL_MANAGER, "Sam", "Ōkubo", "school manager"),
        (INSTRUCTOR, "Ines", "Tran", "instructor"),
    ):
        who = ("--first", first, "--last", last, "--role", role, "--school", "100")
        rollbook.run("staff", "add", "maple-usd", email, *who, "--password-file", str(secret))
    rollbook.run(
        "staff",
        "add",
        "maple-usd",
        INVITED,
        "--first",
        "Noa",
        "--last",
        "Park",
        "--role",
        "district manager",
    )


def _date_back(rollbook: Rollbook, number: int, days: int) -> None:
    """As if the update had come and ended so many days ago, so that there are nights to look back on."""
    then = (datetime.now(UTC) - timedelta(days=days)).isoformat(" ")
    its = f"update_id IN (SELECT id FROM updates_updatejob WHERE number = {number})"
    for table, rows, columns in (
        (
            "updates_updatejob",
            f"number = {number}",
            ("received_at", "started_at", "applying_at", "ended_at"),
        ),
        ("updates_resultmail", its, ("queued_at", "sent_at")),
        ("students_change", its, ("changed_at",)),
    ):
        moments = ", ".join(f"{column} = '{then}'" for column in columns)
        execute(rollbook.data, f"UPDATE {table} SET {moments} WHERE {rows}")


def _move(rollbook: Rollbook, facts: str) -> None:
    """The update that runs: a worker that is stopped in the middle of its work is not to be had at will."""
    execute(rollbook.data, f"UPDATE updates_updatejob SET {facts} WHERE number = 5")


def _forget(rollbook: Rollbook, column: str) -> None:
    """As if retention had been at the update with errors; its time is over in weeks."""
    execute(rollbook.data, f"UPDATE updates_updatejob SET {column} = ended_at WHERE number = 3")


def _roster() -> str:
    rows = (
        f"{n:05},user{n},{FIRST[n % 10]},{LAST[(n * 7 + n // 10) % 10]},{1 + n % 12}/{1 + n % 28}/{2010 + n % 8},"
        f"{'fmx'[n % 3]},{n % 12 + 1},{100 + 100 * (n % 2)},{'ny'[n % 2]},n,Homeroom {n % 4}&Choir,"
        f"{INSTRUCTOR if n % 10 == 0 else ''}"
        for n in range(STUDENTS)
    )
    return "\n".join([HEADER, *rows, ""])


def _send(rollbook: Rollbook, text: str, *fields: str, wait: bool = True) -> None:
    file = rollbook.data.parent / "students.csv"
    file.write_text(text, encoding="utf-8")
    rollbook.start_update(file, *fields)
    if wait:
        rollbook.until_ended()
        time.sleep(0.5)  # its letters are written a moment later


LATER = (
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
"""The names of the states into which the server is brought at the end."""


def names() -> list[str]:
    """Return the names of all states, in the order of ``visits``."""
    return [*(state.name for state in STATES), *LATER]


def visits(rollbook: Rollbook, new_page: Callable[[], Page]) -> Iterator[tuple[State, Page]]:
    """Each state with a page that shows it, those of one person in one context."""
    pages: dict[str, Page] = {}
    for state in _states(rollbook):
        if state.who not in pages:
            pages[state.who] = new_page()
            if state.who:
                pages[state.who].goto("/sign-in")
                fill_sign_in(pages[state.who], state.who)
                pages[state.who].get_by_role("button", name="Sign out").wait_for()
        page = pages[state.who]
        if isinstance(state.way, str):
            page.goto(state.way)
        else:
            state.way(page)
        yield state, page


def _states(rollbook: Rollbook) -> Iterator[State]:
    """Those that the server stays in, and then those into which it is brought."""
    yield from STATES
    link = link_in(mails_to(rollbook, INVITED)[0], "/password/")
    yield State("password", link, STRANGER)
    yield State("password-refused", lambda page: _refused_password(page, link), STRANGER)
    _move(
        rollbook,
        "state = 'applying', applying_at = received_at, rows_read = 2, rows_staged = 2, rows_updated = 1",
    )
    yield State("update-applying", "/updates/5")
    _move(rollbook, "state = 'failed', ended_at = received_at, error_reference = '8f3a1c'")
    yield State("update-failed", "/updates/5")
    yield State("home-after-failure", "/")
    _forget(rollbook, "file_removed_at")
    yield State("update-file-removed", "/updates/3")
    _forget(rollbook, "details_hidden_at")
    yield State("update-details-removed", "/updates/3")
    yield State("update-rows-removed", "/updates/3/rows")
    execute(
        rollbook.data,
        "UPDATE districts_district SET requires_second_factor = true WHERE slug = 'maple-usd'",
    )
    yield State("second-factor-required", "/", INSTRUCTOR)


def _refused_password(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Confirm new password").fill("another")
    _send_form(page)


def _wrong_password(page: Page) -> None:
    page.goto("/sign-in")
    fill_sign_in(page, LOGIN, "this is not the password")
    page.get_by_role("alert").wait_for()


def _asked_for_password(page: Page) -> None:
    page.goto("/forgotten-password")
    page.get_by_label("Email").fill("nobody@maple.example")
    _send_form(page)


def _checked(text: str) -> Way:
    return lambda page: choose_file(page, "students.csv", text)


def _opened(address: str) -> Way:
    """With all that can be unfolded."""

    def way(page: Page) -> None:
        page.goto(address)
        page.evaluate(
            "document.querySelectorAll('details').forEach(details => details.open = true)"
        )

    return way


def _filled_in(page: Page, email: str) -> None:
    page.goto("/staff/invite")
    page.get_by_label("First name").fill("Noa")
    page.get_by_label("Last name").fill("Park")
    page.get_by_label("Email").fill(email)
    page.get_by_label("District manager").check()
    _send_form(page)


def _last_manager(page: Page) -> None:
    page.goto("/staff/1")
    page.get_by_label("Instructor").check()
    _send_form(page)


def _imported(page: Page) -> None:
    page.goto("/staff/import")
    lines = "Ida,Stone,instructor,ida@maple.example,100\nCy,Loe,king,cy@maple.example,\nBo,Li,instructor,bo,999\n"
    text = f"FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS\n{lines}"
    page.get_by_label("Staff file").set_input_files(
        FilePayload(name="staff.csv", mimeType="text/csv", buffer=text.encode())
    )
    _send_form(page)


def _refused_school(page: Page) -> None:
    page.goto("/schools/new")
    page.get_by_label("School ID").fill("100")
    page.get_by_label("Name").fill("Again")
    _send_form(page)


def _schools_refused(page: Page) -> None:
    page.goto("/schools/import")
    text = "SCHOOL_ID,NAME\n300,Hill\n300,Again\n400,\n"
    page.get_by_label("File of schools").set_input_files(
        FilePayload(name="schools.csv", mimeType="text/csv", buffer=text.encode())
    )
    _send_form(page)


def _refused_student(page: Page) -> None:
    page.goto("/students/new")
    page.get_by_label("First name").fill("Noa")
    page.get_by_label("Birth date").fill("2/30/2014")
    _send_form(page)


def _added_student(page: Page) -> None:
    page.goto("/students/new")
    for label, text in (("First name", "Noa"), ("Last name", "Park"), ("Birth date", "5/13/2014")):
        page.get_by_label(label).fill(text)
    for label, value in (("Gender", "x"), ("Grade", "4"), ("School", "100")):
        page.get_by_label(label, exact=True).select_option(value)
    for label in ("English learner", "Special education"):
        page.get_by_label(label).select_option("n")
    _send_form(page)


def _pressed(page: Page, address: str, button: str) -> None:
    page.goto(address)
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def _group(page: Page, name: str) -> None:
    page.goto("/groups")
    page.get_by_role("link", name=name, exact=True).first.click()


def _refused_group(page: Page) -> None:
    page.goto("/groups/new")
    page.get_by_label("Name").fill("choir")
    _send_form(page)


def _handed_over(page: Page) -> None:
    page.goto("/transfers/new/student/3")
    page.get_by_label("New school").select_option("?")
    page.get_by_label("Where should they go?").fill("To School 200")
    _send_form(page)


def _moved(page: Page) -> None:
    page.goto("/transfers/new/student/4")
    page.get_by_label("New school").select_option(index=1)
    _send_form(page)


def _standard_role(page: Page) -> None:
    page.goto("/roles")
    page.get_by_role("link", name="school manager", exact=True).click()


def _refused_role(page: Page) -> None:
    page.goto("/roles/new/instructor")
    page.get_by_label("Name").fill("Instructor")
    _send_form(page)


def _second_factor_refused(page: Page) -> None:
    page.goto("/account/second-factor")
    page.get_by_label("Code").fill("12345")
    page.get_by_label("Your password").fill(PASSWORD)
    _send_form(page)


def _second_factor_made(page: Page) -> None:
    page.goto("/account/second-factor")
    phone = Phone.with_secret(page.locator("main pre").inner_text())
    page.get_by_label("Code").fill(phone.code(datetime.now(UTC)))
    page.get_by_label("Your password").fill(PASSWORD)
    _send_form(page)


def _code_asked_for(page: Page) -> None:
    page.goto("/sign-in")
    fill_sign_in(page, NEW)
    page.get_by_label("Code").wait_for()


def _wrong_code(page: Page) -> None:
    _code_asked_for(page)
    page.get_by_label("Code").fill("000000")
    _send_form(page)


def _token(page: Page, password: str) -> None:
    page.goto("/account/tokens/new")
    page.get_by_label("Name").fill("The machine of the night")
    page.get_by_label("Your password").fill(password)
    _send_form(page)


def _settings(page: Page, days: str) -> None:
    page.goto("/settings")
    page.get_by_label("Student files, in days").fill(days)
    _send_form(page)


def _no_file(page: Page) -> None:
    page.goto("/students/update/format")
    _send_form(page)


def _other_session(page: Page) -> None:
    """Whoever forgets the cookies is somebody else to the server."""
    page.context.clear_cookies()
    page.goto("/sign-in")
    fill_sign_in(page, LOGIN)
    page.goto("/account")


def _send_form(page: Page) -> None:
    """To the server, whatever the browser thinks of what is filled in."""
    page.evaluate("document.querySelector('main form').noValidate = true")
    with page.expect_navigation():
        page.locator("main form button").first.click()


STATES = (
    State("sign-in", "/sign-in", STRANGER),
    State("sign-in-wrong", _wrong_password, STRANGER),
    State("forgotten-password", "/forgotten-password", STRANGER),
    State("asked-for-password", _asked_for_password, STRANGER),
    State("password-bad-link", "/password/nothing", STRANGER),
    State("home", _opened("/")),
    State("home-new", "/", NEW),
    State("home-school-manager", "/", SCHOOL_MANAGER),
    State("home-instructor", "/", INSTRUCTOR),
    State("students", "/students"),
    State("students-second-page", "/students?page=2"),
    State("students-found", "/students?search=brook&grade=3"),
    State("students-none-found", "/students?search=zzz"),
    State("students-new", "/students", NEW),
    State("students-school-manager", "/students", SCHOOL_MANAGER),
    State("students-instructor", "/students", INSTRUCTOR),
    State("student", _opened("/students/2")),
    State("student-instructor", _opened("/students/1"), INSTRUCTOR),
    State("student-new", "/students/new"),
    State("student-refused", _refused_student),
    State("student-edit", _opened("/students/2/edit")),
    State("student-added", _added_student),
    State("student-password", lambda page: _pressed(page, "/students/3", "Generate new password")),
    State("groups", "/groups"),
    State("groups-instructor", "/groups", INSTRUCTOR),
    State("group", lambda page: _group(page, "Choir")),
    State("group-instructor", lambda page: _group(page, "Choir"), INSTRUCTOR),
    State("group-default", lambda page: _group(page, "Default")),
    State("group-new", "/groups/new"),
    State("group-refused", _refused_group),
    State("transfers-none", "/transfers"),
    State("transfer-new", "/transfers/new/student/5"),
    State("transfer-new-school-manager", "/transfers/new/school/1", SCHOOL_MANAGER),
    State("transfer-handed-over", _handed_over, SCHOOL_MANAGER),
    State("transfer-waiting", "/transfers/1"),
    State("home-handed-over", "/"),
    State("transfer-moved", _moved),
    State("transfers", "/transfers"),
    State("students-update", _opened("/students/update")),
    State("students-format", _opened("/students/update/format")),
    State("students-no-file", _no_file),
    State("draft-fine", _checked("STUDENT_ID,GRADE\n00001,5\n")),
    State("draft-warnings", _checked("STUDENT_ID,GRADE,Home room\n00001,5,A\n")),
    State("draft-problems", _checked(EVERY_PROBLEM)),
    State("draft-refused", _checked("")),
    State("draft-gone", "/students/update/drafts/00000000-0000-4000-8000-000000000000"),
    State("updates", "/updates"),
    State("updates-none-found", "/updates?state=failed"),
    State("updates-new", "/updates", NEW),
    State("update-completed", "/updates/2"),
    State("update-with-errors", "/updates/3"),
    State("update-refused", "/updates/4"),
    State("update-running", _opened("/updates/5")),
    State("update-waiting", "/updates/6"),
    State("update-canceled", "/updates/7"),
    State("update-rows", "/updates/3/rows"),
    State("update-rows-none", "/updates/3/rows?search=zzz"),
    State("automation", _opened("/automation")),
    State("staff", "/staff"),
    State("staff-invite", "/staff/invite"),
    State("staff-invite-refused", lambda page: _filled_in(page, LOGIN)),
    State("staff-invited", lambda page: _filled_in(page, "new@maple.example")),
    State("staff-member", "/staff/3"),
    State("staff-member-refused", _last_manager),
    State("staff-school-manager", "/staff", SCHOOL_MANAGER),
    State("staff-import", "/staff/import"),
    State("staff-imported", _imported),
    State("schools", "/schools"),
    State("school", "/schools/1"),
    State("school-new", "/schools/new"),
    State("school-refused", _refused_school),
    State("schools-import", "/schools/import"),
    State("schools-import-problems", _schools_refused),
    State("roles", "/roles"),
    State("role-standard", _standard_role),
    State("role-new", "/roles/new/school-manager"),
    State("role-refused", _refused_role),
    State("settings", "/settings"),
    State("settings-refused", lambda page: _settings(page, "0")),
    State("settings-saved", lambda page: _settings(page, "30")),
    State("audit", "/audit"),
    State("audit-none-found", "/audit?action=zzz"),
    State("account", "/account"),
    State("account-other-session", _other_session),
    State("account-password", "/account/password"),
    State("account-password-refused", lambda page: _refused_password(page, "/account/password")),
    State("tokens-none", "/account/tokens"),
    State("token-new", "/account/tokens/new"),
    State("token-refused", lambda page: _token(page, "not the password")),
    State("token-made", lambda page: _token(page, PASSWORD)),
    State("tokens", "/account/tokens"),
    State("second-factor-new", "/account/second-factor", NEW),
    State("second-factor-refused", _second_factor_refused, NEW),
    State("second-factor-made", _second_factor_made, NEW),
    State("second-factor", "/account/second-factor", NEW),
    State("second-factor-off", "/account/second-factor/off", NEW),
    State("recovery-codes", "/account/second-factor/recovery-codes", NEW),
    State("account-second-factor", "/account", NEW),
    State("automation-second-factor", _opened("/automation"), NEW),
    State("sign-in-code", _code_asked_for, STRANGER),
    State("sign-in-code-wrong", _wrong_code, STRANGER),
    State("second-factor-made-without-token", _second_factor_made, SCHOOL_MANAGER),
    State("staff-second-factor", "/staff"),
    State("staff-member-second-factor", "/staff/3"),
    State("help", "/help"),
    State("help-student-file", _opened("/help/student-file")),
    State("help-problems", "/help/problems"),
    State("help-commands", "/help/commands"),
    State("not-allowed", "/updates", SCHOOL_MANAGER),
    State("not-found", "/nothing"),
)
