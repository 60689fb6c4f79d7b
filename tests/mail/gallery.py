"""Every kind of email as it is sent, for developers to look at.

The emails are those that tests expect: each is stored as NAME.subject, NAME.txt and NAME.html. The
one that ``rollbook doctor`` sends never differs, so it isn't stored.
``make screenshots`` writes a picture of each, and ``screenshots/emails.html`` with all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rollbook.accounts.models import AccountMailKind
from rollbook.accounts.notices import Notice
from rollbook.doctor import mail as doctor
from rollbook.mail.outbox import compose
from rollbook.operations.alerts.models import AlertEvent
from rollbook.updates.state_machine import State

TESTS = Path(__file__).parents[1]
UPDATES = TESTS / "updates" / "mails"
ACCOUNTS = TESTS / "accounts" / "mails"
NOTICES = ACCOUNTS / "notices"
ALERTS = TESTS / "operations" / "alerts" / "mails"

OF_UPDATES: Mapping[State, tuple[str, ...]] = {
    State.COMPLETED: ("completed", "completed_with_errors"),
    State.CANCELED: ("canceled",),
    State.REFUSED: ("refused",),
    State.FAILED: ("failed",),
    State.HELD: ("held", "held_in_a_row"),
    State.CHECKED: ("checked",),
    State.DISCARDED: ("discarded",),
}
OF_ACCOUNTS: Mapping[AccountMailKind, tuple[str, ...]] = {
    AccountMailKind.INVITATION: ("by_member", "by_operator"),
    AccountMailKind.FORGOTTEN_PASSWORD: ("forgotten_password",),
    AccountMailKind.PASSWORD_CHANGED: ("password_changed",),
    AccountMailKind.EMAIL_CHANGED: ("email_changed",),
    AccountMailKind.SECOND_FACTOR_ON: ("second_factor_on", "second_factor_on_of_a_manager"),
    AccountMailKind.SECOND_FACTOR_OFF: ("second_factor_off", "second_factor_off_by_manager"),
    AccountMailKind.TOKEN_CREATED: ("token_created",),
    AccountMailKind.TOKEN_EXPIRES: ("token_expires",),
    AccountMailKind.UNUSED_ACCOUNTS: ("unused_accounts",),
    AccountMailKind.FILE_MISSING: ("file_missing", "file_missing_since_the_beginning"),
    AccountMailKind.PAUSE_BEGINS: ("pause_begins",),
    AccountMailKind.PAUSE_ENDS: ("pause_ends",),
    AccountMailKind.WEEKLY_SUMMARY: (
        "weekly_summary",
        "weekly_summary_with_troubles",
        "weekly_summary_without_updates",
    ),
}
"""The emails of each kind; those of security notices have the names of the notices."""


@dataclass(frozen=True)
class Email:
    """An email of the gallery."""

    name: str
    subject: str
    text: str
    html: str

    @classmethod
    def read(cls, folder: Path, name: str, prefix: str = "") -> "Email":
        """Read an email from its three files."""
        parts = [
            (folder / f"{name}.{part}").read_text(encoding="utf-8")
            for part in ("subject", "txt", "html")
        ]
        return cls(f"{prefix}{name}".replace("_", "-"), *parts)


def notice_name(notice: Notice) -> str:
    """Return the name of the email of a security notice."""
    return notice.name.lower()


def emails() -> Iterator[Email]:
    """Yield every kind of email."""
    for names in OF_UPDATES.values():
        for name in names:
            yield Email.read(UPDATES, name, "update-")
    for names in OF_ACCOUNTS.values():
        for name in names:
            yield Email.read(ACCOUNTS, name)
    for notice in Notice:
        yield Email.read(NOTICES, notice_name(notice), "notice-")
    for event in AlertEvent:
        yield Email.read(ALERTS, event.value, "alert-")
    test = compose(doctor.TEST, "ops@host.example")
    [(page, _)] = test.alternatives
    yield Email("doctor-test", str(test.subject), str(test.body), str(page))


def write_page(path: Path) -> None:
    """Write one page with all emails."""
    parts = ["<!doctype html>", '<html lang="en"><title>Emails of Rollbook</title>']
    for email in emails():
        parts.append(f"<h2>{escape(email.name)}</h2><p>{escape(email.subject)}</p>")
        frame = f'<iframe title="{escape(email.name)}" width="700" height="700"'
        parts.append(f'{frame} srcdoc="{escape(email.html)}"></iframe>')
    path.write_text("\n".join(parts), encoding="utf-8")
