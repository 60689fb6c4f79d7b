"""Which emails about updates a choice includes, and when a weekly summary is due."""

from datetime import UTC, date, datetime

import pytest

from rollbook.accounts.email_choice import EmailChoice, last_summary_day


@pytest.mark.parametrize(
    ("is_urgent", "needs_person", "expected"),
    [
        (False, False, {EmailChoice.ALWAYS}),
        (False, True, {EmailChoice.ALWAYS, EmailChoice.NEEDED}),
        (True, False, set(EmailChoice)),
        (True, True, set(EmailChoice)),
    ],
)
def test_what_cannot_wait_is_sent_to_everyone(
    is_urgent: bool, needs_person: bool, expected: set[EmailChoice]
) -> None:
    wanting = {
        choice
        for choice in EmailChoice
        if choice.wants(is_urgent=is_urgent, needs_person=needs_person)
    }
    assert wanting == expected


@pytest.mark.parametrize(
    ("time_zone", "now", "expected"),
    [
        ("America/Chicago", datetime(2026, 11, 23, 12, 59, 59, tzinfo=UTC), date(2026, 11, 16)),
        ("America/Chicago", datetime(2026, 11, 23, 13, 0, tzinfo=UTC), date(2026, 11, 23)),
        ("America/Chicago", datetime(2026, 11, 30, 5, 59, tzinfo=UTC), date(2026, 11, 23)),
        ("America/Chicago", datetime(2026, 6, 1, 12, 0, tzinfo=UTC), date(2026, 6, 1)),
        ("Pacific/Honolulu", datetime(2026, 11, 23, 13, 0, tzinfo=UTC), date(2026, 11, 16)),
        ("Pacific/Kiritimati", datetime(2026, 11, 22, 17, 0, tzinfo=UTC), date(2026, 11, 23)),
    ],
)
def test_a_summary_is_due_from_seven_on_the_local_monday(
    time_zone: str, now: datetime, expected: date
) -> None:
    assert last_summary_day(time_zone, now) == expected
