"""Random nights have the result of a model that counts by hand."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest

from rollbook.districts.models import District
from tests import depth
from tests.updates.absences.nights import FIRST_NIGHT, inactive, missing, night, row, set_status
from tests.updates.night import lift_limits

KEYS = [f"s{number}" for number in range(8)]
NIGHTS, DAILY, NIGHTLY = 10, 1, 40


@dataclass
class Model:
    """What should be known of each student: since when and in how many files it is missing."""

    since: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    by_files: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)

    def read(self, day: int, named: set[str]) -> None:
        """Count a file of a day."""
        for key in KEYS:
            if key in named:
                self.by_files.discard(key)
                self.forget(key)
            elif key not in self.by_files | self.by_hand:
                self.since.setdefault(key, day)
                if self.last.get(key) != day:
                    self.files[key] = self.files.get(key, 0) + 1
                self.last[key] = day
                if self.files[key] >= 3 and day - self.since[key] >= 2:
                    self.by_files.add(key)
                    self.forget(key)

    def forget(self, key: str) -> None:
        for known in (self.since, self.files, self.last):
            known.pop(key, None)

    def set_by_hand(self, key: str, *, active: bool) -> None:
        """Let a person set the status of a student."""
        if active == (key in self.by_files | self.by_hand):
            self.forget(key)
            self.by_files.discard(key)
            self.by_hand ^= {key} & (self.by_hand if active else {key})


def files_of(chance: Random, day: int) -> tuple[float, set[str]]:
    """Return a moment of a day, and whom its file names: at least half of them."""
    rare = set(KEYS[:3])
    named = {key for key in KEYS if key not in rare or chance.random() < 0.35}
    return day + chance.choice([0.0, 0.1, 0.2]), named


@pytest.mark.parametrize(
    "number", depth.sample(range(NIGHTLY), "random nights", daily=DAILY, nightly=NIGHTLY)
)
def test_random_nights(maple: District, number: int) -> None:
    lift_limits(maple)
    chance, model = Random(f"{depth.SEED} {number}"), Model()
    night(maple, 0, map(row, KEYS))
    day = 0
    for _ in range(NIGHTS):
        day += chance.choice([0, 1, 1, 1, 2])
        moment, named = files_of(chance, day)
        active = set(KEYS) - inactive(maple)
        if 2 * len(named & active) >= len(active):
            night(maple, moment, [row(key, grade=chance.choice("45")) for key in sorted(named)])
            model.read((FIRST_NIGHT + timedelta(days=moment)).date().toordinal(), named)
        if chance.random() < 0.3:
            key, is_active = chance.choice(KEYS[:3]), chance.random() < 0.5
            set_status(maple, key, "active" if is_active else "inactive")
            model.set_by_hand(key, active=is_active)
        assert inactive(maple) == model.by_files | model.by_hand
        assert missing(maple) == model.files
