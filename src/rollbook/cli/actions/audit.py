"""Runs ``rollbook audit``: verifies the seals of the audit log."""

from argparse import Namespace

from rollbook.accounts.audit import seals
from rollbook.cli.errors import FAILED, OK
from rollbook.text import count_of


def check(arguments: Namespace) -> int:
    """Verify every seal and print the broken ones."""
    result = seals.verify()
    for seal in result.broken:
        print(f"seal {seal.number:,}, made {seal.at:%Y-%m-%d %H:%M:%S} UTC: {seal.text}")
    summary = f"{count_of(result.events, 'event')} under {count_of(result.seals, 'seal')}"
    if result.forgotten:
        summary += f"; {count_of(result.forgotten, 'event')} removed by retention"
    if result.waiting:
        summary += f"; {count_of(result.waiting, 'event')} not sealed yet"
    if result.broken:
        print(
            f"\nThe audit log was changed outside Rollbook: {summary}. "
            "Compare the database with a backup."
        )
        return FAILED
    print(f"The audit log is intact: {summary}.")
    return OK
