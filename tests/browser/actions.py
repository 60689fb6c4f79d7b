"""Frequent actions: sign in, find a link in an email, upload a file, wait for an update to end."""

import os
import re
import signal
import sqlite3
import time
from contextlib import closing
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

from django.db import connection
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.conftest import PASSWORD
from tests.endtoend.conftest import Rollbook
from tests.installations import execute
from tests.patience import TIMEOUT_S
from tests.postgres.guard import standing
from tests.postgres.server import STILL


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Sign in with the form and wait for the next page."""
    page.goto("/sign-in")
    fill_sign_in(page, login, password)
    expect_signed_in(page)


def expect_signed_in(page: Page) -> None:
    """Wait for a page with the menu of the account."""
    expect(account_menu(page)).to_be_visible()


def account_menu(page: Page) -> Locator:
    """Return the menu of the account, or in a narrow window, the only menu."""
    return page.locator(".top .me > summary, .top .compact > summary").filter(visible=True)


def sign_out(page: Page) -> None:
    """Sign out, with the menu of the account."""
    account_menu(page).click()
    page.get_by_role("button", name="Sign out").click()


def open_managed(page: Page, name: str) -> None:
    """Open a page with the menu Manage."""
    page.get_by_text("Manage", exact=True).click()
    page.get_by_role("link", name=name, exact=True).click()


def fill_sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def search_students(page: Page, text: str) -> None:
    """Open the list of students, and search it with the form."""
    page.goto("/students")
    page.get_by_label("Search students").fill(text)
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url(re.compile(r"/students\?find="))


def emails_to(rollbook: Rollbook, login: str) -> list[str]:
    """Return the texts of the emails to this address, in the order in which they were sent."""
    emails = [
        message_from_string(source, EmailMessage, policy=policy.default)
        for source in rollbook.mails()
    ]
    return [_text(email) for email in emails if email["To"] == login]


def wait_for_email_to(
    rollbook: Rollbook, login: str, count: int = 1, timeout_s: float = TIMEOUT_S
) -> str:
    """Wait until this address has received ``count`` emails, and return the text of the last."""
    deadline = time.monotonic() + timeout_s
    while len(emails := emails_to(rollbook, login)) < count:
        assert time.monotonic() < deadline, f"{len(emails)} emails to {login} after {timeout_s} s"
        time.sleep(0.1)
    return emails[-1]


def assert_no_email_about(
    rollbook: Rollbook, login: str, update: int, timeout_s: float = TIMEOUT_S
) -> None:
    """Wait until the email to the sender of an update is given up, and check that none was sent."""
    statement = (
        "SELECT mail.sent_at, mail.next_attempt_at FROM updates_resultmail AS mail "
        "JOIN updates_updatejob AS job ON job.id = mail.update_id "
        "JOIN accounts_member AS member ON member.id = mail.member_id "
        f"WHERE job.number = {update:d} AND member.email = '{login}' "
        "AND job.district_id = member.district_id"
    )
    deadline = time.monotonic() + timeout_s
    while not (found := execute(rollbook.data, statement)) or any(row[1] for row in found):
        assert time.monotonic() < deadline, f"{found} after {timeout_s} s"
        time.sleep(0.1)
    assert not any(row[0] for row in found)
    emails = emails_to(rollbook, login)
    assert not [email for email in emails if re.search(rf"/updates/{update}\b", email)]


def find_link(email: str, path: str) -> str:
    """Return the link in the email whose path starts with ``path``."""
    match = re.search(rf"https://[^\s]+?{re.escape(path)}[^\s]*", email)
    assert match, email
    return match[0]


def choose_file(page: Page, name: str, text: str) -> None:
    """Upload a file and wait for the page with its result, or of its check."""
    page.goto("/students/update/format")
    file = FilePayload(name=name, mimeType="text/csv", buffer=text.encode())
    page.get_by_label("Student file").set_input_files(file)
    page.get_by_role("button", name="Check file").click()
    expect(page).to_have_url(re.compile(r"/updates/\d+$|/drafts/"))


def wait_for_plan(page: Page) -> int:
    """Wait until the file that was chosen is checked against the roster; return its number."""
    expect(page.get_by_role("heading", name="Decision")).to_be_visible()
    return int(page.url.rpartition("/")[2])


def apply_update(page: Page, effect: str) -> int:
    """Apply the plan of the file that was chosen, with the button that says what it does."""
    number = wait_for_plan(page)
    page.get_by_role("button", name=effect, exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(f"Update {number} approved.")
    return number


def wait_until_ended(page: Page) -> None:
    """Wait on the update's page, which refreshes itself, with scripts and without."""
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("Ended")


def download_text(page: Page, link: str) -> str:
    """Download the file behind a link and return its text."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link, exact=True).click()
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


def pause_worker(rollbook: Rollbook) -> int:
    """Stop the worker while it holds no lock, and return its process ID."""
    [worker] = rollbook.descendants("worker")
    for _ in range(100):
        os.kill(worker, signal.SIGSTOP)
        _wait_until_stopped(worker)
        if _is_writable(rollbook):
            return worker
        os.kill(worker, signal.SIGCONT)
        time.sleep(0.1)
    raise AssertionError("the worker always holds the lock on the database")


def _wait_until_stopped(pid: int) -> None:
    """Wait for all threads: one that is in a system call ends it first."""
    deadline = time.monotonic() + TIMEOUT_S
    threads = [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    while any(standing(thread)[0] not in ("", *STILL) for thread in threads):
        assert time.monotonic() < deadline, "the worker doesn't stop"
        time.sleep(0.01)


def _is_writable(rollbook: Rollbook) -> bool:
    """Whether others can write to the database.

    On SQLite they can't if the worker was stopped in a transaction.
    """
    if connection.vendor != "sqlite":
        return True
    with closing(
        sqlite3.connect(rollbook.data / "rollbook.sqlite3", timeout=1, isolation_level=None)
    ) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        database.execute("ROLLBACK")
    return True


def _text(email: EmailMessage) -> str:
    body = email.get_body(("plain",))
    assert body
    return str(body.get_content())
