"""Propose a mapping for a file."""

import pytest

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.presets import PRESETS
from rollbook.studentfile.mapping.propose import Proposal, propose

ONE_ROSTER = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password"
)


def proposed(header: str, *rows: str, known: set[str] | None = None) -> Proposal:
    roster = known or set()
    cells = [row.split(",") for row in rows]
    found = propose(header.split(","), cells, lambda ids: len(roster.intersection(ids)))
    assert found is not None
    assert MappingDocument.from_json(found.mapping.as_json()) == found.mapping
    return found


def sources(proposal: Proposal) -> dict[str, str]:
    return {each.column: "+".join(each.names) for each in proposal.mapping.sources}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: str(preset.mapping.name))
def test_a_preset_is_proposed_for_its_own_header(preset: object) -> None:
    assert isinstance(preset, type(PRESETS[0]))
    header = ",".join(dict.fromkeys((*preset.needs, *preset.mapping.names)))
    proposal = proposed(header)
    assert proposal.mapping.name == preset.mapping.name
    assert proposal.title == preset.title
    assert {each.column for each in preset.mapping.sources} <= set(sources(proposal))


def test_the_presets_are_valid_and_have_names_of_their_own() -> None:
    for preset in PRESETS:
        assert MappingDocument.from_json(preset.mapping.as_json()) == preset.mapping
        assert set(sources(Proposal(preset.mapping, "", ()))) <= set(BY_NAME)
    assert len({preset.mapping.name for preset in PRESETS}) == len(PRESETS)


def test_students_of_a_one_roster_file_are_kept() -> None:
    proposal = proposed(ONE_ROSTER)
    assert [str(each) for each in proposal.mapping.keep] == ["role is student"]
    assert "phone" in proposal.unused
    assert "status" not in proposal.unused


def test_what_a_file_lacks_is_left_out_of_a_preset() -> None:
    proposal = proposed("Student_Number,Last_Name,DOB,Locker")
    assert sources(proposal) == {
        "STUDENT_ID": "Student_Number",
        "LAST_NAME": "Last_Name",
        "DOB": "DOB",
    }
    assert proposal.unused == ("Locker",)


def test_names_are_understood_as_without_a_mapping() -> None:
    proposal = proposed("SIS_NUMBER,FName,Surname,Birthday,Sex,GradeLvl,Building Code,EL")
    assert sources(proposal) == {
        "STUDENT_ID": "SIS_NUMBER",
        "FIRST_NAME": "FName",
        "LAST_NAME": "Surname",
        "DOB": "Birthday",
        "GENDER": "Sex",
        "GRADE": "GradeLvl",
        "SCHOOL_ID": "Building Code",
        "ELL": "EL",
    }
    assert proposal.mapping.name == "student-file"


def test_a_name_in_one_column_is_split() -> None:
    proposal = propose(["Perm ID", "Student Name"], [["1", "Klein, Ora"], ["2", "Li, Bo"]])
    assert proposal
    assert sources(proposal)["FIRST_NAME"] == "Student Name"
    unclear = propose(["Perm ID", "Student Name"], [["1", "Ora Klein"]])
    assert unclear
    assert set(sources(unclear)) == {"STUDENT_ID"}


def test_the_roster_decides_between_ids() -> None:
    header, rows = (
        "Student_Number,State_StudentNumber,First_Name,Last_Name",
        ("1,900,A,B", "2,901,C,D"),
    )
    assert sources(proposed(header, *rows))["STUDENT_ID"] == "Student_Number"
    proposal = proposed(header, *rows, known={"900", "901"})
    assert sources(proposal)["STUDENT_ID"] == "State_StudentNumber"
    assert "Student_Number" in proposal.unused


@pytest.mark.parametrize(
    ("cell", "steps"),
    [
        ("12", ["pad to 6 with 0"]),
        ("12.0", ["without suffix .0", "pad to 6 with 0"]),
        ("000012", []),
    ],
)
def test_the_roster_decides_the_form_of_ids(cell: str, steps: list[str]) -> None:
    proposal = proposed("Student_Number,First_Name,Last_Name", f"{cell},A,B", known={"000012"})
    (key,) = (each for each in proposal.mapping.sources if each.column == "STUDENT_ID")
    assert [str(step) for step in key.steps] == steps


def test_nothing_is_proposed_for_a_file_without_students() -> None:
    assert propose(["Course", "Room"], [["Math", "12"]]) is None
