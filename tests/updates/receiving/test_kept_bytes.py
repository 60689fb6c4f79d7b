"""The limit of the bytes that a district keeps."""

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import retention
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.kept_bytes import QuotaExceeded, kept_bytes
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, finish, incoming, send
from tests.updates.test_retention import after

pytestmark = pytest.mark.django_db


def limit(district: District, size: int) -> None:
    District.objects.filter(pk=district.pk).update(kept_bytes_limit=size)


def test_refused_files_and_drafts_count_until_they_are_removed(
    manager: Member, maple: District
) -> None:
    update = send(maple, a_class(3))
    finish(update)
    refused = send(maple, "nothing\nto see\n")
    assert refused.state == State.REFUSED
    draft = drafts.create_draft(
        manager, incoming(a_class(2).encode()), file_name="d.csv", now=timezone.now()
    )
    files = (update, refused, draft)
    assert kept_bytes(maple) == sum(file.file_size for file in files)
    while retention.remove_expired(after(update, days=15)):
        pass
    assert kept_bytes(maple) == draft.file_size


def test_another_file_is_refused_and_nothing_of_it_is_kept(
    manager: Member, maple: District, cedar: District
) -> None:
    update = send(maple, a_class(3))
    finish(update)
    limit(maple, update.file_size + 10)
    with pytest.raises(QuotaExceeded, match=r"Maple USD that are kept take .* 14 days after"):
        send(maple, a_class(3, GRADE="7"))
    data = incoming(a_class(2).encode())
    with pytest.raises(QuotaExceeded):
        drafts.create_draft(manager, data, file_name="d.csv", now=timezone.now())
    assert list(UpdateJob.objects.filter(district=maple)) == [update]
    assert not Draft.objects.exists()
    send(cedar, a_class(3))
    limit(maple, 10 * update.file_size)
    send(maple, a_class(3, GRADE="7"))
