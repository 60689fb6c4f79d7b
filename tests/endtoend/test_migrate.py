"""``rollbook migrate`` with the migrations of a made-up next release."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from tests.cli import process
from tests.endtoend.conftest import Rollbook
from tests.installations import environment, execute, installed
from tests.next_release import ADDITIVE, add_migrations, copied_tree
from tests.patience import TIMEOUT_S

APPLIED = "SELECT app, name FROM django_migrations ORDER BY id"
NOVELTY = 'migrations.CreateModel("{}", [("id", models.BigAutoField(primary_key=True))]),'
FAIL = """
def fail(apps, schema_editor):
    if not pathlib.Path("repaired").exists():
        {how}
"""


def a_release(folder: Path, operations: dict[str, str], imports: str = "") -> Path:
    """Return a folder for PYTHONPATH with the next release, which is impatient with locks."""
    tree = copied_tree(folder / "next")
    add_migrations(tree, operations, imports)
    module = tree / "src" / "rollbook" / "db" / "migrating.py"
    text = module.read_text(encoding="utf-8")
    for constant, value in {"LOCK_TIMEOUT_S": 0.1, "MAX_BACKOFF_S": 0.1}.items():
        before, _, rest = text.partition(f"\n{constant} = ")
        text = f"{before}\n{constant} = {value}\n{rest.partition(chr(10))[2]}"
    module.write_text(text, encoding="utf-8")
    return tree / "src"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of an installation of today's version."""
    return installed(tmp_path / "data")


def next_release(data: Path, release: Path) -> dict[str, str]:
    return environment(data, PYTHONPATH=str(release))


def migrate(env: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    return process.rollbook("migrate", *options, env=env, cwd=Path(env["ROLLBOOK_DATA"]).parent)


def at_once(
    count: int, command: Sequence[str], env: dict[str, str], cwd: Path
) -> list["subprocess.CompletedProcess[str]"]:
    """Run the command several times at the same time."""
    words = [sys.executable, "-m", "rollbook", *command]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(words, env=env, cwd=cwd, stdout=pipe, stderr=pipe, text=True)
        for _ in range(count)
    ]
    ended = []
    for one in running:
        out, err = one.communicate(timeout=TIMEOUT_S)
        ended.append(subprocess.CompletedProcess(words, one.returncode, out, err))
    return ended


def test_five_at_once_apply_each_migration_once(tmp_path: Path, data: Path) -> None:
    names = ["updates.9001_first", "updates.9002_second"]
    release = a_release(
        tmp_path,
        {"9001_first": ADDITIVE, "9002_second": NOVELTY.format("Second")},
    )
    env = next_release(data, release)
    plan = migrate(env, "--plan").stdout
    before = execute(data, APPLIED)
    ended = at_once(5, ["migrate"], env, tmp_path)
    assert [one.returncode for one in ended] == [0] * 5, [one.stderr for one in ended]
    outputs = sorted(one.stdout for one in ended)
    nothing = "The database is of this version; there is nothing to do.\n"
    assert outputs == sorted(["\n".join([*names, ""]), *[nothing] * 4])
    assert execute(data, APPLIED)[len(before) :] == [tuple(name.split(".")) for name in names]
    assert "  Add field of_next_release to updatejob: nobody can read or write " in plan
    assert "updates_updatejob (0 rows), less than 1 second\n" in plan
    assert "  Create model Second: locks no table, less than 1 second\n" in plan
    assert plan.splitlines()[0] == names[0]
    assert plan.splitlines()[-1].startswith("2 migrations, less than 1 second. ")
    assert migrate(env, "--wait").stdout == "The database is of this version.\n"


def test_five_at_once_create_the_tables_of_a_new_database(tmp_path: Path) -> None:
    data = tmp_path / "data"
    ended = at_once(5, ["migrate"], environment(data), tmp_path)
    assert [one.returncode for one in ended] == [0] * 5, [one.stderr for one in ended]
    assert sum("districts.0001_initial\n" in one.stdout for one in ended) == 1
    applied = execute(data, APPLIED)
    assert len(set(applied)) == len(applied)


@pytest.mark.parametrize(
    "how", ['raise ValueError("Ana Brook")', "os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_a_migration_that_fails_or_is_killed_half_way_can_be_repeated(
    tmp_path: Path, data: Path, how: str
) -> None:
    """On SQLite nothing is kept, on PostgreSQL the migrations before it."""
    half = NOVELTY.format("Half") + "migrations.RunPython(fail),"
    release = a_release(
        tmp_path,
        {"9001_first": ADDITIVE, "9002_half": half},
        imports="import os, pathlib, signal\n" + FAIL.format(how=how),
    )
    env, before = next_release(data, release), execute(data, APPLIED)
    failed = migrate(env)
    if "raise" in how:
        assert failed.returncode == 1
        assert failed.stderr.splitlines()[-1].startswith(
            "ERROR migration_failed: updates.9002_half failed (ValueError); "
        )
        assert "Ana Brook" not in failed.stderr
    kept = [("updates", "9001_first")] if settings.ON_POSTGRESQL else []
    assert execute(data, APPLIED) == before + kept
    (tmp_path / "repaired").touch()
    repeated = migrate(env)
    assert (repeated.returncode, repeated.stderr) == (0, "")
    assert execute(data, "SELECT count(*) FROM updates_half") == [(0,)]
    assert migrate(env, "--plan").stdout.startswith("The database is of this version; ")


@pytest.mark.only_on("postgresql")
def test_a_table_that_is_locked_for_long_is_waited_for_and_then_an_error(
    tmp_path: Path, data: Path
) -> None:
    env = next_release(data, a_release(tmp_path, {"9001_first": ADDITIVE}))
    with psycopg.connect(env["DATABASE_URL"], application_name="report") as other:
        other.execute("SELECT count(*) FROM updates_updatejob")
        pid = other.info.backend_pid
        blocked = migrate(env)
        assert blocked.returncode == 1
        assert blocked.stderr.count("updates.9001_first must wait for a locked table; ") == 7
        assert "ERROR migration_failed: updates.9001_first could not lock " in blocked.stderr
        assert f"that of process {pid} (report), open for " in blocked.stderr
        words = [sys.executable, "-m", "rollbook", "migrate"]
        waiting = subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True)
        assert waiting.stderr
        assert "must wait for a locked table" in waiting.stderr.readline()
        other.commit()
        assert waiting.wait(TIMEOUT_S) == 0
        waiting.stderr.close()


@pytest.mark.daily_on("postgresql")
def test_waiting_ends_when_another_process_has_migrated(tmp_path: Path, data: Path) -> None:
    env = next_release(data, a_release(tmp_path, {"9001_first": ADDITIVE}))
    words = [sys.executable, "-m", "rollbook", "migrate", "--wait"]
    pipe = subprocess.PIPE
    waiting = subprocess.Popen(words, env=env, stdout=pipe, stderr=pipe, text=True)
    assert waiting.stderr
    assert "waiting for `rollbook migrate`: " in waiting.stderr.readline()
    assert migrate(env).returncode == 0
    out, _ = waiting.communicate(timeout=TIMEOUT_S)
    assert (waiting.returncode, out) == (0, "The database is of this version.\n")


@pytest.mark.only_on("sqlite")
def test_waiting_creates_no_file(tmp_path: Path) -> None:
    result = process.rollbook("migrate", "--wait", env=environment(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("ERROR no_database: there is no database for the data folder ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.daily_on("sqlite")
def test_every_command_of_this_version_refuses_a_newer_database(tmp_path: Path, data: Path) -> None:
    release = a_release(tmp_path, {"9001_first": ADDITIVE})
    assert migrate(next_release(data, release)).returncode == 0
    for command in (
        ("migrate",),
        ("migrate", "--plan"),
        ("migrate", "--wait"),
        ("update", "list", "maple-usd"),
        ("serve", "--port", "0"),
        ("worker",),
        ("web", "--port", "0", "--behind-proxy"),
    ):
        result = process.rollbook(*command, env=environment(data))
        assert (result.returncode, result.stdout) == (4, ""), command
        assert result.stderr == (
            "ERROR newer_database: a newer version of Rollbook has changed the database "
            "(updates.9001_first); install that version here too, and start it again\n"
        )


@pytest.mark.daily_on("sqlite")
def test_a_server_that_is_older_than_the_database_ends_with_an_exit_code_of_its_own(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    rollbook.start()
    serving = rollbook.process
    release = a_release(tmp_path, {"9001_first": ADDITIVE})
    assert migrate(next_release(rollbook.data, release)).returncode == 0
    assert serving
    assert serving.wait(TIMEOUT_S) == 4
    log = rollbook.read_log()
    assert "ERROR newer_database: a newer version of Rollbook has changed the database" in log
    assert "restarts in" not in log
    assert "Traceback" not in log


@pytest.mark.only_on("postgresql")
def test_only_the_setting_lets_a_server_migrate_postgresql(tmp_path: Path, data: Path) -> None:
    env = next_release(data, a_release(tmp_path, {"9001_first": ADDITIVE}))
    words = [sys.executable, "-m", "rollbook", "worker"]
    before = execute(data, APPLIED)
    for setting, logged in (("no", "waiting for `rollbook migrate`: "), ("yes", "worker ready")):
        variables = env | {"ROLLBOOK_MIGRATE_AT_START": setting}
        with subprocess.Popen(words, env=variables, stderr=subprocess.PIPE, text=True) as worker:
            assert worker.stderr
            try:
                assert any(logged in line for line in worker.stderr)
            finally:
                worker.kill()
        is_migrated = len(execute(data, APPLIED)) > len(before)
        assert is_migrated == (setting == "yes")
