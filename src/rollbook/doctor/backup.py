"""Checks how old the last backup is, and after a restore what the backup doesn't contain."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from rollbook.accounts import installation_id
from rollbook.accounts.models import Installation as InstallationRow
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, ok, warning
from rollbook.operations.backup import last_backup
from rollbook.students.models import Student
from rollbook.text import count_of, format_bytes
from rollbook.updates.models import Draft, UpdateJob

TOO_OLD = timedelta(hours=48)
MAX_SHOWN = 5
_RUN = "run `rollbook backup DIR` every night, see docs/backup.md"


def check(installation: Installation) -> Iterator[CheckResult]:
    """Report the last backup, and uploads that were acknowledged after the restored one."""
    yield _last_backup()
    yield from _unknown_uploads()


def _last_backup() -> CheckResult:
    last = last_backup()
    if last is None:
        if Student.objects.exists():
            return warning("no backup was ever made", _RUN)
        return ok("no backup was made yet, and there are no students")
    what = f"the last backup is of {_moment(last.at)}, {format_bytes(last.size)}"
    if timezone.now() - last.at > TOO_OLD:
        return warning(f"{what}, which is more than {TOO_OLD.days} days ago", _RUN)
    return ok(what)


def _unknown_uploads() -> Iterator[CheckResult]:
    """Find files in the spool folder that were uploaded after the backup that was restored."""
    row = InstallationRow.objects.exclude(restored_at=None).first()
    if row is None or not settings.SPOOL.is_dir():
        return
    known = set(UpdateJob.objects.values_list("spool_name", flat=True))
    known.update(Draft.objects.values_list("spool_name", flat=True))
    ours = settings.SPOOL.glob(f"{installation_id.file_prefix()}*")
    unknown = [path for path in ours if path.name not in known]
    if not unknown:
        return
    newest_first = sorted(unknown, key=lambda path: -path.stat().st_mtime)
    for path in newest_first[:MAX_SHOWN]:
        status = path.stat()
        at = _moment(datetime.fromtimestamp(status.st_mtime, UTC))
        yield warning(
            f"{path} was uploaded at {at} ({format_bytes(status.st_size)}), and no update or draft "
            "of the restored database refers to it",
            "load it with `rollbook student load`, or ask the district to upload it again",
        )
    if len(unknown) > MAX_SHOWN:
        yield warning(
            f"{count_of(len(unknown) - MAX_SHOWN, 'more file')} like that in {settings.SPOOL}",
            "see `rollbook retention show`: they are kept until retention is resumed",
        )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
