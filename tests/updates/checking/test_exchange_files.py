"""Student files of other products are loaded without renaming their columns."""

import pytest

from rollbook.districts.models import District, School
from rollbook.updates.state_machine import Mode, State
from tests.data.rosters import VENDOR_SAMPLE
from tests.updates.night import (
    column_of,
    counts,
    enroll,
    finish,
    last,
    lift_limits,
    problems,
    run,
    send_bytes,
    values_of,
)

SAMPLE = VENDOR_SAMPLE.read_text(encoding="utf-8")
IGNORED = ["unknown_column"] * 5
"""State ID, Secondary Email, Student Number, Middle Name and Graduation Year."""


@pytest.fixture
def district(maple: District) -> District:
    for organization_id in {line.split(",")[1] for line in SAMPLE.splitlines()[1:]}:
        School.objects.create(district=maple, organization_id=organization_id, name=organization_id)
    return maple


def test_a_file_of_school_data_sync_updates_the_students_with_its_ids(district: District) -> None:
    ids = [line.split(",")[0] for line in SAMPLE.splitlines()[1:]]
    students = (f"{student_id},Quinn{number},Hazelton" for number, student_id in enumerate(ids))
    enroll(
        district,
        "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n"
        + "\n".join(f"{student},2000-06-05" for student in students),
    )
    lift_limits(district)
    result = finish(send_bytes(district, SAMPLE.encode()).update)
    assert result.state == State.COMPLETED
    assert set(column_of(district, "STUDENT_ID").values()) == set(ids)
    columns = ("FIRST_NAME", "LAST_NAME", "USERNAME", "GRADE", "SCHOOL_ID", "DOB")
    assert values_of(district, "23001", *columns) == (
        *("Quinn", "Hazelton", "qhazelton", "12", "20001", "2000-06-05"),
    )
    assert problems(last(district))[1] == IGNORED


def test_a_file_of_school_data_sync_adds_students_with_the_columns_that_it_lacks(
    district: District,
) -> None:
    assert counts(finish(send_bytes(district, SAMPLE.encode(), Mode.ADD).update)) == {
        "rejected": 86
    }
    header, *lines = SAMPLE.splitlines()
    complete = [f"{header},Sex,Ell_status,Iep_status", *(f"{line},M,N,N" for line in lines)]
    assert counts(run(district, "\n".join(complete), Mode.UPDATE)) == {"rejected": 86}
    update = send_bytes(district, "\n".join(complete).encode(), Mode.ADD).update
    assert counts(finish(update)) == {"added": 86}
    assert counts(finish(send_bytes(district, SAMPLE.encode()).update)) == {"unchanged": 86}


def test_a_oneroster_file_updates_the_students_with_its_ids(maple: District) -> None:
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\ng-1,Ana,Brook,2014-05-13")
    result = run(
        maple,
        """
        sourcedId,enabledUser,orgSourcedIds,role,username,givenName,familyName,grades,password
        g-1,true,100,student,ana.b,Ana,Brooks,05,
        t-1,true,100,teacher,tina,Tina,Teach,,
        """,
    )
    assert counts(result) == {"updated": 1, "rejected": 1}
    assert values_of(maple, "g-1", "LAST_NAME", "GRADE", "USERNAME") == ("Brooks", "5", "ana.b")
