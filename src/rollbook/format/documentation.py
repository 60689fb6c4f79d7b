"""The reference page of the student file, written from the code that reads it:

python -m rollbook.format.documentation docs/student-file.md
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from rollbook.format.choices import CLASSIFICATIONS, RACES
from rollbook.format.columns import COLUMNS, REQUIRED_TO_ADD, Column
from rollbook.format.file_problems import REFUSALS, WARNINGS
from rollbook.format.kinds import Kind, Severity
from rollbook.format.limits import Limits
from rollbook.format.row_problems import ROW_KINDS

_OPENING = """\
<!-- Written by python -m rollbook.format.documentation; change the code, not this page. -->

# The student file

What a file of students may say, what Rollbook makes of it, and what it answers when something is wrong. A minimal file:

```
STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE
00123,Ana,Brook,05/13/2014,4
00124,Ben,Cole,11/02/2013,5
```

## The file

* Comma-separated text, one student a line. The first line that is not blank is the header; it is always needed.
* Columns may stand in any order, and columns may be left out. Names are read without regard to capitals, and blanks,
  hyphens and underscores are the same: `Student Id` is `STUDENT_ID`.
* UTF-8, with or without a byte order mark. UTF-16 with a byte order mark is read with a warning. Every other encoding
  is refused unless the district's settings name it (cp1252, latin-1, mac-roman and the like).
* A value that contains a comma or a quote stands in quotes, and quotes inside it are doubled: `"Smith, ""Bob"" Jr."`.
  A quote that is never closed refuses the file.
* Lines end in LF, CRLF or CR. Blank lines, and lines of nothing but commas, are skipped. Line numbers in messages are
  those of the file, as a text editor shows them; a header in the first line is line 1.
* Several values in one cell are joined by `&`. Such a cell is the whole list: what it does not name goes.
* **A blank cell changes nothing**, and neither does a column that is not there. `<clear>` empties a field, where the
  table below says so.
* Columns that are not known are ignored with a warning. Names that begin with `_` are ignored silently; the file of
  rejected rows has such columns, so it can be repaired and sent as it is.
* In files that Rollbook writes, a `'` stands before values that begin with `=` `+` `-` `@` `'`, a tab or a carriage
  return, so that no spreadsheet runs them. When a file is read, that `'` is taken off again.
"""

_VALUES = """\
## Values

* Blanks around a value are removed. Around a `STUDENT_ID` or `SCHOOL_ID` that is worth a warning, because two systems
  that compare IDs exactly would not agree.
* IDs are compared exactly as written. `00123` and `123` are two students, and Rollbook never adds or drops zeros.
* What a spreadsheet has damaged is a problem and never a guess: `1.23E+05`, `123.0`, `#N/A`, `="00123"`, a birth date
  that became `41772`, a year of two digits, a name that begins with `=`, `+` or `@`.
* Placeholders such as `NULL`, `N/A` or `-` are problems, except in free text; leave the cell blank instead. Null and
  None as one of the two names are accepted with a warning, because there are people of that name.
* Names are kept in the Unicode form NFC, runs of blanks as one blank.
* Passwords are never shown again: not on pages, not in mails, not in downloads, not in messages about them.
"""

_MATCHING = """\
## Which student a row means

1. `STUDENT_ID` given and known: that student. Every other cell is a new value, so names, birth date and username can
   be corrected.
2. Else `FIRST_NAME`, `LAST_NAME` and `DOB` given and known (capitals do not matter): that student. A given `STUDENT_ID`
   is written if the student had none, and is a problem if the student has another.
3. Else `USERNAME` known, and nothing in the row contradicts it: that student.
4. Else, with `mode=update`, the row is rejected (`unknown_student`); with `mode=add` or `mode=sync` it is a new
   student, if the cells are there that a new student needs: {required}.

A file therefore needs the column `STUDENT_ID`, or `FIRST_NAME`, `LAST_NAME` and `DOB`, or `USERNAME`.

A new `SCHOOL_ID` transfers the student: links to staff and groups at the old school go; profile, username, password and
student ID stay.
"""

_PROBLEMS = """\
## Problems

Every problem has a code, which never changes its meaning. A file can be refused, and then nothing of it is applied; a
row can be rejected, and then the other rows go on; a warning applies the row and says so.
"""


def page() -> str:
    """The whole page as Markdown."""
    required = ", ".join(f"`{name}`" for name in REQUIRED_TO_ADD)
    rejections = [kind for kind in ROW_KINDS if kind.severity is Severity.ERROR]
    remarks = [kind for kind in ROW_KINDS if kind.severity is Severity.WARNING]
    parts = [
        _OPENING,
        _limits(Limits()),
        _columns(),
        _VALUES,
        _list("### Races", (f"`{code}`: {name}" for name, code in RACES.items())),
        _list("### Classifications", CLASSIFICATIONS),
        _MATCHING.replace("{required}", required),
        _PROBLEMS,
        _kinds("### The file is refused", REFUSALS),
        _kinds("### The row is rejected", rejections),
        _kinds("### Warnings about the file", WARNINGS),
        _kinds("### Warnings about a row", remarks),
    ]
    return "\n".join(parts)


def _limits(limits: Limits) -> str:
    return _list(
        "## Limits\n\nAn operator can set other numbers of rows and bytes a file; the others are fixed.",
        (
            f"{limits.rows:,} rows",
            f"{limits.bytes:,} bytes a file",
            f"{limits.columns} columns",
            f"{limits.row_bytes:,} bytes a row in UTF-8",
            f"{limits.cell_characters} characters a cell",
        ),
    )


def _columns() -> str:
    head = ("Column", "Also called", "Values", "To add a student", "`<clear>`")
    return "## Columns\n\n" + _table(head, map(_row_of_column, COLUMNS))


def _row_of_column(column: Column) -> tuple[str, ...]:
    aliases = ", ".join(f"`{alias}`" for alias in column.aliases)
    return f"`{column.name}`", aliases, column.values, column.adding, "yes" if column.clearable else ""


def _kinds(title: str, kinds: Iterable[Kind]) -> str:
    head = ("Code", "What happened", "Why", "What to do")
    return f"{title}\n\n" + _table(head, map(_row_of_kind, kinds))


def _row_of_kind(kind: Kind) -> tuple[str, ...]:
    status = f" (HTTP {kind.status})" if kind.status != 422 else ""
    return f"`{kind.code}`", kind.title + status, kind.cause, kind.repair[:1].upper() + kind.repair[1:]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(map(_in_table, line)) + " |\n" for line in lines)


def _in_table(text: str) -> str:
    """Text with angle brackets and bars that Markdown would take for its own, unless they are code already."""
    outside = text.split("`")[::2]
    escaped = [part.replace("<", "&lt;").replace("|", "\\|") for part in outside]
    inside = text.split("`")[1::2]
    return "".join(part + (f"`{inside[at]}`" if at < len(inside) else "") for at, part in enumerate(escaped))


def _list(title: str, items: Iterable[str]) -> str:
    return f"{title}\n\n" + "".join(f"* {item}\n" for item in items)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
