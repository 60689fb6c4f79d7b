"""An installation without the packages for PostgreSQL, which `rollbook[postgresql]` adds."""

from pathlib import Path

import pytest

from tests.cli import process
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import base
from tests.installations import installed

pytestmark = pytest.mark.only_on("sqlite")

# Python imports this module at its start.
SITECUSTOMIZE = """\
import sys
for name in ("psycopg", "psycopg_pool", "psycopg_binary", "procrastinate"):
    sys.modules[name] = None  # as if it were not installed
"""


@pytest.fixture
def without_packages(tmp_path: Path) -> dict[str, str]:
    """Variables of processes that don't find the packages."""
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    return {"PYTHONPATH": str(tmp_path)}


def test_sqlite_needs_none_of_them(rollbook: Rollbook, without_packages: dict[str, str]) -> None:
    rollbook.extra |= without_packages
    rollbook.start()
    file = rollbook.data.parent / "base.csv"
    file.write_text(base(), encoding="utf-8")
    assert rollbook.start_update(file, "mode=add").verdict.startswith("OK update 1 accepted")
    assert rollbook.until_ended().startswith("COMPLETED update 1: 60 students")
    report = process.rollbook("doctor", env=rollbook.environment)
    assert report.returncode == 0, report.stdout
    assert "Traceback" not in rollbook.read_log() + report.stderr


def test_a_postgresql_database_is_an_error_that_names_the_extra(
    tmp_path: Path, without_packages: dict[str, str]
) -> None:
    url = "postgres://rollbook:s3cret@127.0.0.1/school"
    env = process.environment(installed(tmp_path / "data"), DATABASE_URL=url, **without_packages)
    text = (
        "DATABASE_URL needs packages that are not installed (psycopg, psycopg_pool, procrastinate)"
    )
    fix = "run `pip install 'rollbook[postgresql]'`"
    for command in (("serve", "--port", "0"), ("update", "list", "maple-usd")):
        result = process.rollbook(*command, env=env)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == f"ERROR missing_packages: {text}; {fix}\n"
    report = process.rollbook("doctor", env=env)
    assert (report.returncode, text in report.stdout, fix in report.stdout) == (1, True, True)
