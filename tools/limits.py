"""Writes the table of limits into docs/security/limits.md.

Run it as ``python tools/limits.py docs/security/limits.md``. Every number is taken from the code
that applies it.
"""

import os
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

_REGION = re.compile(r"(<!-- limits -->\n).*?(<!-- /limits -->)", re.DOTALL)

Row = tuple[str, str, str]
"""What is limited, the limit, and what happens then."""


def with_table(page: str) -> str:
    """Return the page with the current tables between its two markers.

    Raises:
        ValueError: The page doesn't contain the markers exactly once.
    """
    sections = {
        "Everyone, signed in or not": (*_connections(), *_uploads()),
        "Signing in": (*_sign_in(), *_links(), *_sessions()),
        "District managers, and scripts": (*_commands(), *_files()),
        "Staff": tuple(_staff()),
    }
    text = "\n".join(map(_section, sections, sections.values()))
    new_page, count = _REGION.subn(lambda region: region[1] + text + region[2], page)
    if count != 1:
        raise ValueError("the page must have <!-- limits --> and <!-- /limits --> once")
    return new_page


def _section(title: str, rows: tuple[Row, ...]) -> str:
    table = [f"| {' | '.join(row)} |" for row in rows]
    head = ["", f"## {title}", "", "| what | limit | then |", "|---|---|---|"]
    return "\n".join([*head, *table, ""])


def _connections() -> Iterator[Row]:
    from rollbook.server.slow_clients import body_timeout, connection, request_head, worker
    from rollbook.web.http import upload_shares, upload_slots

    yield "header of a request", _size(request_head.MAX_HEAD_BYTES), "431"
    yield "cookies of a request", f"{_size(request_head.MAX_COOKIE_BYTES)}, no backslash", "431"
    yield "TLS handshake and header", f"{connection.HEAD_TIMEOUT_S:.0f} s", "disconnected"
    yield (
        "pause while a body is sent",
        f"{body_timeout.RECEIVE_TIMEOUT_S:.0f} s",
        "disconnected; nothing is kept",
    )
    yield (
        "pace of an upload from an address that is not known, after half a minute",
        f"{body_timeout.STRANGERS_UPLOAD_BYTES_PER_S * 8 // 1000} kbit/s",
        "disconnected; nothing is kept",
    )
    yield (
        "pace of another upload, after ten minutes",
        f"{body_timeout.MIN_UPLOAD_BYTES_PER_S * 8 // 1000} kbit/s",
        "disconnected; nothing is kept",
    )
    yield "uploads being received at the same time", str(upload_slots.SLOTS), "503 `server_busy`"
    yield (
        "of these, from all addresses that are not known",
        f"{float(upload_shares.OF_STRANGERS * upload_slots.SLOTS):g}",
        "503 `uploads_unidentified`",
    )
    yield (
        "of these, for one address",
        str(worker.UPLOAD_THREADS_PER_CLIENT),
        "429 `too_many_uploads`",
    )


def _uploads() -> Iterator[Row]:
    from django.conf import settings
    from django.http import multipartparser

    from rollbook import client_network
    from rollbook.environment import MAX_UPLOAD_BYTES
    from rollbook.web.http import upload_form, upload_quota, upload_shares

    yield "file", f"{_size(MAX_UPLOAD_BYTES.parse(MAX_UPLOAD_BYTES.default))} (setting)", "413"
    for who, share in (
        ("one address", upload_shares.OF_AN_ADDRESS),
        ("one address that is not known", upload_shares.OF_A_STRANGERS_ADDRESS),
        (
            f"one /{client_network.WIDE_IPV4} or /{client_network.WIDE_IPV6} network",
            upload_shares.OF_A_WIDE_NETWORK,
        ),
        ("all callers that are not known", upload_shares.OF_STRANGERS),
    ):
        yield (
            f"bytes being received from {who}",
            f"{float(share * upload_quota.MAX_BODIES):g} times the largest file",
            "429 `too_many_uploads`, or `uploads_unidentified`",
        )
    yield (
        "bytes being received from all addresses",
        f"{upload_quota.MAX_BODIES} times the largest file, and what the disk has free",
        "503 `server_busy`, `disk_full`",
    )
    yield "form without a file", _size(upload_form.MAX_FORM_BYTES), "413"
    yield "text field of a form", _size(upload_form.MAX_FIELD_BYTES), "400 `field_too_long`"
    yield "fields of a form", f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,}", "400 `bad_form`"
    part_header = vars(multipartparser)["MAX_TOTAL_HEADER_SIZE"]  # its stubs lack it
    yield "header of a part of a form", _size(part_header), "400 `bad_form`"


def _sign_in() -> Iterator[Row]:
    from rollbook.accounts.auth import known_addresses, password_policy, sign_in, throttle

    wait = "429 with the time to wait"
    within = _duration(throttle.WINDOW)
    yield (
        "failures of one login from one address",
        f"{throttle.MAX_FAILURES_PER_LOGIN_AND_ADDRESS} in {within}",
        wait,
    )
    yield "failures from one address", f"{throttle.MAX_FAILURES_PER_ADDRESS} in {within}", wait
    yield (
        "failures of one login from everywhere",
        f"{throttle.MAX_FAILURES_PER_LOGIN} in {within}",
        f"{wait}, but not for an address from which it signed in within "
        f"{_duration(known_addresses.LIFETIME)}",
    )
    yield (
        "wrong codes of one person",
        f"{throttle.MAX_CODE_FAILURES_PER_LOGIN} in {within}",
        wait,
    )
    yield (
        "new password of staff",
        f"{password_policy.MIN_CHARACTERS} characters to {password_policy.MAX_BYTES:,} bytes",
        "refused with the reason",
    )
    yield (
        "passwords being hashed at the same time",
        str(sign_in.MAX_CONCURRENT_HASHES),
        "the next one waits",
    )


def _links() -> Iterator[Row]:
    from rollbook.accounts import mails
    from rollbook.accounts.auth import emailed_links
    from rollbook.accounts.models import AccountMailKind

    for kind, name in (
        (AccountMailKind.INVITATION, "link of an invitation"),
        (AccountMailKind.FORGOTTEN_PASSWORD, "link for a forgotten password"),
    ):
        yield name, f"once, within {_duration(emailed_links.LIFETIME[kind])}", "ask for another one"
    yield "links for one person", f"one in {_duration(mails.MIN_INTERVAL)}", "no second email"


def _sessions() -> Iterator[Row]:
    from rollbook.accounts.auth import sessions

    yield "session without a request", _duration(sessions.IDLE), "sign in again"
    yield "session", _duration(sessions.LONGEST), "sign in again"
    yield "sessions of one person", "any number", "each can be ended by that person"
    yield "time for the code after the password", _duration(sessions.PENDING_LIFETIME), "start over"


def _commands() -> Iterator[Row]:
    from rollbook.accounts.auth import api_tokens
    from rollbook.studentfile.mapping import sizes
    from rollbook.updates.mappings import store
    from rollbook.updates.planning import expectations, limit_document, limit_file
    from rollbook.updates.receiving import drafts, receive

    yield "updates waiting in a district", str(receive.MAX_WAITING), "429 `queue_full`"
    yield "file with limits", _size(limit_file.MAX_BYTES), "refused"
    yield "profiles of a district's limits", str(limit_document.MAX_PROFILES), "refused"
    yield (
        "changes that a district expects at the same time",
        f"{expectations.MAX_EXPECTATIONS}, for {_duration(expectations.LONGEST)} at most",
        "refused",
    )
    yield "column mappings of a district", str(store.MAX_MAPPINGS), "refused"
    yield "versions of a column mapping", str(store.MAX_VERSIONS), "refused"
    yield "document of a column mapping", _size(sizes.MAX_DOCUMENT_BYTES), "refused"
    yield (
        "steps, file columns, table entries of a mapped column",
        f"{sizes.MAX_STEPS}, {sizes.MAX_SOURCES}, {sizes.MAX_TABLE:,}",
        "refused",
    )
    yield (
        "conditions of a column mapping, values of each",
        f"{sizes.MAX_CONDITIONS}, {sizes.MAX_VALUES}",
        "refused",
    )
    yield (
        "text in a column mapping, name, width to pad to",
        f"{sizes.MAX_TEXT}, {sizes.MAX_NAME_LENGTH}, {sizes.MAX_WIDTH} characters",
        "refused",
    )
    yield (
        "value while it is mapped",
        f"{sizes.MAX_RESULT:,} characters",
        "not changed further, row rejected",
    )
    yield "tokens of one person", str(api_tokens.MAX_TOKENS), "refused"
    yield (
        "lifetime of a token",
        f"{_duration(api_tokens.DEFAULT_LIFETIME)} by default, "
        f"{_duration(api_tokens.MAX_LIFETIME)} at most",
        "401 `token_failed`",
    )
    yield (
        "files chosen in the browser, of one person",
        str(drafts.MAX_DRAFTS_PER_MEMBER),
        "the oldest is removed",
    )
    yield "file chosen in the browser", _duration(drafts.LIFETIME), "removed"


def _files() -> Iterator[Row]:
    from rollbook.studentfile.limits import Limits
    from rollbook.studentfile.reading.conversion import archives, sheet_facts, worker_process

    limits = Limits()
    yield "rows of a file", f"{limits.rows:,} (setting)", "file not accepted"
    yield "columns", str(limits.columns), "file not accepted"
    yield "row", _size(limits.row_bytes), "file not accepted"
    yield "cell", f"{limits.cell_characters} characters", "row rejected"
    yield "cells of a workbook", f"{sheet_facts.MAX_CELLS:,}", "file not accepted"
    yield "workbook when it is unpacked", _size(archives.MAX_UNPACKED_BYTES), "file not accepted"
    yield (
        "expansion of a workbook",
        f"{archives.MAX_EXPANSION} times, {archives.MAX_PARTS:,} parts",
        "file not accepted",
    )
    yield (
        "memory and CPU time for a workbook",
        f"{_size(worker_process.MAX_MEMORY_BYTES)}, {worker_process.MAX_CPU_S} s",
        "file not accepted",
    )
    yield "active students that one file deactivates", "half", "file not accepted"


def _staff() -> Iterator[Row]:
    from rollbook.accounts.members import csv_import
    from rollbook.web.pages.groups import forms
    from rollbook.web.pages.schools import views
    from rollbook.web.pages.students import chosen

    yield (
        "people invited by one file",
        f"{csv_import.MAX_ROWS:,}, {_size(csv_import.MAX_FILE_BYTES)}",
        "refused",
    )
    yield "file with schools", _size(views.MAX_FILE_BYTES), "refused"
    yield "students added to a group in one step", f"{forms.MAX_STUDENTS:,}", "refused"
    yield "students selected on all pages of a list", f"{chosen.MAX_MATCHING:,}", "refused"


def _size(size: int) -> str:
    for unit, bytes_ in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= bytes_ and size % bytes_ == 0:
            return f"{size // bytes_:,} {unit}"
    return f"{size:,} bytes"


def _duration(time: timedelta) -> str:
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if time >= length and not time % length:
            return _count(time // length, unit)
    return _count(time // timedelta(minutes=1), "minute")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
    import django

    django.setup()
    _page = Path(sys.argv[1])
    _page.write_text(with_table(_page.read_text(encoding="utf-8")), encoding="utf-8")
