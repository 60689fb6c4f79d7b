"""A district with a manifest."""

import pytest

from rollbook.districts.models import District
from tests.updates.manifest.ten_students import ALL, NIGHT
from tests.updates.night import a_class, counts, enroll, known, run


@pytest.fixture
def school(maple: District) -> District:
    """Ten students, all of whose records are known."""
    enroll(maple, a_class(10))
    assert counts(run(maple, NIGHT)) == {"unchanged": 10}
    assert known(maple) == ALL
    return maple
