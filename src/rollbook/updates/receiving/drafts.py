"""Store files that were chosen in the browser, and check them, until they are submitted.

A draft refers to its file just as an update does. Submitting it is one transaction that creates
the update, which refers to the same file, and links the draft to it.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rollbook.accounts.district_keys import DistrictKeyLost
from rollbook.accounts.models import Member
from rollbook.accounts.sealed_values import Sealer, unseal
from rollbook.districts import modes
from rollbook.districts.local_dates import local_date
from rollbook.districts.modes import Channel
from rollbook.studentfile.mapping.choice import MappingChoice
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FileScan
from rollbook.updates.mappings.choice import DistrictMappings, FileMappings, to_read_again
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.receiving import file_chunks, preview
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.kept_bytes import require_room
from rollbook.updates.receiving.preview import FilePreview
from rollbook.updates.receiving.receive import (
    SOURCE_BROWSER,
    QueueFull,
    Receipt,
    Submission,
    convert_and_scan,
    create_update,
    describe,
    lock_district,
    scan_stored,
    store_and_describe,
)
from rollbook.updates.state_machine import Mode, State

LIFETIME = timedelta(hours=12)
MAX_DRAFTS_PER_MEMBER = 5  # the oldest are removed

_FOUND_WHILE_CONVERTING = frozenset(
    (
        "other_delimiter",
        "utf16_decoded",
        "other_sheets",
        "formula_not_calculated",
        "hidden_cells",
        "merged_cells",
    )
)
"""Warnings about the file that was uploaded, which isn't stored if it was converted."""

_FILE_FIELDS = (
    "file_name",
    "file_size",
    "spool_name",
    "spool_digest",
    "detected_encoding",
    "rules",
    "header",
    "mapping",
    "checkpoints",
    "rows",
)


class DraftExpired(Exception):
    """The draft was discarded or has expired."""


class NothingToRetry(Exception):
    """The update didn't end early, its file is no longer stored, or a later one has completed."""


def create_draft(
    member: Member, incoming: IncomingFile, *, file_name: str, encoding: str = "", now: datetime
) -> Draft:
    """Check a file and store it, even if it can't be accepted; after an exception, store nothing.

    Args:
        member: Who chose the file.
        incoming: The complete file. It is discarded unless the draft refers to it.
        file_name: The client's name for the file, made printable.
        encoding: As spelled by ``normalize_encoding_name``; empty: the district's.
        now: The present time.

    Raises:
        QuotaExceeded: The district keeps too many bytes.
        DistrictSuspended: The district is suspended.
        OSError: The disk is full.
    """
    district = member.district
    encoding = encoding or district.encoding
    try:
        require_room(district, incoming.size)
        mappings = DistrictMappings(district)
        scan = convert_and_scan(incoming, encoding, district, mappings)
        result = preview.preview_rows(incoming.stored.content, scan, local_date(district, now))
        sealed_preview = Sealer.of_district(district.pk).seal(json.dumps(result))
        columns = store_and_describe(incoming, scan, district)
        columns["mapping"] = mappings.of_scan(scan)
        with transaction.atomic():
            lock_district(district)
            draft = Draft.objects.create(
                district=district,
                member=member,
                created_at=now,
                file_name=file_name,
                file_digest=incoming.digest,
                encoding=encoding,
                preview={},
                sealed_preview=sealed_preview,
                **columns,
            )
            spool.copy_to_database(draft.spool_name)
            incoming.release_ownership()  # before the commit, see receive.py
        _remove_oldest(member)
        return draft
    finally:
        incoming.discard()


def of_update(
    update: UpdateJob, member: Member, now: datetime, mappings: FileMappings | None = None
) -> Draft:
    """Return a new draft of the file of an update, which both refer to.

    Args:
        update: The update.
        member: Who gets the draft.
        now: The present time.
        mappings: Through which the file is read; None: as before, or the district's.

    Raises:
        FileMissing: The file is missing or damaged.
        DistrictSuspended: The district is suspended.
    """
    spool.ensure_available(update.spool_name, update.spool_digest)
    columns = {name: getattr(update, name) for name in (*_FILE_FIELDS, "file_digest", "encoding")}
    draft = Draft(district=update.district, member=member, created_at=now, preview={}, **columns)
    read = _read(draft, mappings or to_read_again(update, update.district), now)
    with transaction.atomic():
        lock_district(update.district)
        for name, value in read.items():
            setattr(draft, name, value)
        draft.save(force_insert=True)
    _remove_oldest(member)
    return draft


def start_again(update: UpdateJob, member: Member, now: datetime) -> Receipt:
    """Start a new update with the file of one that was canceled or discarded, or that failed.

    Raises:
        NothingToRetry: The update didn't end early, or has no file of its own.
        FileMissing: The file is missing or damaged.
        ModeNotAllowed: The district doesn't allow the mode on pages.
        QueueFull: Too many updates are waiting.
        DistrictSuspended: The district is suspended.
    """
    if not can_start_again(update):
        raise NothingToRetry
    return _resubmit(update, member, Mode(update.mode), now)


def check_again(update: UpdateJob, member: Member, mode: Mode, now: datetime) -> Receipt:
    """Start another dry run of the file of one that waits for a decision, in another mode.

    Raises:
        NothingToRetry: The update isn't a dry run that waits.
        FileMissing: The file is missing or damaged.
        ModeNotAllowed: The district doesn't allow the mode on pages.
        QueueFull: Too many updates are waiting.
        DistrictSuspended: The district is suspended.
    """
    if not can_check_again(update):
        raise NothingToRetry
    return _resubmit(update, member, mode, now)


def can_check_again(update: UpdateJob) -> bool:
    """Return whether an update is a dry run that waits, and its file is still stored."""
    return update.is_check and update.state == State.CHECKED and not update.file_removed_at


def _resubmit(update: UpdateJob, member: Member, mode: Mode, now: datetime) -> Receipt:
    modes.require_allowed(update.district, Channel.PAGES, mode)
    draft = of_update(update, member, now)
    try:
        return submit_draft(draft, mode, is_check=update.is_check)
    except QueueFull:
        discard_draft(draft)
        raise


def can_start_again(update: UpdateJob) -> bool:
    """Return whether an update ended early, its file is still stored, and none has replaced it."""
    if update.file_removed_at or update.split_from_id:
        return False
    has_ended_early = update.state in {State.FAILED, State.DISCARDED}
    if update.state == State.CANCELED:
        has_ended_early = update.not_processed > 0
    return has_ended_early and later_completed(update) is None


def later_completed(update: UpdateJob) -> UpdateJob | None:
    """Return the last update that has completed since; an older file would undo its changes."""
    later = UpdateJob.objects.filter(district=update.district_id, number__gt=update.number)
    return later.filter(state=State.COMPLETED).order_by("-number").first()


def read_again(draft: Draft, mappings: FileMappings, now: datetime) -> None:
    """Read the stored file of a draft again, through another column mapping.

    Raises:
        DraftExpired: The draft no longer exists, or was submitted.
        FileMissing: The file is missing or damaged.
    """
    read = _read(draft, mappings, now)
    if not Draft.objects.filter(pk=draft.pk, update=None).update(**read):
        raise DraftExpired
    draft.refresh_from_db()


def try_mapping(draft: Draft, mappings: MappingChoice, now: datetime) -> FilePreview:
    """Return what the check of a draft would find with another column mapping."""
    scan, result = _check(draft, mappings, now)
    mapping = scan.header.reading.mapping if scan.header and scan.header.reading else None
    header, _ = Header.parse(result["header"], mapping)
    rows = 0 if scan.refusal else scan.rows
    return preview.build_preview(result, rows, header)


def _read(draft: Draft, mappings: FileMappings, now: datetime) -> dict[str, Any]:
    """Return the columns of a draft that depend on its column mapping."""
    scan, result = _check(draft, mappings, now)
    columns = describe(scan)
    columns["mapping"] = mappings.of_scan(scan)
    columns["sealed_preview"] = Sealer.of_district(draft.district_id).seal(json.dumps(result))
    return columns


def _check(draft: Draft, mappings: MappingChoice, now: datetime) -> tuple[FileScan, dict[str, Any]]:
    """Scan and preview the stored file of a draft, with the warnings of its conversion."""
    spool.ensure_available(draft.spool_name, draft.spool_digest)
    source = spool.open_stored(draft.spool_name)
    scan = scan_stored(source, draft.detected_encoding, draft.district, mappings)
    if draft.sealed_preview:
        before = load_preview(draft).problems
        converted = [each for each in before if each.code in _FOUND_WHILE_CONVERTING]
        scan = replace(scan, problems=(*converted, *scan.problems))
    return scan, preview.preview_rows(source, scan, local_date(draft.district, now))


def find_draft(member: Member, key: UUID | str, now: datetime) -> Draft | None:
    """Return a draft of this member that can still be submitted; None if its key is lost."""
    draft = _own(member, key).filter(update=None, created_at__gt=now - LIFETIME).first()
    if draft is None:
        return None
    try:
        load_preview(draft)
    except DistrictKeyLost:
        return None
    return draft


def find_submitted(member: Member, key: UUID | str) -> UpdateJob | None:
    """Return the update as which a draft of this member was submitted."""
    draft = _own(member, key).exclude(update=None).select_related("update").first()
    return draft.update if draft else None


def load_preview(draft: Draft) -> FilePreview:
    """Return the stored result of checking the draft.

    Raises:
        DistrictKeyLost: The key that it is encrypted with is lost.
    """
    result = draft.preview
    if draft.sealed_preview:
        result = json.loads(unseal(bytes(draft.sealed_preview)))
    names = result.get("header", draft.header)
    header, _ = Header.parse(names, draft.mapping_document)
    return preview.build_preview(result, draft.rows, header)


def submit_draft(draft: Draft, mode: Mode, *, is_check: bool = False) -> Receipt:
    """Create the update of a draft, or return the one as which it was submitted before.

    Args:
        draft: The draft.
        mode: The mode of the update.
        is_check: Whether the update is a dry run.

    Raises:
        ModeNotAllowed: The district doesn't allow the mode on pages. The draft stays as it is.
        QueueFull: Too many updates are waiting. The draft stays as it is.
        DistrictSuspended: The district is suspended. The draft stays as it is.
        DraftExpired: The draft no longer exists.
    """
    modes.require_allowed(draft.district, Channel.PAGES, mode)
    columns = {name: getattr(draft, name) for name in _FILE_FIELDS}
    columns |= {"member": draft.member, "source": SOURCE_BROWSER}
    problems = load_preview(draft).problems
    submission = Submission(
        draft.district, draft.file_digest, mode, draft.encoding, columns, problems, is_check
    )
    with transaction.atomic():
        lock_district(draft.district)
        # With this lock, nobody can remove the draft meanwhile.
        locked = Draft.objects.select_for_update().filter(pk=draft.pk).first()
        if locked is None:
            raise DraftExpired
        if locked.update:
            return Receipt(locked.update, replayed=True, same_as=None)
        receipt = create_update(submission)
        Draft.objects.filter(pk=draft.pk, update=None).update(update=receipt.update)
    return receipt


def discard_draft(draft: Draft) -> None:
    """Remove the draft and its file, unless it was submitted."""
    _remove(Draft.objects.filter(pk=draft.pk, update=None))


def remove_expired(now: datetime) -> int:
    """Remove expired drafts, and the files of those that were not submitted; return how many."""
    return _remove(Draft.objects.filter(created_at__lte=now - LIFETIME))


def _own(member: Member, key: UUID | str) -> QuerySet[Draft]:
    try:
        pk = key if isinstance(key, UUID) else UUID(key)
    except ValueError:
        return Draft.objects.none()
    return Draft.objects.filter(pk=pk, district=member.district_id, member=member)


def _remove_oldest(member: Member) -> None:
    open_drafts = Draft.objects.filter(member=member, update=None).order_by("-created_at", "pk")
    excess = open_drafts.values_list("pk", flat=True)[MAX_DRAFTS_PER_MEMBER:]
    _remove(Draft.objects.filter(pk__in=list(excess), update=None))


def _remove(drafts: QuerySet[Draft]) -> int:
    """Remove drafts, and then their files to which no update refers; return how many drafts.

    After a crash in between, the sweep removes the files.
    """
    with transaction.atomic():
        locked = drafts.select_for_update().order_by("pk")
        spool_names = dict(locked.values_list("pk", "spool_name"))
        Draft.objects.filter(pk__in=spool_names).delete()
        unused = _without_update(spool_names.values())
        file_chunks.remove(unused)
    spool.remove(unused)
    return len(spool_names)


def _without_update(spool_names: Iterable[str]) -> set[str]:
    names = set(spool_names)
    updates = UpdateJob.objects.filter(spool_name__in=names)
    return names.difference(updates.values_list("spool_name", flat=True))
