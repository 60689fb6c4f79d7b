"""The description of the student file, shared by the documentation and the help pages.

Text in backticks is code.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rollbook.studentfile.columns import COLUMNS_NAMED_WITH_STUDENT, REQUIRED_TO_ADD
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.codes import ProblemCode, Severity
from rollbook.studentfile.problems.feed_warnings import FEED_WARNINGS
from rollbook.studentfile.problems.file_codes import FILE_ERRORS
from rollbook.studentfile.problems.file_warnings import FILE_WARNINGS
from rollbook.studentfile.problems.row_codes import ROW_CODES
from rollbook.studentfile.reading.conversion.sheet_facts import MAX_CELLS

FILE_RULES = (
    "Comma-separated text with one student per line. The first line that isn't blank is the "
    "header, which is always required. Up to 10 titles or comments above it (`#TYPE …`) are "
    "skipped with a warning, if the next line plainly names columns.",
    "Semicolons, tabs or vertical bars instead of commas are recognized by the header, or by a "
    "first line such as `sep=;`, with a warning.",
    "Workbooks (`.xlsx` and `.ods`) are read too: the first visible sheet that contains anything, "
    "with a warning if others do too. Cells are read as shown, dates as dates, and a line break "
    "inside a cell as a line break. A formula without a result, which some programs write, is "
    "read as the error `#CALC!`. Hidden rows and columns are read, with a warning. Line numbers "
    "are those of the sheet. Old `.xls` workbooks and workbooks with a password aren't accepted.",
    "Columns can be in any order and can be omitted. Case, spaces and punctuation in column names "
    "don't matter: `Student Id`, `StudentID`, `student.id` and `[STUDENT_ID]` are all "
    "`STUDENT_ID`.",
    "The names that other systems use are aliases if they have one meaning in all of them. "
    "If a file has a column under its own name and under an alias, its own name is used and the "
    "alias is ignored with a warning. If it has two aliases of one column, they must have the same "
    "values.",
    "UTF-8, with or without a byte order mark. UTF-16 with a byte order mark is accepted with a "
    "warning. Any other encoding must be set in the district settings (for example cp1252, "
    "latin-1 or mac-roman). A valid UTF-8 file with accented characters is read as UTF-8 "
    "regardless of the setting, with a warning.",
    "A row with a NUL byte, or with bytes that aren't UTF-8, is rejected by itself. The file isn't "
    "accepted if more than 10 rows and more than 1% of the rows aren't UTF-8, or if more rows have "
    "invalid bytes than valid accented letters: then the file has another encoding.",
    "Put a value that contains a comma or a quotation mark in quotation marks, and double the "
    'ones inside it: `"Smith, ""Bob"" Jr."`. A value in quotation marks can have several lines. A '
    "row with a stray quotation mark is rejected by itself. If a quotation mark isn't closed, so "
    "that we can't tell where its row ends, the file isn't accepted.",
    "Lines end in LF, CRLF or CR. Blank lines, and lines that contain only commas or dashes, are "
    "skipped, and so are surplus commas at the end of rows. Below the last student, totals, row "
    "counts and end marks are skipped with a warning, such as `Total: 512`, `(6 rows affected)` "
    "or `-- end of report --`. A final Ctrl-Z is ignored. "
    "Line numbers in messages are those in a text editor; a header in the first line is line 1.",
    "Several values in one cell are joined by `&`. The cell contains the complete list: values "
    "that it doesn't contain are removed. Write `&&` for an `&` inside a value: "
    "`Arts && Crafts&Band` is the two groups Arts & Crafts and Band. If the cell contains no `&`, "
    "values can also be separated by `;` or `|`, and emails by commas; write `a;b&` for one value "
    "that contains such a character.",
    "A blank cell or a missing column changes nothing. `<clear>` empties a field, in the columns "
    "that allow it (see the table of columns).",
    "Columns that aren't recognized are ignored with a warning, and so are columns without a "
    "name. But if the name is misspelled, such as `GRDAE`, or can mean one of our columns, such "
    "as `Local ID`, and no other column has its values, the file isn't accepted: rename the "
    "column.",
    "Columns whose names start with `_` are ignored silently. The file of rejected rows has such "
    "columns, so you can correct the rows and upload it without removing them.",
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
    "A student with only one name has `-`, `.`, `LNU` or `FNU` in the column of the other one; a "
    "new student's `LAST_NAME` can also be blank if `FIRST_NAME` is a single word and there is no "
    "`MIDDLE_INITIAL`. Blank and `.` are stored as `-`. None of them replaces a real name; to "
    "remove one, edit the student in Rollbook.",
    "Placeholders such as `NULL`, `(blank)`, `N/A`, `-` or `\\N` count as blank in optional "
    "columns, and are rejected in all others; better leave the cell blank. Null or None as the "
    "first or last name is accepted with a warning, because some people have that name.",
    "In a date such as `05/06/2013`, `05-06-2013` or `05.06.2013`, the month comes first, unless "
    "the district settings say that the day does. If a date in the file proves the other order, "
    "and none proves the expected one, the file isn't accepted. If the file has both, dates that "
    "could mean two days are rejected.",
    "Dates that can be read only one way are accepted in any file: `2014-05-14`, `2014/5/14`, "
    "`20140514`, `14-May-2014`, `May 14, 2014`. Midnight after a date is ignored with a warning: "
    "`2014-05-14T00:00:00Z`, `5/14/2014 12:00:00 AM`. A date with any other time is rejected.",
    "Dates that databases write if there is no date are rejected: `1900-01-01`, `1899-12-30`, "
    "`0001-01-01`, `9999-12-31` and the like; `1970-01-01` if most rows have it. A date of birth "
    "that means an age outside 2 to 25 never replaces one that means an age inside.",
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

_NAMED_WITH_STUDENT = ", ".join(f"`{name}`" for name in COLUMNS_NAMED_WITH_STUDENT)
OTHER_SYSTEMS = (
    "These names are recognized in the files of other systems. `Student` or `Stu` can come before "
    f"the names of the columns {_NAMED_WITH_STUDENT}: `Stu First Name` is `FIRST_NAME`."
)
KEYS_OF_OTHER_SYSTEMS = (
    "`SIS ID` and `sourcedId` are `STUDENT_ID` only in a file that has the other columns of School "
    "Data Sync or OneRoster. Other names of IDs, such as `ID`, `Student Number`, `State ID` or "
    "`Perm ID`, can mean several IDs of a student: rename the column with the ID that Rollbook "
    "should use to `STUDENT_ID`."
)
GRADE_SPELLINGS = (
    "`pk`: prek, pre-k, PK3, PK4, PR, preschool, pre-kindergarten, EC, EE, early childhood",
    "`k`: KG, KF, KH, TK, 0, 00, kindergarten, transitional kindergarten (the first year of a "
    "two-year kindergarten)",
    "`t1`: transitional first grade, transitional 1st",
    "`1` to `13`: 01, 1.0, 1st, first, Grade 1, Gr. 1, 1st grade, first grade; freshman, "
    "sophomore, junior and senior for 9 to 12",
    "`ug`: ungraded",
    "`adult`: AE, adult education",
    "Any other code, such as -1 or 14, has no meaning that all districts share. It's rejected, "
    "unless the district settings say which grade it means. They can also give T1, 13 and UG "
    "another meaning, which then applies to all their spellings.",
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
    "other cells are new values, so you can correct names, date of birth and username, but not "
    "two of them at once; see below.",
    "Otherwise, if a student has the same `FIRST_NAME`, `LAST_NAME` and `DOB` (case and the kind "
    "of apostrophe don't matter): that student. A `STUDENT_ID` in the row is stored if the student "
    "has none. If several students could be meant, the `USERNAME` decides; otherwise the row is "
    "rejected (`ambiguous_student`).",
    "Otherwise, if a student has the same `USERNAME` and nothing in the row contradicts it: that "
    "student.",
    "Otherwise no student matches. If the update only changes existing students (`mode=update`), "
    "the row is rejected (`unknown_student`). If it also adds new students (`mode=add` or "
    f"`mode=sync`), a student is added; the row needs all required values: {_REQUIRED}.",
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
    "A file that would deactivate more than half of the active students, and at least five, is "
    "always held for a person to review, and so is one that exceeds another limit of the district.",
    "A file therefore needs the column `STUDENT_ID`; or `FIRST_NAME`, `LAST_NAME` and `DOB`; or "
    "`USERNAME`.",
    "A new `SCHOOL_ID` transfers the student. Links to staff members and groups at the old school "
    "are removed; profile, username, password and student ID don't change. A file links a student "
    "only with staff who work at the student's school or for the whole district.",
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
        "Warnings about files": (*FILE_WARNINGS, *FEED_WARNINGS),
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
        f"{MAX_CELLS:,} cells in the sheet of a workbook",
    )
