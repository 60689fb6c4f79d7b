"""The command as a whole: its help, its folder, its exit codes, and what it says when something is wrong."""

import ast
import logging
import subprocess
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path
from typing import cast

import pytest
from django.db import OperationalError

from rollbook import cli
from rollbook.cli.actions import district
from rollbook.cli.parser import build_parser
from rollbook.cli.reference import iter_commands
from tests.cli import process
from tests.cli.conftest import Rollbook
from tests.installations import execute, installed

ADD = ("district", "add", "Maple USD")
PACKAGE = Path(cli.__file__).parent


def test_every_command_has_an_action_and_help(rollbook: Rollbook) -> None:
    for command in iter_commands(build_parser()):
        assert command.get_default("action").__name__.startswith("_run_")
        result = rollbook(*command.prog.split()[1:], "--help")
        assert (result.code, result.err) == (0, "")
        assert "exit codes:" in result.out


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["student", "load", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    """Run in a separate process, in which nothing else has been imported."""
    script = f"""
import sys
from rollbook.cli import run
code = run({arguments!r})
heavy = {{"django", "tqdm", "gunicorn", "rollbook.format", "rollbook.updates"}}
sys.exit(" ".join(heavy & sys.modules.keys()) or code)
"""
    process_result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (process_result.returncode, process_result.stderr) == (0, "")


def late_imports(path: Path) -> dict[str, list[ast.ImportFrom]]:
    """Return the imports within functions, by the name of the function."""
    imports: dict[str, list[ast.ImportFrom]] = {}
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            statements = filter(lambda node: isinstance(node, ast.ImportFrom), ast.walk(function))
            imports[function.name] = cast("list[ast.ImportFrom]", list(statements))
    return {name: statements for name, statements in imports.items() if statements}


def test_only_the_last_step_of_a_command_imports_late_and_its_action_exists() -> None:
    for path in (PACKAGE / "commands").glob("*.py"):
        for name, statements in late_imports(path).items():
            (statement,) = statements
            assert name.startswith("_run_")
            assert statement.module == f"rollbook.cli.actions.{path.stem}"
            assert callable(getattr(import_module(statement.module), statement.names[0].name))
    elsewhere = [*PACKAGE.glob("*.py"), *(PACKAGE / "actions").glob("*.py")]
    functions = {(path.name, name) for path in elsewhere for name in late_imports(path)}
    assert functions == {("__init__.py", "_bootstrap_and_run"), ("bootstrap.py", "_migrate")}


def test_the_overview_names_what_operators_need(rollbook: Rollbook) -> None:
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


def test_without_a_subcommand_the_overview_is_shown(rollbook: Rollbook) -> None:
    result = rollbook()
    assert (result.code, result.out) == (2, "")
    assert result.err == rollbook("--help").out


def test_a_mistake_in_the_arguments_is_explained(rollbook: Rollbook) -> None:
    result = rollbook("district", "remove", "maple-usd")
    assert (result.code, result.out) == (2, "")
    assert "invalid choice: 'remove'" in result.err


def test_the_version_is_told(rollbook: Rollbook) -> None:
    assert rollbook("--version").out.startswith("rollbook 0.")


def test_an_error_of_ours_gives_a_reference_that_the_log_has_too_and_no_traceback(
    rollbook: Rollbook, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(arguments: Namespace) -> int:
        raise RuntimeError("Ana Brook")

    monkeypatch.setattr(district, "add", broken)
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


def test_a_database_that_does_not_answer_is_said_to_be_so(
    rollbook: Rollbook, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(arguments: Namespace) -> int:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(district, "add", away)
    result = rollbook(*ADD)
    assert result.code == 1
    assert result.err.startswith("ERROR database: the database in ")
    assert "(database or disk is full); see that its disk has room, and try again" in result.err


def test_a_reader_that_has_seen_enough_ends_it_quietly(
    rollbook: Rollbook, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(arguments: Namespace) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(district, "add", cut)
    assert (rollbook(*ADD).code, rollbook(*ADD).err) == (1, "")


class TestRealProcess:
    """With a data folder of its own."""

    def test_the_data_folder_is_made_at_first_use_for_its_owner_only(self, tmp_path: Path) -> None:
        data = tmp_path / "new" / "folder"
        env = process.environment(data)
        del env["ROLLBOOK_DATA"]
        done = process.rollbook(*ADD, "--data", data, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        assert data.stat().st_mode & 0o777 == 0o700
        for path in data.rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path

    def test_data_wins_over_the_environment(self, tmp_path: Path) -> None:
        done = process.rollbook(
            *ADD, "--data", "here", env=process.environment(tmp_path / "there"), cwd=tmp_path
        )
        assert done.returncode == 0
        assert [path.name for path in tmp_path.iterdir()] == ["here"]

    def test_a_mistyped_folder_is_not_made(self, tmp_path: Path) -> None:
        done = process.rollbook(
            "update", "list", "maple-usd", env=process.environment(tmp_path / "mistyped")
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"ERROR no_data_folder: there is no data folder at {tmp_path}/mistyped; name the right one "
            "with --data or ROLLBOOK_DATA, or create one with `rollbook district add`\n"
        )
        assert list(tmp_path.iterdir()) == []

    def test_an_older_database_is_brought_up_to_date_once(self, tmp_path: Path) -> None:
        env = process.environment(tmp_path)
        migrate = [
            sys.executable,
            "-m",
            "django",
            "migrate",
            "updates",
            "0002",
            "--settings",
            "rollbook.settings",
        ]
        subprocess.run(migrate, env=env, check=True, capture_output=True)
        execute(
            tmp_path,
            "INSERT INTO roster_district VALUES (1, 'Maple USD', 'maple-usd', 'UTC', 'utf-8')",
        )
        assert process.rollbook("update", "list", "maple-usd", env=env).returncode == 0
        assert execute(tmp_path, "SELECT slug FROM roster_district") == [("maple-usd",)]
        assert execute(tmp_path, "SELECT count(*) FROM roster_rowdigest") == [(0,)]

    def test_a_pipe_that_closes_early_is_no_error_worth_a_word(self, tmp_path: Path) -> None:
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

    def test_output_for_which_there_is_no_room_is_an_error(self, tmp_path: Path) -> None:
        env = process.environment(installed(tmp_path / "data"))
        process.rollbook(*ADD, env=env)
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "rollbook", "student", "export", "maple-usd"]
            done = subprocess.run(
                command, env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 1
        assert done.stderr.startswith("ERROR not_possible: No space left on device; ")

    def test_a_terminal_of_another_alphabet_shows_what_it_can(self, tmp_path: Path) -> None:
        env = process.environment(
            installed(tmp_path / "data"), PYTHONIOENCODING="ascii", PYTHONUTF8="0"
        )
        done = process.rollbook("district", "add", "École", env=env)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "Added \\xc9cole with time zone UTC. Its short name is ecole.\n"

    def test_a_wrong_setting_is_named_and_not_a_traceback(self, tmp_path: Path) -> None:
        done = process.rollbook(*ADD, env=process.environment(tmp_path, ROLLBOOK_SMTP_PORT="smtp"))
        assert done.returncode == 1
        assert done.stderr == (
            "ERROR bad_setting: an environment variable has an invalid value "
            "(invalid literal for int() with base 10: 'smtp'); correct it\n"
        )

    @pytest.mark.only_on("sqlite")  # PostgreSQL's problems have tests/cli/test_database_problems.py
    def test_a_database_that_is_none_is_not_a_traceback(self, tmp_path: Path) -> None:
        (tmp_path / "rollbook.sqlite3").write_bytes(b"not a database" * 100)
        done = process.rollbook("update", "list", "maple-usd", env=process.environment(tmp_path))
        assert done.returncode == 1
        assert done.stderr == (
            f"ERROR database: {tmp_path}/rollbook.sqlite3 is not a database; "
            "put the one from your last backup in its place, with what is beside it\n"
        )
