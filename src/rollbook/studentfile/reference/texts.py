"""The description of the student file, shared by the documentation and the help pages.

Text in backticks is code.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rollbook.studentfile.columns import REQUIRED_TO_ADD
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.codes import ProblemCode, Severity
from rollbook.studentfile.problems.file_codes import FILE_ERRORS, FILE_WARNINGS
from rollbook.studentfile.problems.row_codes import ROW_CODES

FILE_RULES = (
    "Comma-separated text with one student per line. The first line that isn't blank is the "
    "header, which is always required.",
    "Columns can be in any order and can be omitted. Case doesn't matter in column names, and "
    "spaces, hyphens and underscores are the same: `Student Id` is `STUDENT_ID`.",
    "UTF-8, with or without a byte order mark. UTF-16 with a byte order mark is accepted with a "
    "warning. Any other encoding must be set in the district settings (for example cp1252, "
    "latin-1 or mac-roman).",
    "Put a value that contains a comma or a quotation mark in quotation marks, and double the "
    'ones inside it: `"Smith, ""Bob"" Jr."`. If a quotation mark is never closed, the file '
    "isn't accepted.",
    "Lines end in LF, CRLF or CR. Blank lines, and lines that contain only commas, are skipped. "
    "Line numbers in messages are those in a text editor; a header in the first line is line 1.",
    "Several values in one cell are joined by `&`. The cell contains the complete list: values "
    "that it doesn't contain are removed.",
    "A blank cell or a missing column changes nothing. `<clear>` empties a field, in the columns "
    "that allow it (see the table of columns).",
    "Columns that aren't recognized are ignored with a warning. Columns whose names start with "
    "`_` are ignored silently. The file of rejected rows has such columns, so you can correct the "
    "rows and upload it without removing them.",
    "In files that Rollbook writes, values that start with `=` `+` `-` `@` `'`, a tab or a "
    "carriage return have a `'` before them, so that spreadsheets don't run them as formulas. "
    "When a file is read, this `'` is removed again.",
)

VALUE_RULES = (
    "Spaces around a value are removed. Around a `STUDENT_ID` or `SCHOOL_ID` they cause a "
    "warning, because systems that compare IDs exactly would not match them.",
    "IDs are compared exactly as written. `00123` and `123` are two students, and Rollbook never "
    "adds or removes zeros.",
    "Values that a spreadsheet has damaged are rejected, never guessed: `1.23E+05`, `123.0`, "
    '`#N/A`, `="00123"`, a date of birth that became `41772`, a two-digit year, a name that '
    "starts with `=`, `+` or `@`.",
    "A student with only one name has `-`, `.`, `LNU` or `FNU` in the column of the other one; a "
    "new student's `LAST_NAME` can also be blank if `FIRST_NAME` is a single word and there is no "
    "`MIDDLE_INITIAL`. Blank and `.` are stored as `-`. None of them replaces a real name; to "
    "remove one, edit the student in Rollbook.",
    "Placeholders such as `NULL`, `N/A` or `-` are rejected, except in free text; leave the cell "
    "blank instead. Null or None as the first or last name is accepted with a warning, because "
    "some people have that name.",
    "Names are stored in the Unicode form NFC, with single spaces.",
    "Passwords are never shown again: not on pages, in emails or downloads, or in messages about "
    "them.",
)

_REQUIRED = ", ".join(f"`{name}`" for name in REQUIRED_TO_ADD)
MATCHING = (
    "If the row has a `STUDENT_ID` and a student in the district has the same: that student. All "
    "other cells are new values, so you can correct names, date of birth and username, but not "
    "two of them at once; see below.",
    "Otherwise, if a student has the same `FIRST_NAME`, `LAST_NAME` and `DOB` (case and the kind "
    "of apostrophe don't matter): that student. A `STUDENT_ID` in the row is stored if the student "
    "has none. If several students could be meant, the `USERNAME` decides; otherwise the row is "
    "rejected (`ambiguous_student`).",
    "Otherwise, if a student has the same `USERNAME` and nothing in the row contradicts it: that "
    "student.",
    "Otherwise no student matches. If the update only changes existing students (`mode=update`), "
    "the row is rejected (`unknown_student`). If it also adds new students (`mode=add`), a student "
    f"is added; the row needs all required values: {_REQUIRED}.",
)

AFTER_MATCHING = (
    "An ID or username can be reused, and a column can be sorted alone. So if, of first name, last "
    "name and `DOB`, **two or more** differ from the student's, the row is rejected "
    "(`identity_mismatch`). A suffix, hyphen, accent or apostrophe makes no difference, nor does a "
    "second first or last name that is added or left out (García, García López). In one of the "
    "names, a nickname or a typing mistake makes no difference either. So a marriage, an adoption "
    "or a corrected date of birth is applied. If two of the three have really changed, correct one "
    "of them in Rollbook (*Edit* on the student's page); then the next file is applied. If the "
    "names are exchanged, the row is rejected (`names_exchanged`), and if that is so in most rows "
    "whose students exist, the file isn't accepted (`names_swapped`).",
    "Two students may share a name and a date of birth. When a student is added with the name and "
    "date of birth of another, or nearly the same (without accents, apostrophes, hyphens and "
    "spaces, names in either order, digits of the date in another order), the row gets a warning "
    "that names the other student (`possible_duplicate`). A new student whose `STUDENT_ID` is "
    "another's except for zeros or case isn't added (`similar_student_id`).",
    "A file therefore needs the column `STUDENT_ID`; or `FIRST_NAME`, `LAST_NAME` and `DOB`; or "
    "`USERNAME`.",
    "A new `SCHOOL_ID` transfers the student. Links to staff members and groups at the old school "
    "are removed; profile, username, password and student ID don't change.",
)

PROBLEMS = (
    "Every problem has a code, whose meaning never changes. If a file isn't accepted, nothing is "
    "applied. If a row is rejected, the other rows are still processed. With a warning, the row "
    "is processed too."
)

_ROW_ERRORS = tuple(code for code in ROW_CODES if code.severity is Severity.ERROR)
_ROW_WARNINGS = tuple(code for code in ROW_CODES if code.severity is Severity.WARNING)
PROBLEM_GROUPS: Mapping[str, tuple[ProblemCode, ...]] = MappingProxyType(
    {
        "Files that aren't accepted": FILE_ERRORS,
        "Rejected rows": _ROW_ERRORS,
        "Warnings about files": FILE_WARNINGS,
        "Warnings about rows": _ROW_WARNINGS,
    }
)
"""All problem codes, by the title of their section."""

LIMITS = (
    "Your Rollbook administrator can change the limits for rows and bytes; the others are fixed."
)


def limits(limits: Limits) -> tuple[str, ...]:
    """Return the limits as text."""
    return (
        f"{limits.rows:,} rows",
        f"{limits.bytes:,} bytes per file",
        f"{limits.columns} columns",
        f"{limits.row_bytes:,} bytes per row in UTF-8",
        f"{limits.cell_characters} characters per cell",
    )
