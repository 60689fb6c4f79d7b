"""The accounts of this machine that own the data folder and run commands."""

import os
import pwd
from pathlib import Path


def account_name(number: int) -> str:
    """Return the name of an account; ``account 1234`` if this machine has no name for it."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"account {number}"


def other_owner(folder: Path) -> int | None:
    """Return the account that owns a folder; None if it is ours, or if there is none to see."""
    try:
        owner = folder.stat().st_uid
    except OSError:
        return None
    return None if owner == os.geteuid() else owner


def sudo_user(number: int) -> str:
    """Return how ``sudo -u`` names an account: by its name, or by its number if it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"'#{number}'"


def acting_account() -> str:
    """Return the name of the person's account that runs this command, also if it used sudo."""
    number = os.environ.get("SUDO_UID", "")
    if not number.isdecimal():
        return account_name(os.getuid())
    return f"{account_name(int(number))} as {account_name(os.geteuid())}"


def command_agent() -> str:
    """Return what the audit says about who ran a command: no member signs in for one."""
    return f"rollbook command, {acting_account()}"
