"""The database and the data folder belong together, or nothing is done."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from rollbook.accounts import installation_id
from rollbook.accounts.installation_id import WrongDatabase, adopt, verify
from rollbook.accounts.models import Installation
from rollbook.districts.models import District

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new data folder, and a database that belongs to none."""
    monkeypatch.setattr(settings, "DATA", tmp_path)
    monkeypatch.setattr(settings, "KEYS", tmp_path / "keys")
    monkeypatch.setattr(settings, "SPOOL", tmp_path / "spool")
    Installation.objects.all().delete()
    return tmp_path


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "x").touch()


def test_a_new_folder_and_a_new_database_get_the_same_id(folder: Path) -> None:
    verify()
    stored = Installation.objects.get().key
    assert (folder / "installation").read_text() == f"{stored}\n"
    assert (folder / "installation").stat().st_mode & 0o777 == 0o600
    verify()
    assert Installation.objects.get().key == stored


def test_another_machine_with_the_same_database_gets_the_same_id(folder: Path) -> None:
    verify()
    (folder / "installation").unlink()
    fill(folder, "keys")
    verify()
    assert (folder / "installation").read_text().strip() == Installation.objects.get().key


def test_a_folder_of_another_database_is_an_error(folder: Path, maple: District) -> None:
    verify()
    Installation.objects.update(key="0" * 32)
    with pytest.raises(WrongDatabase, match=r"belongs to another database; .*`rollbook adopt`"):
        verify()
    assert Installation.objects.get().key == "0" * 32


@pytest.mark.parametrize(
    ("names", "use"),
    [(["keys"], "keys"), (["spool"], "uploaded files"), (["keys", "spool"], "keys")],
)
def test_a_used_folder_with_a_database_without_districts_is_an_error(
    folder: Path, names: list[str], use: str
) -> None:
    fill(folder, *names)
    with pytest.raises(WrongDatabase, match=f"has {use}, but the database has no districts"):
        verify()
    assert not Installation.objects.exists()


def test_an_installation_of_an_older_version_gets_an_id(folder: Path, maple: District) -> None:
    fill(folder, "keys", "spool")
    verify()
    assert installation_id.file_prefix() == f"{Installation.objects.get().key[:16]}-"


def test_the_id_of_a_former_database_is_not_used_again(folder: Path) -> None:
    verify()
    former = Installation.objects.get().key
    Installation.objects.all().delete()
    assert not adopt()
    assert Installation.objects.get().key != former
    assert adopt()
    verify()


def test_an_interrupted_start_is_completed_by_the_next_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(installation_id, "_write", lambda key: None)
        verify()
    verify()
    assert (folder / "installation").read_text().strip() == Installation.objects.get().key


def test_an_empty_database_is_an_error_if_the_folder_is_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation_id, "is_database_empty", lambda: True)
    installation_id.require_database_of_used_folder()
    fill(folder, "spool")
    with pytest.raises(WrongDatabase, match="uploaded files, but the database is empty"):
        installation_id.require_database_of_used_folder()


def test_a_database_with_tables_is_not_empty() -> None:
    assert not installation_id.is_database_empty()


@pytest.mark.only_on("sqlite")
def test_a_missing_file_is_an_empty_database_and_is_not_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "rollbook.sqlite3"))
    assert installation_id.is_database_empty()
    assert list(tmp_path.iterdir()) == []
