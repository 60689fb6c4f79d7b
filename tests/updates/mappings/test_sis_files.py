"""Each made-up export of a system loads through the mapping that is proposed for it."""

import pytest
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.studentfile.mapping.sample import read_sample
from rollbook.students.models import Student
from rollbook.updates.mappings import store
from rollbook.updates.mappings.proposals import propose_for
from rollbook.updates.state_machine import State
from tests.data.sis_files import FOLDER, SCHOOLS, SIS_FILES, roster
from tests.updates.night import enroll, finish, lift_limits, send_bytes


@pytest.mark.parametrize("name", SIS_FILES)
def test_an_export_loads_through_the_proposed_mapping(maple: District, name: str) -> None:
    preset, count = SIS_FILES[name]
    for school in SCHOOLS:
        maple.school_set.create(organization_id=school, name=school)
    lift_limits(maple)
    enroll(maple, roster(count))
    sample = read_sample(FOLDER / name, "utf-8")
    assert sample
    proposal = propose_for(maple, sample)
    assert proposal
    assert proposal.mapping.name == preset
    store.save(maple, proposal.mapping, None, timezone.now())
    update = send_bytes(maple, (FOLDER / name).read_bytes(), file_name=name).update
    report = finish(update)
    assert (report.mapping, report.rows, report.rejected) == (preset, count, 0), report.groups
    assert report.ignored == ()
    assert report.state is State.COMPLETED
    assert report.updated == count
    assert not Student.objects.filter(grade="ug").exists()
