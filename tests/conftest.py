"""The standing cast: Maple USD is ours, Cedar County the neighbour who must neither see nor be seen."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from hypothesis import settings as hypothesis_settings

from rollbook.roster.models import District, School
from rollbook.staff import roles
from rollbook.staff.models import Member
from rollbook.updates import apply
from tests import installations

# Nothing here is timed. Under CI, Hypothesis's own profile for it stays: the same examples each time.
hypothesis_settings.register_profile("rollbook", parent=hypothesis_settings(), deadline=None)
hypothesis_settings.load_profile("rollbook")

PASSWORD = "correct horse battery staple"


LONG = ("tests/faults", "tests/endtoend", "tests/browser", "tests/cli/commands/test_serve")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of what only one of the databases has run on that one; pytest counts the others as deselected.

    Those that take long come first: of several processes none is left alone with them at the end.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    strangers = [item for item in items for mark in item.iter_markers("only_on") if connection.vendor not in mark.args]
    if strangers:
        config.hook.pytest_deselected(items=strangers)
        items[:] = [item for item in items if item not in strangers]


def a_district(name: str, *schools: str) -> District:
    district = District.objects.create(name=name, slug=name.lower().replace(" ", "-"), time_zone="America/Chicago")
    for school in schools:
        School.objects.create(district=district, organization_id=school, name=f"School {school}")
    return district


@cache
def _stored() -> str:
    """To hash takes longer than most tests."""
    return make_password(PASSWORD)


def a_member(district: District, email: str, role: str = "district manager") -> Member:
    member = Member(district=district, email=email, first_name="Ana", last_name="Ruiz", password=_stored())
    member.role = roles.standard(district, role)
    member.save()
    return member


@pytest.fixture
def maple(db: None) -> District:
    return a_district("Maple USD", "100", "200")


@pytest.fixture
def cedar(db: None) -> District:
    return a_district("Cedar County", "100", "900")


@pytest.fixture
def manager(maple: District) -> Member:
    return a_member(maple, "ops@maple.example")


@pytest.fixture
def neighbour(cedar: District) -> Member:
    return a_member(cedar, "ops@cedar.example")


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
def clean_spool() -> Iterator[None]:
    """No test finds the files of another one."""
    yield
    for path in settings.SPOOL.glob("*"):
        path.unlink()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two students a chunk, except for rings."""
    monkeypatch.setattr(apply, "SMALLEST", 2)
    monkeypatch.setattr(apply, "LARGEST", 2)
