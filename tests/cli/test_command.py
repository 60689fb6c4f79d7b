"""The command as a whole: help, data folder, exit codes and error messages."""

import ast
import logging
import os
import shlex
import subprocess
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError

from rollbook import cli, version
from rollbook.cli import command_exit_codes
from rollbook.cli.actions import district
from rollbook.cli.command_parser import iter_commands
from rollbook.cli.examples import EXAMPLES
from rollbook.cli.parser import build_parser
from tests.cli import process
from tests.cli.conftest import Rollbook
from tests.installations import execute, installed

ADD = ("district", "add", "Maple USD")
APPLIED = "SELECT app, name FROM django_migrations ORDER BY id"
PACKAGE = Path(cli.__file__).parent


def test_every_command_has_an_action_and_help(rollbook: Rollbook) -> None:
    for command in iter_commands(build_parser()):
        assert command.get_default("action").__name__.startswith("_run_")
        result = rollbook(*command.prog.split()[1:], "--help")
        assert (result.code, result.err) == (0, "")
        assert "\nexit codes:\n  0    " in result.out


def test_every_command_has_an_example_that_can_be_run() -> None:
    parser = build_parser()
    names = [command.prog.removeprefix("rollbook ") for command in iter_commands(parser)]
    assert names == list(EXAMPLES)
    for name, arguments in EXAMPLES.items():
        line = shlex.split(f"{name} {arguments.partition('>')[0]}")
        command = parser.parse_args(line).parser
        assert command.prog == f"rollbook {name}"
        example = f"rollbook {name} {arguments}".strip()
        assert f"\nexample:\n  {example}\n" in command.format_help()


def test_exit_codes_are_those_of_the_command(rollbook: Rollbook) -> None:
    load, doctor = rollbook("student", "load", "--help").out, rollbook("doctor", "--help").out
    assert "\n  3    the update has completed, but some rows were rejected\n" in load
    assert "\n  0    no errors, perhaps warnings\n  1    at least one error\n  2    " in doctor
    assert ("\n  3    " in doctor, "\n  4    " in doctor) == (False, False)
    assert command_exit_codes.MEANINGS.keys() <= EXAMPLES.keys()


@pytest.mark.process
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["student", "load", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    """Run in a separate process, in which nothing else has been imported."""
    script = f"""
import sys
from rollbook.cli import run
code = run({arguments!r})
heavy = {{"django", "tqdm", "gunicorn", "rollbook.studentfile", "rollbook.updates"}}
sys.exit(" ".join(heavy & sys.modules.keys()) or code)
"""
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def late_imports(path: Path) -> dict[str, list[ast.ImportFrom]]:
    """Return the imports within functions, by the name of the function."""
    imports: dict[str, list[ast.ImportFrom]] = {}
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    imports.setdefault(function.name, []).append(node)
    return imports


def test_only_the_last_step_of_a_command_imports_late_and_its_action_exists() -> None:
    for path in (PACKAGE / "commands").glob("*.py"):
        for name, statements in late_imports(path).items():
            (statement,) = statements
            assert name.startswith("_run_")
            assert statement.module == f"rollbook.cli.actions.{path.stem}"
            assert callable(getattr(import_module(statement.module), statement.names[0].name))
    elsewhere = [*PACKAGE.glob("*.py"), *(PACKAGE / "actions").glob("*.py")]
    functions = {(path.name, name) for path in elsewhere for name in late_imports(path)}
    assert functions == {
        ("__init__.py", "_bootstrap_and_run"),
        ("bootstrap.py", "_open"),
        ("file.py", "_check_against_district"),
        ("offline.py", "_create_tables"),
        ("parser.py", "__call__"),
    }


def test_the_overview_lists_the_commands(rollbook: Rollbook) -> None:
    overview = rollbook("--help").out
    for noun in (
        "serve",
        "web",
        "worker",
        "district",
        "school",
        "staff",
        "student",
        "file",
        "update",
        "doctor",
    ):
        assert f"\n    {noun} " in overview


def test_without_a_command_the_overview_is_printed(rollbook: Rollbook) -> None:
    result = rollbook()
    assert (result.code, result.err) == (0, "")
    assert result.out == rollbook("--help").out


def test_a_usage_error_is_explained(rollbook: Rollbook) -> None:
    result = rollbook("district", "remove", "maple-usd")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "ERROR usage: there is no command 'remove'; did you mean resume? "
        "See `rollbook district --help`\n"
    )


def test_the_version_is_printed(rollbook: Rollbook) -> None:
    assert rollbook("--version").out == f"rollbook {version.describe()}\n"


def test_a_bug_is_reported_with_a_reference_to_the_log_and_no_traceback(
    rollbook: Rollbook, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(arguments: Namespace) -> int:
        raise RuntimeError("Ana Brook")

    monkeypatch.setattr(district, "add", fail)
    with caplog.at_level(logging.ERROR):
        result = rollbook(*ADD)
    (record,) = caplog.records
    reference = record.getMessage().rpartition(" ")[2]
    assert result.code == 1
    assert result.err.endswith(
        "ERROR internal_error: this is a bug in Rollbook; "
        f"please report it with reference {reference}\n"
    )
    assert "Ana Brook" not in record.getMessage()


@pytest.mark.process
def test_a_database_error_is_reported_as_such(
    rollbook: Rollbook, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(arguments: Namespace) -> int:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(district, "add", fail)
    result = rollbook(*ADD)
    assert result.code == 1
    assert result.err.startswith("ERROR database: the database in ")
    assert (
        "(database or disk is full); make sure that its disk has free space, then try again"
        in result.err
    )


@pytest.mark.process
def test_a_closed_pipe_ends_the_command_without_a_message(
    rollbook: Rollbook, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close_pipe(arguments: Namespace) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(district, "add", close_pipe)
    assert (rollbook(*ADD).code, rollbook(*ADD).err) == (1, "")


@pytest.mark.process
class TestRealProcess:
    """The command in a separate process with its own data folder."""

    @pytest.mark.statement("S30")
    def test_the_data_folder_is_created_on_first_use_for_its_owner_only(
        self, tmp_path: Path
    ) -> None:
        data = tmp_path / "new" / "folder"
        env = process.environment(data)
        del env["ROLLBOOK_DATA"]
        result = process.rollbook(*ADD, "--data", data, env=env)
        assert (result.returncode, result.stderr) == (0, "")
        assert data.stat().st_mode & 0o777 == 0o700
        for path in data.rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path

    def test_the_data_option_overrides_the_environment(self, tmp_path: Path) -> None:
        result = process.rollbook(
            *ADD, "--data", "here", env=process.environment(tmp_path / "there"), cwd=tmp_path
        )
        assert result.returncode == 0
        assert [path.name for path in tmp_path.iterdir()] == ["here"]

    def test_a_mistyped_folder_is_not_created(self, tmp_path: Path) -> None:
        result = process.rollbook(
            "update", "list", "maple-usd", env=process.environment(tmp_path / "mistyped")
        )
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == (
            f"ERROR no_data_folder: there is no data folder at {tmp_path}/mistyped; "
            "name the right one with --data or ROLLBOOK_DATA, "
            "or create one with `rollbook district add`\n"
        )
        assert list(tmp_path.iterdir()) == []

    def test_only_migrate_changes_an_older_database(self, tmp_path: Path) -> None:
        env = process.environment(tmp_path)
        migrate = [
            sys.executable,
            "-m",
            "django",
            "migrate",
            "accounts",
            "0001",
            "--settings",
            "rollbook.settings",
        ]
        subprocess.run(migrate, env=env, check=True, capture_output=True)
        execute(
            tmp_path,
            "INSERT INTO districts_district VALUES"
            " (1, 'Maple USD', 'maple-usd', 'UTC', 'utf-8', FALSE, 14, 90, 7)",
        )
        before = execute(tmp_path, APPLIED)
        for command in (("update", "list", "maple-usd"), ("migrate", "--plan"), ADD):
            result = process.rollbook(*command, env=env)
            if command[0] == "migrate":
                assert "students.0001_initial\n" in result.stdout
            else:
                assert (result.returncode, result.stdout) == (1, "")
                assert result.stderr.startswith("ERROR older_database: ")
                assert "run `rollbook migrate`" in result.stderr
            assert execute(tmp_path, APPLIED) == before
        result = process.rollbook("migrate", env=env)
        assert (result.returncode, "students.0001_initial\n" in result.stdout) == (0, True)
        assert process.rollbook("update", "list", "maple-usd", env=env).returncode == 0
        assert execute(tmp_path, "SELECT slug FROM districts_district") == [("maple-usd",)]
        assert execute(tmp_path, "SELECT count(*) FROM students_touched") == [(0,)]
        result = process.rollbook("migrate", env=env)
        assert result.stdout == "The database is of this version; there is nothing to do.\n"

    def test_a_command_that_only_shows_creates_no_database(self, tmp_path: Path) -> None:
        result = process.rollbook(
            "update", "list", "maple-usd", env=process.environment(tmp_path, DATABASE_URL="")
        )
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == (
            f"ERROR no_database: there is no database for the data folder {tmp_path}; set "
            "DATABASE_URL, or create a database with `rollbook district add`\n"
        )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "command",
        [
            ("update", "list", "maple-usd"),
            ("district", "add", "Pine USD"),
            ("serve", "--port", "0"),
            ("worker",),
            ("migrate",),
        ],
        ids=" ".join,
    )
    def test_another_database_is_an_error_and_no_file_is_removed(
        self, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        data, file = installed(tmp_path / "data"), tmp_path / "students.csv"
        file.write_text("STUDENT_ID,GRADE\n1,4\n")
        env = process.environment(data)
        process.rollbook(*ADD, env=env)
        process.rollbook("student", "load", "maple-usd", file, env=env)
        uploaded = {path.name for path in (data / "spool").iterdir()}
        assert len(uploaded) == 1
        for path in (data / "spool").iterdir():
            os.utime(path, (0, 0))
        if settings.ON_POSTGRESQL:
            other = installed(tmp_path / "other")
            execute(other, f"UPDATE accounts_installation SET key = '{'0' * 32}'")
            env["DATABASE_URL"] = process.environment(other)["DATABASE_URL"]
        for path in data.glob("rollbook.sqlite3*"):
            path.unlink()
        result = process.rollbook(*command, env=env)
        assert (result.returncode, result.stdout) == (1, "")
        code = "cannot_start" if command[0] == "serve" else "wrong_database"
        assert f"ERROR {code}: " in result.stderr
        assert "`rollbook adopt`" in result.stderr
        assert {path.name for path in (data / "spool").iterdir()} == uploaded
        assert not list(data.glob("rollbook.sqlite3*"))

    def test_adopting_another_database_keeps_the_files_of_the_former_one(
        self, tmp_path: Path
    ) -> None:
        data, file = installed(tmp_path / "data"), tmp_path / "students.csv"
        file.write_text("STUDENT_ID,GRADE\n1,4\n")
        env = process.environment(data)
        process.rollbook(*ADD, env=env)
        process.rollbook("student", "load", "maple-usd", file, env=env)
        (uploaded,) = (data / "spool").iterdir()
        os.utime(uploaded, (0, 0))
        env["DATABASE_URL"] = process.environment(tmp_path / "other").get("DATABASE_URL", "")
        for path in data.glob("rollbook.sqlite3*"):
            path.unlink()
        result = process.rollbook("adopt", env=env)
        assert result.stdout == f"{data} belongs to this database from now on.\n"
        assert process.rollbook("district", "add", "Pine USD", env=env).returncode == 0
        assert process.rollbook("adopt", env=env).stdout.endswith(
            " already belongs to this database.\n"
        )
        assert uploaded.exists()

    def test_a_pipe_that_is_closed_early_causes_no_message(self, tmp_path: Path) -> None:
        env = process.environment(installed(tmp_path / "data"))
        process.rollbook(*ADD, env=env)
        command = [sys.executable, "-m", "rollbook", "student", "export", "maple-usd"]
        with subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout
            assert running.stderr
            running.stdout.close()
            assert (running.stderr.read(), running.wait()) == ("", 1)

    def test_output_to_a_full_disk_is_an_error(self, tmp_path: Path) -> None:
        env = process.environment(installed(tmp_path / "data"))
        process.rollbook(*ADD, env=env)
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "rollbook", "student", "export", "maple-usd"]
            result = subprocess.run(
                command, env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert result.returncode == 1
        assert result.stderr.startswith("ERROR not_possible: No space left on device; ")

    def test_characters_that_the_terminal_cannot_display_are_escaped(self, tmp_path: Path) -> None:
        env = process.environment(
            installed(tmp_path / "data"), PYTHONIOENCODING="ascii", PYTHONUTF8="0"
        )
        result = process.rollbook("district", "add", "École", env=env)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == "Added \\xc9cole with time zone UTC. Its short name is ecole.\n"

    def test_an_invalid_setting_is_named_without_a_traceback(self, tmp_path: Path) -> None:
        result = process.rollbook(
            *ADD, env=process.environment(tmp_path, ROLLBOOK_SMTP_PORT="smtp")
        )
        assert result.returncode == 1
        assert result.stderr == (
            "ERROR bad_setting: an environment variable has an invalid value "
            "(invalid literal for int() with base 10: 'smtp'); correct it\n"
        )

    @pytest.mark.only_on("sqlite")  # tests/cli/test_database_problems.py covers PostgreSQL
    def test_a_file_that_is_not_a_database_causes_no_traceback(self, tmp_path: Path) -> None:
        (tmp_path / "rollbook.sqlite3").write_bytes(b"not a database" * 100)
        result = process.rollbook("update", "list", "maple-usd", env=process.environment(tmp_path))
        assert result.returncode == 1
        assert result.stderr == (
            f"ERROR database: {tmp_path}/rollbook.sqlite3 is not a database; "
            "restore the file, and the files next to it, from your last backup\n"
        )
