"""``rollbook file check --against``: the check of the server, without a server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps

from rollbook.cli import offline
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row
from tests.installations import environment
from tests.patience import TIMEOUT_S
from tests.updates import night


@pytest.fixture
def in_this_database(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """Let the command use the database of the test as the temporary one."""

    @contextmanager
    def temporary_installation() -> Iterator[None]:
        yield

    monkeypatch.setattr(offline, "temporary_installation", temporary_installation)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return the students of ``base``, of whom one has another grade."""
    path = tmp_path / "export.csv"
    rows = (row("00123", "Ana", "Brook"), row("00124", "Ben", "Cole", grade="3"))
    path.write_text("\n".join((HEADER, *rows, "")))
    return path


@pytest.mark.usefixtures("in_this_database")
class TestOutput:
    def test_it_prints_the_plan(self, rollbook: Rollbook, base: Path, export: Path) -> None:
        with base.open("a") as file:
            file.write(row("00125", "Cara", "Dunn") + "\n")
        result = rollbook("file", "check", base, "--against", export)
        assert result.code == 3
        first, *lines = result.out.splitlines()
        assert first == f"WITH ERRORS {base}: 3 rows: 1 student would change, 1 row is rejected"
        assert lines[1:3] == [
            "count  severity  code             problem",
            "    1  error     unknown_student  The student doesn't exist",
        ]
        assert "all          2        1      0         0          0" in result.out
        assert '  line 3, Ben Cole (00124): GRADE "3" would become "4"' in lines
        assert "held" not in result.out
        assert result.err.endswith("checking: 3 of 3 rows (100%)\n")

    @pytest.fixture
    def mapped(self, tmp_path: Path) -> tuple[Path, Path]:
        """A file with other columns, and the mapping that reads it."""
        columns = [{"to": "STUDENT_ID", "from": ["Nr"]}, {"to": "GRADE", "from": ["Level"]}]
        mapping, file = tmp_path / "map.json", tmp_path / "ours.csv"
        mapping.write_text(json.dumps({"name": "ours", "columns": columns}))
        file.write_text("Nr,Level\n00124,5\n00123,4\n")
        return file, mapping

    def test_it_reads_the_file_through_a_mapping(
        self, rollbook: Rollbook, export: Path, mapped: tuple[Path, Path]
    ) -> None:
        file, mapping = mapped
        result = rollbook("file", "check", file, "--against", export, "--map", mapping)
        assert result.code == 0, result.err
        assert result.out.startswith(f"OK {file}: 2 rows: 1 student would change")
        assert '  line 2, Ben Cole (00124): GRADE "3" would become "5"' in result.out

    def test_it_knows_full_sync(
        self, rollbook: Rollbook, export: Path, mapped: tuple[Path, Path]
    ) -> None:
        file, mapping = mapped
        options = ("--against", export, "--map", mapping, "--mode", "sync", "--json")
        result = rollbook("file", "check", file, *options)
        shown = json.loads(result.out)
        assert shown["mode"] == "sync"

    def test_a_plan_that_would_be_held_says_why(
        self, rollbook: Rollbook, tmp_path: Path, export: Path
    ) -> None:
        limits = tmp_path / "limits.json"
        limit = {"changed": {"district": {"percent": 10, "count": 0}}}
        limits.write_text(json.dumps({"limits": limit}))
        base = tmp_path / "base.csv"
        base.write_text("STUDENT_ID,GRADE\n00124,5\n")
        result = rollbook("file", "check", base, "--against", export, "--limits", limits)
        assert (result.code, result.out.partition(" ")[0]) == (0, "HELD")
        assert "  1 of 2 students would change (50 %; the limit is 10 % and 0)\n" in result.out

    def test_json_is_like_that_of_the_server(
        self, rollbook: Rollbook, base: Path, export: Path
    ) -> None:
        result = rollbook("file", "check", base, "--against", export, "--json")
        found = json.loads(result.out)
        assert (found["verdict"], found["state"], found["rows"]) == ("OK", "checked", 2)
        assert found["plan"]["summary"]["changed"] == 1
        assert found["schools"] == {"100": {"active": 2, "changed": 1, "columns": {"GRADE": 1}}}
        assert found["problems"] == []
        assert "link" not in found

    def test_without_students_new_ones_can_be_added(
        self, rollbook: Rollbook, base: Path, tmp_path: Path
    ) -> None:
        schools = tmp_path / "schools.csv"
        schools.write_text("SCHOOL_ID,NAME\n100,Maple High\n")
        result = rollbook("file", "check", base, "--mode", "add", "--schools", schools)
        assert result.code == 0
        assert result.out.startswith(f"OK {base}: 2 rows: 2 students would be added\n")

    def test_staff_of_the_export_are_known(self, rollbook: Rollbook, tmp_path: Path) -> None:
        export, base = tmp_path / "export.csv", tmp_path / "base.csv"
        staff = night.complete("STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,STAFF\n1,A,B,05/13/2014,x@y.zz")
        export.write_text(staff)
        base.write_text("STUDENT_ID,STAFF\n1,x@y.zz\n")
        result = rollbook("file", "check", base, "--against", export)
        assert result.out.startswith(f"OK {base}: 1 row: no student would change\n")

    def test_a_refused_file_fails(self, rollbook: Rollbook, base: Path, export: Path) -> None:
        base.write_text("NAME,GRADE\nAna,4\n")
        result = rollbook("file", "check", base, "--against", export)
        assert result.code == 1
        assert result.out.startswith(f"REFUSED {base}: missing_column: No column identifies")

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            ("NAME\nAna\n", "it isn't a student file; The "),
            (f"{HEADER}\n{row('1', 'Ana', 'Lee', grade='99')}\n", "1 row can't be used; "),
        ],
        ids=["another file", "a bad row"],
    )
    def test_an_export_that_cannot_be_used_is_an_error(
        self, rollbook: Rollbook, base: Path, export: Path, content: str, what: str
    ) -> None:
        export.write_text(content)
        result = rollbook("file", "check", base, "--against", export)
        assert result.code == 1
        assert f"ERROR bad_export: {export}: {what}" in result.err
        assert result.err.endswith("; write it with `rollbook student export`\n")

    def test_schools_with_errors_are_an_error(
        self, rollbook: Rollbook, base: Path, tmp_path: Path
    ) -> None:
        schools = tmp_path / "schools.csv"
        schools.write_text("SCHOOL_ID,NAME\n100,\n")
        result = rollbook("file", "check", base, "--schools", schools)
        assert result.code == 1
        assert result.err.startswith(f"ERROR bad_schools: {schools}, line 2: NAME is missing")

    def test_limits_that_are_wrong_are_an_error(
        self, rollbook: Rollbook, base: Path, tmp_path: Path
    ) -> None:
        limits = tmp_path / "limits.json"
        limits.write_text("{")
        result = rollbook("file", "check", base, "--limits", limits)
        assert (result.code, result.err[:17]) == (1, "ERROR bad_limits:")


def test_it_never_uses_a_database_that_is_set_up(rollbook: Rollbook, base: Path) -> None:
    """Tests have one, as a server would."""
    assert apps.ready
    with (
        pytest.raises(RuntimeError, match="a process of its own"),
        offline.temporary_installation(),
    ):
        pass


@pytest.mark.process
@pytest.mark.parametrize("sent", [None, signal.SIGINT, signal.SIGTERM], ids=str)
def test_it_needs_no_server_and_leaves_nothing_behind(
    sent: signal.Signals | None, base: Path, export: Path, tmp_path: Path
) -> None:
    """The settings of a server, of which some are wrong, don't matter."""
    folder, elsewhere = tmp_path / "temporary", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    variables = environment(
        TMPDIR=str(folder),
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        ROLLBOOK_DATA=str(elsewhere / "data"),
        ROLLBOOK_MAX_ROWS="x",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "rollbook", "file", "check", base, "--against", export],
        cwd=elsewhere,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if sent:
        wait_for_database(folder, process)
        os.kill(process.pid, sent)
    out, err = process.communicate(timeout=TIMEOUT_S)
    if sent is None:
        assert (process.returncode, out.partition(" ")[0]) == (0, "OK"), err
    else:
        expected = {signal.SIGINT: 130, signal.SIGTERM: 143}[sent]
        assert (process.returncode, out) == (expected, ""), err
    assert [*folder.iterdir(), *elsewhere.iterdir()] == []


def wait_for_database(folder: Path, process: "subprocess.Popen[str]") -> None:
    """Return when the command has begun to create the tables of its database."""
    deadline = time.monotonic() + TIMEOUT_S
    while not list(folder.glob("rollbook-*/data/rollbook.sqlite3")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
