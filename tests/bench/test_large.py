"""The files of ten times as many students."""

import csv
from pathlib import Path

from bench import large, students


def test_each_copy_has_other_keys_and_the_same_changes(tmp_path: Path) -> None:
    few = students.write(tmp_path, 300)
    many = large.write(tmp_path, few)
    assert many.rows == 3000
    assert many.differing("base", "nightly") == 10 * few.differing("base", "nightly")
    with many["base"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3000
    for column in ("STUDENT_ID", "USERNAME"):
        assert len({row[column] for row in rows}) == 3000
    assert len({row["LAST_NAME"] + row["DOB"] for row in rows}) <= 300
