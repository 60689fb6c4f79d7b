"""Measures the night of a district ten times as large as the largest of the others; on SQLite.

A first load of so many students would take most of an hour. So only a tenth of them is loaded, and
the database copies them, with other student IDs and usernames. The file is sent twice before the
night that is measured: the first time no row is known, and each is compared with its student.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from bench import students, works
from bench.databases import Database
from bench.plan import Plan
from bench.results import Results
from bench.students import Files
from bench.works import Enrolled

TIMES = 10
_LIMITS = {"ROLLBOOK_MAX_ROWS": "20000000", "ROLLBOOK_MAX_UPLOAD_BYTES": str(4 << 30)}
_OTHER_KEYS = {"student_id": "? || student_id", "username": "username || '-' || ?"}
_LAST_STUDENT = "SELECT max(id) FROM students_student"
_COPY_LINKS = (
    "INSERT INTO students_student_groups (student_id, group_id) "
    "SELECT student_id + ?, group_id FROM students_student_groups WHERE student_id <= ?"
)


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Measure one night."""
    if database.name == "sqlite":
        measure_night(prepare(plan, database), results)


def prepare(plan: Plan, database: Database) -> Enrolled:
    """Return a district of so many students, with the schools and staff of the smaller one."""
    few = students.write(plan.folder, plan.most, order=plan.order)
    enrolled = works.enroll(plan, database, few)
    with enrolled.serving():
        enrolled.send("base")
    _copy_students(enrolled.rollbook.database_address)
    enrolled.files = write(plan.folder, few)
    send_base(enrolled)
    return enrolled


def send_base(enrolled: Enrolled) -> None:
    """Send the base file once more."""
    with enrolled.rollbook.environment(**_LIMITS), enrolled.serving():
        enrolled.send("base")


def measure_night(enrolled: Enrolled, results: Results) -> None:
    """Measure the night after an unchanged one."""
    send_base(enrolled)
    meter = works.Meter(enrolled.database, enrolled.files.rows, results)
    with enrolled.rollbook.environment(**_LIMITS):
        meter.rollbook("nightly", 0, enrolled, "nightly")


def _copy_students(address: str) -> None:
    with closing(sqlite3.connect(address)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(students_student)")]
        values = [_OTHER_KEYS.get(name, name) for name in names[1:]]
        statement = (
            f"INSERT INTO students_student (id, {', '.join(names[1:])}) "
            f"SELECT id + ?, {', '.join(values)} FROM students_student WHERE id <= ?"
        )
        (last,) = connection.execute(_LAST_STUDENT).fetchone()
        for copy in range(1, TIMES):
            connection.execute(statement, (copy * last, copy, copy, last))
            connection.execute(_COPY_LINKS, (copy * last, last))
            connection.commit()
        connection.execute("ANALYZE")


def write(parent: Path, few: Files) -> Files:
    """Write base.csv and nightly.csv of all students below ``parent``, or reuse them."""
    folder = parent / f"{few.folder.name}-times-{TIMES}"

    def write_files(begun: Path) -> None:
        for name in ("base", "nightly"):
            _repeat(few[name], begun / f"{name}.csv")

    students.write_once(folder, write_files)
    return Files(folder, few.rows * TIMES)


def _repeat(source: Path, target: Path) -> None:
    with target.open("wb") as written:
        written.write(source.read_bytes())
        for copy in range(1, TIMES):
            with source.open("rb") as rows:
                next(rows)
                for row in rows:
                    student_id, username, others = row.split(b",", 2)
                    written.write(b"%d%b,%b-%d,%b" % (copy, student_id, username, copy, others))
