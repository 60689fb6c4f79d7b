"""The reference page of the student file, written from the code that reads it:

python -m rollbook.studentfile.reference.markdown docs/student-file.md
"""

import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from rollbook.studentfile.columns import COLUMNS, Column
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.codes import ProblemCode
from rollbook.studentfile.reference import texts
from rollbook.studentfile.values.choices import CLASSIFICATIONS, RACES

_OPENING = """\
<!-- Written by python -m rollbook.studentfile.reference.markdown; change the code, not this page. -->

# The student file

What a file of students may say, what Rollbook makes of it, and what it answers when something is wrong. A minimal file:

```
STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE
00123,Ana,Brook,05/13/2014,4
00124,Ben,Cole,11/02/2013,5
```
"""
WIDTH = 120


def page() -> str:
    """The whole page as Markdown."""
    parts = [
        _OPENING,
        _list("## The file", texts.FILE_RULES),
        _list(f"## Limits\n\n{texts.LIMITS}", texts.limits(Limits())),
        _columns(),
        _list("## Values", texts.VALUE_RULES),
        _list("### Races", (f"`{code}`: {name}" for name, code in RACES.items())),
        _list("### Classifications", CLASSIFICATIONS),
        _numbered("## Which student a row means", texts.MATCHING),
        *map(_paragraph, texts.AFTER_MATCHING),
        f"## Problems\n\n{_paragraph(texts.PROBLEMS)}",
        *(_kinds(f"### {title}", kinds) for title, kinds in texts.PROBLEM_GROUPS.items()),
    ]
    return "\n".join(parts)


def _columns() -> str:
    head = ("Column", "Also called", "Values", "To add a student", "`<clear>`")
    return "## Columns\n\n" + _table(head, map(_row_of_column, COLUMNS))


def _row_of_column(column: Column) -> tuple[str, ...]:
    aliases = ", ".join(f"`{alias}`" for alias in column.aliases)
    return (
        f"`{column.name}`",
        aliases,
        column.values,
        column.adding,
        "yes" if column.clearable else "",
    )


def _kinds(title: str, kinds: Iterable[ProblemCode]) -> str:
    head = ("Code", "What happened", "Why", "What to do")
    return f"{title}\n\n" + _table(head, map(_row_of_kind, kinds))


def _row_of_kind(kind: ProblemCode) -> tuple[str, ...]:
    status = f" (HTTP {kind.status})" if kind.status != 422 else ""
    return (
        f"`{kind.code}`",
        kind.title + status,
        kind.cause,
        kind.repair[:1].upper() + kind.repair[1:],
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(map(_in_table, line)) + " |\n" for line in lines)


def _in_table(text: str) -> str:
    """Text with angle brackets and bars that Markdown would take for its own, unless they are code already."""
    outside = text.split("`")[::2]
    escaped = [part.replace("<", "&lt;").replace("|", "\\|") for part in outside]
    inside = text.split("`")[1::2]
    return "".join(
        part + (f"`{inside[at]}`" if at < len(inside) else "") for at, part in enumerate(escaped)
    )


def _list(title: str, items: Iterable[str]) -> str:
    return f"{title}\n\n" + "".join(_item("* ", item) for item in items)


def _numbered(title: str, items: Iterable[str]) -> str:
    return f"{title}\n\n" + "".join(
        _item(f"{number}. ", item) for number, item in enumerate(items, 1)
    )


def _item(mark: str, text: str) -> str:
    return (
        textwrap.fill(mark + text, WIDTH, subsequent_indent=" " * len(mark), break_long_words=False)
        + "\n"
    )


def _paragraph(text: str) -> str:
    return textwrap.fill(text, WIDTH) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
