"""Files of other shapes have the same students."""

import csv
from pathlib import Path

import pytest

from bench import shapes, students


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("shape", [shapes.QUOTED, shapes.SHUFFLED])
def test_only_quotes_and_order_differ(shape: str, tmp_path: Path) -> None:
    plain = students.write(tmp_path, 300)
    other = shapes.write(tmp_path, plain, shape)
    for name in ("base", "nightly"):
        assert sorted(rows(plain[name])) == sorted(rows(other[name]))
        assert plain[name].read_bytes() != other[name].read_bytes()
    assert other.differing("base", "nightly") == plain.differing("base", "nightly")


def test_each_row_has_a_quoted_comma(tmp_path: Path) -> None:
    plain = students.write(tmp_path, 300)
    commas = shapes.write(tmp_path, plain, shapes.COMMAS)
    lines = commas["nightly"].read_text(encoding="utf-8").splitlines()
    assert len(lines) == 301
    assert all(', north"' in line for line in lines[1:])
    assert commas.differing("base", "nightly") == plain.differing("base", "nightly")
