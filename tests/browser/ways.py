"""What people do again and again: sign in, follow a mail's link, upload a file, wait for an update's end."""

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
from playwright.sync_api import FilePayload, Page, expect

from tests.conftest import PASSWORD
from tests.endtoend.conftest import Rollbook

MAILED_WITHIN = 60  # seconds; on PostgreSQL mails are sent every 15


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Through the form; ends on the page that it leads to."""
    page.goto("/sign-in")
    fill_sign_in(page, login, password)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def fill_sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def mails_to(rollbook: Rollbook, login: str) -> list[str]:
    """The texts of the mails to this address, in the order in which they were sent."""
    mails = [
        message_from_string(mail, EmailMessage, policy=policy.default) for mail in rollbook.mails()
    ]
    return [_text(mail) for mail in mails if mail["To"] == login]


def until_mailed_to(
    rollbook: Rollbook, login: str, count: int = 1, seconds: float = MAILED_WITHIN
) -> str:
    """Wait for so many mails to this address; returns the last one's text."""
    deadline = time.monotonic() + seconds
    while len(found := mails_to(rollbook, login)) < count:
        assert time.monotonic() < deadline, f"{len(found)} mails to {login} after {seconds} s"
        time.sleep(0.1)
    return found[-1]


def until_mailed_about(
    rollbook: Rollbook, login: str, update: int, seconds: float = MAILED_WITHIN
) -> str:
    """Wait for the mail about this update's end to this address; returns its text."""
    deadline = time.monotonic() + seconds
    while True:
        for mail in mails_to(rollbook, login):
            if re.search(rf"/updates/{update}\b", mail):
                return mail
        assert time.monotonic() < deadline, (
            f"no mail to {login} about update {update} after {seconds} s"
        )
        time.sleep(0.1)


def link_in(mail: str, path: str) -> str:
    """The address in the mail whose path begins like this."""
    found = re.search(rf"https://[^\s]+?{re.escape(path)}[^\s]*", mail)
    assert found, mail
    return found[0]


def choose_file(page: Page, name: str, text: str) -> None:
    """Upload a file in step 2; ends on the page with the result of the check."""
    page.goto("/students/update/format")
    file = FilePayload(name=name, mimeType="text/csv", buffer=text.encode())
    page.get_by_label("Student file").set_input_files(file)
    page.get_by_role("button", name="Check file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def apply(page: Page) -> int:
    """Start the update in step 3; ends on its page, and returns its number."""
    page.get_by_role("button", name=re.compile(r"^Apply [\d,]+ rows?$")).click()
    expect(page).to_have_url(re.compile(r"/updates/\d+$"))
    return int(page.url.rpartition("/")[2])


def until_ended(page: Page) -> None:
    """Wait on the update's page, which refreshes itself, with scripts and without."""
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("Ended")


def taken(page: Page, link: str) -> str:
    """The text of the file behind a link."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link, exact=True).click()
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


def put_to_rest(rollbook: Rollbook) -> int:
    """Stop the worker where it holds nothing that others wait for; returns its process id."""
    [worker] = rollbook.descendants("worker")
    for _ in range(100):
        os.kill(worker, signal.SIGSTOP)
        if _can_be_written(rollbook):
            return worker
        os.kill(worker, signal.SIGCONT)
        time.sleep(0.1)
    raise AssertionError("the worker is never at rest")


def _can_be_written(rollbook: Rollbook) -> bool:
    """On SQLite a worker that is stopped while it writes would keep all others from writing."""
    if connection.vendor != "sqlite":
        return True
    with closing(
        sqlite3.connect(rollbook.data / "rollbook.sqlite3", timeout=1, isolation_level=None)
    ) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        file.execute("ROLLBACK")
    return True


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())
