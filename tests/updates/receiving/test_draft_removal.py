"""Drafts are removed with their files, unless an update refers to them."""

import os
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from rollbook.accounts import installation_id
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.jobs import housekeeping
from rollbook.updates.models import Draft, FileChunk
from rollbook.updates.receiving import drafts, files, receive
from rollbook.updates.state_machine import Mode
from tests.updates.night import (
    a_class,
    counts,
    enroll,
    finish,
)
from tests.updates.receiving.test_drafts import NOW, keep, stored_files


def test_a_discarded_draft_is_removed_with_its_file(manager: Member) -> None:
    draft = keep(manager, a_class(1))
    drafts.discard_draft(draft)
    drafts.discard_draft(draft)
    assert (drafts.find_draft(manager, draft.key, NOW), stored_files()) == (None, 0)
    assert not Draft.objects.exists()
    assert not FileChunk.objects.exists()


def test_a_submitted_draft_and_the_file_of_its_update_are_not_discarded(
    maple: District, manager: Member
) -> None:
    enroll(maple, a_class(1))
    draft = keep(manager, a_class(1, GRADE="5"))
    update = drafts.submit_draft(draft, Mode.UPDATE).update
    drafts.discard_draft(draft)
    assert drafts.find_submitted(manager, draft.key) == update
    assert counts(finish(update)) == {"updated": 1}


def test_after_twelve_hours_a_draft_is_removed_with_its_file(manager: Member) -> None:
    old, young = keep(manager, a_class(1)), keep(manager, a_class(2), NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=12)
    assert drafts.find_draft(manager, old.key, later) is None
    assert drafts.remove_expired(later) == 1
    assert list(Draft.objects.all()) == [young]
    assert {path.name for path in settings.SPOOL.iterdir()} == {young.spool_name}
    assert set(FileChunk.objects.values_list("spool_name", flat=True)) <= {young.spool_name}


def test_the_hourly_sweep_removes_expired_drafts_and_their_files(manager: Member) -> None:
    keep(manager, a_class(1))
    young = keep(manager, a_class(2), timezone.now())
    old = files.path_of(f"{installation_id.file_prefix()}left-over")
    old.touch()
    os.utime(old, (0, 0))
    assert housekeeping.sweep_spool() == 2
    assert {path.name for path in settings.SPOOL.iterdir()} == {young.spool_name}


def test_the_file_of_an_update_stays_when_its_draft_is_removed(
    maple: District, manager: Member
) -> None:
    enroll(maple, a_class(1))
    update = drafts.submit_draft(keep(manager, a_class(1, GRADE="5")), Mode.UPDATE).update
    assert drafts.remove_expired(NOW + timedelta(days=1)) == 1
    receive.remove_orphaned_files(timedelta())
    assert counts(finish(update)) == {"updated": 1}


def test_the_sweep_keeps_the_file_of_a_draft(manager: Member) -> None:
    draft = keep(manager, a_class(1))
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert files.path_of(draft.spool_name).is_file()
