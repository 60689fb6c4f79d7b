"""Runs ``rollbook audit``: verifies the seals of the audit log."""

from argparse import Namespace

from rollbook.accounts.audit import seals
from rollbook.cli.errors import FAILED, OK
from rollbook.text import count_of


def check(arguments: Namespace) -> int:
    """Verify every seal and print the broken ones."""
    result = seals.verify()
    for seal in result.broken:
        print(f"seal {seal.number:,}, made {seal.sealed_at:%Y-%m-%d %H:%M:%S} UTC: {seal.problem}")
    summary = f"{count_of(result.events, 'event')} under {count_of(result.seals, 'seal')}"
    if result.removed_events:
        removed = count_of(result.removed_events, "event")
        summary += f"; {removed} removed by retention or with their district"
    if result.unsealed_events:
        summary += f"; {count_of(result.unsealed_events, 'event')} not sealed yet"
    if result.unverifiable_seals:
        summary += (
            f"; {count_of(result.unverifiable_seals, 'seal')} can't be verified: the key is lost"
        )
    if result.broken:
        print(
            f"\nThe audit log was changed outside Rollbook: {summary}. "
            "Compare the database with a backup."
        )
        return FAILED
    print(f"The audit log is intact: {summary}.")
    return OK
