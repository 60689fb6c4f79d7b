"""Runs ``rollbook staff``: lists, adds, invites and deactivates staff members."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rollbook.accounts.members import changes, members
from rollbook.accounts.members.members import MemberListItem, MemberState, add_member, invite
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member
from rollbook.accounts.unused_accounts import only_unused
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district, get_member
from rollbook.cli.output import table, to_json
from rollbook.cli.printed_text import add_facts
from rollbook.cli.terminal import Toned
from rollbook.districts.models import District
from rollbook.text import count_of, format_timestamp
from rollbook.updates.runner import worker_status


def add(arguments: Namespace) -> int:
    """Add a member: with a password, or with an invitation by email to choose one."""
    district = get_district(arguments.district)
    password = _read_password(arguments)
    is_invited = password is None
    try:
        if password is None:
            member = _invite(district, arguments)
        else:
            member = _add_with_password(district, arguments, password)
    except InvalidMember as error:
        raise CommandError("member_refused", f"{error}; no member was added") from None
    verb = "Invited" if is_invited else "Added"
    record("staff add", district, f"{verb.lower()} {member.email}, {member.role}")
    add_facts(arguments, login=member.email, role=str(member.role))
    print(f"{verb} {member.name}, {member.role} of {district.name}. The login is {member.email}.")
    if is_invited:
        print(_invitation_delivery())
    return OK


def list_staff(arguments: Namespace) -> int:
    """Print the staff of a district, or of all."""
    found = Member.objects.filter(erased_at=None)
    if arguments.district:
        found = found.filter(district=get_district(arguments.district))
    if arguments.unused is not None:
        found = only_unused(found, arguments.unused, timezone.now())
    items = members.list_items(found)
    if arguments.json:
        print(to_json([_to_json(item) for item in items]))
    elif items:
        print("\n".join(table(_HEADERS, [_row(item) for item in items])))
    else:
        print(_nobody(arguments.unused))
    return OK


def _nobody(unused_days: int | None) -> str:
    if unused_days is None:
        return "There are no staff members."
    return f"Every active account was used in the last {count_of(unused_days, 'day')}."


def deactivate(arguments: Namespace) -> int:
    """Deactivate a member."""
    member = get_member(arguments.email)
    if not member.is_active:
        raise _already(f"{member.email} is not active")
    with _reporting_refusal("nothing was changed"), transaction.atomic():
        changes.deactivate(member, None)
        record("staff deactivate", member.district, member.email)
    add_facts(arguments, login=member.email)
    print(f"{member.name} can no longer sign in. All sessions, links and tokens are ended.")
    return OK


def reactivate(arguments: Namespace) -> int:
    """Reactivate a member."""
    member = get_member(arguments.email)
    if member.is_active:
        raise _already(f"{member.email} is active")
    with _reporting_refusal("nothing was changed"), transaction.atomic():
        changes.reactivate(member, None)
        record("staff reactivate", member.district, member.email)
    add_facts(arguments, login=member.email)
    print(f"{member.name} can sign in again. The login is {member.email}.")
    return OK


def reinvite(arguments: Namespace) -> int:
    """Email an invitation again, or print its link."""
    member = get_member(arguments.email)
    with _reporting_refusal("no invitation was sent"), transaction.atomic():
        if arguments.print_link:
            link = members.invitation_link(member)
            record("staff reinvite", member.district, f"printed a link for {member.email}")
            add_facts(arguments, login=member.email, link=link)
            print(link)
            return OK
        members.invite_again(member, None, timezone.now())
        record("staff reinvite", member.district, f"emailed {member.email}")
    add_facts(arguments, login=member.email)
    print(f"Invited {member.name} again. {_invitation_delivery()}")
    return OK


def _already(text: str) -> CommandError:
    return CommandError("already_done", f"{text} already; nothing was changed")


@contextmanager
def _reporting_refusal(unchanged: str) -> Iterator[None]:
    try:
        yield
    except InvalidMember as error:
        raise CommandError("member_refused", f"{error}; {unchanged}") from None


def second_factor_off(arguments: Namespace) -> int:
    """Turn off the second factor of a member who has lost it."""
    member = get_member(arguments.email)
    try:
        changes.turn_off_second_factor(member, None, timezone.now())
    except InvalidMember:
        raise CommandError(
            "no_second_factor",
            f"{member.email} does not use two-step verification; nothing was changed",
        ) from None
    record("staff second-factor-off", member.district, f"turned off for {member.email}")
    add_facts(arguments, login=member.email)
    print(f"{member.name} can sign in with just the password. The login is {member.email}.")
    return OK


_TONES = {
    MemberState.ACTIVE: "good",
    MemberState.INVITED: "waiting",
    MemberState.NOT_ACTIVE: "quiet",
}
_HEADERS = ("district", "login", "name", "role", "state", "two-step", "last sign-in", "schools")


def _row(item: MemberListItem) -> tuple[str, ...]:
    member = item.member
    last = ""
    if item.last_sign_in:
        last = format_timestamp(item.last_sign_in, member.district.time_zone)
    return (
        member.district.slug,
        member.email,
        member.name,
        str(member.role),
        Toned.of(item.state.value, _TONES[item.state]),
        "on" if member.has_second_factor else "off",
        last,
        ", ".join(school.organization_id for school in item.schools),
    )


def _to_json(item: MemberListItem) -> dict[str, object]:
    member = item.member
    return {
        "district": member.district.slug,
        "login": member.email,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "role": str(member.role),
        "state": item.state.value,
        "two_step_verification": member.has_second_factor,
        "receives_results": member.receives_results,
        "last_sign_in": item.last_sign_in,
        "schools": [school.organization_id for school in item.schools],
    }


def _invite(district: District, arguments: Namespace) -> Member:
    return invite(
        district,
        arguments.email,
        arguments.first,
        arguments.last,
        arguments.role,
        arguments.school,
        None,
        timezone.now(),
    )


def _add_with_password(district: District, arguments: Namespace, password: str) -> Member:
    return add_member(
        district,
        arguments.email,
        arguments.first,
        arguments.last,
        arguments.role,
        password,
        arguments.school,
    )


def _invitation_delivery() -> str:
    """Say when and how the member will receive the invitation."""
    when = "now" if worker_status().alive else "when `rollbook serve` runs"
    if settings.EMAIL_HOST:
        return f"The invitation will be emailed {when}."
    return (
        "No mail server is configured: the invitation will be saved in "
        f"{settings.MAIL_FOLDER} {when}. Send the member the link in it."
    )


def _read_password(arguments: Namespace) -> str | None:
    """Return the password, or None if the member is to choose one."""
    if arguments.password_file:
        return _first_line(arguments.password_file)
    if arguments.ask_password:
        return _prompt_for_password(arguments.email)
    return None


def _first_line(file_name: str) -> str:
    try:
        if file_name == "-":
            text = sys.stdin.read()
        else:
            text = Path(file_name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(
            "password_not_readable", f"{file_name} is not UTF-8 text; save it as UTF-8"
        ) from None
    return text.split("\n", 1)[0].removesuffix("\r")


def _prompt_for_password(email: str) -> str:
    if not sys.stdin.isatty():
        raise CommandError(
            "no_terminal",
            "there is no terminal to prompt for the password on; use --password-file FILE "
            "(- is stdin)",
            USAGE,
        )
    password = getpass(f"Password for {email}: ")
    if getpass("Repeat the password: ") != password:
        raise CommandError(
            "passwords_differ", "the two passwords are not the same; no member was added, try again"
        )
    return password
