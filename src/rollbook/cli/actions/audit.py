"""``rollbook audit``: whether what was written down of deeds is still as it was written."""

from argparse import Namespace

from rollbook.cli.errors import FAILED, OK
from rollbook.staff import sealing
from rollbook.updates.wording import counted


def check(arguments: Namespace) -> int:
    """Look at every seal of the audit."""
    verified = sealing.verify()
    for broken in verified.broken:
        print(f"seal {broken.number:,}, made {broken.at:%Y-%m-%d %H:%M:%S} UTC: {broken.text}")
    waiting = f"; {counted(verified.waiting, 'event')} not sealed yet" if verified.waiting else ""
    forgotten = (
        f"; {counted(verified.forgotten, 'event')} removed by retention"
        if verified.forgotten
        else ""
    )
    told = f"{counted(verified.events, 'event')} under {counted(verified.seals, 'seal')}{forgotten}{waiting}"
    if verified.broken:
        print(f"\nThe audit was changed behind Rollbook's back: {told}. Compare it with a backup.")
        return FAILED
    print(f"The audit is whole: {told}.")
    return OK
