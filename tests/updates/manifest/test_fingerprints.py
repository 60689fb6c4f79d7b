"""Fingerprints of records: which are the same."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.rules import FileRules
from rollbook.updates.manifest import fingerprints
from rollbook.updates.manifest.fingerprints import RowFingerprinter

HEADER = ["STUDENT_ID", "FIRST_NAME"]
RECORD = b'1,"Zo\xc3\xab"\n'
SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1


def compute(*records: bytes, district_id: int = 1, header: Sequence[str] = HEADER) -> list[int]:
    parsed, _ = Header.parse(header)
    return list(RowFingerprinter(district_id, parsed, FileRules()).compute(records))


# Computing fingerprints


def test_a_record_always_has_the_same_fingerprint() -> None:
    header, _ = Header.parse(HEADER)
    fingerprinter = RowFingerprinter(1, header, FileRules())
    assert (
        fingerprinter.compute([RECORD])
        == fingerprinter.compute([RECORD])
        == RowFingerprinter(1, header, FileRules()).compute([RECORD])
    )


def test_the_line_end_makes_no_difference() -> None:
    ends = (b"", b"\n", b"\r\n", b"\r")
    assert len(set(compute(*(RECORD.rstrip() + end for end in ends)))) == 1


def test_everything_else_makes_a_difference() -> None:
    others = [
        RECORD,
        b"1,Zo\xc3\xab\n",
        b'1,"Zo\xc3\xab "\n',
        b'1,"zo\xc3\xab"\n',
        b'1,"Zoe\xcc\x88"\n',
        b'1 ,"Zo\xc3\xab"\n',
    ]
    others += [
        b'1,"Zo\xc3\xab"\t\n',
        b'\n1,"Zo\xc3\xab"\n',
        b'"Zo\xc3\xab",1\n',
        b'1,"Zo\xc3\xab\r\n"\n',
        b'1,"Zo\xc3\xab\n"\n',
        b"\n",
    ]
    assert len(set(compute(*others))) == len(others)


def test_there_is_one_fingerprint_per_record_in_order() -> None:
    records = [b"%d,x\n" % number for number in range(1000)]
    result = compute(*records)
    assert len(set(result)) == 1000
    assert [compute(record)[0] for record in records[::-1]] == result[::-1]
    assert compute() == []


def test_all_64_bits_are_used() -> None:
    result = compute(*(b"%d,x\n" % number for number in range(1000)))
    assert min(result) < -(1 << 62)
    assert max(result) > 1 << 62
    assert all(SMALLEST <= value <= LARGEST for value in result)


@pytest.mark.parametrize(
    "header",
    [
        ["FIRST_NAME", "STUDENT_ID"],
        ["Student ID", "FIRST_NAME"],
        ["STUDENT_ID,FIRST_NAME"],
        ['STUDENT_ID", "FIRST_NAME'],
        ["STUDENT_ID", "FIRST_NAME", ""],
        ["STUDENT_ID", "FIRST_NAM\u00c9"],
        ["STUDENT_ID"],
    ],
)
def test_another_header_gives_another_fingerprint(header: list[str]) -> None:
    assert compute(RECORD, header=header) != compute(RECORD)


def test_another_district_gives_another_fingerprint() -> None:
    assert len({compute(RECORD, district_id=district)[0] for district in range(1, 100)}) == 99


def test_another_version_gives_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compute(RECORD)
    monkeypatch.setattr(fingerprints, "__version__", "99")
    assert compute(RECORD) != before


def test_another_secret_gives_another_fingerprint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = compute(RECORD)
    monkeypatch.setattr(settings, "KEYS", tmp_path)
    assert compute(RECORD) != before
