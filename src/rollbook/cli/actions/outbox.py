"""Runs ``rollbook outbox``: shows outgoing emails, never their text, and sends them again."""

from argparse import Namespace
from datetime import datetime
from typing import TypeAlias

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.accounts.models import AccountMail
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.cli.output import name_value_lines, table, to_json
from rollbook.cli.printed_text import add_facts
from rollbook.cli.terminal import Toned
from rollbook.districts.models import District
from rollbook.mail.states import CONDITIONS, MailState, send_again, state_of
from rollbook.text import count_of, format_timestamp
from rollbook.updates.models import ResultMail

Mail: TypeAlias = AccountMail | ResultMail

_ACCOUNT, _UPDATE = "account", "update"
_HEADERS = ("id", "state", "district", "to", "about", "queued", "attempts", "error")
_TONES = {
    MailState.SENT: "good",
    MailState.RETRYING: "warn",
    MailState.BOUNCED: "bad",
    MailState.FAILED: "bad",
}
_UNSENT = ~CONDITIONS[MailState.SENT] & ~CONDITIONS[MailState.OBSOLETE]
_GIVEN_UP = CONDITIONS[MailState.BOUNCED] | CONDITIONS[MailState.FAILED]


def list_mails(arguments: Namespace) -> int:
    """Print emails, newest first."""
    district = _district(arguments)
    condition = _UNSENT
    if arguments.state:
        condition = CONDITIONS[MailState(arguments.state)]
    accounts, updates = (
        found.filter(condition).order_by("-queued_at", "-pk") for found in _mails(district)
    )
    limit = max(arguments.limit, 0)
    mails: list[Mail] = [*accounts[:limit], *updates[:limit]]
    mails = sorted(mails, key=_queued_at, reverse=True)[:limit]
    if arguments.json:
        print(to_json([_to_json(mail) for mail in mails]))
    elif mails:
        print("\n".join(table(_HEADERS, [_row(mail) for mail in mails])))
        count = accounts.count() + updates.count()
        if count > len(mails):
            print(f"... and {count - len(mails):,} more; use --limit")
    else:
        print("There are no such emails.")
    return OK


def show(arguments: Namespace) -> int:
    """Print everything about an email but its text."""
    mail = _find(arguments.id)
    values = _to_json(mail)
    if arguments.json:
        print(to_json(values))
        return OK
    pairs = ((name.replace("_", " "), _as_text(value)) for name, value in values.items())
    print("\n".join(name_value_lines(pairs)))
    return OK


def resend(arguments: Namespace) -> int:
    """Queue emails again."""
    now = timezone.now()
    if arguments.failed:
        return _resend_all(arguments, now)
    if arguments.district:
        raise CommandError("nothing_to_resend", "use --district with --failed only", USAGE)
    mails = [_find(name) for name in arguments.ids]
    for mail in mails:
        if mail.sent_at:
            sent = format_timestamp(mail.sent_at, "UTC")
            raise CommandError(
                "already_sent", f"{_name(mail)} was sent at {sent}; no email was queued"
            )
    with transaction.atomic():
        for mail in mails:
            manager = type(mail)._default_manager
            send_again(manager.filter(pk=mail.pk), now)
            record("outbox resend", _district_of(mail), f"{_name(mail)} to {mail.recipient}")
    add_facts(arguments, queued=len(mails))
    print(f"Queued {count_of(len(mails), 'email')} again.")
    return OK


def _resend_all(arguments: Namespace, now: datetime) -> int:
    district = _district(arguments)
    with transaction.atomic():
        accounts, updates = _mails(district)
        count = send_again(accounts.filter(_GIVEN_UP), now)
        count += send_again(updates.filter(_GIVEN_UP), now)
        record("outbox resend", district, f"all that bounced or failed: {count}")
    add_facts(arguments, queued=count)
    print(f"Queued {count_of(count, 'email')} again.")
    return OK


def _district(arguments: Namespace) -> District | None:
    return get_district(arguments.district) if arguments.district else None


def _mails(district: District | None) -> tuple[QuerySet[AccountMail], QuerySet[ResultMail]]:
    accounts = AccountMail.objects.select_related("member__district")
    updates = ResultMail.objects.select_related("member", "update__district")
    if district:
        accounts = accounts.filter(member__district=district)
        updates = updates.filter(update__district=district)
    return accounts, updates


def _find(name: str) -> Mail:
    kind, _, number = name.partition("-")
    accounts, updates = _mails(None)
    mail: Mail | None = None
    if number.isdecimal() and kind == _ACCOUNT:
        mail = accounts.filter(pk=int(number)).first()
    elif number.isdecimal() and kind == _UPDATE:
        mail = updates.filter(pk=int(number)).first()
    if mail is None:
        raise CommandError(
            "no_such_email", f"there is no email '{name}'; see `rollbook outbox list`"
        )
    return mail


def _name(mail: Mail) -> str:
    return f"{_ACCOUNT if isinstance(mail, AccountMail) else _UPDATE}-{mail.pk}"


def _about(mail: Mail) -> str:
    return mail.kind if isinstance(mail, AccountMail) else f"update {mail.update.number}"


def _district_of(mail: Mail) -> District:
    return mail.member.district if isinstance(mail, AccountMail) else mail.update.district


def _queued_at(mail: Mail) -> datetime:
    return mail.queued_at


def _row(mail: Mail) -> tuple[str, ...]:
    state = state_of(mail)
    return (
        _name(mail),
        Toned.of(state.value, _TONES.get(state, "quiet")),
        _district_of(mail).slug,
        mail.recipient,
        _about(mail),
        format_timestamp(mail.queued_at, "UTC"),
        f"{mail.attempts:,}",
        mail.last_error,
    )


def _to_json(mail: Mail) -> dict[str, object]:
    return {
        "id": _name(mail),
        "state": state_of(mail).value,
        "district": _district_of(mail).slug,
        "to": mail.recipient,
        "about": _about(mail),
        "queued_at": mail.queued_at,
        "attempts": mail.attempts,
        "next_attempt_at": mail.next_attempt_at,
        "sent_at": mail.sent_at,
        "error": mail.last_error,
    }


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return format_timestamp(value, "UTC")
    return "" if value is None else str(value)
