"""Fingerprints of the records that last set each student: an equal record changes nothing.

A fingerprint is a keyed 64-bit BLAKE2b hash of a record's bytes. The district, the header, the
rules of the file and Rollbook's version are part of the key. So a record with a student's
fingerprint means that student and was accepted under the same header by the same rules, and nothing
has changed the student since: ``writer`` writes students and fingerprints together, and triggers
clear the fingerprints of students whose group, staff member or school changes. Why the fingerprint
covers the whole record: docs/decisions/0009-row-fingerprints.md.
"""

import hashlib
import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import IO, NamedTuple, Self

from django.db import connection

from rollbook import __version__
from rollbook.accounts import key_ring
from rollbook.db import bulk
from rollbook.studentfile.rules import FileRules
from rollbook.students.sql import named_query

NO_STUDENT = 0
"""The ID of no student."""


class ConfirmedRow(NamedTuple):
    """A row that changes nothing.

    Attributes:
        student: The student's ID in the database.
        version: The version of the student that the row was compared with.
        fingerprint: The fingerprint of the row.
    """

    student: int
    version: int
    fingerprint: int


class RowFingerprinter:
    """Computes the fingerprints of one file's records."""

    def __init__(
        self,
        district_id: int,
        header: Sequence[str],
        rules: FileRules,
        mark_key: bytes | None = None,
    ) -> None:
        """Derive the key.

        Args:
            district_id: The district.
            header: The column names of the file.
            rules: The rules of the file.
            mark_key: The mark key of the district if the file has passwords: without it, nobody
                can find a password by trying records.
        """
        parts = [__version__, district_id, rules.as_json(), *header, *_lost_keys()]
        rule_set = json.dumps(parts, sort_keys=True)
        secret = key_ring.ring(key_ring.ROW_DIGESTS).key
        key = hashlib.blake2b(rule_set.encode("utf-8", "surrogatepass"), key=secret).digest()
        if mark_key:
            key = hashlib.blake2b(key, key=mark_key).digest()
        self._keyed_hash = hashlib.blake2b(key=key, digest_size=8)

    def compute(self, records: Iterable[bytes]) -> "array[int]":
        """Return a fingerprint for each record; line ends make no difference.

        Copying the keyed hash takes half as long as creating another one.
        """
        copy, digests = self._keyed_hash.copy, []
        for record in records:
            record_hash = copy()
            record_hash.update(record.rstrip(b"\r\n"))
            digests.append(record_hash.digest())
        return array("q", b"".join(digests))


class FingerprintIndex:
    """An index of a district's students by fingerprint: two sorted arrays, 16 bytes per student.

    It does not follow changes made after it was loaded. Fingerprints are spread evenly, so a table
    of their highest bits narrows the search; searching the whole array would take twice as long.
    """

    def __init__(self, fingerprints: "array[int]", students: "array[int]") -> None:
        """Build the table of prefixes.

        Args:
            fingerprints: The fingerprints in ascending order.
            students: The student's ID for each fingerprint.
        """
        self._fingerprints, self._students = fingerprints, students
        # The length of a prefix: about 16 fingerprints share one.
        bits = max(1, len(fingerprints).bit_length() - 4)
        self._shift, self._half = 64 - bits, 1 << (bits - 1)
        limits = (prefix << self._shift for prefix in range(-self._half, self._half))
        self._starts = array("q", (bisect_left(fingerprints, limit) for limit in limits))
        self._starts.append(len(fingerprints))

    @classmethod
    def load(cls, district_id: int) -> Self:
        """Load the index of a district."""
        fingerprints, students = array("q"), array("q")
        with connection.chunked_cursor() as cursor:
            cursor.execute(_LOAD, [district_id])
            while rows := cursor.fetchmany(_PAGE_ROWS):
                page_fingerprints, page_students = zip(*rows, strict=True)
                fingerprints.extend(page_fingerprints)
                students.extend(page_students)
        return cls(fingerprints, students)

    def write_to(self, file: IO[bytes]) -> None:
        """Write the index to an empty file, for ``read_from``."""
        for column in (self._fingerprints, self._students):
            file.write(column)
        file.flush()

    @classmethod
    def read_from(cls, file: int) -> Self:
        """Read an index from a file; its position makes no difference.

        Args:
            file: The descriptor of a file written by ``write_to``.
        """
        size = os.fstat(file).st_size // 16
        fingerprints, students = array("q", [0]) * size, array("q", [0]) * size
        os.preadv(file, [fingerprints, students], 0)  # reads into the arrays, without a copy
        return cls(fingerprints, students)

    def lookup(self, fingerprints: "array[int]") -> "array[int]":
        """Return the ID of the student with each fingerprint, or ``NO_STUDENT``."""
        known, students, starts = self._fingerprints, self._students, self._starts
        shift, half, end = self._shift, self._half, len(known)
        matches = array("q", bytes(8 * len(fingerprints)))
        for position, fingerprint in enumerate(fingerprints):
            prefix = (fingerprint >> shift) + half
            index = bisect_left(known, fingerprint, starts[prefix], starts[prefix + 1])
            if index < end and known[index] == fingerprint:
                matches[position] = students[index]
        return matches


def insert(district_id: int, fingerprints: Iterable[tuple[int, int | None]]) -> None:
    """Insert the fingerprints of new students.

    Args:
        district_id: The district of the students.
        fingerprints: Pairs of a student's ID and a fingerprint, or None.
    """
    bulk.insert(
        "students_rowfingerprint",
        ("student_id", "district_id", "fingerprint", "student_version"),
        ((student, district_id, fingerprint, 0) for student, fingerprint in fingerprints),
    )


def replace(fingerprints: Iterable[tuple[int, int | None]]) -> None:
    """Replace the fingerprints of students who have changed.

    Args:
        fingerprints: Pairs of a student's ID and the new fingerprint; None clears it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE, [json.dumps(list(fingerprints))])


def confirm(rows: Sequence[ConfirmedRow]) -> None:
    """Store the fingerprints of rows, except those of students who have changed since."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_CONFIRM, [json.dumps(rows)])


_LOAD = named_query("load_fingerprints")
_REPLACE = named_query("replace_fingerprints")
_CONFIRM = named_query("confirm_fingerprints")
_PAGE_ROWS = 10_000


def _lost_keys() -> list[int]:
    """Return the versions of the passwords' key that are lost.

    The next file must set those passwords again, so no row may be known.
    """
    return sorted(key_ring.ring(key_ring.STUDENT_PASSWORDS).lost)
