"""1. Receive a file: store it durably and create its update, before the request is answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from rollbook.accounts import retention_guard
from rollbook.accounts.models import Member
from rollbook.districts import modes
from rollbook.districts.file_rules import file_rules
from rollbook.districts.models import District
from rollbook.districts.modes import Channel
from rollbook.districts.suspension import require_not_suspended
from rollbook.studentfile.mapping.choice import MappingChoice
from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.conversion.convert import convert
from rollbook.studentfile.reading.encodings import UTF_8
from rollbook.studentfile.reading.lots import TextMemory
from rollbook.studentfile.reading.reader import FileScan
from rollbook.studentfile.reading.source import Source
from rollbook.updates import problem_store, runner, state_log, transitions
from rollbook.updates.exports import source_update
from rollbook.updates.manifest.file_lots import DistrictText
from rollbook.updates.mappings.choice import DistrictMappings
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.receiving import file_chunks, shared_file
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.early_copy import EarlyCopy
from rollbook.updates.receiving.file_limits import file_limits
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.kept_bytes import require_room
from rollbook.updates.state_machine import IN_PROGRESS, REPLAYED, UNFINISHED, Mode, State

MAX_WAITING = 3
"""Updates of a district that may wait besides the one in progress."""

ORPHANS_KEPT = timedelta(days=1)
"""How long files are kept to which nothing refers, in case something is wrong with the database."""

SOURCE_BROWSER = "the browser"
CHANNELS = {"rollbook": Channel.CLI, SOURCE_BROWSER: Channel.PAGES}
"""How a file was sent, by the source of its update; all others are scripts."""


class QueueFull(Exception):
    """The district has as many waiting updates as allowed; ``waiting`` are their numbers."""

    def __init__(self, waiting: list[int]) -> None:
        super().__init__(waiting)
        self.waiting = waiting


@dataclass(frozen=True)
class Receipt:
    """The result of submitting a file.

    Attributes:
        update: The update of the file.
        replayed: Whether the update existed before.
        same_as: The latest update of the same content that has ended; None if there is none.
    """

    update: UpdateJob
    replayed: bool
    same_as: UpdateJob | None


@dataclass(frozen=True)
class Submission:
    """A scanned file for which an update is to be created.

    While an update is unfinished, submitting the same file in the same way returns that update.

    Attributes:
        district: The district.
        digest: The SHA-256 of the file, in hexadecimal.
        mode: The mode of the update.
        encoding: The requested encoding.
        columns: The values of the update's other columns, about the file and its sender.
        problems: The problems of the file as a whole.
        is_check: Whether it is a dry run.
    """

    district: District
    digest: str
    mode: Mode
    encoding: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    is_check: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether the file can't be accepted."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def updates(self) -> "QuerySet[UpdateJob]":
        """Return all updates of the same file in the same mode and encoding, checks apart."""
        return UpdateJob.objects.filter(
            district=self.district,
            file_digest=self.digest,
            mode=self.mode,
            encoding=self.encoding,
            is_check=self.is_check,
            split_from=None,
        )

    def unfinished(self) -> "QuerySet[UpdateJob]":
        """Return those of these that are queued or held, at most one for each column mapping."""
        return self.updates().filter(state__in=REPLAYED)

    def find_unfinished(self) -> Receipt | None:
        """Return a receipt for the one with the same column mapping; None if there is none."""
        update = self.unfinished().filter(mapping=self.columns.get("mapping")).first()
        return Receipt(update, replayed=True, same_as=None) if update else None


def receive(  # noqa: PLR0913 - the columns of an update, as keywords
    district: District,
    incoming: IncomingFile,
    *,
    file_name: str,
    mode: Mode = Mode.UPDATE,
    encoding: str = "",
    member: Member | None = None,
    source: str = "curl",
    token_limits: Mapping[str, Any] | None = None,
    token_key: str = "",
    is_check: bool = False,
    note: str = "",
    notify: Sequence[Member] = (),
    header_map: str = "",
) -> Receipt:
    """Create an update for a file; if the file can't be accepted, the update is refused.

    If the same file is sent again while its update is unfinished, this returns that update. After
    an exception, nothing is stored.

    Args:
        district: The district.
        incoming: The file, completely written. It is discarded unless the update refers to it.
        file_name: The client's name for the file, made printable.
        mode: The mode of the update.
        encoding: As spelled by ``normalize_encoding_name``; empty: the district's.
        member: Who sent the file; None: the operator.
        source: How the file was sent.
        token_limits: What the token that sent it may do, see ``token_limits.py``; None: everything.
        token_key: The key of that token.
        is_check: Whether it is a dry run, whose plan waits for a person.
        note: What the sender says about the file.
        notify: Further members who get the emails about the update.
        header_map: The name of the column mapping, see ``mappings/choice.py``.

    Raises:
        ModeNotAllowed: The district doesn't allow the mode for files that are sent in this way.
        UnknownMapping: The district has no column mapping of this name.
        QueueFull: Too many updates are waiting.
        QuotaExceeded: The district keeps too many bytes.
        DistrictSuspended: The district is suspended.
        OSError: The disk is full.
    """
    submission = Submission(
        district, incoming.digest, mode, encoding or district.encoding, is_check=is_check
    )
    try:
        modes.require_allowed(district, CHANNELS.get(source, Channel.SCRIPTS), mode)
        mappings = DistrictMappings(district, header_map)
        for unfinished in submission.unfinished():
            if mappings.of_header(unfinished.header) == unfinished.mapping:
                return Receipt(unfinished, replayed=True, same_as=None)
        require_room(district, incoming.size)
        memory = DistrictText(district, incoming)
        with EarlyCopy() as copy:
            scan = convert_and_scan(incoming, submission.encoding, district, mappings, memory, copy)
            columns = store_and_describe(incoming, scan, district)
            columns["mapping"] = mappings.of_scan(scan)
            columns |= {"file_name": file_name, "member": member, "source": source}
            columns |= {"limits": token_limits, "token_key": token_key, "note": note}
            columns["notified"] = [each.pk for each in notify] or None
            submission = replace(submission, columns=columns, problems=scan.problems)
            return _commit(submission, incoming, lambda update: memory.store(update, scan.lots))
    finally:
        incoming.discard()


def convert_and_scan(
    incoming: IncomingFile,
    encoding: str,
    district: District,
    mappings: MappingChoice,
    memory: TextMemory | None = None,
    copy: EarlyCopy | None = None,
) -> FileScan:
    """Convert a file if it isn't CSV, and scan what is to be stored.

    Args:
        incoming: The file, completely written. ``incoming.stored`` is scanned.
        encoding: The requested encoding.
        district: The district, whose rules apply.
        mappings: The column mappings through which the file can be read.
        memory: What is known of earlier files.
        copy: Begins the transaction of the update, perhaps before the scan.

    Raises:
        DistrictKeyLost: The key of the district can't be decrypted.
        OSError: The disk is full.
    """
    incoming.finish()
    conversion = convert(
        incoming.content, encoding=encoding, limits=file_limits(), write=incoming.write_converted
    )
    if conversion.refusal:
        return FileScan(encoding, None, 0, conversion.problems)
    if conversion.is_converted:
        incoming.replace_by_converted()
        encoding = UTF_8
    if copy:
        incoming.stored.shared = shared_file.find(district, incoming.stored)
    incoming.stored.begin_sync(district.pk)
    scan = partial(scan_stored, incoming.stored.content, encoding, district, mappings, memory)
    return conversion.add_to(copy.scan(incoming.stored, scan) if copy else scan())


def scan_stored(
    source: Source,
    encoding: str,
    district: District,
    mappings: MappingChoice,
    memory: TextMemory | None = None,
) -> FileScan:
    """Scan a file that is CSV.

    Args:
        source: The file.
        encoding: The requested encoding.
        district: The district, whose rules apply.
        mappings: The column mappings through which the file can be read.
        memory: What is known of earlier files.
    """
    scan = reader.scan(
        source,
        encoding=encoding,
        limits=file_limits(),
        rules=file_rules(district),
        mappings=mappings,
        memory=memory,
    )
    return source_update.inherit_date_order(scan, district)


def store_and_describe(
    incoming: IncomingFile, scan: FileScan, district: District
) -> dict[str, Any]:
    """Store the file durably; return its columns of ``StudentFile`` by name."""
    return {
        **describe(scan),
        "file_size": incoming.size,
        "spool_digest": incoming.stored.digest,
        "spool_name": incoming.stored.persist(district.pk),
    }


def describe(scan: FileScan) -> dict[str, Any]:
    """Return the columns of ``StudentFile`` that the scan of a file decides, by name."""
    return {
        "detected_encoding": scan.encoding,
        "rules": scan.rules.as_json(),
        "header": _header_names(scan),
        "checkpoints": [[position.byte, position.line] for position in scan.checkpoints],
        "rows": 0 if scan.refusal else scan.rows,
    }


def _header_names(scan: FileScan) -> list[str]:
    """Return the names of the columns; none if no name is known, since it may be a student."""
    if scan.header is None or not any(scan.header.columns):
        return []
    return list(scan.header.names)


def lock_district(district: District) -> None:
    """Keep others from creating updates of the district until the caller's transaction ends.

    Raises:
        DistrictSuspended: The district has been suspended; it stays so until then, too.
    """
    require_not_suspended(District.objects.select_for_update(no_key=True).get(pk=district.pk))


def create_update(submission: Submission) -> Receipt:
    """Create the update, in the transaction of a caller that has locked the district.

    Raises:
        QueueFull: Too many updates are waiting.
    """
    if replayed := submission.find_unfinished():
        return replayed
    same_as = submission.updates().only("number", "state").order_by("-number").first()
    if not submission.is_refused:
        require_place_in_queue(submission.district)
    update = _insert_update(submission)
    runner.notify_engine(update.pk)  # first, as the commit calls back in this order
    state_log.log_after_commit(update.pk, State.RECEIVED)
    spool.copy_to_database(update.spool_name)
    problem_store.save_problems(update, submission.problems)
    if submission.is_refused:
        transitions.transition(update.pk, State.REFUSED)
        update.refresh_from_db()
    return Receipt(update, replayed=False, same_as=same_as)


def _insert_update(submission: Submission) -> UpdateJob:
    district, columns = submission.district, submission.columns
    return UpdateJob.objects.create(
        district=district,
        number=next_number(district),
        mode=submission.mode,
        encoding=submission.encoding,
        file_digest=submission.digest,
        is_check=submission.is_check,
        state=State.RECEIVED,
        received_at=timezone.now(),
        problem_counts=problem_store.counts(submission.problems),
        corrects=source_update.find_source_update(columns["header"], district),
        **columns,
    )


def remove_orphaned_files(min_age: timedelta = ORPHANS_KEPT) -> int:
    """Remove this installation's files to which no update and no draft refers; return how many.

    Nothing is removed while retention is stopped, as after a restore: then the files show what was
    uploaded after the backup. An update whose file was removed by retention refers to none. On
    PostgreSQL, files of updates that have ended are removed too, because they can be copied from
    the database; that of a manifest stays, because the next file is compared with it.

    Args:
        min_age: How long ago they were written, at least.
    """
    if retention_guard.stopped():
        return 0
    # The order matters: a row refers to a file before the file is unlocked, so a file without a
    # row by now will never have one.
    unlocked = spool.unlocked_files(min_age)
    updates = UpdateJob.objects.filter(file_removed_at=None)
    if settings.ON_POSTGRESQL:
        updates = updates.filter(Q(state__in=UNFINISHED) | ~Q(manifest=None))
    orphaned = unlocked.difference(
        Draft.objects.values_list("spool_name", flat=True),
        updates.values_list("spool_name", flat=True),
    )
    spool.remove(orphaned)
    return len(orphaned)


def _commit(
    submission: Submission, incoming: IncomingFile, remember: Callable[[UpdateJob], None]
) -> Receipt:
    with transaction.atomic():
        lock_district(submission.district)
        stored = incoming.stored
        if stored.shared and not shared_file.keep(stored.shared):  # removed in this moment
            stored.shared = ""
            name = stored.persist(submission.district.pk)
            submission = replace(submission, columns={**submission.columns, "spool_name": name})
        receipt = create_update(submission)
        if receipt.replayed:
            file_chunks.remove([incoming.stored.name])  # EarlyCopy may have written them
        else:
            if not submission.is_refused:
                remember(receipt.update)
            # Before the commit: if the connection is lost during the commit, nobody knows whether
            # the update exists. If it doesn't, the sweep removes the file.
            incoming.release_ownership()
    return receipt


def next_number(district: District) -> int:
    """Return the number of the district's next update; the caller has locked the district."""
    updates = UpdateJob.objects.filter(district=district)
    highest: int | None = updates.aggregate(highest=Max("number"))["highest"]
    return (highest or 0) + 1


def require_place_in_queue(district: District) -> None:
    """Check that another update may wait.

    Raises:
        QueueFull: Too many updates are waiting.
    """
    updates = UpdateJob.objects.filter(district=district)
    received = updates.filter(state=State.RECEIVED).order_by("number")
    waiting = list(received.values_list("number", flat=True))
    max_waiting = MAX_WAITING
    if not updates.filter(state__in=IN_PROGRESS).exists():
        max_waiting += 1  # the next one starts in a moment
    if len(waiting) >= max_waiting:
        raise QueueFull(waiting)
