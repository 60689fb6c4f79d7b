"""Mappings for the files of well-known systems, by the names in their public documentation.

Only names that the documentation confirms are here or, for Synergy, those that its reports are
known to have: docs/column-mapping.md says what is left out. A preset is proposed without what a
file's header lacks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rollbook.studentfile.columns import NAMES_IN_OTHER_SYSTEMS
from rollbook.studentfile.mapping.mapping import ColumnSource, Condition, MappingDocument
from rollbook.studentfile.mapping.steps import Otherwise, Step, Translate

_STUDENTS_ONLY = (Condition("role", ("student",)),)
_ONE_ROSTER_STATUS = Translate((("tobedeleted", "inactive"),), Otherwise.KEEP)
_POWERSCHOOL_STATUS = Translate((("0", "active"),), Otherwise.KEEP)
_STEPS: Mapping[str, Step] = {
    "Enroll_Status": _POWERSCHOOL_STATUS,
    "status": _ONE_ROSTER_STATUS,
}


@dataclass(frozen=True)
class Preset:
    """A mapping for the files of one system.

    Attributes:
        title: The system and its file, in words.
        mapping: The mapping; its version is 0.
        needs: File columns without which a file isn't of this kind.
    """

    title: str
    mapping: MappingDocument
    needs: tuple[str, ...]


def _preset(
    name: str,
    title: str,
    columns: Mapping[str, str],
    needs: tuple[str, ...],
    keep: tuple[Condition, ...] = (),
) -> Preset:
    sources = tuple(
        ColumnSource(column, (sent,), tuple(_steps_of(sent))) for sent, column in columns.items()
    )
    return Preset(title, MappingDocument(name, 0, sources, keep), needs)


def _steps_of(name: str) -> Iterator[Step]:
    if name in _STEPS:
        yield _STEPS[name]


PRESETS: tuple[Preset, ...] = (
    _preset(
        "powerschool",
        "PowerSchool, Students table",
        {
            "Student_Number": "STUDENT_ID",
            "First_Name": "FIRST_NAME",
            "Last_Name": "LAST_NAME",
            "DOB": "DOB",
            "Gender": "GENDER",
            "Grade_Level": "GRADE",
            "SchoolID": "SCHOOL_ID",
            "Ethnicity": "RACE",
            "Enroll_Status": "STATUS",
        },
        ("Student_Number",),
    ),
    _preset(
        "infinite-campus",
        "Infinite Campus, ad hoc filter",
        {
            "student.studentNumber": "STUDENT_ID",
            "student.firstName": "FIRST_NAME",
            "student.lastName": "LAST_NAME",
            "student.birthdate": "DOB",
            "student.gender": "GENDER",
            "student.grade": "GRADE",
            "sch.number": "SCHOOL_ID",
            "student.raceEthnicity": "RACE",
        },
        ("student.studentNumber",),
    ),
    _preset(
        "skyward",
        "Skyward SMS, student file",
        {
            "NameID": "STUDENT_ID",
            "FirstName": "FIRST_NAME",
            "LastName": "LAST_NAME",
            "GenderMaleFemale": "GENDER",
            "StudentGrade": "GRADE",
            "LEPStatus": "ELL",
            "NCLBMigrantStatus": "MIGRANT",
        },
        ("NameID",),
    ),
    _preset(
        "synergy",
        "Synergy, columns of its reports",
        {
            "Sis Number": "STUDENT_ID",
            "Birth Date": "DOB",
            "Gender": "GENDER",
            "Grade": "GRADE",
        },
        ("Sis Number",),
    ),
    _preset(
        "aeries-export",
        "Aeries, by the names on its pages",
        {
            "StudentID": "STUDENT_ID",
            "FirstName": "FIRST_NAME",
            "LastName": "LAST_NAME",
            "Birthdate": "DOB",
            "Gender": "GENDER",
            "Grade": "GRADE",
            "SchoolCode": "SCHOOL_ID",
        },
        ("StudentID", "SchoolCode"),
    ),
    _preset(
        "aeries",
        "Aeries, fields of the STU table",
        {
            "STU.ID": "STUDENT_ID",
            "STU.FN": "FIRST_NAME",
            "STU.LN": "LAST_NAME",
            "STU.BD": "DOB",
            "STU.GN": "GENDER",
            "STU.GR": "GRADE",
            "STU.SC": "SCHOOL_ID",
        },
        ("STU.ID",),
    ),
    _preset(
        "clever",
        "Clever, students.csv",
        NAMES_IN_OTHER_SYSTEMS["Clever students.csv"],
        ("Student_id", "School_id"),
    ),
    _preset(
        "oneroster-1-1",
        "OneRoster 1.1, users.csv",
        {
            "sourcedId": "STUDENT_ID",
            "username": "USERNAME",
            "password": "PASSWORD",
            "givenName": "FIRST_NAME",
            "familyName": "LAST_NAME",
            "grades": "GRADE",
            "orgSourcedIds": "SCHOOL_ID",
            "status": "STATUS",
        },
        ("sourcedId", "orgSourcedIds", "role"),
        _STUDENTS_ONLY,
    ),
    _preset(
        "oneroster-1-2",
        "OneRoster 1.2, users.csv",
        {
            "sourcedId": "STUDENT_ID",
            "username": "USERNAME",
            "password": "PASSWORD",
            "givenName": "FIRST_NAME",
            "familyName": "LAST_NAME",
            "grades": "GRADE",
            "primaryOrgSourcedId": "SCHOOL_ID",
            "status": "STATUS",
        },
        ("sourcedId", "primaryOrgSourcedId"),
        _STUDENTS_ONLY,
    ),
    _preset(
        "sds-2-1",
        "School Data Sync v2.1, users.csv",
        {
            "sourcedId": "STUDENT_ID",
            "username": "USERNAME",
            "password": "PASSWORD",
            "givenName": "FIRST_NAME",
            "familyName": "LAST_NAME",
        },
        ("sourcedId", "activeDirectoryMatchId"),
    ),
    _preset(
        "sds-1",
        "School Data Sync v1, student.csv",
        {
            "SIS ID": "STUDENT_ID",
            "School SIS ID": "SCHOOL_ID",
            "Username": "USERNAME",
            "Password": "PASSWORD",
            "First Name": "FIRST_NAME",
            "Last Name": "LAST_NAME",
            "Grade": "GRADE",
            "Status": "STATUS",
            "Birthdate": "DOB",
        },
        ("SIS ID", "School SIS ID"),
    ),
)
"""All presets; of two that fit equally well, the first one is proposed."""
