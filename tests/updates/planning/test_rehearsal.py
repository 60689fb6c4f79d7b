"""Rehearsing limits with the kept summaries of past updates."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District
from rollbook.updates.models import Expectation, UpdateJob
from rollbook.updates.planning.decisions import Decider, approve
from rollbook.updates.planning.limit_document import LimitDocument, Profile
from rollbook.updates.planning.limits import Limit, Limits
from rollbook.updates.planning.rehearsal import Rehearsal, rehearse, rehearse_limits
from tests.updates.night import a_class, enroll, finish, last, run, send

NONE = Limits({}, {})
STRICT = Limits({"changed": Limit(0, 4)}, {})


@pytest.fixture
def year(maple: District) -> District:
    """A district whose updates changed 3 and 5 students; then one was held and approved."""
    enroll(maple, a_class(40))
    run(maple, a_class(3, GRADE="3"))
    run(maple, a_class(5, GRADE="6"))
    held = send(maple, a_class(40, STATUS="inactive"))
    finish(held)
    held.refresh_from_db()
    approve(maple, held.number, held.plan_digest, Decider(None), timezone.now())
    finish(held)
    run(maple, a_class(6, GRADE="5"), is_check=True)
    UpdateJob.objects.filter(number=1).update(summary=None)  # an update of an older version
    return maple


def numbers(rehearsal: Rehearsal) -> list[int]:
    return [night.number for night in rehearsal.nights]


def test_each_kept_summary_is_judged_newest_first(year: District) -> None:
    result = rehearse(year, LimitDocument(STRICT), timezone.now())
    assert (result.judged, result.held, result.were_held) == (3, 2, 1)
    assert numbers(result) == [4, 3]
    held, changed = result.nights
    assert (held.was_held, changed.was_held) == (True, False)
    assert [reason.measure for reason in held.reasons] == ["deactivated", "changed"]
    (reason,) = changed.reasons
    assert (reason.measured.count, reason.measured.of, reason.limit) == (5, 40, Limit(0, 4))


def test_limits_that_nobody_can_turn_off_are_rehearsed_too(year: District) -> None:
    assert numbers(rehearse_limits(year, NONE, timezone.now())) == [4]


def test_a_profile_applies_on_its_days(year: District) -> None:
    today = local_date(year, timezone.now())
    profile = Profile("now", today, today + timedelta(days=1), STRICT)
    assert numbers(rehearse(year, LimitDocument(NONE, (profile,)), timezone.now())) == [4, 3]
    over = Profile("past", today - timedelta(days=9), today - timedelta(days=2), STRICT)
    assert numbers(rehearse(year, LimitDocument(NONE, (over,)), timezone.now())) == [4]


def test_what_was_expected_then_is_expected_again(year: District) -> None:
    update = UpdateJob.objects.get(number=3)
    assert update.applying_at
    Expectation.objects.create(
        district=year,
        columns=["STATUS"],
        until=update.applying_at + timedelta(days=1),
        is_for_one_update=True,
        used_by=last(year),
        created_at=update.applying_at - timedelta(seconds=1),
    )
    assert numbers(rehearse_limits(year, NONE, timezone.now())) == []
    Expectation.objects.update(used_by=update)
    assert numbers(rehearse_limits(year, NONE, timezone.now())) == [4]
    Expectation.objects.update(used_by=None, ended_at=update.applying_at)
    assert numbers(rehearse_limits(year, NONE, timezone.now())) == [4]


def test_only_the_last_400_days_count(year: District, cedar: District) -> None:
    document = LimitDocument(STRICT)
    UpdateJob.objects.filter(number=3).update(received_at=timezone.now() - timedelta(days=401))
    assert numbers(rehearse(year, document, timezone.now())) == [4]
    assert rehearse(cedar, document, timezone.now()) == Rehearsal()


def test_all_are_counted_but_only_the_newest_are_listed(
    year: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.updates.planning.rehearsal.MAX_NIGHTS", 1)
    monkeypatch.setattr("rollbook.updates.planning.rehearsal.MAX_REASONS", 1)
    result = rehearse(year, LimitDocument(STRICT), timezone.now())
    assert (result.held, numbers(result)) == (2, [4])
    (night,) = result.nights
    assert (len(night.reasons), night.more_reasons) == (1, 1)
