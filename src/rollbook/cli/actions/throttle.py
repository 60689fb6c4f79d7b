"""Runs ``rollbook throttle``: shows and clears failed sign-ins."""

import ipaddress
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict

from django.utils import timezone

from rollbook.accounts.auth import throttle, throttle_overview
from rollbook.accounts.auth.throttle_overview import Block, FailureCount
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_member
from rollbook.cli.output import table, to_json
from rollbook.cli.printed_text import add_facts
from rollbook.text import count_of, format_timestamp

_HEADERS = ("login", "network", "wrong", "failures", "last")
_BLOCK_HEADERS = ("limit", "login", "network", "events", "until")


def list_failures(arguments: Namespace) -> int:
    """Print the limits that are reached, and the failed sign-ins that still count."""
    now = timezone.now()
    failures, blocks = throttle_overview.list_failures(now), throttle_overview.list_blocks(now)
    if arguments.json:
        print(to_json({"blocked": _as_dicts(blocks), "failures": _as_dicts(failures)}))
        return OK
    if blocks:
        print(
            "\n".join(("Blocked now:", *table(_BLOCK_HEADERS, [_block(each) for each in blocks])))
        )
        print()
    if failures:
        print("\n".join(table(_HEADERS, [_row(failure) for failure in failures])))
    elif not blocks:
        print("No sign-in has failed in the last hour.")
    return OK


def clear(arguments: Namespace) -> int:
    """Forget failed sign-ins."""
    if arguments.all == bool(arguments.login or arguments.address):
        raise CommandError(
            "nothing_to_clear", "use --login, --address or both, or --all alone", USAGE
        )
    login, district = "", None
    if arguments.login:
        member = get_member(arguments.login)
        login, district = member.email, member.district
    address = _parse_address(arguments.address)
    cleared = throttle.clear(login, address)
    what = " from ".join(filter(None, (login, address))) or "all"
    record("throttle clear", district, f"{what}: {cleared}")
    add_facts(arguments, cleared=cleared)
    print(f"Cleared {count_of(cleared, 'failed attempt')}.")
    return OK


def _parse_address(text: str | None) -> str:
    if not text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise CommandError(
            "bad_address", f"'{text}' isn't an IP address; use one such as 203.0.113.7", USAGE
        ) from None


def _row(failure: FailureCount) -> tuple[str, ...]:
    return (
        failure.login or "(no member)",
        failure.address,
        failure.what,
        f"{failure.failures:,}",
        format_timestamp(failure.latest, "UTC"),
    )


def _block(block: Block) -> tuple[str, ...]:
    return (
        block.limit,
        block.login,
        block.address,
        f"{block.failures:,}",
        format_timestamp(block.until, "UTC"),
    )


def _as_dicts(rows: Sequence[Block] | Sequence[FailureCount]) -> list[dict[str, object]]:
    return [asdict(row) for row in rows]
