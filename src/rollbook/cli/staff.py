"""``rollbook staff``: who may sign in."""

import sys
from argparse import Namespace
from getpass import getpass
from pathlib import Path

from rollbook.cli.failures import DONE, USAGE, Failure
from rollbook.cli.finding import district_named
from rollbook.cli.record import record
from rollbook.staff.members import MemberRefused, add_member


def add(arguments: Namespace) -> int:
    """Add a member, whose password is asked for or read from a file."""
    district = district_named(arguments.district)
    password = _from_file(arguments.password_file) if arguments.password_file else _asked(arguments.email)
    try:
        member = add_member(district, arguments.email, arguments.first, arguments.last, arguments.role, password)
    except MemberRefused as refused:
        raise Failure("member_refused", f"{refused}; nobody was added") from None
    record("staff add", district, f"{member.email}, {member.role}")
    print(f"Added {member.name}, {member.role} of {district.name}. The login is {member.email}.")
    return DONE


def _from_file(name: str) -> str:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Failure("password_not_readable", f"{name} is not UTF-8 text; save it as UTF-8") from None
    return text.split("\n", 1)[0].removesuffix("\r")


def _asked(email: str) -> str:
    if not sys.stdin.isatty():
        raise Failure(
            "no_terminal",
            "there is no terminal to ask for the password on; give --password-file FILE (- is stdin)",
            USAGE,
        )
    password = getpass(f"Password for {email}: ")
    if getpass("The same again: ") != password:
        raise Failure("passwords_differ", "the two passwords are not the same; nobody was added, try again")
    return password
