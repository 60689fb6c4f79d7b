"""The digest of the record that each student was last set by: which records have the same, and whom they mean."""

import random
from array import array
from collections.abc import Callable, Sequence
from tempfile import TemporaryFile
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from rollbook.districts.models import District
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


@pytest.fixture
def school(maple: District) -> District:
    """Three students whose digests are not known."""
    enroll(maple, a_class(3))
    RowFingerprint.objects.update(fingerprint=None)
    return maple


def pks(district: District) -> list[int]:
    return list(
        Student.objects.filter(district=district)
        .order_by("student_id")
        .values_list("pk", flat=True)
    )


def kept(district: District) -> list[tuple[int | None, int]]:
    """Digest and edition of each student."""
    found = RowFingerprint.objects.filter(district=district).order_by("student__student_id")
    return list(found.values_list("fingerprint", "student_version"))


def whose(district: District, *given: int) -> list[int]:
    return list(FingerprintIndex.load(district.pk).lookup(array("q", given)))


def of(*given: bytes, district_id: int = 1, header: Sequence[str] = HEADER) -> list[int]:
    return list(RowFingerprinter(district_id, header).compute(given))


# A record and its digest


def test_a_record_has_the_same_digest_time_and_again() -> None:
    digests = RowFingerprinter(1, HEADER)
    assert (
        digests.compute([RECORD])
        == digests.compute([RECORD])
        == RowFingerprinter(1, HEADER).compute([RECORD])
    )


def test_the_line_end_does_not_count() -> None:
    ends = (b"", b"\n", b"\r\n", b"\r")
    assert len(set(of(*(RECORD.rstrip() + end for end in ends)))) == 1


def test_everything_else_counts() -> None:
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
    assert len(set(of(*others))) == len(others)


def test_there_is_one_for_each_record_in_their_order() -> None:
    records = [b"%d,x\n" % number for number in range(1000)]
    found = of(*records)
    assert len(set(found)) == 1000
    assert [of(record)[0] for record in records[::-1]] == found[::-1]
    assert of() == []


def test_all_64_bits_are_used() -> None:
    found = of(*(b"%d,x\n" % number for number in range(1000)))
    assert min(found) < -(1 << 62)
    assert max(found) > 1 << 62
    assert all(SMALLEST <= digest <= LARGEST for digest in found)


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
def test_under_another_header_it_is_another(header: list[str]) -> None:
    assert of(RECORD, header=header) != of(RECORD)


def test_in_another_district_it_is_another() -> None:
    assert len({of(RECORD, district_id=district)[0] for district in range(1, 100)}) == 99


@pytest.mark.parametrize(
    ("name", "other"),
    [("version", lambda package: f"{package} 99"), ("_secret", lambda: b"another secret of ours")],
)
def test_by_another_version_or_with_another_secret_it_is_another(
    monkeypatch: pytest.MonkeyPatch, name: str, other: Callable[..., Any]
) -> None:
    before = of(RECORD)
    monkeypatch.setattr(fingerprints, name, other)
    assert of(RECORD) != before


# A digest and its student


def test_each_digest_finds_its_student_wherever_it_stands(school: District) -> None:
    ann, bob, cleo = pks(school)
    fingerprints.replace([(ann, SMALLEST), (bob, LARGEST), (cleo, 0)])
    assert whose(school, SMALLEST, 0, LARGEST) == [ann, cleo, bob]
    assert whose(school, 7, LARGEST, -1, 0, LARGEST, SMALLEST + 1, LARGEST - 1) == [
        NO_STUDENT,
        bob,
        NO_STUDENT,
        cleo,
        bob,
        NO_STUDENT,
        NO_STUDENT,
    ]
    assert whose(school) == []


def test_a_digest_that_nobody_has_is_nobodys(school: District) -> None:
    assert whose(school, 0, 1, -1) == [NO_STUDENT] * 3


def test_a_digest_is_its_students_in_his_district_only(school: District, cedar: District) -> None:
    enroll(cedar, a_class(1))
    ours, theirs = pks(school)[0], pks(cedar)[0]
    fingerprints.replace([(ours, 7)])
    assert (whose(school, 7), whose(cedar, 7)) == ([ours], [NO_STUDENT])
    fingerprints.replace([(theirs, 7)])
    assert (whose(school, 7), whose(cedar, 7)) == ([ours], [theirs])


def test_a_thousand_digests_are_found_in_what_was_read_once(
    school: District, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ann, bob, _ = pks(school)
    fingerprints.replace([(ann, 500)])
    known = FingerprintIndex.load(school.pk)
    fingerprints.replace([(ann, None), (bob, 501)])
    with django_assert_num_queries(0):
        found = known.lookup(array("q", range(1000)))
    assert list(found) == [ann if number == 500 else NO_STUDENT for number in range(1000)]


def test_digests_of_every_size_are_found_among_many(maple: District) -> None:
    enroll(maple, a_class(150))
    spread = random.Random(1)
    some = [SMALLEST, LARGEST, -1, 0, 1, *(spread.randrange(SMALLEST, LARGEST) for _ in range(145))]
    fingerprints.replace(zip(pks(maple), some, strict=True))
    known = FingerprintIndex.load(maple.pk)
    assert list(known.lookup(array("q", some))) == pks(maple)
    beside = [digest - 1 for digest in some if digest - 1 not in (SMALLEST - 1, -1, 0)]
    assert set(known.lookup(array("q", beside))) == {NO_STUDENT}


@pytest.mark.parametrize("size", [0, 3])
def test_another_process_finds_them_in_a_shared_file(maple: District, size: int) -> None:
    if size:
        enroll(maple, a_class(size))
        fingerprints.replace(zip(pks(maple), [SMALLEST, -1, LARGEST], strict=True))
    with TemporaryFile() as file:
        FingerprintIndex.load(maple.pk).write_to(file)
        found = FingerprintIndex.read_from(file.fileno()).lookup(
            array("q", [SMALLEST, -1, 0, LARGEST])
        )
    assert [student for student in found if student != NO_STUDENT] == pks(maple)


def test_they_are_read_a_page_at_a_time(school: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "_PAGE_ROWS", 2)
    ann, bob, cleo = pks(school)
    fingerprints.replace([(ann, 30), (bob, 10), (cleo, 20)])
    assert whose(school, 10, 20, 30) == [bob, cleo, ann]


# What is written down


def test_a_new_student_begins_with_the_digest_he_came_with(maple: District) -> None:
    enroll(maple, a_class(3))
    found = kept(maple)
    assert [edition for _, edition in found] == [0, 0, 0]
    assert len({digest for digest, _ in found} - {None}) == 3
    RowFingerprint.objects.all().delete()
    fingerprints.insert(maple.pk, zip(pks(maple), (SMALLEST, None, LARGEST), strict=True))
    assert kept(maple) == [(SMALLEST, 0), (None, 0), (LARGEST, 0)]


def test_who_changes_is_of_another_edition_and_has_the_digest_that_is_given_or_none(
    school: District,
) -> None:
    ann, bob, _ = pks(school)
    fingerprints.replace([(ann, SMALLEST), (bob, None)])
    assert kept(school) == [(SMALLEST, 1), (None, 1), (None, 0)]
    fingerprints.replace([(ann, None), (bob, LARGEST)])
    assert kept(school) == [(None, 2), (LARGEST, 2), (None, 0)]
    fingerprints.replace([])
    assert kept(school) == [(None, 2), (LARGEST, 2), (None, 0)]


def test_a_digest_is_kept_for_who_is_still_of_the_edition_that_was_compared(
    school: District,
) -> None:
    ann, bob, cleo = pks(school)
    fingerprints.replace([(bob, 1), (cleo, 1)])
    fingerprints.replace([(cleo, 2)])
    fingerprints.confirm(
        [ConfirmedRow(ann, 0, SMALLEST), ConfirmedRow(bob, 0, 11), ConfirmedRow(cleo, 2, LARGEST)]
    )
    assert kept(school) == [(SMALLEST, 0), (1, 1), (LARGEST, 2)]
    fingerprints.confirm(
        [ConfirmedRow(ann, 1, 11), ConfirmedRow(bob, 2, 11), ConfirmedRow(cleo, 1, 11)]
    )
    assert kept(school) == [(SMALLEST, 0), (1, 1), (LARGEST, 2)]


def test_keeping_nothing_asks_nothing(
    school: District, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        fingerprints.confirm([])


def test_a_student_who_has_gone_takes_his_digest_along(school: District) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM students_rowfingerprint")
        assert cursor.fetchone() == (3,)
    ann = Student.objects.get(student_id="s000")
    ann.change_set.all().delete()
    ann.delete()
    assert RowFingerprint.objects.count() == 2
