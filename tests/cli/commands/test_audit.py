"""``rollbook audit check``."""

import pytest

from rollbook.accounts.audit import log
from rollbook.accounts.audit.retention import YEAR, remove_expired
from rollbook.accounts.audit.seals import seal_pending
from rollbook.accounts.models import AuditSeal
from rollbook.districts.models import District
from tests.accounts.browser import NOW
from tests.cli.conftest import Rollbook

pytestmark = pytest.mark.django_db


def test_an_intact_audit_log_is_reported_as_such(rollbook: Rollbook, maple: District) -> None:
    log.record("start", "ok", district=maple)
    seal_pending(NOW)
    log.record("start", "ok", district=maple)
    result = rollbook("audit", "check")
    assert (result.code, result.out) == (
        0,
        "The audit log is intact: 1 event under 1 seal; 1 event not sealed yet.\n",
    )


def test_events_removed_by_retention_are_reported_and_break_no_seal(
    rollbook: Rollbook, maple: District
) -> None:
    for years in (8, 1):
        log.record("start", "ok", district=maple, now=NOW - years * YEAR)
    seal_pending(NOW)
    remove_expired(NOW)
    result = rollbook("audit", "check")
    assert result.code == 0
    assert result.out == (
        "The audit log is intact: 1 event under 1 seal; 1 event removed by retention or with "
        "their district; "
        "1 event not sealed yet.\n"
    )


@pytest.mark.statement("S48")
def test_a_broken_seal_is_reported_with_its_time(rollbook: Rollbook, maple: District) -> None:
    log.record("start", "ok", district=maple)
    seal_pending(NOW)
    AuditSeal.objects.update(digest="x")
    result = rollbook("audit", "check")
    assert result.code == 1
    assert result.out == (
        "seal 1, made <time>: the seal or one of its events was changed\n"
        "\nThe audit log was changed outside Rollbook: 1 event under 1 seal. "
        "Compare the database with a backup.\n"
    )
