"""Runs ``rollbook audit``: verifies the seals, also against those that are kept elsewhere."""

from argparse import Namespace

from rollbook.accounts.audit import head, seals
from rollbook.cli.errors import FAILED, OK, USAGE, CommandError
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
    problems = _mismatches(arguments.expect)
    for problem in problems:
        print(problem)
    if result.broken or problems:
        print(
            f"\nThe audit log was changed outside Rollbook: {summary}. "
            "Compare the database with a backup. If you have restored one on purpose, run "
            "`rollbook adopt`."
        )
        return FAILED
    print(f"The audit log is intact: {summary}.")
    if newest := head.newest():
        print(f"The newest seal is {newest}")
    return OK


def _mismatches(expected: str | None) -> list[str]:
    """Return how the log differs from the data folder's copy, and from the seal to expect.

    Raises:
        CommandError: That isn't a seal.
    """
    problems = [head.find_mismatch_with_file()]
    if expected:
        try:
            kept = head.Head.parse(expected)
        except ValueError as error:
            raise CommandError("usage", f"--expect {error}", USAGE) from None
        problems.append(head.find_mismatch(kept))
    return list(dict.fromkeys(filter(None, problems)))
