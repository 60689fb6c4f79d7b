"""What the emails to members about their account or district say, by kind.

What a user wrote is always ``plain``, so that no email program makes a link of it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta

from django.conf import settings

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.models import AccountMail, AccountMailKind
from rollbook.accounts.notices import ABOUT_ADDRESSES, TEXTS, Notice
from rollbook.accounts.permissions import Permission
from rollbook.mail.content import Content, Counts, Item, Link, Section
from rollbook.mail.outbox import MailObsolete
from rollbook.mail.templatetags.mails import plain
from rollbook.text import count_of, format_date, format_datetime

UNUSED_DAYS = 90
"""Managers are emailed about accounts that weren't used for so many days."""

_IF_EXPECTED = "If you expected this, no action is needed."
_IF_YOURS = "If you made this change, no action is needed."
_RIGHT_AWAY = "If you didn't, contact your Rollbook administrator right away"
_ADMINISTRATOR = "Your Rollbook administrator"


def content_of(mail: AccountMail) -> Content:
    """Return what an email says, with a new link if it has one.

    Raises:
        MailObsolete: The member no longer needs it.
    """
    return _CONTENTS[AccountMailKind(mail.kind)](mail)


def _invitation(mail: AccountMail) -> Content:
    member, inviter = mail.member, mail.actor
    if member.has_usable_password():
        raise MailObsolete
    days = emailed_links.LIFETIME[AccountMailKind.INVITATION].days
    outcome, name, address = "You are invited to Rollbook", _ADMINISTRATOR, ""
    if inviter:
        name, address = plain(inviter.name), f" ({inviter.email})"
        outcome = f"{name} invited you to Rollbook"
    return Content(
        outcome=outcome,
        district=_district(mail),
        sentence=f"{name}{address} invited you to use Rollbook as {plain(member.role)} of "
        f"{_district(mail)}.",
        paragraphs=(
            "Rollbook keeps the district's student records in step with its student information "
            "system.",
            f"Choose a password within {days} days. Then sign in as {member.email}.",
        ),
        button=Link("Choose a password", _secret_link(mail)),
        notes=(
            "If you didn't expect this email, no action is needed. Nobody can sign in to this "
            "account without a password.",
        ),
        links=(page_link("Sign in", "/sign-in"), _new_link()),
    )


def _forgotten_password(mail: AccountMail) -> Content:
    return Content(
        outcome="Reset your Rollbook password",
        district=_district(mail),
        sentence="We received a request to reset your Rollbook password for "
        f"{_district(mail)}. Choose a new password within 1 hour.",
        button=Link("Choose a new password", _secret_link(mail)),
        notes=(
            "If you didn't request this, no action is needed. Your password stays the same, and "
            "nobody can use the link without this email.",
        ),
        links=(_new_link(),),
    )


def _password_changed(mail: AccountMail) -> Content:
    return Content(
        outcome="Your Rollbook password was changed",
        district=_district(mail),
        sentence=f"Your Rollbook password for {_district(mail)} was changed on {_at(mail)}.",
        paragraphs=(
            "You've been signed out on all other devices. Scripts that sign in as "
            f"{mail.member.email} need the new password.",
            f"{_IF_YOURS} If you didn't, reset your password now and contact your Rollbook "
            "administrator.",
        ),
        button=page_link("Reset your password", "/forgotten-password"),
    )


def _email_changed(mail: AccountMail) -> Content:
    by, old = mail.actor, mail.to_address
    who, contact = _ADMINISTRATOR, "your Rollbook administrator"
    if by:
        who = f"{plain(by.name)} ({by.email})"
        contact = f"{by.email} or {contact}"
    return Content(
        outcome="Your Rollbook email was changed",
        district=_district(mail),
        sentence=f"{who} changed your email for Rollbook at {_district(mail)} on {_at(mail)}.",
        paragraphs=(
            f"You can no longer sign in as {old}, and you've been signed out everywhere. Emails "
            "are now sent to the new address. Sign in with the new email and your current "
            f"password. Scripts that sign in as {old} need the new email.",
            f"If you expected this change, no action is needed. If you didn't, contact {contact} "
            "right away.",
        ),
        button=page_link("Sign in", "/sign-in"),
    )


def _second_factor_on(mail: AccountMail) -> Content:
    signed_out = "You've been signed out on all other devices."
    if mail.member.may(Permission.UPDATE_STUDENTS):
        signed_out += " Scripts need a token instead of your password."
    return Content(
        outcome="Two-step verification for Rollbook was turned on",
        district=_district(mail),
        sentence=f"Two-step verification was turned on for your Rollbook account at "
        f"{_district(mail)} on {_at(mail)}.",
        paragraphs=(
            "From now on, you sign in with your password and a code from your authenticator app. "
            f"{signed_out}",
            f"{_IF_YOURS} {_RIGHT_AWAY}: someone else knows your password.",
        ),
        button=page_link("See your account", "/account"),
    )


def _second_factor_off(mail: AccountMail) -> Content:
    by = f" by {plain(mail.actor.name)} ({mail.actor.email})" if mail.actor else ""
    return Content(
        outcome="Two-step verification for Rollbook was turned off",
        district=_district(mail),
        sentence=f"Two-step verification was turned off for your Rollbook account at "
        f"{_district(mail)} on {_at(mail)}{by}.",
        paragraphs=(
            "You now sign in with your password only.",
            f"If you expected this change, no action is needed. {_RIGHT_AWAY}.",
        ),
        button=page_link("Turn it on again", "/account/second-factor"),
    )


def _token_created(mail: AccountMail) -> Content:
    return Content(
        outcome="A Rollbook token was created",
        district=_district(mail),
        sentence=f"A token was created for your Rollbook account at {_district(mail)} on "
        f"{_at(mail)}. Its name is: {plain(mail.subject_name)}",
        paragraphs=(
            "Scripts can use it to start, check and cancel updates as you.",
            "If you created it, no action is needed. If you didn't, revoke it and change your "
            "password.",
        ),
        button=page_link("See your tokens", "/account/tokens"),
    )


def _token_expires(mail: AccountMail) -> Content:
    name, at = plain(mail.subject_name), _time(mail, mail.notice_detail)
    return Content(
        outcome=f"A Rollbook token expires on {at}",
        district=_district(mail),
        sentence=f"Your token expires on {at}. Its name is: {name}",
        paragraphs=(
            "Scripts that use it, such as the nightly upload, won't be able to sign in after that. "
            "Create a new token, put it into the script, and then revoke this one.",
            "If no script uses it, no action is needed.",
        ),
        button=page_link("Create a new token", "/account/tokens/new"),
        links=(page_link("See your tokens", "/account/tokens"),),
    )


def _unused_accounts(mail: AccountMail) -> Content:
    return Content(
        outcome=f"Staff accounts not used for {UNUSED_DAYS} days",
        district=_district(mail),
        sentence=f"Some staff accounts of {_district(mail)} haven't been used for {UNUSED_DAYS} "
        "days.",
        paragraphs=(
            "Deactivate the accounts of people who have left. Their history is kept, and you can "
            "reactivate an account at any time.",
        ),
        button=page_link("Show these accounts", f"/staff?unused={UNUSED_DAYS}"),
        notes=("You get this email at most once a month.",),
    )


def _file_missing(mail: AccountMail) -> Content:
    by = _time(mail, mail.subject_name)
    last = "No file has been applied yet."
    if mail.notice_detail:
        last = f"The last file that was applied arrived {_time(mail, mail.notice_detail)}."
    return Content(
        outcome=f"No student file by {by}",
        district=_district(mail),
        sentence=f"{_district(mail)} expected a student file by {by}. No complete file has arrived "
        f"and been applied. {last}",
        paragraphs=(
            "What to check: does the nightly script still run, does its log show an error, and has "
            "its password or token changed?",
            "You can send the file late or upload it by hand.",
        ),
        button=page_link("Upload a file", "/students/update"),
        links=(
            page_link("Show the updates", "/updates"),
            page_link("When files are expected, and pauses for holidays", "/expected-files"),
        ),
    )


def _pause_begins(mail: AccountMail) -> Content:
    first, last = map(date.fromisoformat, (mail.subject_name, mail.notice_detail))
    return Content(
        outcome=f"No student files expected from {format_date(first)}",
        district=_district(mail),
        sentence=f"From {format_date(first)} through {format_date(last)}, no student files are "
        f"expected for {_district(mail)}, so nobody gets an email if none arrives.",
        paragraphs=(
            "Files that do arrive are processed as usual. If the pause is wrong, remove it.",
        ),
        button=page_link("See expected files", "/expected-files"),
    )


def _pause_ends(mail: AccountMail) -> Content:
    by = _time(mail, mail.subject_name)
    return Content(
        outcome=f"Student files expected again by {by}",
        district=_district(mail),
        sentence=f"The pause of {_district(mail)} ends today. The next student file is expected by "
        f"{by}.",
        paragraphs=(
            "Please make sure that the nightly script runs again. If the pause should last longer, "
            "add another one.",
        ),
        button=page_link("See expected files", "/expected-files"),
    )


def _weekly_summary(mail: AccountMail) -> Content:
    figures = mail.figures or {}
    monday = date.fromisoformat(mail.subject_name)
    first, last = format_date(monday - timedelta(days=7)), format_date(monday - timedelta(days=1))
    updates = figures.get("updates", 0)
    troubles = tuple(_troubles(figures))
    outcome = "No updates last week"
    sentence = f"No update ended from {first} through {last}."
    counts: tuple[Counts, ...] = ()
    sections: tuple[Section, ...] = ()
    if updates:
        changed = count_of(figures.get("changed", 0), "student")
        outcome = f"{count_of(updates, 'update')} last week, {changed} changed"
        sentence = f"{count_of(updates, 'update')} ended from {first} through {last}."
        counts = (Counts("In this week", tuple(_week(figures))),)
    if troubles:
        sections = (Section("Please look at", troubles),)
    elif updates:
        sentence += " No action needed."
    return Content(
        outcome=outcome,
        district=_district(mail),
        sentence=sentence,
        counts=counts,
        sections=sections,
        button=page_link("See the updates", "/updates"),
        links=(choice_link(),),
    )


def _week(figures: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for name in ("changed", "added", "deactivated"):
        yield f"students {name}", figures.get(name, 0)
    yield "rows rejected", figures.get("rejected", 0)


def _troubles(figures: Mapping[str, int]) -> Iterator[Item]:
    """Yield what went wrong in the week, with how often."""
    for name, noun, text in _TROUBLES:
        if count := figures.get(name, 0):
            yield Item(f"{count_of(count, noun)} {text}")


_TROUBLES = (
    ("missing", "student file", "did not arrive in time"),
    ("failed", "update", "failed because of a problem on our side"),
    ("not_accepted", "file", "not accepted, nothing applied"),
    ("discarded", "update", "held and discarded, nothing applied"),
    ("canceled", "update", "canceled"),
    ("rejected", "row", "rejected, in all files together"),
)


def _security_notice(mail: AccountMail) -> Content:
    notice = Notice(mail.notice)
    text = TEXTS[notice]
    about = mail.notice_about
    who = about.name if about else mail.member.district.name
    by, contact = _ADMINISTRATOR, "your Rollbook administrator"
    if mail.actor:
        by = contact = plain(mail.actor.name)
    detail = mail.notice_detail
    if notice not in ABOUT_ADDRESSES:
        detail = plain(detail)
    values = {"who": plain(who), "by": by, "detail": detail}
    is_own = about is not None and about.pk == mail.member_id
    sentence = text.to_member if is_own else text.to_managers
    advice = text.advice
    if not is_own and advice.startswith(("change your", "revoke")):
        advice = "ask {who}. If it wasn't them, deactivate the account on the page Staff."
    return Content(
        outcome=text.title,
        district=_district(mail),
        sentence=sentence.format(**values),
        paragraphs=(f"{_IF_EXPECTED} If you didn't, {advice.format(**values | {'by': contact})}",),
        button=page_link("Open Rollbook", "/"),
        facts=(
            ("Account", plain(mail.member.name)),
            ("District", _district(mail)),
            ("Time", _at(mail)),
        ),
    )


def _district(mail: AccountMail) -> str:
    return plain(mail.member.district.name)


def _at(mail: AccountMail) -> str:
    """Return when the email was queued, in the district's time."""
    return format_datetime(mail.queued_at, mail.member.district.time_zone)


def _time(mail: AccountMail, iso: str) -> str:
    """Return a time that the email names, in the district's time."""
    return format_datetime(datetime.fromisoformat(iso), mail.member.district.time_zone)


def page_link(label: str, path: str) -> Link:
    """Return a link to a page of this server, by its path."""
    return Link(label, f"{settings.URL}{path}")


def choice_link() -> Link:
    """Return a link to the page on which people choose their emails."""
    return page_link("Choose which emails you get", "/account/emails")


def _new_link() -> Link:
    return page_link("If the link has expired, request a new one", "/forgotten-password")


def _secret_link(mail: AccountMail) -> str:
    return emailed_links.link_url(emailed_links.make_token(mail.member, AccountMailKind(mail.kind)))


_CONTENTS: Mapping[AccountMailKind, Callable[[AccountMail], Content]] = {
    AccountMailKind.INVITATION: _invitation,
    AccountMailKind.FORGOTTEN_PASSWORD: _forgotten_password,
    AccountMailKind.PASSWORD_CHANGED: _password_changed,
    AccountMailKind.EMAIL_CHANGED: _email_changed,
    AccountMailKind.SECOND_FACTOR_ON: _second_factor_on,
    AccountMailKind.SECOND_FACTOR_OFF: _second_factor_off,
    AccountMailKind.TOKEN_CREATED: _token_created,
    AccountMailKind.TOKEN_EXPIRES: _token_expires,
    AccountMailKind.WEEKLY_SUMMARY: _weekly_summary,
    AccountMailKind.SECURITY_NOTICE: _security_notice,
    AccountMailKind.UNUSED_ACCOUNTS: _unused_accounts,
    AccountMailKind.FILE_MISSING: _file_missing,
    AccountMailKind.PAUSE_BEGINS: _pause_begins,
    AccountMailKind.PAUSE_ENDS: _pause_ends,
}
