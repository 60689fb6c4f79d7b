"""A deletion that is killed anywhere is finished by a worker, or by the same command."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import depth
from tests.installations import copied, environment, installed
from tests.prepared import prepared

INSIDE = "tests.faults.destroying"
SAMPLES, EVERY_NIGHT = 3, 40


class Place:
    """A data folder on which processes are let loose."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a task of ``destroying.py``; check its exit code, and return what it printed."""
        variables = environment(self.path, DJANGO_SETTINGS_MODULE="rollbook.settings")
        done = prepared().run(INSIDE, *arguments, environment=variables)
        assert done.code == code, done.err
        return done.out

    def dump(self) -> dict[str, Any]:
        dumped: dict[str, Any] = json.loads(self.run("dump").splitlines()[-1])
        return dumped

    def copy(self, path: Path) -> "Place":
        return Place(copied(self.path, path))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Cedar County, which is filled, and nothing else."""
    place = Place(installed(tmp_path_factory.mktemp("alone") / "data"))
    place.run("make", "Cedar County")
    return place


@pytest.fixture(scope="module")
def both(alone: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Cedar County and Maple USD."""
    place = alone.copy(tmp_path_factory.mktemp("both") / "data")
    place.run("make", "Maple USD")
    return place


def test_a_deletion_that_dies_at_any_statement_is_finished_by_others(
    alone: Place, both: Place, tmp_path: Path
) -> None:
    undisturbed = both.copy(tmp_path / "undisturbed")
    statements = int(undisturbed.run("delete_until", "1000000").splitlines()[-1])
    expected = undisturbed.dump()
    assert expected["rows"] == alone.dump()["rows"]
    assert (len(expected["counts"]), expected["broken"]) == (1, 0)
    chosen = depth.sample(
        range(1, statements), "statements of a deletion", daily=SAMPLES, nightly=EVERY_NIGHT
    )
    for number, statement in enumerate(chosen):
        place = both.copy(tmp_path / str(statement))
        place.run("delete_until", str(statement), code=137)
        if number % 2 or not place.dump()["counts"]:
            place.run("delete_until", "1000000", code=_code_of_rerun(place))
        else:
            place.run("resume")
        assert place.dump() == expected, f"after a death at statement {statement}"


def _code_of_rerun(place: Place) -> int:
    """Return 1 if the district is gone: the command died after its last transaction."""
    slugs = [row["slug"] for row in place.dump()["rows"]["districts.District"].values()]
    return int("maple-usd" not in slugs)
