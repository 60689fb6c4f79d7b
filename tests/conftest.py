"""Fixtures of all tests, and which test runs where.

Maple USD is the district under test. Cedar County is another one, which must neither see its data
nor be seen.
"""

import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, connections, transaction
from django.template import Template
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from rollbook import cli, garbage_collection
from rollbook.accounts import installation_id, key_ring, roles
from rollbook.accounts.auth import known_addresses
from rollbook.accounts.auth.password_hasher import Argon2id
from rollbook.accounts.models import Member
from rollbook.cli import parser
from rollbook.districts.models import District, School
from rollbook.log_format import request_context
from rollbook.operations.monitoring import metrics, readiness
from rollbook.updates.applying import apply, pairs
from tests import cpu_report, depth, flushing, installations, outside
from tests.settings import BYTECODE, OWNS_SHARED

# No example has a deadline. Where CI is set, Hypothesis takes the same examples each time.
hypothesis_settings.register_profile(
    "rollbook", parent=hypothesis_settings(), deadline=None, max_examples=depth.examples()
)
hypothesis_settings.load_profile("rollbook")

# What pytest compiles serves all of its processes and the next run, even where Python is asked to
# store no bytecode.
sys.dont_write_bytecode = False

GUARD = outside.Guard(outside.border_of(outside.ROOT))
sys.addaudithook(GUARD)

flushing.allow_flush()

# The real hash takes longer than most tests; those about it use the fixture ``real_hashing``.
REAL_COST = {"time_cost": Argon2id.time_cost, "memory_cost": Argon2id.memory_cost}
Argon2id.time_cost, Argon2id.memory_cost = 1, 8


def _check_descriptor(descriptor: int) -> None:
    """Raise where ``os.fsync`` would, and don't wait for the disk."""
    os.fstat(descriptor)


# Only a power failure could show the difference, and each wait for the disk takes milliseconds.
FSYNC = "fsync"
setattr(os, FSYNC, _check_descriptor)

# No test reads the versions of keys from the database unless it asks for that.
key_ring.REFRESH_S = math.inf
key_ring.assume({})

# To build the parser takes longer than most commands that run in this process.
BUILD_PARSER = "build_parser"
_build_once = cache(parser.build_parser)
for _module in (parser, cli):
    setattr(_module, BUILD_PARSER, _build_once)

RENDER = "_render"
_render_template = vars(Template)[RENDER]

PASSWORD = "correct horse battery staple"
MANAGER = "ops@maple.example"


HERE = Path(__file__).parent
BROWSER = ("browser",)
PROCESS = ("endtoend", "faults", "postgres")
"""The folders of tests that open a browser, and of those that start processes.

A test elsewhere that starts a process has the mark itself.
"""

WITHOUT_DATABASE = ("postgres", "studentfile")
"""Of these folders, those whose tests do not depend on the database of the test run."""

SHARES_ON_POSTGRESQL = {
    "accounts": 1 / 16,
    "cli": 1 / 16,
    "doctor": 1 / 8,
    "jobs": 1 / 2,
    "operations": 1 / 8,
    "server": 1 / 16,
    "students": 1 / 6,
    "updates": 1 / 12,
    "updates/applying": 1 / 3,
    "updates/receiving": 1 / 6,
    "updates/resolving": 1 / 8,
    "web": 1 / 16,
}
"""The share of a folder's in-process tests that ``make test-all`` runs on PostgreSQL, too.

On SQLite it runs all of them. Their subject is hardly ever what differs between the databases. The
longest path that a test is below counts.
"""

SHARES_OF_PROCESSES = {
    "browser": 1 / 6,
    "cli": 1 / 6,
    "db": 1 / 4,
    "doctor": 1 / 6,
    "endtoend": 1 / 6,
    "faults": 1 / 4,
    "faults/test_rolling_upgrade.py": 1 / 6,
    "operations": 1 / 6,
    "postgres": 1 / 6,
    "server": 1 / 6,
    "test_both.py": 1 / 6,
}
"""The share of the tests that start processes which ``make test-all`` runs on a day.

With a share of a sixth, each of them runs on every sixth day. The longest path that a test is
below counts; a mark ``daily_share`` can make it less.
"""

SHARES_IN_PROCESS = {
    "cli/commands": 1 / 2,
    "operations": 1 / 2,
    "studentfile/reading": 1 / 2,
    "students": 1 / 2,
    "updates/absences": 1 / 2,
    "updates/checking": 1 / 2,
    "updates/exports": 1 / 2,
    "updates/feed": 1 / 2,
    "updates/manifest": 1 / 2,
    "updates/planning": 1 / 2,
    "updates/reporting/test_rows.py": 1 / 2,
    "updates/resolving": 1 / 2,
    "updates/test_endings.py": 1 / 2,
    "updates/test_retention.py": 1 / 2,
    "updates/test_runner.py": 1 / 2,
    "updates/test_state_machine.py": 1 / 2,
    "web/api/test_odd_uploads.py": 1 / 2,
    "web/field": 1 / 2,
    "web/pages": 1 / 2,
    "web/pages/test_matrix.py": 1.0,
    "web/test_suspended.py": 1 / 2,
}
"""The share of in-process tests that ``make test`` and ``make test-all`` run on a day.

They are long lists of similar values, files and moments, each with a district of its own. The
longest path that a test is below counts.
"""

ON_ONE_DATABASE_A_DAY = (
    "browser",
    "cli/commands",
    "cli/test_command.py",
    "doctor",
    "endtoend",
    "faults",
    "operations",
    "server",
)
"""Where tests that start processes run on one of the databases at a time in ``make test-all``.

They take turns. Where a mark says on which databases a test runs, that counts.
"""

ON_BOTH_DATABASES = ("endtoend/test_migrate.py",)
"""Exceptions, whose subject is what differs between the databases."""

SLOWEST_FILES = (
    "endtoend/test_handbook.py",
    "faults/test_many_machines.py",
    "faults/test_nemesis.py",
    "browser/test_journeys.py",
    "browser/test_accessibility.py",
    "cli/test_demo.py",
    "test_both.py",
    "endtoend/test_many_machines.py",
)
SLOWEST_FOLDERS = ("faults", "browser", "endtoend", "server")
"""What takes long comes first, so that at the end no process works alone at a long file."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our own options."""
    cpu_report.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Give the processes that tests start one place for bytecode.

    pytest's own processes keep theirs beside the source, where the next run finds it.
    """
    cpu_report.configure(config)
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        os.environ["PYTHONPYCACHEPREFIX"] = os.environ[BYTECODE]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Drop the database that the processes of this run share, when all of them have ended."""
    if OWNS_SHARED:
        installations.forget_shared()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test by its folder."""
    folder = _folder(item)
    if folder in BROWSER:
        item.add_marker(pytest.mark.browser)
    elif folder in PROCESS:
        item.add_marker(pytest.mark.process)
    if folder in WITHOUT_DATABASE:
        item.add_marker(pytest.mark.without_database)


# After the marks that pytest itself deselects by, so that what is counted is what was asked for.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what another run tests, and begin with what takes long.

    Tests of what only one of the databases has run on that one. Tests that never ask the database
    run on SQLite alone. The slowest tests come first.
    """
    items.sort(key=_rank)
    elsewhere = [item for item in items if not _runs_here(item)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in set(elsewhere)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the garbage collector the thousands of tests, which stay until the end."""
    garbage_collection.tune_for_many_rows()


def _rank(item: pytest.Item) -> int:
    """Return the place of the test's file among the files: those that take long come first."""
    file = str(item.path.relative_to(HERE))
    if file in SLOWEST_FILES:
        return SLOWEST_FILES.index(file)
    return len(SLOWEST_FILES) + (_folder(item) not in SLOWEST_FOLDERS)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


def _runs_here(item: pytest.Item) -> bool:
    only_on = list(item.iter_markers("only_on"))
    if not depth.NIGHTLY:
        only_on += item.iter_markers("daily_on")
    if not all(connection.vendor in mark.args for mark in only_on):
        return False
    if depth.SAMPLED and not _is_chosen(item):
        return False
    if only_on or connection.vendor == "sqlite":
        return True
    return not item.get_closest_marker("without_database") and _asks_database(item)


def _is_chosen(item: pytest.Item) -> bool:
    """Return whether the test is among the samples of the day on this database."""
    share = _daily_share(item)
    if _runs_on_one_database_a_day(item):
        is_on_postgresql = depth.is_on_postgresql(item.nodeid, share)
        if is_on_postgresql != (connection.vendor == "postgresql"):
            return False
    return depth.is_chosen(item.nodeid, share)


def _daily_share(item: pytest.Item) -> float:
    """Return on which share of all days ``make test-all`` runs the test on this database."""
    mark = item.get_closest_marker("daily_share")
    share = float(mark.args[0]) if mark else 1.0
    if _starts_processes(item):
        share = min(share, _share_of(item, SHARES_OF_PROCESSES))
        # What a statement of docs/security promises isn't left untried for days.
        return max(share, 1 / 2) if item.get_closest_marker("statement") else share
    if connection.vendor == "postgresql" and not item.get_closest_marker("only_on"):
        return min(share, _share_of(item, SHARES_ON_POSTGRESQL))
    return min(share, _share_of(item, SHARES_IN_PROCESS))


def _runs_on_one_database_a_day(item: pytest.Item) -> bool:
    if not _starts_processes(item):
        return False
    marks = ("without_database", "only_on", "daily_on")
    if any(item.get_closest_marker(name) for name in marks):
        return False
    file = item.path.relative_to(HERE)
    return _is_below(file, ON_ONE_DATABASE_A_DAY) and not _is_below(file, ON_BOTH_DATABASES)


def _is_below(file: Path, paths: Iterable[str]) -> bool:
    return any(map(file.is_relative_to, paths))


def _share_of(item: pytest.Item, shares: Mapping[str, float]) -> float:
    """Return the share of the longest path that the test is below; 1 if there is none."""
    file = item.path.relative_to(HERE)
    found = [path for path in shares if file.is_relative_to(path)]
    return shares[max(found, key=len)] if found else 1.0


def _asks_database(item: pytest.Item) -> bool:
    """Return whether the test may depend on the database.

    pytest-django refuses queries of a test in this process that doesn't ask for the database.
    """
    return _starts_processes(item) or _uses_database(item)


def _starts_processes(item: pytest.Item) -> bool:
    """Return whether the test may start processes of Rollbook, PostgreSQL, Python or a browser."""
    return bool(item.get_closest_marker("process") or item.get_closest_marker("browser"))


def _uses_database(item: pytest.Item) -> bool:
    """Return whether the test asks for the database of this process."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how to take the same samples again."""
    terminalreporter.write_line(f"samples of {depth.SEED_VARIABLE}={depth.SEED}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse to start Python in tests that are not marked with ``process`` or ``browser``."""
    GUARD.taken()  # what the setup of the test before found and raised
    GUARD.python_processes = _starts_processes(item)


def make_district(name: str, *schools: str) -> District:
    district = District.objects.create(
        name=name, slug=name.lower().replace(" ", "-"), time_zone="America/Chicago"
    )
    for school in schools:
        School.objects.create(district=district, organization_id=school, name=f"School {school}")
    return district


@pytest.fixture
def real_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash the passwords of members as the product does."""
    for name, value in REAL_COST.items():
        monkeypatch.setattr(Argon2id, name, value)


@cache
def _stored() -> str:
    """To hash takes longer than most tests."""
    return make_password(PASSWORD)


def make_member(district: District, email: str, role: str = "district manager") -> Member:
    member = Member(
        district=district, email=email, first_name="Ana", last_name="Ruiz", password=_stored()
    )
    member.role = roles.standard(district, role)
    member.save()
    return member


OF_A_TEST = "_from_testcase"


@pytest.fixture(scope="module")
def kept(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep what fixtures of the module write until its last test has ended.

    What a test writes is undone at its end, as always. It must not need a second connection.
    """
    forget_cached()  # this is before the fixtures of the first test
    files = set(settings.SPOOL.glob("*"))
    with django_db_blocker.unblock(), transaction.atomic():
        # A durable transaction may begin in it, as in that of a test.
        setattr(connection.atomic_blocks[-1], OF_A_TEST, True)
        yield
        transaction.set_rollback(True)
    for path in set(settings.SPOOL.glob("*")) - files:
        path.unlink()


@pytest.fixture(scope="module")
def maple_once(kept: None) -> District:
    """Maple USD for the fixtures of a module that add students once for all of its tests."""
    return make_district("Maple USD", "100", "200")


@pytest.fixture
def maple(request: pytest.FixtureRequest, db: None) -> District:
    if "maple_once" in request.fixturenames:
        return District.objects.get(slug="maple-usd")
    if connection.savepoint_ids:  # ``kept`` may have that of other tests of the module
        District.objects.filter(slug="maple-usd").update(name="Other", slug="other")
    return make_district("Maple USD", "100", "200")


@pytest.fixture
def cedar(db: None) -> District:
    return make_district("Cedar County", "100", "900")


@pytest.fixture(scope="module")
def manager_once(maple_once: District) -> Member:
    """The district manager for the fixtures of a module; see ``maple_once``."""
    return make_member(maple_once, MANAGER)


@pytest.fixture
def manager(request: pytest.FixtureRequest, maple: District) -> Member:
    if "manager_once" in request.fixturenames:
        return Member.objects.get(district=maple, email=MANAGER)
    return make_member(maple, MANAGER)


@pytest.fixture
def neighbor(cedar: District) -> Member:
    return make_member(cedar, "ops@cedar.example")


@pytest.fixture(scope="session")
def django_test_environment(django_test_environment: None) -> None:
    """Render templates as the product does: no test asks Django which templates were used."""
    setattr(Template, RENDER, _render_template)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the data folder belong to the new database, so that few tests have to do it again.

    On PostgreSQL, a database can be dropped when nobody uses it. A thread that has ended may not
    have closed its connection yet, and the server takes a moment to notice one that is closed.
    """
    with django_db_blocker.unblock():
        installation_id.adopt()
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE pid <>"
                " pg_backend_pid() AND datname = current_database() AND usename = current_user"
            )


@pytest.fixture(autouse=True)
def nothing_outside_is_opened() -> Iterator[None]:
    """See ``outside.py``."""
    yield
    assert GUARD.taken() == []


@pytest.fixture(scope="session", autouse=True)
def no_database_outlives_the_test_run() -> Iterator[None]:
    yield
    installations.forget(Path("/"))


@pytest.fixture(autouse=True)
def databases_go_with_their_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Those of data folders in the test's own folder."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder:
        installations.forget(folder)


@pytest.fixture(autouse=True)
def database_of_the_data_folder(request: pytest.FixtureRequest, _django_db_marker: None) -> None:
    """Let the data folder of this process belong to the database of each test."""
    if _uses_database(request.node):
        request.getfixturevalue("_django_db_helper")
        installation_id.adopt()


@pytest.fixture(autouse=True)
def connections_are_configured_for_one_test() -> Iterator[None]:
    """What a worker or web server in this process configures ends with the test."""
    configured = connections.settings["default"]
    before = deepcopy(configured)
    yield
    configured.clear()
    configured.update(before)


@pytest.fixture(autouse=True)
def nothing_is_cached() -> None:
    """No test gets what another one has cached, nor its request."""
    forget_cached()


def forget_cached() -> None:
    """Forget what a test may have left in this process."""
    readiness.clear()
    metrics.clear()
    key_ring.assume({})
    request_context.set({})
    known_addresses.cache.clear()


@pytest.fixture(autouse=True)
def clean_spool() -> Iterator[None]:
    """No test finds the files of another one."""
    folder = settings.SPOOL  # a test may use another one
    kept_files = set(folder.glob("*"))
    yield
    for path in set(folder.glob("*")) - kept_files:
        path.unlink()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two students a chunk, except for rings; two chunks at a time where that is possible."""
    monkeypatch.setattr(pairs, "MIN_PAIRED_ROWS", 2)
    monkeypatch.setattr(apply, "MIN_CHUNK_ROWS", 2)
    monkeypatch.setattr(apply, "MAX_CHUNK_ROWS", 2)
