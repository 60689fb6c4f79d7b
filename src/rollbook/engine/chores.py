"""What there is to do besides the updates, in pieces; each returns how much it found, so that 0 means: later."""

from rollbook.roster import passwords
from rollbook.updates import notify

A_FEW = 8  # passwords, about a quarter of a second


def mail() -> int:
    """Write the letters of ended updates, and send what is due."""
    return notify.write_letters() + notify.send_due()


def wrap_passwords() -> int:
    """Wrap a few fresh passwords of students."""
    return passwords.wrap_some(A_FEW)
