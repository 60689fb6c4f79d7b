"""Security notices: emails to the member whom something concerns, and to the district managers.

What is recorded anyway is in the audit log; a notice is for what somebody should look at soon.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from django.db import transaction

from rollbook.accounts.managers import district_managers
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.districts.models import District

MIN_INTERVAL = timedelta(hours=1)
"""Time before a recipient is notified of the same thing again; the audit log has each."""

MAX_DETAIL_LENGTH = 200


class Notice(StrEnum):
    """What a notice is about."""

    NEW_NETWORK = "new network"
    RECOVERY_CODE = "recovery code"
    WRONG_CODES = "wrong codes"
    TOKEN_ELSEWHERE = "token elsewhere"  # noqa: S105 - not a secret
    MASS_DOWNLOAD = "mass download"
    RECIPIENT_CHANGED = "recipient changed"
    RECIPIENTS_CHANGED = "recipients changed"
    SECOND_FACTOR_OFF = "two-step verification off"
    EMAIL_CHANGED = "email changed"
    ROLE_CHANGED = "role changed"
    PERMISSIONS_CHANGED = "permissions changed"
    SETTINGS_CHANGED = "settings changed"
    ROLE_ADDED = "role added"
    ROLE_REMOVED = "role removed"
    MANAGER_ADDED = "manager added"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    TOKENS_REVOKED = "tokens revoked"
    MEMBER_TOKENS_REVOKED = "tokens of member revoked"
    PASSWORD_SPRAYING = "password spraying"  # noqa: S105 - not a secret


@dataclass(frozen=True)
class NoticeText:
    """The texts of a notice, as format strings with ``who``, ``by`` and ``detail``.

    Attributes:
        title: The subject of the email.
        to_member: The text to the member whom it concerns; empty if another email does that.
        to_managers: The text to the district managers; empty if they get none.
        advice: What to do if nobody expected it.
    """

    title: str
    to_member: str
    to_managers: str
    advice: str


_CHANGE_PASSWORD = "change your password, and end all other sessions on the page Your account."  # noqa: S105 - no secret
_ASK_ACTOR = "ask {by}. If it wasn't them, deactivate the account on the page Staff."

ABOUT_ADDRESSES = frozenset(
    {Notice.NEW_NETWORK, Notice.WRONG_CODES, Notice.TOKEN_ELSEWHERE, Notice.PASSWORD_SPRAYING}
)
"""Their details are IP addresses, and nothing that a user wrote."""

ONLY_ABOUT_MANAGERS = frozenset({Notice.NEW_NETWORK})
"""The district managers only get them about each other, since there would be many about others."""

TEXTS: Mapping[Notice, NoticeText] = MappingProxyType(
    {
        Notice.NEW_NETWORK: NoticeText(
            "Sign-in from a new network",
            "Someone signed in to your Rollbook account from a network that you haven't used "
            "before: {detail}.",
            "{who} signed in from a network that they haven't used before: {detail}.",
            _CHANGE_PASSWORD,
        ),
        Notice.RECOVERY_CODE: NoticeText(
            "A recovery code was used",
            "Someone signed in to your Rollbook account with one of your recovery codes. "
            "Recovery codes left: {detail}.",
            "{who} signed in with a recovery code. Recovery codes left: {detail}.",
            _CHANGE_PASSWORD,
        ),
        Notice.WRONG_CODES: NoticeText(
            "Five wrong codes",
            "Someone who knows your password entered five wrong codes within an hour, the last "
            "from {detail}.",
            "Someone who knows the password of {who} entered five wrong codes within an hour, the "
            "last from {detail}.",
            _CHANGE_PASSWORD,
        ),
        Notice.TOKEN_ELSEWHERE: NoticeText(
            "A token was used from another network",
            "One of your tokens was refused, because it was used from a network that it isn't "
            "valid for: {detail}.",
            "A token of {who} was refused, because it was used from a network that it isn't valid "
            "for: {detail}.",
            "revoke the token on the page Your account.",
        ),
        Notice.MASS_DOWNLOAD: NoticeText(
            "Data of many students was downloaded",
            "Someone downloaded data of many students with your Rollbook account: {detail}.",
            "{who} downloaded data of many students: {detail}.",
            _CHANGE_PASSWORD,
        ),
        Notice.RECIPIENT_CHANGED: NoticeText(
            "Result emails were changed",
            "{by} changed who gets the results of every update. You {detail}.",
            "",
            "ask {by}.",
        ),
        Notice.RECIPIENTS_CHANGED: NoticeText(
            "Result emails were changed",
            "",
            "{by} changed who gets the results of every update: {detail}.",
            _ASK_ACTOR,
        ),
        Notice.SECOND_FACTOR_OFF: NoticeText(
            "Two-step verification was turned off",
            "",
            "{by} turned off two-step verification for {who}.",
            _ASK_ACTOR,
        ),
        Notice.EMAIL_CHANGED: NoticeText(
            "The email of a staff member was changed",
            "",
            "{by} changed the email of {who}: {detail}.",
            _ASK_ACTOR,
        ),
        Notice.ROLE_CHANGED: NoticeText(
            "A role was changed",
            "{by} changed your role: {detail}.",
            "{by} changed the role of {who}: {detail}.",
            "ask {by}.",
        ),
        Notice.PERMISSIONS_CHANGED: NoticeText(
            "The permissions of a role were changed",
            "",
            "{by} changed what people with a role may do: {detail}.",
            _ASK_ACTOR,
        ),
        Notice.ROLE_ADDED: NoticeText(
            "A role was added",
            "",
            "{by} added a role: {detail}.",
            _ASK_ACTOR,
        ),
        Notice.ROLE_REMOVED: NoticeText(
            "A role was removed",
            "",
            "{by} removed a role: {detail}.",
            _ASK_ACTOR,
        ),
        Notice.MANAGER_ADDED: NoticeText(
            "A manager of the whole district was added",
            "",
            "{by} added {who} with the role {detail}.",
            _ASK_ACTOR,
        ),
        Notice.DEACTIVATED: NoticeText(
            "An account was deactivated",
            "{by} deactivated your account. You can't sign in, and your tokens no longer work.",
            "{by} deactivated the account of {who}.",
            "ask {by}.",
        ),
        Notice.REACTIVATED: NoticeText(
            "An account was reactivated",
            "{by} reactivated your account. You can sign in again.",
            "{by} reactivated the account of {who}.",
            "ask {by}.",
        ),
        Notice.SETTINGS_CHANGED: NoticeText(
            "Security settings were changed",
            "",
            "{by} changed settings of the district: {detail}.",
            _ASK_ACTOR,
        ),
        Notice.TOKENS_REVOKED: NoticeText(
            "All tokens were revoked",
            "",
            "{by} revoked all tokens of the district: {detail}. Scripts need other ones.",
            _ASK_ACTOR,
        ),
        Notice.MEMBER_TOKENS_REVOKED: NoticeText(
            "All tokens of a staff member were revoked",
            "{by} revoked all your tokens: {detail}. Your scripts need other ones.",
            "{by} revoked all tokens of {who}: {detail}. Their scripts need other ones.",
            "ask {by}.",
        ),
        Notice.PASSWORD_SPRAYING: NoticeText(
            "Someone is guessing passwords of your staff",
            "",
            "Within an hour, someone tried a few passwords for each of many accounts, from many "
            "networks: {detail}.",
            "require two-step verification for everyone on the page Settings.",
        ),
    }
)
"""The texts of each notice."""


def notify(
    notice: Notice,
    now: datetime,
    about: Member,
    *,
    by: Member | None = None,
    detail: str = "",
) -> None:
    """Queue the emails of a notice about a member: to them, and to the other district managers.

    Args:
        notice: What it is about.
        now: The current time.
        about: The member whom it concerns.
        by: Who did it, and isn't notified; None: the member, or the operator.
        detail: See the text of the notice.
    """
    text = TEXTS[notice]
    recipients = [about] if text.to_member and about != by else []
    if text.to_managers and (notice not in ONLY_ABOUT_MANAGERS or about.role.is_fixed):
        recipients += _managers(about.district, except_for=(about, by))
    _queue(notice, now, recipients, about=about, by=by, detail=detail)


def notify_managers(
    notice: Notice, now: datetime, district: District, *, by: Member | None = None, detail: str = ""
) -> None:
    """Queue the emails of a notice about a district, to its other district managers.

    Args:
        notice: What it is about.
        now: The current time.
        district: The district.
        by: Who did it, and isn't notified; None: the operator, or a stranger.
        detail: See the text of the notice.
    """
    _queue(notice, now, _managers(district, except_for=(by,)), about=None, by=by, detail=detail)


def _managers(district: District, except_for: Iterable[Member | None]) -> list[Member]:
    """Return the district managers, but not these members."""
    excepted = list(except_for)
    return [manager for manager in district_managers(district) if manager not in excepted]


def _queue(
    notice: Notice,
    now: datetime,
    recipients: Iterable[Member],
    *,
    about: Member | None,
    by: Member | None,
    detail: str,
) -> None:
    recent = AccountMail.objects.filter(
        notice=notice, notice_about=about, actor=by, queued_at__gt=now - MIN_INTERVAL
    )
    detail = detail[:MAX_DETAIL_LENGTH]
    with transaction.atomic():
        for member in recipients:
            if not recent.filter(member=member, notice_detail=detail).exists():
                AccountMail.objects.create(
                    member=member,
                    kind=AccountMailKind.SECURITY_NOTICE,
                    actor=by,
                    notice=notice,
                    notice_about=about,
                    notice_detail=detail,
                    queued_at=now,
                    next_attempt_at=now,
                )
