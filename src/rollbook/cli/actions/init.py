"""Runs ``rollbook init``: sets up the first district and its first manager."""

import sys
from argparse import Namespace
from collections.abc import Callable

from django.db import transaction

from rollbook.accounts.members import members
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.permissions import RoleType
from rollbook.cli.actions.district import checked_name, create, require_time_zone
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.printed_text import add_facts
from rollbook.districts.models import District

_QUESTIONS = {
    "district": "Name of the district, such as Maple USD",
    "time_zone": "Time zone, such as America/Chicago",
    "email": "Email of the first district manager, which is the login",
    "first": "First name of the manager",
    "last": "Last name of the manager",
}
_CHECKS: dict[str, Callable[[str], str]] = {
    "district": checked_name,
    "time_zone": require_time_zone,
}


def init(arguments: Namespace) -> int:
    """Create the district and the manager, and print the invitation link."""
    if District.objects.exists():
        raise CommandError(
            "already_set_up",
            "this installation has districts already; use `rollbook district add` and "
            "`rollbook staff add`",
        )
    answers = _answers(arguments)
    try:
        with transaction.atomic():
            district = create(answers["district"], answers["time_zone"])
            manager = members.add_without_password(
                district,
                answers["email"],
                answers["first"],
                answers["last"],
                RoleType.DISTRICT_MANAGER.value,
            )
            link = members.invitation_link(manager)
            record("staff add", district, f"printed a link for {manager.email}, {manager.role}")
    except InvalidMember as error:
        raise CommandError("member_refused", f"{error}; nothing was created") from None
    add_facts(arguments, district=district.slug, login=manager.email, link=link)
    print(f"Added {district.name}. Its short name is {district.slug}.")
    print(f"{manager.name} chooses a password with this link, valid for 7 days:")
    print(link)
    print("Start Rollbook with `rollbook serve`, then open the link.")
    print("After the first sign-in, turn on two-step verification under Your account.")
    return OK


def _answers(arguments: Namespace) -> dict[str, str]:
    """Return the value of each option, asking for those that are missing."""
    given = {name: getattr(arguments, name) for name in _QUESTIONS}
    missing = [f"--{name.replace('_', '-')}" for name in _QUESTIONS if given[name] is None]
    if missing and not sys.stdin.isatty():
        raise CommandError(
            "no_terminal", f"there is no terminal to ask on; use {', '.join(missing)}", USAGE
        )
    return {name: _answer(name, given[name]) for name in _QUESTIONS}


def _answer(name: str, given: str | None) -> str:
    check = _CHECKS.get(name, str.strip)
    if given is not None:
        return check(given)
    while True:
        print(f"{_QUESTIONS[name]}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=sys.stderr)
            raise CommandError("no_answer", f"{_QUESTIONS[name]}: no answer; nothing was created")
        try:
            if answer := check(line.strip()):
                return answer
        except CommandError as error:
            print(error.text, file=sys.stderr)
