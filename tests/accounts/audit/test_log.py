"""Recording audit events."""

import pytest

from rollbook.accounts.audit import log
from rollbook.accounts.models import AuditEvent, Member


def test_an_event_belongs_to_the_members_district(manager: Member) -> None:
    log.record("start", "accepted", member=manager, address="203.0.113.7", detail="update 17")
    event = AuditEvent.objects.get()
    assert (event.district, event.member, event.address) == (
        manager.district,
        manager,
        "203.0.113.7",
    )


def test_an_event_can_have_no_member_and_district(db: None) -> None:
    log.record("sign in", "failed")
    assert AuditEvent.objects.get().district is None


@pytest.mark.statement("S47")
def test_text_from_clients_is_shortened_to_one_printable_line(db: None) -> None:
    log.record(
        "start", "accepted", agent="curl\r\n\x1b[31mforged\u202e" + "x" * 500, detail="y" * 500
    )
    event = AuditEvent.objects.get()
    assert event.agent.startswith("curl[31mforgedx")
    assert (len(event.agent), len(event.detail)) == (100, 200)
