"""The gallery has every kind of email, and each keeps the rules of emails."""

import re
from pathlib import Path

import pytest

from rollbook.accounts.models import AccountMailKind
from rollbook.accounts.notices import Notice
from rollbook.mail.content import MAX_SUBJECT_LENGTH
from rollbook.operations.alerts.models import AlertEvent
from rollbook.updates.state_machine import EVENT_STATES
from tests.mail import gallery
from tests.mail.gallery import Email

EMAILS = {email.name: email for email in gallery.emails()}

TO_OPERATORS = ("alert-", "doctor-")

# What operators type and what only they know stays out of emails to others.
OF_OPERATORS = re.compile(
    r"`|\brollbook [a-z]+|--\w|\bSHA-?256\b|\bchecksum|\bdigest\b|\bworker\b|\bspool\b|\bmode=|"
    r"\b[0-9a-f]{12,}\b"
)


def stored(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.html")}


def test_every_kind_of_email_is_in_the_gallery() -> None:
    assert set(gallery.OF_UPDATES) == set(EVENT_STATES)
    assert {*gallery.OF_ACCOUNTS, AccountMailKind.SECURITY_NOTICE} == set(AccountMailKind)
    assert stored(gallery.NOTICES) == set(map(gallery.notice_name, Notice))
    assert stored(gallery.ALERTS) == {event.value for event in AlertEvent}


def test_every_stored_email_is_in_the_gallery() -> None:
    for folder, names in (
        (gallery.UPDATES, gallery.OF_UPDATES.values()),
        (gallery.ACCOUNTS, gallery.OF_ACCOUNTS.values()),
    ):
        assert stored(folder) == {name for group in names for name in group}


@pytest.mark.parametrize("name", EMAILS)
def test_each_email_has_a_subject_that_fits_and_one_button_at_most(name: str) -> None:
    email = EMAILS[name]
    assert len(email.subject.strip()) <= MAX_SUBJECT_LENGTH
    assert " · " in email.subject
    assert "_" not in email.subject, "a code"
    assert email.html.count('class="button"') <= 1
    assert email.html.count("<h1") == 1


@pytest.mark.parametrize("name", [name for name in EMAILS if not name.startswith(TO_OPERATORS)])
def test_each_email_to_staff_has_a_button_and_nothing_of_operators(name: str) -> None:
    email = EMAILS[name]
    assert email.html.count('class="button"') == 1
    assert OF_OPERATORS.findall(email.subject + email.text) == []


def test_emails_of_operators_are_recognized() -> None:
    texts = [email.text for name, email in EMAILS.items() if name.startswith(TO_OPERATORS)]
    assert any(map(OF_OPERATORS.search, texts))


def test_the_page_shows_each_email_with_its_subject(tmp_path: Path) -> None:
    gallery.write_page(tmp_path / "emails.html")
    page = (tmp_path / "emails.html").read_text(encoding="utf-8")
    assert page.count("<iframe ") == len(EMAILS)
    assert "<h2>update-held</h2><p>Update held, nothing applied yet" in page


def test_an_email_is_read_from_its_three_files() -> None:
    email = Email.read(gallery.UPDATES, "completed", "update-")
    assert (email.name, email.subject) == (
        "update-completed",
        "6 students changed · Maple USD update 2\n",
    )
