"""Fixtures of all tests, and which test runs where.

Maple USD is the district under test. Cedar County is another one, which must neither see its data
nor be seen.
"""

import math
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from hypothesis import settings as hypothesis_settings

from rollbook.accounts import installation_id, key_ring, roles
from rollbook.accounts.auth import known_addresses
from rollbook.accounts.auth.password_hasher import Argon2id
from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.log_format import request_context
from rollbook.operations.monitoring import metrics, readiness
from rollbook.updates.applying import apply
from tests import cpu_report, depth, flushing, installations, outside
from tests.settings import BYTECODE, OWNS_SHARED

# No example has a deadline. Where CI is set, Hypothesis takes the same examples each time.
hypothesis_settings.register_profile(
    "rollbook", parent=hypothesis_settings(), deadline=None, max_examples=depth.examples()
)
hypothesis_settings.load_profile("rollbook")

GUARD = outside.Guard(outside.border_of(outside.ROOT))
sys.addaudithook(GUARD)

flushing.allow_flush()

# The real hash takes longer than most tests; those about it use the fixture ``real_hashing``.
REAL_COST = {"time_cost": Argon2id.time_cost, "memory_cost": Argon2id.memory_cost}
Argon2id.time_cost, Argon2id.memory_cost = 1, 8

# No test reads the versions of keys from the database unless it asks for that.
key_ring.REFRESH_S = math.inf
key_ring.assume({})

PASSWORD = "correct horse battery staple"


HERE = Path(__file__).parent
BROWSER = ("browser",)
PROCESS = ("endtoend", "faults", "postgres")
"""The folders of tests that open a browser, and of those that start processes.

A test elsewhere that starts a process has the mark itself.
"""

WITHOUT_DATABASE = ("postgres",)
"""Of these folders, those whose tests do not depend on the database of the test run."""

SHARES_ON_POSTGRESQL = {
    "accounts": 1 / 4,
    "cli": 1 / 4,
    "doctor": 1 / 4,
    "server": 1 / 4,
    "updates/checking": 1 / 3,
    "updates/exports": 1 / 3,
    "updates/reporting": 1 / 3,
    "updates/resolving": 1 / 3,
    "web": 1 / 4,
}
"""The share of a folder's tests that ``make test-all`` runs on PostgreSQL, too.

On SQLite it runs all of them. Their subject is hardly ever what differs between the databases.
"""

SLOWEST_FILES = (
    "faults/test_many_machines.py",
    "faults/test_nemesis.py",
    "browser/test_journeys.py",
    "browser/test_accessibility.py",
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
    if depth.SAMPLED and not depth.is_chosen(item.nodeid, _share(item)):
        return False
    if only_on or connection.vendor == "sqlite":
        return True
    return not item.get_closest_marker("without_database") and _asks_database(item)


def _share(item: pytest.Item) -> float:
    """Return which share of tests like this one ``make test-all`` runs on this database."""
    mark = item.get_closest_marker("daily_share")
    share = mark.args[0] if mark else 1.0
    if connection.vendor == "sqlite" or item.get_closest_marker("only_on"):
        return share
    file = item.path.relative_to(HERE)
    shares = [one for path, one in SHARES_ON_POSTGRESQL.items() if file.is_relative_to(path)]
    return min([share, *shares])


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


@pytest.fixture
def maple(db: None) -> District:
    return make_district("Maple USD", "100", "200")


@pytest.fixture
def cedar(db: None) -> District:
    return make_district("Cedar County", "100", "900")


@pytest.fixture
def manager(maple: District) -> Member:
    return make_member(maple, "ops@maple.example")


@pytest.fixture
def neighbor(cedar: District) -> Member:
    return make_member(cedar, "ops@cedar.example")


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
def nothing_is_cached() -> None:
    """No test gets what another one has cached, nor its request."""
    readiness.clear()
    metrics.clear()
    key_ring.assume({})
    request_context.set({})
    known_addresses.cache.clear()


@pytest.fixture(autouse=True)
def clean_spool() -> Iterator[None]:
    """No test finds the files of another one."""
    yield
    for path in settings.SPOOL.glob("*"):
        path.unlink()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two students a chunk, except for rings."""
    monkeypatch.setattr(apply, "MIN_CHUNK_ROWS", 2)
    monkeypatch.setattr(apply, "MAX_CHUNK_ROWS", 2)
