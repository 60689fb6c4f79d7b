"""``rollbook doctor`` is green on a sound installation, and red at each of these breaks."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from tests.doctor.host import doctor
from tests.faults.folder import enrolled_once
from tests.installations import environment
from tests.post_office import a_free_port
from tests.prepared import prepared

# The PostgreSQL of the tests need not survive a power cut, which is an error by itself.
pytestmark = [pytest.mark.process, pytest.mark.only_on("sqlite")]

Variables = dict[str, str]
Break = Callable[[Path], Variables | None]


@cache
def _sound_once() -> Path:
    """An installation with a district, students and an update, to be copied and not used."""
    data = shutil.copytree(enrolled_once().path, settings.DATA / "sound")
    prepared().run("rollbook", "district", "list", environment=environment(data))
    for path in (data, *data.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return shutil.copytree(_sound_once(), tmp_path / "data")


def execute(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "rollbook.sqlite3", isolation_level=None)) as session:
        session.execute(statement)


def change_update(data: Path, changes: str) -> None:
    """Change the update to what its state machine would not allow."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'update_%'"
    with closing(sqlite3.connect(data / "rollbook.sqlite3", isolation_level=None)) as session:
        triggers = session.execute(query).fetchall()
        for name, _ in triggers:
            session.execute(f"DROP TRIGGER {name}")
        session.execute(f"UPDATE updates_updatejob SET {changes}")
        for _, definition in triggers:
            session.execute(definition)


def others_may_enter_the_data_folder(data: Path) -> None:
    data.chmod(0o777)


def a_folder_of_files_is_a_file(data: Path) -> None:
    (data / "spool").rename(data / "old-spool")
    (data / "spool").touch(0o600)


def a_key_is_empty(data: Path) -> None:
    (data / "keys" / "student-passwords").write_bytes(b"")


def the_key_of_a_district_is_damaged(data: Path) -> None:
    execute(data, "UPDATE accounts_districtkey SET wrapped_key = zeroblob(60)")


def a_key_is_another_one(data: Path) -> None:
    (data / "keys" / "student-passwords").write_bytes(b"k" * 32)


def the_database_is_gone(data: Path) -> None:
    (data / "rollbook.sqlite3").unlink()


def the_database_is_damaged(data: Path) -> None:
    size = (data / "rollbook.sqlite3").stat().st_size
    with (data / "rollbook.sqlite3").open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 40_000)


def the_database_is_of_another_installation(data: Path) -> None:
    execute(data, "UPDATE accounts_installation SET key = 'another'")


def a_restore_is_not_finished(data: Path) -> None:
    (data / "restore.unfinished").touch()


def everything_was_moved_to_another_database(data: Path) -> None:
    execute(data, "UPDATE accounts_installation SET moved_at = datetime('now')")


def the_database_is_of_a_newer_version(data: Path) -> None:
    execute(
        data,
        "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('students', '0999_of_the_future', '2036-01-01')",
    )


def a_table_is_missing(data: Path) -> None:
    execute(data, "DROP TABLE students_change")


def a_trigger_is_missing(data: Path) -> None:
    execute(data, "DROP TRIGGER update_transitions")


def a_setting_is_wrong(data: Path) -> Variables:
    return {"ROLLBOOK_MAX_ROWS": "many"}


def the_mail_server_does_not_answer(data: Path) -> Variables:
    return {
        "ROLLBOOK_SMTP_HOST": "localhost",
        "ROLLBOOK_SMTP_PORT": str(a_free_port()),
        "ROLLBOOK_MAIL_FROM": "rollbook@maple.example",
    }


def the_disk_has_no_room_for_an_upload(data: Path) -> Variables:
    return {"ROLLBOOK_MAX_UPLOAD_BYTES": str(10**15)}


def no_worker_processes_the_updates(data: Path) -> None:
    change_update(data, "state = 'received', ended_at = NULL, received_at = datetime('now')")


def an_update_does_not_progress(data: Path) -> None:
    change_update(
        data,
        "state = 'checking', ended_at = NULL, progressed_at = datetime('now', '-3 hours')",
    )


def the_file_of_an_update_is_missing(data: Path) -> None:
    change_update(data, "state = 'received', ended_at = NULL, spool_name = 'gone'")


def a_student_was_changed_without_the_triggers(data: Path) -> None:
    query = "SELECT sql FROM sqlite_master WHERE name = 'touch_student_updated'"
    with closing(sqlite3.connect(data / "rollbook.sqlite3", isolation_level=None)) as session:
        [definition] = session.execute(query).fetchone()
        session.execute("DROP TRIGGER touch_student_updated")
        session.execute("UPDATE students_student SET grade = '1'")
        session.execute(definition)


def retention_was_stopped(data: Path) -> None:
    execute(
        data,
        "INSERT INTO accounts_retentionguard"
        " (checked_at, counted_at, due, may_remove, stopped_at, reason)"
        " VALUES (datetime('now'), NULL, '{}', 0, datetime('now'), 'the clock jumped')",
    )


def a_time_zone_is_unknown(data: Path) -> None:
    execute(data, "UPDATE districts_district SET time_zone = 'America/Nowhere'")


def the_certificate_is_damaged(data: Path) -> None:
    for name in ("certificate.pem", "certificate-key.pem"):
        (data / name).touch(0o600)


BREAKS: list[tuple[Break, str]] = [
    (others_may_enter_the_data_folder, "data folder"),
    (a_folder_of_files_is_a_file, "disk"),
    (a_key_is_empty, "keys"),
    (a_key_is_another_one, "keys"),
    (the_key_of_a_district_is_damaged, "districts"),
    (the_database_is_gone, "database"),
    (the_database_is_damaged, "database"),
    (the_database_is_of_another_installation, "installation"),
    (a_restore_is_not_finished, "installation"),
    (everything_was_moved_to_another_database, "installation"),
    (the_database_is_of_a_newer_version, "migrations"),
    (a_table_is_missing, "migrations"),
    (a_trigger_is_missing, "migrations"),
    (a_setting_is_wrong, "settings"),
    (the_mail_server_does_not_answer, "mail"),
    (the_disk_has_no_room_for_an_upload, "disk"),
    (no_worker_processes_the_updates, "worker"),
    (an_update_does_not_progress, "updates"),
    (the_file_of_an_update_is_missing, "updates"),
    (a_student_was_changed_without_the_triggers, "known rows"),
    (retention_was_stopped, "clock"),
    (a_time_zone_is_unknown, "clock"),
    (the_certificate_is_damaged, "certificate"),
]


def test_a_sound_installation_has_no_error(data: Path) -> None:
    assert doctor(data).code == 0


@pytest.mark.parametrize(("damage", "part"), BREAKS, ids=[each.__name__ for each, _ in BREAKS])
def test_a_break_is_an_error_of_its_part(data: Path, damage: Break, part: str) -> None:
    found = doctor(data, **(damage(data) or {}))
    assert found.code == 1
    assert "error" in found.results(part), found.parts
