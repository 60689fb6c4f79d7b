"""Make a backup, and remove all uploaded files after the database was read."""

import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from rollbook.operations.backup import create, facts  # noqa: E402
from rollbook.operations.backup.snapshot import Snapshot  # noqa: E402
from rollbook.updates.models import Draft, UpdateJob  # noqa: E402
from rollbook.updates.receiving import drafts, files  # noqa: E402

real = facts.needed_files


def needed_files_and_remove_them(snapshot: Snapshot) -> list[str]:
    found = real(snapshot)
    drafts.discard_draft(Draft.objects.get())
    update = UpdateJob.objects.get()
    UpdateJob.objects.update(file_removed_at=timezone.now())
    files.remove([update.spool_name])
    return found


facts.needed_files = needed_files_and_remove_them
made = create.create_backup(
    Path(os.environ["TESTS_FOLDER"]) / "b.tar", with_keys=False, keep=None, now=timezone.now()
)
print(f"missing: {list(made.manifest.missing_files)}")
print(f"files: {len(made.manifest.spool_names())}")
