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
    "that it doesn't contain are removed. Write `&&` for an `&` inside a value: "
    "`Arts && Crafts&Band` is the two groups Arts & Crafts and Band. If the cell contains no `&`, "
    "values can also be separated by `;` or `|`, and emails by commas; write `a;b&` for one value "
    "that contains such a character.",
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
    "Spaces, tabs, no-break spaces and line breaks around a value are removed. Around a "
    "`STUDENT_ID` or `SCHOOL_ID` they cause a warning, because systems that compare IDs "
    "exactly would not match them.",
    "IDs are compared exactly as written. `00123` and `123` are two students, and Rollbook never "
    "adds or removes zeros.",
    "A bad value in an optional column leaves the field unchanged, with a warning (`value_kept`); "
    "the rest of the row is applied. Optional columns are those that allow `<clear>`, and "
    "`STATUS`. A bad value in any other column rejects the row.",
    "Damaged text never replaces what is stored: letters that were lost (`Pe?a`), UTF-8 that was "
    "read as another encoding (`JosÃ©`, `Jos√©`, `Jos├⌐`), and codes that were left in "
    "(`O&#039;Dell`, `O%27Dell`, `O\\'Dell`).",
    "Values that a spreadsheet has damaged are rejected, never guessed: `1.23E+05`, `123.0`, "
    '`#N/A`, `="00123"`, a date of birth that became `41772`, a two-digit year, a name that '
    "starts with `=`, `+` or `@`.",
    "Placeholders such as `NULL`, `(blank)`, `N/A`, `-` or `\\N` count as blank in optional "
    "columns, and are rejected in all others; better leave the cell blank. Null or None as the "
    "first or last name is accepted with a warning, because some people have that name.",
    "Names are stored in the Unicode form NFC, with single spaces. In free text, line breaks and "
    "tabs become spaces.",
    "If an `&` in `GROUPS` would create groups, a warning names them. If no school of the district "
    "has any of them, an enrolled student keeps the current groups, because the `&` could be part "
    "of a name.",
    "Passwords that an export hides (`****`, `••••`, `[hidden]`, a hash) are rejected; leave out "
    "the column.",
    "Passwords are never shown again: not on pages, in emails or downloads, or in messages about "
    "them.",
)

GRADE_SPELLINGS = (
    "`pk`: prek, pre-k, PK3, PK4, PR, preschool, pre-kindergarten, EC, EE, early childhood",
    "`k`: KG, KF, KH, TK, 0, 00, kindergarten, transitional kindergarten (the first year of a "
    "two-year kindergarten)",
    "`1` to `12`: 01, 1.0, 1st, first, Grade 1, Gr. 1, 1st grade, first grade; freshman, "
    "sophomore, junior and senior for 9 to 12",
    "`adult`: AE, adult education",
    "Any other code, such as -1, T1, UG or 13, has no meaning that all districts share. It's "
    "rejected, unless the district settings say which grade it means.",
)
RACE_SPELLINGS = (
    "Also accepted, in any case: the names of the federal categories and of OneRoster, such as "
    "Hispanic or Latino, African American or nativeHawaiianOrOtherPacificIslander, and the letters "
    "A, B, H, I, P and W. The column contains one race: two or more races can't be stored, and "
    "leave it unchanged."
)

_REQUIRED = ", ".join(f"`{name}`" for name in REQUIRED_TO_ADD)
MATCHING = (
    "If the row has a `STUDENT_ID` and a student in the district has the same: that student. All "
    "other cells are new values, so you can correct names, date of birth and username.",
    "Otherwise, if a student has the same `FIRST_NAME`, `LAST_NAME` and `DOB` (case doesn't "
    "matter): that student. A `STUDENT_ID` in the row is stored if the student has none; if the "
    "student has another, the row is rejected.",
    "Otherwise, if a student has the same `USERNAME` and nothing in the row contradicts it: that "
    "student.",
    "Otherwise no student matches. If the update only changes existing students (`mode=update`), "
    "the row is rejected (`unknown_student`). If it also adds new students (`mode=add`), a student "
    f"is added; the row needs all required values: {_REQUIRED}.",
)

AFTER_MATCHING = (
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
