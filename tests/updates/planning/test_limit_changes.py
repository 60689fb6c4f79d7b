"""Saving versions of limits: what changes is recorded and reported, and versions never change."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import count

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from rollbook.accounts.models import AccountMail, Member
from rollbook.districts.models import District
from rollbook.updates.models import LimitSet
from rollbook.updates.planning import limit_changes, limit_sets
from rollbook.updates.planning.limit_changes import describe_changes
from rollbook.updates.planning.limit_document import LimitDocument, Profile, WhenExceeded
from rollbook.updates.planning.limits import DEFAULT_LIMITS, Limit, Limits
from rollbook.validation import ValidationFailed
from tests.conftest import make_member
from tests.db.database_errors import Kill, fault_at

DEFAULT = LimitDocument()
DAY = date(2027, 6, 1)
JUNE = Profile("rollover", DAY, date(2027, 7, 15), DEFAULT_LIMITS)
JULY = replace(JUNE, name="summer")


def with_district(**limits: Limit) -> LimitDocument:
    return LimitDocument(Limits({**DEFAULT_LIMITS.district, **limits}, DEFAULT_LIMITS.school))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (DEFAULT, DEFAULT, []),
        (
            DEFAULT,
            with_district(added=Limit(50, 2000)),
            ["added district: 25% and 100 → 50% and 2,000"],
        ),
        (
            DEFAULT,
            LimitDocument(Limits(DEFAULT_LIMITS.district, {"added": Limit(50, 50)})),
            [
                "deactivated school: 25% and 15 → no limit",
                "moved_out school: 25% and 20 → no limit",
                "changed school: 90% and 50 → no limit",
                "rejected school: 50% and 20 → no limit",
                "dob_changed school: 5% and 10 → no limit",
                "names_changed school: 5% and 10 → no limit",
                "student_id_changed school: 5% and 10 → no limit",
                "username_changed school: 20% and 20 → no limit",
                "emptied school: 20% and 20 → no limit",
            ],
        ),
        (
            DEFAULT,
            LimitDocument(profiles=(JUNE,)),
            ["profile rollover added, 2027-06-01 to 2027-07-15"],
        ),
        (LimitDocument(profiles=(JUNE,)), DEFAULT, ["profile rollover removed"]),
        (
            LimitDocument(profiles=(JUNE,)),
            LimitDocument(profiles=(replace(JUNE, last=DAY),)),
            ["profile rollover changed, 2027-06-01 to 2027-06-01"],
        ),
        (
            LimitDocument(profiles=(JUNE, JULY)),
            LimitDocument(profiles=(JULY, JUNE)),
            ["order of the profiles changed"],
        ),
        (
            DEFAULT,
            LimitDocument(
                when_exceeded=WhenExceeded.HOLD_SCHOOLS, discard_after_hours=1, second_person=True
            ),
            [
                "when exceeded: hold → hold schools",
                "plans discarded after 72 → 1 hour",
                "second person: no → yes",
            ],
        ),
    ],
)
def test_each_difference_is_worded(
    before: LimitDocument, after: LimitDocument, words: list[str]
) -> None:
    assert list(describe_changes(before, after)) == words


@pytest.mark.django_db
def test_each_change_is_a_version_and_the_other_managers_are_notified(
    maple: District, manager: Member
) -> None:
    colleague = make_member(maple, "ana@maple.example")
    now = timezone.now()
    wanted = LimitDocument(second_person=True)
    made = limit_changes.change(maple, wanted, manager, now, based_on=0)
    assert str(made) == "limits, version 1: second person: no → yes"
    assert limit_changes.change(maple, wanted, manager, now) is None
    again = limit_changes.change(maple, DEFAULT, None, now, based_on=1)
    assert again is not None
    assert again.version == 2
    assert limit_sets.find_current(maple.pk).document == DEFAULT
    mails = AccountMail.objects.order_by("pk").values_list("member", "actor", "notice_detail")
    assert list(mails) == [
        (colleague.pk, manager.pk, str(made)),
        (colleague.pk, None, str(again)),
        (manager.pk, None, str(again)),
    ]


@pytest.mark.django_db
def test_whoever_edited_an_older_version_is_refused(maple: District) -> None:
    now = timezone.now()
    limit_changes.change(maple, LimitDocument(second_person=True), None, now, based_on=0)
    with pytest.raises(ValidationFailed, match="somebody saved version 1 of the limits meanwhile"):
        limit_changes.change(maple, LimitDocument(discard_after_hours=1), None, now, based_on=0)
    assert LimitSet.objects.count() == 1


@pytest.mark.django_db
def test_the_database_refuses_to_change_a_version(maple: District) -> None:
    limit_sets.save(maple, DEFAULT, None, timezone.now())
    with (
        pytest.raises(IntegrityError, match="a version of limits cannot be changed"),
        transaction.atomic(),
    ):
        LimitSet.objects.update(version=5)


@pytest.mark.django_db
def test_a_kill_anywhere_leaves_a_version_with_its_notices_or_neither(
    maple: District, manager: Member
) -> None:
    make_member(maple, "ana@maple.example")
    wanted = LimitDocument(second_person=True)
    for statement in count(1):
        with suppress(Kill), fault_at(statement):
            limit_changes.change(maple, wanted, manager, timezone.now())
            break
        assert (LimitSet.objects.count(), AccountMail.objects.count()) == (0, 0)
    assert statement > 3
    assert (LimitSet.objects.count(), AccountMail.objects.count()) == (1, 1)
