"""Send a student file as the upload commands do, and follow its update to the end."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rollbook.cli.errors import FAILED, OK, SOME_REJECTED, CommandError
from rollbook.cli.lookup import require_active
from rollbook.cli.progress_bar import ProgressBar
from rollbook.cli.update_progress import UpdateProgress
from rollbook.cli.update_report import print_report
from rollbook.districts.models import District
from rollbook.districts.modes import ModeNotAllowed
from rollbook.jobs import work_on
from rollbook.updates.mappings.choice import UnknownMapping
from rollbook.updates.models import UpdateJob
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
        path: The file.
        mode: The mode of the update.
        header_map: The name of a column mapping; empty: the one whose columns the file has.
        is_check: Whether it is a dry run.
    """

    path: Path
    mode: Mode
    header_map: str = ""
    is_check: bool = False

    @classmethod
    def of(cls, arguments: Namespace, *, is_check: bool = False) -> Self:
        """Return the file that the arguments of a command name."""
        return cls(arguments.file, Mode(arguments.mode), arguments.header_map, is_check)


def send(district: District, wanted: FileToSend) -> Receipt:
    """Start an update with a file.

    Raises:
        CommandError: The district is suspended, or doesn't accept the file.
    """
    require_active(district)
    with wanted.path.open("rb") as file:
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
            file_name=display_name(wanted.path.name),
            mode=wanted.mode,
            source=SOURCE,
            is_check=wanted.is_check,
            header_map=wanted.header_map,
        )
    except ModeNotAllowed as error:
        raise CommandError("mode_not_allowed", f"{error}; nothing was started") from None
    except UnknownMapping as unknown:
        raise CommandError(
            "no_such_mapping",
            f"{district.name} has no column mapping '{unknown}'; {unknown.repair}",
        ) from None
    except QueueFull as error:
        numbers = ", ".join(map(str, error.waiting))
        raise CommandError(
            "queue_full",
            f"updates {numbers} of {district.name} are already waiting; "
            "load the file when one of them has finished",
        ) from None
    except QuotaExceeded as error:
        raise CommandError("quota_exceeded", str(error)) from None


def follow(receipt: Receipt, arguments: Namespace) -> int:
    """Wait until an update has ended or its plan waits, and print its report.

    Args:
        receipt: The update.
        arguments: Say whether to print JSON, or all problems.

    Returns:
        The exit code.
    """
    job = receipt.update
    with ProgressBar() as progress_bar:
        for line in _notes(receipt):
            progress_bar.print_line(line)
        _work_on(job, progress_bar)
    print_report(job, as_json=arguments.json, every=arguments.all)
    if job.state != (State.CHECKED if job.is_check else State.COMPLETED):
        return FAILED
    return SOME_REJECTED if job.rows_rejected else OK


def _work_on(job: UpdateJob, progress_bar: ProgressBar) -> None:
    district = job.district
    progress = UpdateProgress(job, progress_bar)

    def watch() -> None:
        district.refresh_from_db(fields=["suspended_at", "suspension_reason"])
        require_active(district)
        progress()

    try:
        work_on(job.pk, watch)
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
