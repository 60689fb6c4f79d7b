"""What the student file may say in words, once for the documentation and once for the pages; `code` is in backticks."""

from collections.abc import Mapping
from types import MappingProxyType

from rollbook.studentfile.columns import REQUIRED_TO_ADD
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.codes import ProblemCode, Severity
from rollbook.studentfile.problems.file_codes import REFUSALS, WARNINGS
from rollbook.studentfile.problems.row_codes import ROW_CODES

FILE_RULES = (
    "Comma-separated text, one student a line. The first line that is not blank is the header; it is always needed.",
    "Columns may stand in any order, and columns may be left out. Names are read without regard to capitals, and "
    "blanks, hyphens and underscores are the same: `Student Id` is `STUDENT_ID`.",
    "UTF-8, with or without a byte order mark. UTF-16 with a byte order mark is read with a warning. Every other "
    "encoding is refused unless the district's settings name it (cp1252, latin-1, mac-roman and the like).",
    'A value that contains a comma or a quote stands in quotes, and quotes inside it are doubled: `"Smith, '
    '""Bob"" Jr."`. A quote that is never closed refuses the file.',
    "Lines end in LF, CRLF or CR. Blank lines, and lines of nothing but commas, are skipped. Line numbers in "
    "messages are those of the file, as a text editor shows them; a header in the first line is line 1.",
    "Several values in one cell are joined by `&`. Such a cell is the whole list: what it does not name goes.",
    "A blank cell changes nothing, and neither does a column that is not there. `<clear>` empties a field, where "
    "the table of the columns says so.",
    "Columns that are not known are ignored with a warning. Names that begin with `_` are ignored silently; the "
    "file of rejected rows has such columns, so it can be repaired and sent as it is.",
    "In files that Rollbook writes, a `'` stands before values that begin with `=` `+` `-` `@` `'`, a tab or a "
    "carriage return, so that no spreadsheet runs them. When a file is read, that `'` is taken off again.",
)

VALUE_RULES = (
    "Blanks around a value are removed. Around a `STUDENT_ID` or `SCHOOL_ID` that is worth a warning, because two "
    "systems that compare IDs exactly would not agree.",
    "IDs are compared exactly as written. `00123` and `123` are two students, and Rollbook never adds or drops zeros.",
    'What a spreadsheet has damaged is a problem and never a guess: `1.23E+05`, `123.0`, `#N/A`, `="00123"`, a '
    "birth date that became `41772`, a year of two digits, a name that begins with `=`, `+` or `@`.",
    "Placeholders such as `NULL`, `N/A` or `-` are problems, except in free text; leave the cell blank instead. "
    "Null and None as one of the two names are accepted with a warning, because there are people of that name.",
    "Names are kept in the Unicode form NFC, runs of blanks as one blank.",
    "Passwords are never shown again: not on pages, not in mails, not in downloads, not in messages about them.",
)

_NEEDED = ", ".join(f"`{name}`" for name in REQUIRED_TO_ADD)
MATCHING = (
    "`STUDENT_ID` given and known: that student. Every other cell is a new value, so names, birth date and "
    "username can be corrected.",
    "Else `FIRST_NAME`, `LAST_NAME` and `DOB` given and known (capitals do not matter): that student. A given "
    "`STUDENT_ID` is written if the student had none, and is a problem if the student has another.",
    "Else `USERNAME` known, and nothing in the row contradicts it: that student.",
    "Else, with `mode=update`, the row is rejected (`unknown_student`); with `mode=add` it is a new student, if "
    f"the cells are there that a new student needs: {_NEEDED}.",
)

AFTER_MATCHING = (
    "A file therefore needs the column `STUDENT_ID`, or `FIRST_NAME`, `LAST_NAME` and `DOB`, or `USERNAME`.",
    "A new `SCHOOL_ID` transfers the student: links to staff and groups at the old school go; profile, username, "
    "password and student ID stay.",
)

PROBLEMS = (
    "Every problem has a code, which never changes its meaning. A file can be refused, and then nothing of it is "
    "applied; a row can be rejected, and then the other rows go on; a warning applies the row and says so."
)

PROBLEM_GROUPS: Mapping[str, tuple[ProblemCode, ...]] = MappingProxyType(
    {
        "The file is refused": tuple(REFUSALS),
        "The row is rejected": tuple(kind for kind in ROW_CODES if kind.severity is Severity.ERROR),
        "Warnings about the file": tuple(WARNINGS),
        "Warnings about a row": tuple(
            kind for kind in ROW_CODES if kind.severity is Severity.WARNING
        ),
    }
)
"""Every kind of problem, under what it means for file or row."""

LIMITS = "An operator can set other numbers of rows and bytes a file; the others are fixed."


def limits(limits: Limits) -> tuple[str, ...]:
    """The limits in words."""
    return (
        f"{limits.rows:,} rows",
        f"{limits.bytes:,} bytes a file",
        f"{limits.columns} columns",
        f"{limits.row_bytes:,} bytes a row in UTF-8",
        f"{limits.cell_characters} characters a cell",
    )
