"""Backups and restores that are killed, or whose disk is full, at each step."""

import fcntl
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollbook.operations.backup.manifest import Manifest
from tests import depth
from tests.installations import environment
from tests.operations.places import (
    content,
    disturbed,
    events,
    filled,
    installation,
    rollbook,
    variables,
)
from tests.patience import TIMEOUT_S
from tests.prepared import prepared

pytestmark = pytest.mark.process

SAMPLES, NIGHTLY = 2, 40
KILLED = 137
LIMITS = (2_000, 10_000, 300_000)
"""Bytes that a file may have on a full disk, which also has to be enough for the error."""


def is_complete(backup: Path) -> bool:
    """Return whether the archive has a manifest and everything that it names."""
    with tarfile.open(backup) as archive:
        names = archive.getnames()
        manifest = archive.extractfile(names[0])
        assert manifest
        return set(Manifest.from_json(manifest.read()).files) == set(names[1:])


def is_error(line: str) -> bool:
    return line.startswith("ERROR ")


def test_a_backup_that_is_killed_or_finds_no_space_leaves_no_archive_and_the_next_one_cleans_up(
    tmp_path: Path,
) -> None:
    data, folder = filled(tmp_path / "data"), tmp_path / "backups"
    folder.mkdir()
    count = events(data, "backup", folder)
    [first] = folder.iterdir()
    first.unlink()
    for how in ("kill", "full"):
        for at in depth.sample(
            range(1, count + 1), f"backup {how}", daily=SAMPLES, nightly=NIGHTLY
        ):
            before = set(folder.glob("*.tar*"))  # of one that was killed when it was complete
            done = disturbed(data, how, at, "backup", folder)
            archives = set(folder.glob("*.tar*"))
            assert all(map(is_complete, archives)), at
            if how == "kill":
                assert done.code == KILLED
            elif done.code:
                assert any(map(is_error, done.err.splitlines())), at
                assert archives <= before
    rollbook(data, "backup", folder, "--keep", "1")
    [only] = folder.iterdir()
    assert is_complete(only)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_disk_that_is_full_in_the_middle_of_a_file_leaves_no_archive(
    limit: int, tmp_path: Path
) -> None:
    data, folder = filled(tmp_path / "data"), tmp_path / "backups"
    folder.mkdir()
    done = disturbed(data, "limit", limit, "backup", folder / "b.tar")
    if limit == LIMITS[-1] and done.code == 0:
        return  # the compressed dump of PostgreSQL is smaller
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("ERROR "), done.err
    assert list(folder.iterdir()) == []


def test_a_restore_that_is_killed_at_any_step_is_never_in_service_and_is_finished_by_the_next(
    tmp_path: Path,
) -> None:
    data, backup = filled(tmp_path / "data"), tmp_path / "b.tar"
    rollbook(data, "backup", backup, "--with-keys")
    expected = content(data)
    count = events(tmp_path / "counted", "restore", backup)
    for at in depth.sample(range(1, count + 1), "restore kill", daily=SAMPLES, nightly=NIGHTLY):
        restored = tmp_path / f"restored-{at}"
        done = disturbed(restored, "kill", at, "restore", backup)
        assert done.code == KILLED, at
        if (restored / "restore.unfinished").exists():
            err = rollbook(restored, "update", "list", "maple-usd", code=1).err
            assert err.startswith("ERROR wrong_database: a backup is being restored into"), at
            err = rollbook(restored, "backup", tmp_path / "other.tar", code=1).err
            assert err.startswith("ERROR wrong_database: "), at
        again = rollbook_or_done(restored, backup)
        assert again, at
        assert content(restored) == expected, at
        assert not (restored / "restore.partial").exists(), at


def rollbook_or_done(restored: Path, backup: Path) -> bool:
    """Run the restore again; return whether it's complete now, or was before."""
    done = prepared().run("rollbook", "restore", str(backup), environment=variables(restored))
    if done.code:
        assert done.err.startswith("ERROR not_empty: "), done.err
    return bool(installation(restored)["mail_held_since"])


def test_a_restore_onto_a_full_disk_says_so_and_is_finished_by_the_next(tmp_path: Path) -> None:
    data, backup = filled(tmp_path / "data"), tmp_path / "b.tar"
    rollbook(data, "backup", backup, "--with-keys")
    expected = content(data)
    count = events(tmp_path / "counted", "restore", backup)
    for at in depth.sample(range(1, count + 1), "restore full", daily=SAMPLES, nightly=NIGHTLY):
        restored = tmp_path / f"restored-{at}"
        done = disturbed(restored, "full", at, "restore", backup)
        if done.code:
            assert any(map(is_error, done.err.splitlines())), at
        assert rollbook_or_done(restored, backup), at
        assert content(restored) == expected, at


@pytest.mark.parametrize("limit", LIMITS)
def test_a_restore_of_which_a_file_does_not_fit_leaves_an_empty_folder(
    limit: int, tmp_path: Path
) -> None:
    data, backup = filled(tmp_path / "data"), tmp_path / "b.tar"
    rollbook(data, "backup", backup, "--with-keys")
    restored = tmp_path / "restored"
    done = disturbed(restored, "limit", limit, "restore", backup)
    if limit == LIMITS[-1] and done.code == 0:
        return  # the compressed dump of PostgreSQL is smaller
    assert done.err.splitlines()[-1].startswith("ERROR not_possible: "), done.err
    assert {path.name for path in restored.iterdir()} <= {
        "serve.lock",
        "worker.lock",
        "backup.lock",
        ".restore.unfinished.new",
    }
    rollbook(restored, "restore", backup)


@contextmanager
def serving(data: Path) -> Iterator[None]:
    """Run a server on the data folder."""
    with subprocess.Popen(
        [sys.executable, "-m", "rollbook", "serve", "--port", "0"],
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout
        assert "is ready" in server.stdout.readline()
        try:
            yield
        finally:
            server.terminate()
            server.wait(TIMEOUT_S)


HEADER = "STUDENT_ID,USERNAME,PASSWORD,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID\n"


def write_students(path: Path, count: int, grade: int) -> None:
    rows = "".join(
        f"{number:05d},user{number},secret{number},A{number},B{number},01/01/2012,f,{grade},100\n"
        for number in range(count)
    )
    path.write_text(HEADER + rows)


def test_backups_during_an_update_can_be_restored_and_contain_every_file_they_refer_to(
    tmp_path: Path,
) -> None:
    data, folder = filled(tmp_path / "data"), tmp_path / "backups"
    folder.mkdir()
    students = depth.choose(daily=3_000, nightly=60_000)
    write_students(tmp_path / "base.csv", students, 5)
    (tmp_path / "no-limits.json").write_text('{"limits": {}}', encoding="ascii")
    rollbook(data, "limits", "set", "maple-usd", "--file", tmp_path / "no-limits.json")
    load = [sys.executable, "-m", "rollbook", "student", "load", "maple-usd"]
    with (
        serving(data),
        subprocess.Popen(
            [*load, str(tmp_path / "base.csv")],
            env=environment(data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as loading,
    ):
        number = 0
        while loading.poll() is None or not number:
            rollbook(data, "backup", folder / f"{number}.tar", "--with-keys")
            number += 1
    assert loading.returncode in (0, 3)
    counts = set()
    for at in sorted({0, number // 2, number - 1}):
        backup = folder / f"{at}.tar"
        rollbook(data, "restore", "--check", backup)
        with tarfile.open(backup) as archive:
            manifest = archive.extractfile(archive.getnames()[0])
            assert manifest
            values = json.loads(manifest.read())
        assert values["missing_files"] == []
        counts.add(values["tables"]["students_student"]["rows"])
    assert min(counts) < students or number == 1


@pytest.mark.only_on("sqlite")
def test_a_file_that_retention_removes_during_a_backup_is_still_copied(tmp_path: Path) -> None:
    """The removal is recorded at once; the sweep deletes the file itself a day later."""
    data = filled(tmp_path / "data")
    environ = variables(data) | {"TESTS_FOLDER": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.operations.backup.removing"],
        env=environ,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "missing: []\nfiles: 2\n"


def test_two_backups_at_the_same_time_are_refused(tmp_path: Path) -> None:
    data = filled(tmp_path / "data")
    with (data / "backup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        err = rollbook(data, "backup", tmp_path / "b.tar", code=1).err
    assert err.startswith("ERROR backup_running: ")


def test_a_restore_into_a_folder_that_is_served_is_refused(tmp_path: Path) -> None:
    data, restored = filled(tmp_path / "data"), tmp_path / "restored"
    rollbook(data, "backup", tmp_path / "b.tar", "--with-keys")
    restored.mkdir()
    with (restored / "serve.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        err = rollbook(restored, "restore", tmp_path / "b.tar", code=1).err
    assert err.startswith("ERROR folder_in_use: ")
    assert [path.name for path in restored.iterdir()] == ["serve.lock"]
