"""0. In the browser a file is chosen first, checked by its own rules, and kept until it is sent.

A draft names its file as an update does, so the file is safe when the draft is. Sending is one transaction in which
the update begins, names the same file, and the draft learns what it was sent as.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rollbook.accounts.models import Member
from rollbook.districts.local_dates import local_date
from rollbook.studentfile.reading import reader
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.receiving import file_chunks, preview
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.preview import FilePreview
from rollbook.updates.receiving.receive import (
    Receipt,
    Submission,
    create_update,
    limits,
    lock_district,
    store_and_describe,
)
from rollbook.updates.state_machine import Mode

LIFETIME = timedelta(hours=12)
MAX_DRAFTS_PER_MEMBER = 5  # of one member; the oldest go
SOURCE_BROWSER = "the browser"

_FILE_FIELDS = (
    "file_name",
    "file_size",
    "spool_name",
    "detected_encoding",
    "header",
    "checkpoints",
    "rows",
)


class DraftExpired(Exception):
    """The draft was discarded, or it has become too old."""


def create(
    member: Member, incoming: IncomingFile, *, file_name: str, encoding: str = "", now: datetime
) -> Draft:
    """Check the file and keep it, also one that cannot be accepted, so that the next page can say why.

    ``file_name`` is for display and must be fit for it; ``encoding`` is as known_encoding() spells it, by default the
    district's. Raises OSError when the disk takes no more; then nothing is kept.
    """
    district = member.district
    encoding = encoding or district.encoding
    try:
        incoming.flush()
        survey = reader.scan(incoming.path, encoding=encoding, limits=limits())
        found = preview.preview_rows(incoming.path, survey, local_date(district, now))
        facts = store_and_describe(incoming, survey)
        with transaction.atomic():
            draft = Draft.objects.create(
                district=district,
                member=member,
                created_at=now,
                file_name=file_name,
                file_digest=incoming.digest,
                encoding=encoding,
                preview=found,
                **facts,
            )
            spool.copy_to_database(draft.spool_name)
            incoming.release_ownership()  # now and not later, see receive.py
        _remove_oldest(member)
        return draft
    finally:
        incoming.discard()


def find(member: Member, key: UUID | str, now: datetime) -> Draft | None:
    """The member's own draft that can still be sent."""
    return _own(member, key).filter(update=None, created_at__gt=now - LIFETIME).first()


def find_submitted(member: Member, key: UUID | str) -> UpdateJob | None:
    """What the member's own draft was sent as."""
    draft = _own(member, key).exclude(update=None).select_related("update").first()
    return draft.update if draft else None


def load_preview(draft: Draft) -> FilePreview:
    """What checking the draft has found."""
    return preview.build_preview(draft.preview, draft.rows, draft.header)


def submit(draft: Draft, mode: Mode) -> Receipt:
    """Make an update of the draft; one that was sent already gives the update it was sent as.

    Raises receive.QueueFull, and then the draft stays, and DraftGone.
    """
    sending = Submission(
        draft.district,
        draft.file_digest,
        mode,
        draft.encoding,
        {name: getattr(draft, name) for name in _FILE_FIELDS}
        | {"member": draft.member, "source": SOURCE_BROWSER},
        load_preview(draft).problems,
    )
    with transaction.atomic():
        lock_district(draft.district)
        standing = (
            Draft.objects.select_for_update().filter(pk=draft.pk).first()
        )  # whoever removes it waits for us
        if standing is None:
            raise DraftExpired
        if standing.update:
            return Receipt(standing.update, replayed=True, same_as=None)
        receipt = create_update(sending)
        Draft.objects.filter(pk=draft.pk, update=None).update(update=receipt.update)
    return receipt


def discard(draft: Draft) -> None:
    """Forget the draft and its file, unless it was sent."""
    _remove(Draft.objects.filter(pk=draft.pk, update=None))


def remove_old(now: datetime) -> int:
    """Forget the drafts that were kept long enough, and the files of those that were not sent; returns how many."""
    return _remove(Draft.objects.filter(created_at__lte=now - LIFETIME))


def _own(member: Member, key: UUID | str) -> QuerySet[Draft]:
    try:
        pk = key if isinstance(key, UUID) else UUID(key)
    except ValueError:
        return Draft.objects.none()
    return Draft.objects.filter(pk=pk, district=member.district_id, member=member)


def _remove_oldest(member: Member) -> None:
    unsent = Draft.objects.filter(member=member, update=None).order_by("-created_at", "pk")
    _remove(
        Draft.objects.filter(
            pk__in=list(unsent.values_list("pk", flat=True)[MAX_DRAFTS_PER_MEMBER:]), update=None
        )
    )


def _remove(drafts: QuerySet[Draft]) -> int:
    """Take these away, and then the files that no update has taken over. What a kill leaves of them is swept."""
    with transaction.atomic():
        going = dict(drafts.select_for_update().order_by("pk").values_list("pk", "spool_name"))
        Draft.objects.filter(pk__in=going).delete()
        files = _without_update(going.values())
        file_chunks.remove(files)
    spool.remove(files)
    return len(going)


def _without_update(names: Iterable[str]) -> set[str]:
    names = set(names)
    return names.difference(
        UpdateJob.objects.filter(spool_name__in=names).values_list("spool_name", flat=True)
    )
