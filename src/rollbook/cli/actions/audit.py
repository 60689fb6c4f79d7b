"""Runs ``rollbook audit``: verifies the seals of the audit log, and lists who saw a student."""

from argparse import Namespace
from datetime import timedelta

from rollbook.accounts.audit import disclosures, head, seals
from rollbook.accounts.models import AuditEvent
from rollbook.cli import output
from rollbook.cli.audit_log import record
from rollbook.cli.errors import FAILED, OK, USAGE, CommandError
from rollbook.cli.lookup import get_district, get_student
from rollbook.cli.printed_text import add_facts
from rollbook.districts.local_dates import local_midnight
from rollbook.districts.models import District
from rollbook.text import count_of, format_timestamp

_HEADERS = ("when", "who", "what", "result", "details", "address")


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
    add_facts(arguments, events=result.events, seals=result.seals, broken=len(result.broken))
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
        add_facts(arguments, newest_seal=str(newest))
        print(f"The newest seal is {newest}")
    return OK


def who_saw(arguments: Namespace) -> int:
    """Print the events that showed a student, the latest first."""
    district = get_district(arguments.district)
    key = arguments.key
    if key is None:
        key = get_student(district, arguments.student).pk
    since = local_midnight(district, arguments.since) if arguments.since else None
    until = None
    if arguments.until:
        until = local_midnight(district, arguments.until + timedelta(days=1))
    record("audit who-saw", district, f"student with key {key}")
    events = list(disclosures.who_saw(district, key, since, until))
    if arguments.json:
        print(output.to_json([_to_json(event) for event in events]))
        return OK
    if events:
        print("\n".join(output.table(_HEADERS, [_row(event, district) for event in events])))
        print()
    times = count_of(len(events), "time")
    print(f"The student with key {key} of {district.name} was seen {times}.")
    return OK


def _who(event: AuditEvent) -> str:
    """Return the login, or the program and the system user of what an operator did."""
    return event.member.email if event.member else event.agent


def _row(event: AuditEvent, district: District) -> tuple[str, ...]:
    at = format_timestamp(event.at, district.time_zone)
    return (at, _who(event), event.action, event.result, event.detail, event.address or "")


def _to_json(event: AuditEvent) -> dict[str, object]:
    return {
        "at": event.at,
        "who": _who(event),
        "member": event.member.email if event.member else None,
        "action": event.action,
        "result": event.result,
        "detail": event.detail,
        "address": event.address,
        "agent": event.agent,
    }


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
