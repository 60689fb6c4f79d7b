"""Nights of a made-up district: ordinary ones, unusual but harmless ones, and harmed files.

Everything is made of ``bench/students.py`` and is the same for the same seed.
"""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench import students

Row = list[str]
COLUMNS = students.COLUMNS
AT = {name: index for index, name in enumerate(COLUMNS)}

_GRADES = ("pk", "k", *(str(grade) for grade in range(1, 13)))
_ORDINARY = ("GRADE", "LAST_NAME", "ELL", "SPECIAL_ED", "ADDITIONAL_INFO_1", "SCHOOL_ID")
_WITHOUT_PASSWORD = [name for name in COLUMNS if name != "PASSWORD"]


def text_of(
    rows: Sequence[Row], columns: Sequence[str] = _WITHOUT_PASSWORD, *, is_quoted: bool = False
) -> bytes:
    """Return a student file with these columns, without passwords unless they are named."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if is_quoted:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([row[AT[name]] if name in AT else "" for name in columns])
    return file.getvalue().encode()


@dataclass
class District:
    """The students of a district as its student information system has them.

    Attributes:
        rows: The present rows of its export.
        chance: What decides about everything.
        schools: Its SCHOOL_IDs.
        nights: The files that it has sent.
    """

    rows: list[Row]
    chance: random.Random
    schools: list[str]
    waiting: list[Row]
    nights: list[bytes] = field(default_factory=list)

    @classmethod
    def make(cls, size: int, seed: int) -> "District":
        """Return a district with so many students; a tenth more are born already."""
        made = list(students.students(size + size // 2, seed))
        chance = random.Random(f"nights {seed}")
        chance.shuffle(made)
        rows = sorted(made[:size])
        return cls(rows, chance, students.schools(size), made[size:])

    def ordinary(self, changes: int = 0) -> bytes:
        """Change a few cells, one in a hundred rows; some students leave, and some join."""
        for row in self.chance.sample(self.rows, changes or max(1, len(self.rows) // 100)):
            self._change(row, self.chance.choice(_ORDINARY))
        leavers = self.chance.randrange(3)
        for row in self.chance.sample(self.rows, leavers):
            self.rows.remove(row)
        self._join(self.chance.randrange(3))
        return self._export()

    def unchanged(self) -> bytes:
        """Send the same students once more."""
        return self._export()

    def sorted_by_name(self) -> bytes:
        """Send the rows in another order."""
        rows = sorted(self.rows, key=lambda row: (row[AT["LAST_NAME"]], row))
        return text_of(rows)

    def sorted_by_school(self) -> bytes:
        """Send the rows by school and grade."""
        return text_of(sorted(self.rows, key=lambda row: (row[AT["SCHOOL_ID"]], row[AT["GRADE"]])))

    def with_new_column(self) -> bytes:
        """Send a column that isn't recognized."""
        return text_of(self.rows, [*_WITHOUT_PASSWORD, "LUNCH"])

    def with_columns_in_another_order(self) -> bytes:
        """Send the columns in another order."""
        return text_of(self.rows, self.chance.sample(_WITHOUT_PASSWORD, len(_WITHOUT_PASSWORD)))

    def without_a_column(self) -> bytes:
        """Leave a column out."""
        return text_of(self.rows, [name for name in _WITHOUT_PASSWORD if name != "RACE"])

    def quoted(self) -> bytes:
        """Send all cells in quotes, with other line ends."""
        return text_of(self.rows, is_quoted=True)

    def one_school(self) -> bytes:
        """Send the students of one school only, as a person does who corrects something."""
        school = self.rows[0][AT["SCHOOL_ID"]]
        return text_of([row for row in self.rows if row[AT["SCHOOL_ID"]] == school])

    def few_rows(self) -> bytes:
        """Send the rows of a few students."""
        return text_of(self.chance.sample(self.rows, min(8, len(self.rows))))

    def rollover(self) -> bytes:
        """Promote everyone; the oldest leave, and a new grade joins."""
        kept = []
        for row in self.rows:
            grade = row[AT["GRADE"]]
            if grade in _GRADES and grade != _GRADES[-1]:
                row[AT["GRADE"]] = _GRADES[_GRADES.index(grade) + 1]
                kept.append(row)
        left = len(self.rows) - len(kept)
        self.rows = kept
        self._join(left)
        return self._export()

    def new_usernames(self) -> bytes:
        """Give a tenth of the students another email address of their parents."""
        for row in self.chance.sample(self.rows, len(self.rows) // 10):
            row[AT["PARENT_EMAIL_1"]] = f"parent{self.chance.randrange(10**6)}@home.example"
        return self._export()

    def _export(self) -> bytes:
        return text_of(self.rows)

    def _join(self, count: int) -> None:
        joining, self.waiting = self.waiting[:count], self.waiting[count:]
        self.rows = sorted([*self.rows, *joining])

    def _change(self, row: Row, column: str) -> None:
        value = row[AT[column]]
        if column == "GRADE":
            grade = _GRADES.index(value) if value in _GRADES else 0
            row[AT[column]] = _GRADES[min(grade + 1, len(_GRADES) - 1)]
        elif column == "SCHOOL_ID":
            row[AT[column]] = self.chance.choice(self.schools)
        elif column in ("ELL", "SPECIAL_ED"):
            row[AT[column]] = "y" if value == "n" else "n"
        else:
            row[AT[column]] = f"{value}-{self.chance.choice(('Lee', 'Ruiz', 'Cole'))}"[:40]


HARMLESS: tuple[Callable[[District], bytes], ...] = (
    District.unchanged,
    District.sorted_by_name,
    District.sorted_by_school,
    District.with_new_column,
    District.with_columns_in_another_order,
    District.without_a_column,
    District.quoted,
    District.one_school,
    District.few_rows,
    District.rollover,
    District.new_usernames,
)
"""Unusual nights; every other night is an ordinary one."""


def harmless(district: District, nights: int) -> list[tuple[str, bytes]]:
    """Return so many harmless files with their kinds: ordinary ones, and each unusual one."""
    kinds = [HARMLESS[number % len(HARMLESS)] for number in range(nights // 2)]
    district.chance.shuffle(kinds)
    files = []
    for kind in kinds:
        files += [("ordinary", district.ordinary()), (kind.__name__, kind(district))]
    return files


def lost_zeros(rows: Sequence[Row]) -> bytes:
    """Return the file as a spreadsheet saves it."""
    return _with(rows, "STUDENT_ID", lambda value: str(int(value)))


def scientific(rows: Sequence[Row]) -> bytes:
    """Return the file with IDs as a spreadsheet shows long numbers."""
    return _with(rows, "STUDENT_ID", lambda value: f"{int(value):.2E}")


def with_point_zero(rows: Sequence[Row]) -> bytes:
    """Return the file with IDs as a data tool writes them that took them for numbers."""
    return _with(rows, "STUDENT_ID", lambda value: f"{float(value)}")


def prefixed(rows: Sequence[Row]) -> bytes:
    """Return the file with IDs that have got a prefix."""
    return _with(rows, "STUDENT_ID", lambda value: f"STU-{value}")


def capitals(rows: Sequence[Row]) -> bytes:
    """Return the file with last names in capitals."""
    return _with(rows, "LAST_NAME", str.upper)


def blanked(rows: Sequence[Row]) -> bytes:
    """Return the file with an empty column."""
    return _with(rows, "SCHOOL_ID", lambda value: "")


def day_first(rows: Sequence[Row]) -> bytes:
    """Return the file with the day first in its dates."""
    return _with(rows, "DOB", lambda value: "/".join((value[3:5], value[:2], value[6:])))


def shifted(rows: Sequence[Row]) -> bytes:
    """Return the file with the values of each column from FIRST_NAME on in the next one."""
    first = AT["FIRST_NAME"]
    return text_of([[*row[:first], "", *row[first:-1]] for row in rows])


def truncated(rows: Sequence[Row]) -> bytes:
    """Return the first three fifths of the file."""
    return text_of(rows[: 3 * len(rows) // 5])


def other_district(rows: Sequence[Row]) -> bytes:
    """Return a file of the same size with students of another district."""
    strangers = students.students(len(rows), seed=77)
    return text_of([[f"9{row[0][1:]}", f"z{row[1]}", *row[2:]] for row in strangers])


def _with(rows: Sequence[Row], column: str, change: Callable[[str], str]) -> bytes:
    at = AT[column]
    return text_of([[*row[:at], change(row[at]), *row[at + 1 :]] for row in rows])


HARMED: Mapping[str, Callable[[Sequence[Row]], bytes]] = {
    "lost zeros": lost_zeros,
    "scientific": scientific,
    "point zero": with_point_zero,
    "prefixed": prefixed,
    "capitals": capitals,
    "blanked": blanked,
    "shifted": shifted,
    "truncated": truncated,
    "other district": other_district,
}
