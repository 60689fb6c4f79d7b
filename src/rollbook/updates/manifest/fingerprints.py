"""Fingerprints of records: an equal one means an equal record, under the same header and rules.

A fingerprint is a keyed 64-bit BLAKE2b hash of a record's bytes. The district, the header, the
rules of the file, its column mapping and Rollbook's version are part of the key. So what was found
out about a record is true of each record with its fingerprint, as long as the student hasn't
changed.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable
from typing import Self

from rollbook import __version__
from rollbook.accounts import key_ring
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.rules import FileRules
from rollbook.updates import password_marks
from rollbook.updates.models import UpdateJob


class RowFingerprinter:
    """Computes the fingerprints of one file's records.

    Attributes:
        key: The key of the fingerprints, which files with the same header and rules share.
    """

    def __init__(
        self,
        district_id: int,
        header: Header,
        rules: FileRules,
        mark_key: bytes | None = None,
    ) -> None:
        """Derive the key.

        Args:
            district_id: The district.
            header: The header of the file.
            rules: The rules of the file.
            mark_key: The mark key of the district if the file has passwords: without it, nobody
                can find a password by trying records.
        """
        parts = [__version__, district_id, rules.as_json(), *header.names, *_lost_keys()]
        if header.reading:
            parts.append(header.reading.mapping.as_json())
        rule_set = json.dumps(parts, sort_keys=True)
        secret = key_ring.ring(key_ring.ROW_DIGESTS).key
        key = hashlib.blake2b(rule_set.encode("utf-8", "surrogatepass"), key=secret).digest()
        if mark_key:
            key = hashlib.blake2b(key, key=mark_key).digest()
        self.key = key
        self._keyed_hash = hashlib.blake2b(key=key, digest_size=8)

    @classmethod
    def of_update(cls, update: UpdateJob) -> Self:
        """Return the one for the file of an update."""
        header = update.parse_header()
        mark_key = password_marks.key_for(update.district_id, header)
        return cls(update.district_id, header, update.file_rules, mark_key)

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


def _lost_keys() -> list[int]:
    """Return the versions of the passwords' key that are lost.

    The next file must set those passwords again, so no row may be known.
    """
    return sorted(key_ring.ring(key_ring.STUDENT_PASSWORDS).lost)
