"""Runs ``rollbook staff``: adds staff members and turns off a lost second factor."""

import sys
from argparse import Namespace
from getpass import getpass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rollbook.accounts.auth import second_factor, sessions
from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.members.members import add_member, invite
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.districts.models import District
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
    print(f"{verb} {member.name}, {member.role} of {district.name}. The login is {member.email}.")
    if is_invited:
        print(_invitation_delivery())
    return OK


def second_factor_off(arguments: Namespace) -> int:
    """Turn off the second factor of a member who has lost it."""
    login = fold_login(arguments.email)
    member = Member.objects.select_related("district").filter(email=login).first()
    if member is None:
        raise CommandError(
            "no_such_member",
            f"there is no member with the login '{arguments.email}'; nothing was changed",
        )
    with transaction.atomic():
        if not second_factor.turn_off(member, timezone.now()):
            raise CommandError(
                "no_second_factor",
                f"{member.email} does not use two-step verification; nothing was changed",
            )
        sessions.end_all(member)
    record("staff second-factor-off", member.district, f"turned off for {member.email}")
    print(f"{member.name} can sign in with just the password. The login is {member.email}.")
    return OK


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
