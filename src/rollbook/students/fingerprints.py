"""Fingerprints of the rows that students were last set by: an equal row needs no further look.

A fingerprint is a keyed 64-bit BLAKE2b of a record's bytes. The district, the header and Rollbook's
version are part of the key. So a record with a student's fingerprint means that student, was
accepted under the same header by the same rules, and nothing has changed the student since:
``changing`` writes students and fingerprints together, and triggers clear the fingerprints of
students whose group, staff member or school changes. Why the fingerprint covers the whole record:
docs/decisions/0009-row-fingerprints.md.
"""

import hashlib
import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from typing import IO, NamedTuple, Self

from django.conf import settings
from django.db import connection

from rollbook.db import bulk
from rollbook.secret_keys import secret
from rollbook.students.sql import named_query

NO_STUDENT = 0  # no student's ID


class ConfirmedRow(NamedTuple):
    """A row that changes nothing, and the version of the student that it was compared with."""

    student: int
    edition: int
    digest: int


class RowFingerprinter:
    """Computes the fingerprints of one file's records."""

    def __init__(self, district_id: int, header: Sequence[str]) -> None:
        under = json.dumps([version("rollbook"), district_id, *header]).encode(
            "utf-8", "surrogatepass"
        )
        key = hashlib.blake2b(under, key=_secret()).digest()
        self._keyed = hashlib.blake2b(
            key=key, digest_size=8
        )  # copying it costs half of keying another one

    def compute(self, records: Iterable[bytes]) -> "array[int]":
        """Return a fingerprint for each record; line ends make no difference."""
        begin, digests = self._keyed.copy, []
        for record in records:
            digest = begin()
            digest.update(record.rstrip(b"\r\n"))
            digests.append(digest.digest())
        return array("q", b"".join(digests))


class FingerprintIndex:
    """An index of a district's students by fingerprint: two sorted arrays, 16 bytes per student.

    It does not follow changes made after it was loaded. Fingerprints are spread evenly, so a table
    of their highest bits narrows the search; searching the whole array would take twice as long.
    """

    def __init__(self, digests: "array[int]", students: "array[int]") -> None:
        self._digests, self._students = digests, students
        bits = max(1, len(digests).bit_length() - 4)  # of a prefix, shared by some 16 fingerprints
        self._shift, self._half = 64 - bits, 1 << (bits - 1)
        limits = (prefix << self._shift for prefix in range(-self._half, self._half))
        self._begins = array(
            "q", [*(bisect_left(digests, limit) for limit in limits), len(digests)]
        )

    @classmethod
    def load(cls, district_id: int) -> Self:
        """Load the index of a district."""
        digests, students = array("q"), array("q")
        with connection.chunked_cursor() as cursor:
            cursor.execute(_LOAD, [district_id])
            while some := cursor.fetchmany(_PAGE_ROWS):
                for column, numbers in zip(
                    (digests, students), zip(*some, strict=True), strict=True
                ):
                    column.extend(numbers)
        return cls(digests, students)

    def write_to(self, file: IO[bytes]) -> None:
        """Write the index into an empty file, for ``shared``."""
        for column in (self._digests, self._students):
            file.write(column)
        file.flush()

    @classmethod
    def read_from(cls, file: int) -> Self:
        """Read an index from the file with this descriptor, whatever the file's position."""
        students_there = os.fstat(file).st_size // 16
        digests, students = (array("q", [0]) * students_there for _ in range(2))
        os.preadv(file, [digests, students], 0)  # without a copy in between
        return cls(digests, students)

    def lookup(self, digests: "array[int]") -> "array[int]":
        """Return for each fingerprint the ID of the student that has it, or ``NOBODY``."""
        known, students, begins = self._digests, self._students, self._begins
        shift, half, end = self._shift, self._half, len(known)
        found = array("q", bytes(8 * len(digests)))
        for place, digest in enumerate(digests):
            prefix = (digest >> shift) + half
            at = bisect_left(known, digest, begins[prefix], begins[prefix + 1])
            if at < end and known[at] == digest:
                found[place] = students[at]
        return found


def insert(district_id: int, whose: Iterable[tuple[int, int | None]]) -> None:
    """Insert the fingerprints of new students: pairs of student's ID and fingerprint."""
    bulk.insert(
        "students_rowfingerprint",
        ("student_id", "district_id", "fingerprint", "student_version"),
        ((student, district_id, digest, 0) for student, digest in whose),
    )


def replace(whose: Iterable[tuple[int, int | None]]) -> None:
    """Replace the fingerprints of students that changed; None clears one."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE, [json.dumps(list(whose))])


def confirm(accepted: Sequence[ConfirmedRow]) -> None:
    """Store these fingerprints, except those of students that have changed since."""
    if accepted:
        with connection.cursor() as cursor:
            cursor.execute(_CONFIRM, [json.dumps(accepted)])


_LOAD = named_query("load_fingerprints")
_REPLACE = named_query("replace_fingerprints")
_CONFIRM = named_query("confirm_fingerprints")
_PAGE_ROWS = 10_000  # rows


@cache
def _secret() -> bytes:
    return secret(settings.KEYS, "row-digests")
