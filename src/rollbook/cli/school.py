"""``rollbook school``: a district's schools, out of a small CSV file that is right as a whole or not loaded."""

import csv
import io
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from rollbook.cli.failures import DONE, NOT_DONE, Failure
from rollbook.cli.finding import district_named
from rollbook.cli.record import record
from rollbook.format.columns import BY_NAME, fold_header
from rollbook.format.problems import KINDS, visible
from rollbook.format.screening import Fault, Noted
from rollbook.roster.models import DEFAULT_GROUP, District, Group, School

LONGEST_NAME = 200
_COLUMNS = ("SCHOOL_ID", "NAME")


@dataclass
class _Schools:
    """What the file says: organization ID to name; and all that is wrong with it, by line."""

    names: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


def load(arguments: Namespace) -> int:
    """Add and rename schools."""
    district = district_named(arguments.district)
    schools = _read(arguments.file)
    if schools.problems:
        for line, what in sorted(schools.problems):
            print(f"{arguments.file}, line {line:,}: {what}")
        count = len(schools.problems)
        print(f"\nNothing was loaded: {count:,} {'problem' if count == 1 else 'problems'}.")
        return NOT_DONE
    with transaction.atomic():
        print(_loaded(district, schools.names))
    return DONE


def _loaded(district: District, names: dict[str, str]) -> str:
    there = {school.organization_id: school for school in School.objects.filter(district=district)}
    added = [
        School(district=district, organization_id=key, name=name) for key, name in names.items() if key not in there
    ]
    renamed = [there[key] for key, name in names.items() if key in there and there[key].name != name]
    for school in renamed:
        school.name = names[school.organization_id]
    School.objects.bulk_create(added)
    School.objects.bulk_update(renamed, ["name"], batch_size=500)
    every = School.objects.filter(district=district)
    Group.objects.bulk_create(
        (Group(school=school, name=DEFAULT_GROUP, name_key=DEFAULT_GROUP.casefold()) for school in every),
        ignore_conflicts=True,
    )
    unchanged = len(names) - len(added) - len(renamed)
    counts = f"{len(added):,} added, {len(renamed):,} renamed, {unchanged:,} unchanged"
    record("school load", district, counts)
    return f"{district.name}: {counts}; {len(every):,} schools in all."


def _read(path: Path) -> _Schools:
    rows = _rows(path)
    line, header = next(rows, (1, []))
    places = _places(header, path, line)
    schools = _Schools()
    for line, cells in rows:
        if len(cells) != len(header):
            schools.problems.append((line, f"it does not have {len(header)} cells but {len(cells)}; put a text "
                                           "with a comma into quotes"))  # fmt: skip
            continue
        _take(schools, line, *(cells[place].strip() for place in places))
    if not schools.names and not schools.problems:
        raise Failure("no_schools", f"{path} has no school below its header; add a line for each")
    return schools


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not blank: where it begins, and its cells."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Failure("not_utf8", f"{path}, line {line:,} is not UTF-8; save the file as CSV UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Failure("not_csv", f"{path}, line {line:,} is not CSV ({error}); mend its quotes") from None


def _places(header: list[str], path: Path, line: int) -> list[int]:
    folded = [fold_header(name) for name in header]
    if sorted(folded) != sorted(_COLUMNS):
        found = visible(",".join(header)) or "nothing"
        raise Failure("wrong_header", f"{path}, line {line:,} must be SCHOOL_ID,NAME and is {found}; correct it")
    return [folded.index(name) for name in _COLUMNS]


def _take(schools: _Schools, line: int, key: str, name: str) -> None:
    problems = [*_problems_of_key(key, schools.lines), *_problems_of_name(name)]
    schools.problems += [(line, problem) for problem in problems]
    schools.lines.setdefault(key, line)
    if not problems:
        schools.names[key] = " ".join(name.split())


def _problems_of_key(key: str, lines: dict[str, int]) -> Iterator[str]:
    if not key:
        yield "there is no SCHOOL_ID; write the school's organization ID"
        return
    answer = BY_NAME["SCHOOL_ID"].rule(key)
    if isinstance(answer, Fault):
        kind = KINDS[answer.code]
        yield f"SCHOOL_ID '{visible(key)}': {kind.title}; {answer.hint or kind.repair}"
    elif (answer.value if isinstance(answer, Noted) else answer) != key:
        yield f"SCHOOL_ID '{visible(key)}' must be written {answer}; correct it"
    if key in lines:
        yield f"SCHOOL_ID {visible(key)} stands in line {lines[key]:,} already; keep one of them"


def _problems_of_name(name: str) -> Iterator[str]:
    if not name:
        yield "there is no NAME; write the school's name"
    elif len(name) > LONGEST_NAME or not name.isprintable():
        yield f"the NAME is longer than {LONGEST_NAME} characters or not on one line; shorten it"
