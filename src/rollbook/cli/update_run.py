"""Send a student file as the upload commands do, and follow its update to the end."""

from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rollbook.cli.errors import FAILED, OK, SOME_REJECTED, CommandError
from rollbook.cli.lookup import require_active
from rollbook.cli.progress_bar import ProgressBar
from rollbook.cli.suggestions import hint
from rollbook.cli.update_progress import UpdateProgress
from rollbook.cli.update_report import print_report
from rollbook.districts.models import District
from rollbook.districts.modes import ModeNotAllowed
from rollbook.encrypted_file import EncryptedFile
from rollbook.garbage_collection import tune_for_many_rows
from rollbook.jobs import work_on
from rollbook.studentfile.reading.encodings import UTF_8
from rollbook.updates.mappings.choice import UnknownMapping
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.kept_bytes import QuotaExceeded
from rollbook.updates.receiving.receive import QueueFull, Receipt, receive
from rollbook.updates.state_machine import Mode, State
from rollbook.web.http.upload_form import display_name

CHUNK_BYTES = 1 << 20
SOURCE = "rollbook"


@dataclass(frozen=True)
class FileToSend:
    """A student file, and how it is to be used.

    Attributes:
        source: The file.
        name: Its name, made printable.
        mode: The mode of the update.
        header_map: The name of a column mapping; empty: the one whose columns the file has.
        encoding: The encoding of a file that doesn't specify one; empty: the district's.
        is_check: Whether it is a dry run.
    """

    source: Path | EncryptedFile
    name: str
    mode: Mode
    header_map: str = ""
    encoding: str = ""
    is_check: bool = False

    @classmethod
    def of(cls, arguments: Namespace, *, is_check: bool = False) -> Self:
        """Return the file that the arguments of a command name."""
        path: Path = arguments.file
        mode = Mode(arguments.mode)
        name = display_name(path.name)
        return cls(path, name, mode, header_map=arguments.header_map, is_check=is_check)

    @classmethod
    def of_update(cls, update: UpdateJob) -> Self:
        """Return the stored file of an update.

        Raises:
            FileMissing: It is missing or damaged.
        """
        files.ensure_available(update.spool_name, update.spool_digest)
        is_converted = update.spool_digest != update.file_digest
        return cls(
            files.open_stored(update.spool_name),
            update.file_name,
            Mode(update.mode),
            encoding=UTF_8 if is_converted else update.encoding,
            is_check=update.is_check,
        )


def send(district: District, wanted: FileToSend) -> Receipt:
    """Start an update with a file.

    Raises:
        CommandError: The district is suspended, or doesn't accept the file.
    """
    require_active(district)
    with wanted.source.open("rb") as file:
        incoming = IncomingFile()
        try:
            while chunk := file.read(CHUNK_BYTES):
                incoming.write(chunk)
            return _receive(district, incoming, wanted)
        finally:
            incoming.discard()


def _receive(district: District, incoming: IncomingFile, wanted: FileToSend) -> Receipt:
    try:
        return receive(
            district,
            incoming,
            file_name=wanted.name,
            mode=wanted.mode,
            encoding=wanted.encoding,
            source=SOURCE,
            is_check=wanted.is_check,
            header_map=wanted.header_map,
        )
    except ModeNotAllowed as error:
        raise CommandError("mode_not_allowed", f"{error}; nothing was started") from None
    except UnknownMapping as unknown:
        raise CommandError(
            "no_such_mapping",
            f"{district.name} has no column mapping '{unknown}'; "
            f"{hint(str(unknown), unknown.known, unknown.repair)}",
        ) from None
    except QueueFull as error:
        raise queue_full(district, error) from None
    except QuotaExceeded as error:
        raise CommandError("quota_exceeded", str(error)) from None


def queue_full(district: District, error: QueueFull) -> CommandError:
    """Return the error that too many updates are waiting."""
    numbers = ", ".join(map(str, error.waiting))
    return CommandError(
        "queue_full",
        f"updates {numbers} of {district.name} are already waiting; "
        "try again when one of them has finished",
    )


def follow(receipt: Receipt, arguments: Namespace) -> int:
    """Wait until a new update has ended or its plan waits, and print its report.

    Args:
        receipt: The update.
        arguments: Say whether to print JSON, or all problems.

    Returns:
        The exit code.
    """
    return watch(receipt.update, arguments, _notes(receipt))


def watch(job: UpdateJob, arguments: Namespace, notes: Iterable[str] = ()) -> int:
    """Do the same with any update, after showing notes about it."""
    with ProgressBar() as progress_bar:
        for line in notes:
            progress_bar.print_line(line)
        _work_on(job, progress_bar)
    print_report(job, as_json=arguments.json, every=arguments.all)
    if job.state != (State.CHECKED if job.is_check else State.COMPLETED):
        return FAILED
    return SOME_REJECTED if job.rows_rejected else OK


def _work_on(job: UpdateJob, progress_bar: ProgressBar) -> None:
    district = job.district
    progress = UpdateProgress(job, progress_bar)
    tune_for_many_rows()  # without a worker, this process does the work

    def show() -> None:
        district.refresh_from_db(fields=["suspended_at", "suspension_reason"])
        require_active(district)
        progress()

    try:
        work_on(job.pk, show)
    except KeyboardInterrupt:
        progress_bar.end()
        progress_bar.print_line(
            f"update {job.number} has not finished; "
            "run the same command again or start the server to continue"
        )
        raise
    progress.show()


def _notes(receipt: Receipt) -> Iterator[str]:
    if receipt.replayed:
        yield f"continuing update {receipt.update.number}, which has the same file"
    if receipt.same_as:
        earlier_update = receipt.same_as
        yield f"update {earlier_update.number} ({earlier_update.state}) had the same file"
