"""``rollbook staff``: who may sign in."""

import sys
from argparse import Namespace
from getpass import getpass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.roster.models import District
from rollbook.staff import second_factor, sessions
from rollbook.staff.members import add_member, invite
from rollbook.staff.membership import MemberRefused
from rollbook.staff.models import Member
from rollbook.staff.signing_in import fold_login
from rollbook.updates.running import worker_seen


def add(arguments: Namespace) -> int:
    """Add a member: one who is invited by mail, or whose password is asked for or read from a file."""
    district = get_district(arguments.district)
    password = _password(arguments)
    try:
        member = (
            _invited(district, arguments)
            if password is None
            else _added(district, arguments, password)
        )
    except MemberRefused as refused:
        raise CommandError("member_refused", f"{refused}; nobody was added") from None
    how = "Invited" if password is None else "Added"
    record("staff add", district, f"{how.lower()} {member.email}, {member.role}")
    print(f"{how} {member.name}, {member.role} of {district.name}. The login is {member.email}.")
    if password is None:
        print(_where_the_invitation_goes())
    return OK


def second_factor_off(arguments: Namespace) -> int:
    """Switch off the second factor of a member who has lost it."""
    member = (
        Member.objects.select_related("district").filter(email=fold_login(arguments.email)).first()
    )
    if member is None:
        raise CommandError(
            "no_such_member", f"nobody signs in as '{arguments.email}'; nothing was switched off"
        )
    with transaction.atomic():
        if not second_factor.switch_off(member, timezone.now()):
            raise CommandError(
                "no_second_factor", f"{member.email} has no second factor; nothing was switched off"
            )
        sessions.end_all(member)
    record("staff second-factor-off", member.district, f"switched off for {member.email}")
    print(f"{member.name} signs in with the password alone again. The login is {member.email}.")
    return OK


def _invited(district: District, arguments: Namespace) -> Member:
    name = arguments.first, arguments.last
    return invite(
        district, arguments.email, *name, arguments.role, arguments.school, None, timezone.now()
    )


def _added(district: District, arguments: Namespace, password: str) -> Member:
    name = arguments.first, arguments.last
    return add_member(district, arguments.email, *name, arguments.role, password, arguments.school)


def _where_the_invitation_goes() -> str:
    when = "now" if worker_seen().alive else "when `rollbook serve` runs"
    if settings.EMAIL_HOST:
        return f"The invitation is mailed {when}."
    folder = settings.MAIL_FOLDER
    return f"No mail server is named: the invitation becomes a file in {folder} {when}. Give them the link in it."


def _password(arguments: Namespace) -> str | None:
    """None: the member is to choose one."""
    if arguments.password_file:
        return _from_file(arguments.password_file)
    return _asked(arguments.email) if arguments.ask_password else None


def _from_file(name: str) -> str:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(
            "password_not_readable", f"{name} is not UTF-8 text; save it as UTF-8"
        ) from None
    return text.split("\n", 1)[0].removesuffix("\r")


def _asked(email: str) -> str:
    if not sys.stdin.isatty():
        raise CommandError(
            "no_terminal",
            "there is no terminal to ask for the password on; give --password-file FILE (- is stdin)",
            USAGE,
        )
    password = getpass(f"Password for {email}: ")
    if getpass("The same again: ") != password:
        raise CommandError(
            "passwords_differ", "the two passwords are not the same; nobody was added, try again"
        )
    return password
