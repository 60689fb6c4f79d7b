"""Fixtures of full sync."""

import pytest

from rollbook.districts.models import District
from tests.updates.absences.nights import night
from tests.updates.absences.roster_of_twenty import rows


@pytest.fixture
def roster(maple: District) -> District:
    """A district in full sync with twenty students at two schools."""
    night(maple, 0, rows())
    return maple
