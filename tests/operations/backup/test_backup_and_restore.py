"""``rollbook backup`` and ``rollbook restore`` as processes, on both databases."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.operations.places import content, filled, installation, rollbook

pytestmark = pytest.mark.process


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return filled(tmp_path / "data")


@pytest.mark.statement("S39")
def test_a_backup_is_restored_with_every_row_and_file(data: Path, tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup.tar.gz", tmp_path / "restored"
    out = rollbook(data, "backup", backup).out
    assert out.startswith(f"Backed up to {backup}, ")
    assert f"It has no keys. Keep a copy of {data / 'keys'} in another place." in out
    out = rollbook(restored, "restore", backup, "--keys", data / "keys").out
    assert "all of them match the backup" in out
    assert "The original must never run again" in out
    assert content(restored) == content(data)
    assert installation(restored)["key"] == installation(data)["key"]
    assert (restored / "installation").read_text() == (data / "installation").read_text()
    rollbook(restored, "audit", "check")
    names = {path.name for path in (data / "spool").iterdir()}
    in_folder = {path.name for path in (restored / "spool").iterdir()}
    assert in_folder == (set() if settings.ON_POSTGRESQL else names)


def test_after_a_restore_mail_and_retention_are_held_until_the_operator_releases_them(
    data: Path, tmp_path: Path
) -> None:
    backup, restored = tmp_path / "backup.tar", tmp_path / "restored"
    rollbook(data, "backup", backup, "--with-keys")
    rollbook(restored, "restore", backup)
    assert installation(restored)["mail_held_since"]
    shown = rollbook(restored, "mail", "show").out
    assert "Waiting: 1 email about accounts, 1 email with results" in shown
    assert "a backup of" in rollbook(restored, "retention", "show", code=1).out
    shown = rollbook(restored, "doctor", code=1).out
    assert "WARNING  emails: emails are held since the restore at" in shown
    out = rollbook(restored, "mail", "release", "--drop").out
    assert out.startswith("Emails are sent again. Dropped: 1 email about accounts")
    assert installation(restored)["mail_held_since"] is None
    assert "Waiting: 0 emails" in rollbook(restored, "mail", "show").out


@pytest.mark.statement("S39")
def test_the_check_restores_in_a_scratch_place_and_leaves_nothing(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "scratch").mkdir()
    backup, scratch = tmp_path / "backup.tar", str(tmp_path / "scratch")
    rollbook(data, "backup", backup)
    out = rollbook(data, "restore", "--check", backup, TMPDIR=scratch).out
    assert "all of them match the backup" in out
    assert "The audit log is intact: 2 events under 1 seal" in out
    assert out.endswith(
        "The backup can be restored. What was restored for this check has been removed.\n"
    )
    assert list((tmp_path / "scratch").iterdir()) == []
    assert installation(data)["mail_held_since"] is None


@pytest.mark.only_on("sqlite")
def test_the_check_finds_an_audit_log_that_was_tampered_with(data: Path, tmp_path: Path) -> None:
    from tests.installations import execute

    execute(data, "DROP TRIGGER audit_sealed_update")
    execute(data, "UPDATE accounts_auditevent SET detail = 'nothing' WHERE seal_id IS NOT NULL")
    rollbook(data, "backup", tmp_path / "backup.tar")
    err = rollbook(data, "restore", "--check", tmp_path / "backup.tar", code=1).err
    assert err.startswith("ERROR check_failed: `rollbook audit` failed on the restored copy: ")


def test_keys_that_are_missing_are_named_with_what_is_lost(data: Path, tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup.tar", tmp_path / "restored"
    rollbook(data, "backup", backup)
    err = rollbook(restored, "restore", backup, code=1).err
    assert err.startswith("ERROR missing_keys: ")
    assert "no student's password can be verified" in err
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "logins").write_bytes(b"x" * 32)
    err = rollbook(restored, "restore", backup, "--keys", tmp_path / "other", code=1).err
    assert err.startswith("ERROR other_keys: ")
    done = rollbook(restored, "restore", backup, "--without-keys")
    assert "The key student-passwords is lost; a new one is created." in done.out
    assert "WARNING: the audit log can't be verified" in done.err
    rollbook(restored, "update", "list", "maple-usd")
    assert (restored / "keys" / "logins.2").exists()


def test_only_backups_of_this_installation_that_rollbook_named_are_removed(
    data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    rollbook(data, "backup", folder / "mine.tar.gz")
    [(first, other)] = [
        (
            folder / "rollbook-00000000-20200101T000000Z.tar.gz",
            folder / "rollbook-00000000-20200102T000000Z.tar.gz",
        )
    ]
    first.write_bytes((folder / "mine.tar.gz").read_bytes())
    other.write_bytes(b"not a backup")
    leftover = folder / ".rollbook-backup-00000000.partial"
    leftover.mkdir()
    out = rollbook(data, "backup", folder, "--keep", "1").out
    assert f"Removed the older backup {first.name}." in out
    names = {path.name for path in folder.iterdir()}
    assert names - {"mine.tar.gz", other.name} == {Path(out.split(",")[0].split()[-1]).name}
    assert installation(data)["backed_up_at"]


@pytest.mark.parametrize(
    ("folder", "problem"), [("nowhere", "doesn't exist"), ("taken", "is not a folder")]
)
def test_older_backups_are_removed_in_a_folder_that_exists(
    data: Path, tmp_path: Path, folder: str, problem: str
) -> None:
    (tmp_path / "taken").touch()
    failed = rollbook(data, "backup", tmp_path / folder, "--keep", "1", code=2)
    assert f"ERROR not_a_folder: {tmp_path / folder} {problem}; with --keep, name" in failed.err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nowhere/backup.tar",), "no_folder"),
        (("backup.zip",), "no_folder"),
        (("data/backup.tar",), "inside_data_folder"),
        (("taken.tar",), "file_exists"),
    ],
)
def test_a_bad_target_is_refused_before_anything_is_done(
    arguments: tuple[str, ...], error: str, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken.tar").write_bytes(b"mine")
    before = sorted(tmp_path.iterdir())
    done = rollbook(data, "backup", *(tmp_path / each for each in arguments), code=1)
    assert done.err.startswith(f"ERROR {error}: ")
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "taken.tar").read_bytes() == b"mine"


def test_nothing_is_restored_into_a_folder_or_database_in_use(data: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar"
    rollbook(data, "backup", backup, "--with-keys")
    err = rollbook(data, "restore", backup, code=1).err
    assert err.startswith("ERROR not_empty: ")
    assert "is not empty: it contains installation" in err


def rewritten(path: Path, to: Path, change: str) -> None:
    """Write a backup once more, with something changed."""
    with tarfile.open(path) as source, tarfile.open(to, "w") as target:
        for member in source:
            content = source.extractfile(member)
            assert content
            if change == "missing" and member.name.startswith("database"):
                continue
            if change == "name" and member.name.startswith("keys/l"):
                member.name = "../outside"
            if change == "link" and member.name.startswith("keys/l"):
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
            if change == "absolute" and member.name.startswith("keys/l"):
                member.name = "/tmp/outside"  # noqa: S108 - never written
            if change == "other content" and member.name.startswith("keys/l"):
                target.addfile(member, io.BytesIO(b"x" * member.size))
                continue
            if change in MANIFESTS and member.name == "rollbook-backup.json":
                values = json.loads(content.read())
                MANIFESTS[change](values)
                text = json.dumps(values).encode()
                member.size = len(text)
                target.addfile(member, io.BytesIO(text))
                continue
            target.addfile(member, content)


def _newer_migration(values: dict[str, Any]) -> None:
    values["migrations"].append(["accounts", "9999_future"])


MANIFESTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "newer format": lambda values: values.update(format=99),
    "newer migration": _newer_migration,
    "unsafe name": lambda values: values["files"].update(
        {"keys/../../x": {"bytes": 1, "sha256": ""}}
    ),
    "no tables": lambda values: values.pop("tables"),
    "other rows": lambda values: values["tables"]["students_student"].update(rows=2),
}


@pytest.mark.parametrize(
    ("change", "error", "names"),
    [
        ("missing", "damaged_backup", "database."),
        ("name", "damaged_backup", "'../outside'"),
        ("absolute", "damaged_backup", "'/tmp/outside'"),
        ("link", "damaged_backup", "'keys/logins'"),
        ("other content", "damaged_backup", "keys/logins"),
        ("newer format", "newer_backup", "newer version"),
        ("newer migration", "newer_backup", "newer version"),
        ("unsafe name", "damaged_backup", "rollbook-backup.json"),
        ("no tables", "damaged_backup", "rollbook-backup.json"),
        ("other rows", "restored_differs", "students_student"),
    ],
)
def test_a_wrong_archive_is_refused(
    change: str, error: str, names: str, data: Path, tmp_path: Path
) -> None:
    backup, wrong, restored = tmp_path / "b.tar", tmp_path / "w.tar", tmp_path / "restored"
    rollbook(data, "backup", backup, "--with-keys")
    rewritten(backup, wrong, change)
    err = rollbook(restored, "restore", wrong, code=1).err
    assert err.startswith(f"ERROR {error}: ")
    assert names in err
    assert not (tmp_path / "outside").exists()
    if error != "restored_differs":
        rollbook(restored, "restore", backup)


@pytest.mark.parametrize("kept_share", [0.0, 0.3, 0.9])
def test_an_archive_that_was_cut_off_is_refused(
    kept_share: float, data: Path, tmp_path: Path
) -> None:
    backup, restored = tmp_path / "b.tar.gz", tmp_path / "restored"
    rollbook(data, "backup", backup, "--with-keys")
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(len(whole) * kept_share)])
    err = rollbook(restored, "restore", backup, code=1).err
    assert err.startswith(("ERROR damaged_backup: ", "ERROR not_a_backup: "))
    assert not (restored / "restore.unfinished").exists()
    backup.write_bytes(whole)
    rollbook(restored, "restore", backup)
