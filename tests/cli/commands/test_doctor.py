"""``rollbook doctor``, whatever state things are in."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook import cookie_parser
from rollbook.doctor import runner
from rollbook.doctor.checks import CHECKS, DoctorCheck
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, ok
from tests.cli import process
from tests.cli.conftest import Rollbook
from tests.doctor.host import doctor, installed

pytestmark = pytest.mark.process

PARTS = ["settings", *(check.name for check in CHECKS)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A new installation."""
    return installed(tmp_path / "data")


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Mode and content of everything; SQLite's own shared memory comes and goes."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in folder.rglob("*")
        if not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.only_on(
    "sqlite"
)  # the PostgreSQL of the tests need not survive a power cut, which is an error
def test_a_new_installation_has_no_errors_and_is_left_as_it_was(data: Path) -> None:
    before = snapshot(data)
    done = process.rollbook("doctor", env=process.environment(data))
    assert (done.returncode, done.stderr) == (0, "")
    *lines, empty, last = done.stdout.splitlines()
    findings = [line for line in lines if not line.startswith(" ")]
    slow_parser = [line for line in findings if line.startswith("WARNING  versions: ")]
    assert bool(slow_parser) == bool(cookie_parser.find_problem())  # on some versions of Python
    assert (empty, last) == ("", f"0 errors, {4 + len(slow_parser)} warnings.")
    findings = [line for line in findings if line not in slow_parser]
    assert [line[9:].partition(": ")[0] for line in findings] == PARTS
    warnings = [line[9:].partition(": ")[0] for line in findings if line.startswith("WARNING")]
    assert warnings == ["server", "worker", "mail", "alerts"]
    assert (
        "WARNING  server: no `rollbook serve` is running on this data folder\n"
        "         To do: start it\n"
    ) in done.stdout
    after = snapshot(data)
    # A row was inserted and deleted again, to find out whether the database can be written.
    assert after.pop("rollbook.sqlite3")[0] == before.pop("rollbook.sqlite3")[0]
    assert after == before


def test_where_there_is_nothing_that_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    found = doctor(data, DATABASE_URL="")
    assert found.code == 1
    assert list(found.parts) == PARTS
    assert found.parts["data folder"] == [("error", f"there is no data folder {data}")]
    assert found.parts["database"] == [("skipped", "not checked, as there is no data folder")]
    assert found.results("certificate") == ["skipped"]
    assert found.results("clock") == ["ok"]
    assert not data.exists()


def test_a_missing_key_stays_missing(data: Path) -> None:
    (data / "keys" / "session").unlink()
    assert doctor(data).results("keys") == ["ok"]
    assert list((data / "keys").iterdir()) == []


def test_wrong_settings_are_all_told_and_hide_only_what_needs_them(data: Path) -> None:
    found = doctor(
        data,
        ROLLBOOK_MAX_ROWS="many",
        ROLLBOOK_SMTP_PORT="smtp",
        ROLLBOOK_URL="http://rollbook.example",
        ROLLBOOK_SMTP_PASSWORD_FILE=str(data / "nowhere"),
        ROLLBOOK_STMP_HOST="mail",
    )
    assert found.code == 1
    assert found.results("settings") == ["error"] * 4 + ["warning"]
    assert found.parts["mail"] == [("skipped", "not checked, as ROLLBOOK_SMTP_PASSWORD is wrong")]
    assert found.results("database")[0] == "ok"
    assert found.results("updates") == found.results("disk") == ["ok"]


def test_a_wrong_database_url_does_not_lead_to_another_database(data: Path) -> None:
    found = doctor(data, DATABASE_URL="mysql://rollbook:s3cret@db/school")
    assert found.parts["database"] == [("skipped", "not checked, as DATABASE_URL is wrong")]
    assert found.results("updates") == ["skipped"]
    assert "s3cret" not in str(found)


def test_a_data_folder_that_is_named_in_a_file_that_is_gone(tmp_path: Path) -> None:
    env = process.environment(DATABASE_URL="", ROLLBOOK_DATA_FILE=str(tmp_path / "nowhere"))
    done = process.rollbook("doctor", env=env, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "SKIPPED  data folder: not checked, as ROLLBOOK_DATA is wrong\n" in done.stdout
    assert "SKIPPED  database: not checked, as ROLLBOOK_DATA is wrong\n" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_everything_broken_at_once_is_still_told_part_by_part(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "session").mkdir()
    (tmp_path / "rollbook.sqlite3").mkdir()
    (tmp_path / "certificate.pem").write_text("none")
    tmp_path.chmod(0o777)
    found = doctor(
        tmp_path,
        DATABASE_URL="",
        ROLLBOOK_SMTP_HOST="127.0.0.1",
        ROLLBOOK_SMTP_PORT="1",
        ROLLBOOK_URL="x",
    )
    assert list(found.parts) == PARTS
    for part in ("settings", "data folder", "database", "keys", "certificate", "mail"):
        assert "error" in found.results(part), part


def test_a_certificate_needs_its_key(rollbook: Rollbook) -> None:
    result = rollbook("doctor", "--cert", "x.pem")
    assert (result.code, result.out) == (2, "")
    assert (
        result.err
        == "ERROR no_certificate: use --cert and --key together, as with `rollbook serve`\n"
    )


def test_no_secret_is_told(tmp_path: Path) -> None:
    found = doctor(
        tmp_path,
        DATABASE_URL="postgres://rollbook:s3cret@127.0.0.1:1/school",
        ROLLBOOK_SMTP_HOST="127.0.0.1",
        ROLLBOOK_SMTP_PORT="1",
        ROLLBOOK_SMTP_USER="rollbook",
        ROLLBOOK_SMTP_PASSWORD="s3cret",
    )
    assert found.results("mail") == found.results("database") == ["error"]
    assert "s3cret" not in str(found)


def test_on_either_database_all_parts_are_looked_at(data: Path) -> None:
    found = doctor(data)
    assert list(found.parts) == PARTS
    for part in (
        "settings",
        "data folder",
        "disk",
        "migrations",
        "keys",
        "clock",
        "updates",
        "emails",
    ):
        assert found.results(part) == ["ok"], part
    assert found.results("database")[0] == "ok"


class TestLooks:
    """Each is on its own."""

    @pytest.fixture
    def looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        checks = (
            DoctorCheck("hang", self.hang),
            DoctorCheck("fall", self.fall),
            DoctorCheck("stand", self.stand),
        )
        monkeypatch.setattr(runner, "CHECKS", checks)
        monkeypatch.setattr(runner, "TIME_LIMIT_S", 2)

    @staticmethod
    def hang(here: Installation) -> Iterator[CheckResult]:
        yield ok("so far")
        threading.Event().wait()

    @staticmethod
    def fall(here: Installation) -> Iterator[CheckResult]:
        yield ok("so far")
        raise RuntimeError("Ana Brook")

    @staticmethod
    def stand(here: Installation) -> Iterator[CheckResult]:
        yield ok("fine")

    @pytest.mark.usefixtures("looks")
    def test_one_that_hangs_and_one_that_fails_do_not_stop_the_next(
        self, rollbook: Rollbook, tmp_path: Path
    ) -> None:
        result = rollbook("doctor")
        assert result.code == 1
        lines = [
            line
            for line in result.out.splitlines()
            if not line.startswith((" ", "OK       settings"))
        ]
        assert lines[:-1] == [
            "OK       hang: so far",
            "ERROR    hang: the check did not finish within 2 s",
            "OK       fall: so far",
            "ERROR    fall: the check failed (RuntimeError)",
            "OK       stand: fine",
            "",
        ]
        assert "Ana Brook" not in result.out + result.err
