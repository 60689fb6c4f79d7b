"""The columns in which a validated row differs from the student."""

import pytest

from rollbook.students.diff import diff
from rollbook.students.passwords import ImportedPasswords, hash_for_import
from rollbook.students.snapshots import StudentSnapshot

KNOWN = {
    "STUDENT_ID": "1",
    "FIRST_NAME": "Ann",
    "SCHOOL_ID": "100",
    "RACE": "WH",
    "CLASSIFICATIONS": "Autism&Dyslexia",
    "GROUPS": "Band&Chess",
    "STAFF": "a@x.example&b@x.example",
}
MARK_KEY = bytes(32)
ANN = StudentSnapshot(1, 0, hash_for_import("secret", MARK_KEY), KNOWN)


@pytest.mark.parametrize(
    ("row", "differing"),
    [
        ({}, {}),
        ({"FIRST_NAME": "Ann"}, {}),
        ({"FIRST_NAME": "ann"}, {"FIRST_NAME": "ann"}),
        ({"RACE": ""}, {"RACE": ""}),
        ({"CLASSIFICATIONS": "Autism&Dyslexia"}, {}),
        ({"CLASSIFICATIONS": "Autism"}, {"CLASSIFICATIONS": "Autism"}),
        ({"CLASSIFICATIONS": ""}, {"CLASSIFICATIONS": ""}),
        ({"GROUPS": "BAND&chess"}, {}),
        ({"GROUPS": "Band"}, {"GROUPS": "Band"}),
        ({"GROUPS": ""}, {"GROUPS": "Default"}),
        ({"STAFF": "b@x.example"}, {"STAFF": "b@x.example"}),
        ({"STAFF": ""}, {"STAFF": ""}),
        ({"SCHOOL_ID": "100", "GROUPS": "Band&Chess"}, {}),
        ({"SCHOOL_ID": "200"}, {"SCHOOL_ID": "200", "GROUPS": "Default", "STAFF": ""}),
        (
            {"SCHOOL_ID": "200", "GROUPS": ""},
            {"SCHOOL_ID": "200", "GROUPS": "Default", "STAFF": ""},
        ),
        (
            {"SCHOOL_ID": "200", "GROUPS": "Band&Chess", "STAFF": "a@x.example&b@x.example"},
            {"SCHOOL_ID": "200", "GROUPS": "Band&Chess", "STAFF": "a@x.example&b@x.example"},
        ),
        ({"PASSWORD": "secret"}, {}),
        ({"PASSWORD": "another"}, {"PASSWORD": "another"}),
    ],
)
def test_a_row_differs_in_the_columns_with_other_values(
    row: dict[str, str], differing: dict[str, str]
) -> None:
    assert diff(ANN, row, ImportedPasswords(MARK_KEY)) == differing


def test_an_empty_cell_is_the_same_as_the_default_group() -> None:
    assert (
        diff(StudentSnapshot(1, 0, ANN.password, {**KNOWN, "GROUPS": "Default"}), {"GROUPS": ""})
        == {}
    )


def test_neither_the_row_nor_the_student_is_modified() -> None:
    row = {"SCHOOL_ID": "200", "PASSWORD": "another"}
    diff(ANN, row, ImportedPasswords(MARK_KEY))
    assert row == {"SCHOOL_ID": "200", "PASSWORD": "another"}
    assert ANN.values["SCHOOL_ID"] == "100"
