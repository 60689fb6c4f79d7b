"""Fingerprints of records: which are the same, and which students have them."""

import random
from array import array
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from rollbook.districts.models import District
from rollbook.studentfile.rules import FileRules
from rollbook.students import fingerprints
from rollbook.students.fingerprints import (
    NO_STUDENT,
    ConfirmedRow,
    FingerprintIndex,
    RowFingerprinter,
)
from rollbook.students.models import RowFingerprint, Student
from tests.updates.night import a_class, enroll

HEADER = ["STUDENT_ID", "FIRST_NAME"]
RECORD = b'1,"Zo\xc3\xab"\n'
SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(3))
    RowFingerprint.objects.update(fingerprint=None)


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """Three students without fingerprints."""
    return maple


def pks(district: District) -> list[int]:
    return list(
        Student.objects.filter(district=district)
        .order_by("student_id")
        .values_list("pk", flat=True)
    )


def stored(district: District) -> list[tuple[int | None, int]]:
    """Return the fingerprint and the version of each student."""
    rows = RowFingerprint.objects.filter(district=district).order_by("student__student_id")
    return list(rows.values_list("fingerprint", "student_version"))


def students_with(district: District, *values: int) -> list[int]:
    return list(FingerprintIndex.load(district.pk).lookup(array("q", values)))


def compute(*records: bytes, district_id: int = 1, header: Sequence[str] = HEADER) -> list[int]:
    return list(RowFingerprinter(district_id, header, FileRules()).compute(records))


# Computing fingerprints


def test_a_record_always_has_the_same_fingerprint() -> None:
    fingerprinter = RowFingerprinter(1, HEADER, FileRules())
    assert (
        fingerprinter.compute([RECORD])
        == fingerprinter.compute([RECORD])
        == RowFingerprinter(1, HEADER, FileRules()).compute([RECORD])
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


# Looking up students


def test_each_fingerprint_finds_its_student_in_any_order(school: District) -> None:
    ann, bob, cleo = pks(school)
    fingerprints.replace([(ann, SMALLEST), (bob, LARGEST), (cleo, 0)])
    assert students_with(school, SMALLEST, 0, LARGEST) == [ann, cleo, bob]
    assert students_with(school, 7, LARGEST, -1, 0, LARGEST, SMALLEST + 1, LARGEST - 1) == [
        NO_STUDENT,
        bob,
        NO_STUDENT,
        cleo,
        bob,
        NO_STUDENT,
        NO_STUDENT,
    ]
    assert students_with(school) == []


def test_an_unknown_fingerprint_finds_no_student(school: District) -> None:
    assert students_with(school, 0, 1, -1) == [NO_STUDENT] * 3


def test_lookups_are_limited_to_the_district(school: District, cedar: District) -> None:
    enroll(cedar, a_class(1))
    ours, theirs = pks(school)[0], pks(cedar)[0]
    fingerprints.replace([(ours, 7)])
    assert (students_with(school, 7), students_with(cedar, 7)) == ([ours], [NO_STUDENT])
    fingerprints.replace([(theirs, 7)])
    assert (students_with(school, 7), students_with(cedar, 7)) == ([ours], [theirs])


def test_lookups_need_no_queries(
    school: District, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ann, bob, _ = pks(school)
    fingerprints.replace([(ann, 500)])
    known = FingerprintIndex.load(school.pk)
    fingerprints.replace([(ann, None), (bob, 501)])
    with django_assert_num_queries(0):
        result = known.lookup(array("q", range(1000)))
    assert list(result) == [ann if number == 500 else NO_STUDENT for number in range(1000)]


def test_fingerprints_of_every_size_are_found(maple: District) -> None:
    enroll(maple, a_class(150))
    spread = random.Random(1)
    values = [SMALLEST, LARGEST, -1, 0, 1]
    values += [spread.randrange(SMALLEST, LARGEST) for _ in range(145)]
    fingerprints.replace(zip(pks(maple), values, strict=True))
    known = FingerprintIndex.load(maple.pk)
    assert list(known.lookup(array("q", values))) == pks(maple)
    unknown = {value - 1 for value in values} - {SMALLEST - 1, -1, 0}
    assert set(known.lookup(array("q", unknown))) == {NO_STUDENT}


@pytest.mark.parametrize("size", [0, 3])
def test_an_index_can_be_read_from_a_file(maple: District, size: int) -> None:
    if size:
        enroll(maple, a_class(size))
        fingerprints.replace(zip(pks(maple), [SMALLEST, -1, LARGEST], strict=True))
    with TemporaryFile() as file:
        FingerprintIndex.load(maple.pk).write_to(file)
        result = FingerprintIndex.read_from(file.fileno()).lookup(
            array("q", [SMALLEST, -1, 0, LARGEST])
        )
    assert [student for student in result if student != NO_STUDENT] == pks(maple)


def test_an_index_is_loaded_in_pages(school: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "_PAGE_ROWS", 2)
    ann, bob, cleo = pks(school)
    fingerprints.replace([(ann, 30), (bob, 10), (cleo, 20)])
    assert students_with(school, 10, 20, 30) == [bob, cleo, ann]


# Storing fingerprints


def test_a_new_student_has_the_fingerprint_of_the_row(maple: District) -> None:
    enroll(maple, a_class(3))
    rows = stored(maple)
    assert [version for _, version in rows] == [0, 0, 0]
    assert len({value for value, _ in rows} - {None}) == 3
    RowFingerprint.objects.all().delete()
    fingerprints.insert(maple.pk, zip(pks(maple), (SMALLEST, None, LARGEST), strict=True))
    assert stored(maple) == [(SMALLEST, 0), (None, 0), (LARGEST, 0)]


def test_a_change_counts_up_the_version_and_replaces_the_fingerprint(
    school: District,
) -> None:
    ann, bob, _ = pks(school)
    fingerprints.replace([(ann, SMALLEST), (bob, None)])
    assert stored(school) == [(SMALLEST, 1), (None, 1), (None, 0)]
    fingerprints.replace([(ann, None), (bob, LARGEST)])
    assert stored(school) == [(None, 2), (LARGEST, 2), (None, 0)]
    fingerprints.replace([])
    assert stored(school) == [(None, 2), (LARGEST, 2), (None, 0)]


def test_a_fingerprint_is_confirmed_if_the_version_is_the_compared_one(
    school: District,
) -> None:
    ann, bob, cleo = pks(school)
    fingerprints.replace([(bob, 1), (cleo, 1)])
    fingerprints.replace([(cleo, 2)])
    fingerprints.confirm(
        [ConfirmedRow(ann, 0, SMALLEST), ConfirmedRow(bob, 0, 11), ConfirmedRow(cleo, 2, LARGEST)]
    )
    assert stored(school) == [(SMALLEST, 0), (1, 1), (LARGEST, 2)]
    fingerprints.confirm(
        [ConfirmedRow(ann, 1, 11), ConfirmedRow(bob, 2, 11), ConfirmedRow(cleo, 1, 11)]
    )
    assert stored(school) == [(SMALLEST, 0), (1, 1), (LARGEST, 2)]


def test_confirming_no_rows_needs_no_queries(
    school: District, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        fingerprints.confirm([])


def test_deleting_a_student_deletes_the_fingerprint(school: District) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM students_rowfingerprint")
        assert cursor.fetchone() == (3,)
    ann = Student.objects.get(student_id="s000")
    ann.change_set.all().delete()
    ann.delete()
    assert RowFingerprint.objects.count() == 2
