"""Keep the lots of files, and compare a file with the text of a district's last completed one.

The last file is that of the manifest. If it was removed or is damaged, or if its lots are, or if
they are of another header, rules or version, it counts as absent: the scan then takes longer, and
its result is the same. Why: docs/decisions/0080-text-of-the-last-file.md.
"""

import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import astuple
from functools import partial
from io import BytesIO
from typing import NamedTuple

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import DistrictKeyLost, KeyPurpose
from rollbook.districts.file_rules import file_rules
from rollbook.districts.models import District
from rollbook.encrypted_file import FileDamaged
from rollbook.secret_keys import fingerprint as key_id
from rollbook.studentfile.reading import encodings
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import LastText, Lots, TextLost
from rollbook.studentfile.reading.record_splitter import FilePosition
from rollbook.updates.manifest import ranges
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.models import FileLots, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.receiving.file_limits import file_limits
from rollbook.updates.receiving.files import FileMissing, IncomingFile

_BYTES_OF_LOT = 16

_FORM = 2
"""The form of the stored arrays; those of another one count as absent."""


class DistrictText:
    """The text of a district's last completed file.

    Args:
        district: The district.
        incoming: The file to compare with it.
    """

    def __init__(self, district: District, incoming: IncomingFile) -> None:
        self._district, self._incoming = district, incoming
        self._key = b""
        self._last_update: int | None = None
        self._last_records = 0

    def of_header(self, header: Header) -> LastText | None:
        """Return the text of the last file if it has this header."""
        self._key = _key(self._district, header)
        of_manifest = FileLots.objects.filter(update__manifest__district=self._district)
        stored = of_manifest.filter(key=key_id(self._key)).select_related("update").first()
        lots = _read(stored, self._key)
        if stored is None or lots is None or stored.update.file_removed_at:
            return None
        self._last_update, self._last_records = stored.pk, sum(lots.records)
        last = (stored.update.spool_digest, stored.update.detected_encoding)
        is_unchanged = last == (self._incoming.stored.digest, encodings.UTF_8)
        return LastText(lots, partial(_chunks, stored.update), is_unchanged)

    def store(self, update: UpdateJob, lots: Lots | None) -> None:
        """Keep the lots of a file that was scanned with this memory, in the caller's transaction.

        Args:
            update: The update of the file.
            lots: The lots; None: the file isn't to be remembered.
        """
        if lots is None:
            return
        arrays = b"".join(each.tobytes() for each in _arrays(lots))
        FileLots.objects.create(
            update=update,
            key=key_id(self._key),
            start_byte=lots.start.byte,
            start_line=lots.start.line,
            line_end=lots.line_end,
            open_orders=sorted(lots.open_orders),
            arrays=arrays,
            checksum=ranges.checksum(self._key, arrays),
            last_update=self._last_update,
            last_records=self._last_records,
        )


def _chunks(update: UpdateJob, start: int) -> Iterator[bytes]:
    """Yield the text of an update's file from a byte on.

    Raises:
        TextLost: The file can't be read.
    """
    try:
        source = files.open_copied(update.spool_name)
        yield from encodings.utf8_chunks(source, update.detected_encoding, start)
    except (FileMissing, FileDamaged, OSError) as error:
        raise TextLost from error


def _key(district: District, header: Header) -> bytes:
    """Return a key that depends on all that decides how the rows of a file are scanned."""
    try:
        secret = district_keys.get_or_create(district.pk, KeyPurpose.FILES).secret
    except DistrictKeyLost:
        secret = None
    key = RowFingerprinter(district.pk, header, file_rules(district), secret).key
    limits = json.dumps([_FORM, astuple(file_limits())])
    return hashlib.blake2b(limits.encode(), key=key).digest()


class ComparedLots(NamedTuple):
    """The lots of a file that was compared with the last one.

    Attributes:
        lots: The lots.
        last_records: The number of the last file's records.
    """

    lots: Lots
    last_records: int


def of_update(update: UpdateJob, last_id: int) -> ComparedLots | None:
    """Return the lots of an update's file if it was compared with that of another update.

    Args:
        update: The update.
        last_id: The ID of the other one.
    """
    key = _key(update.district, update.parse_header())
    stored = FileLots.objects.filter(pk=update.pk, key=key_id(key), last_update=last_id).first()
    lots = _read(stored, key)
    return ComparedLots(lots, stored.last_records) if stored and lots else None


def _read(stored: FileLots | None, key: bytes) -> Lots | None:
    if stored is None or ranges.checksum(key, stored.arrays) != bytes(stored.checksum):
        return None
    lots = Lots(
        FilePosition(stored.start_byte, stored.start_line),
        line_end=bytes(stored.line_end),
        open_orders=frozenset(stored.open_orders),
    )
    packed = BytesIO(stored.arrays)
    count = len(stored.arrays) // _BYTES_OF_LOT
    for each in _arrays(lots):
        each.frombytes(packed.read(count * each.itemsize))
    return lots


def _arrays(lots: Lots) -> "tuple[array[int], ...]":
    return lots.sizes, lots.records, lots.lines, lots.sources
