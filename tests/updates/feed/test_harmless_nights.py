"""Nights on which much is different and nothing is wrong."""

import pytest
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.state_machine import Mode, State
from tests import depth
from tests.conftest import make_district
from tests.data import nights
from tests.updates import night

pytestmark = pytest.mark.django_db

NIGHTS = depth.choose(daily=8, nightly=60)
SIZE = depth.choose(daily=110, nightly=400)
SEEDS = [depth.SEED % 1000, *range(depth.choose(daily=0, nightly=3))]


@pytest.mark.parametrize("seed", SEEDS)
def test_harmless_nights_raise_nothing(seed: int) -> None:
    made = nights.District.make(SIZE, seed)
    district = make_district("Maple USD", *made.schools)
    night.lift_limits(district)
    send(district, made.unchanged())
    for number, (kind, data) in enumerate(nights.harmless(made, NIGHTS)):
        update = send(district, data)
        assert (update.state, update.findings) == (State.COMPLETED, None), (number, kind)


def test_two_files_a_night_are_nothing_unusual() -> None:
    made = nights.District.make(2 * SIZE, seed=3)
    district = make_district("Maple USD", *made.schools)
    night.lift_limits(district)
    night.enroll(district, made.unchanged().decode())
    UpdateJob.objects.update(shape=None)  # as if nothing had been known of that file
    for number in range(2):
        made.ordinary()
        by_school = sorted(made.rows, key=lambda row: row[nights.AT["SCHOOL_ID"]])
        half = SIZE - 10
        for rows in (by_school[:half], by_school[half:]):
            update = send(district, nights.text_of(rows))
            assert number == 0 or update.findings is None


def test_a_file_sent_again_at_once_is_nothing_unusual() -> None:
    made = nights.District.make(30, seed=4)
    district = make_district("Maple USD", *made.schools)
    night.lift_limits(district)
    data = made.unchanged()
    for sent in (data, data, made.ordinary(), made.unchanged()):
        assert send(district, sent).findings is None


def send(district: District, data: bytes) -> UpdateJob:
    update = night.send_bytes(district, data, Mode.ADD).update
    if night.finish(update).state is State.HELD:
        decider, now = Decider(None), timezone.now()
        decisions.approve(district, update.number, update.plan_digest, decider, now)
        night.finish(update)
    return update
