"""Keep the lots of files: the text of a district's last completed file, which isn't scanned again.

The lots of an update are those of the manifest once it completes. Lots that are damaged, or of
another header, key or version, count as absent: the scan then takes longer, and its result is the
same. Why: docs/decisions/0057-lots.md.
"""

import hashlib
import json
from array import array
from dataclasses import astuple
from io import BytesIO

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import DistrictKeyLost, KeyPurpose
from rollbook.districts.file_rules import file_rules
from rollbook.districts.models import District
from rollbook.secret_keys import fingerprint as key_id
from rollbook.studentfile.reading import encodings
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import KnownText, LotHash, Lots
from rollbook.studentfile.reading.record_splitter import FilePosition
from rollbook.updates.manifest import ranges
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.models import FileLots, UpdateJob
from rollbook.updates.receiving.file_limits import file_limits
from rollbook.updates.receiving.files import IncomingFile

_BYTES_OF_LOT = 28


class DistrictText:
    """The text of a district's last completed file.

    Args:
        district: The district.
        incoming: The file to compare with it.
    """

    def __init__(self, district: District, incoming: IncomingFile) -> None:
        self._district, self._incoming = district, incoming
        self._key = b""

    def of_header(self, header: Header) -> KnownText:
        """Return what is known of a file with this header."""
        self._key = _key(self._district, header)
        of_manifest = FileLots.objects.filter(update__manifest__district=self._district)
        stored = of_manifest.filter(key=key_id(self._key)).select_related("update").first()
        last = (stored.update.spool_digest, stored.update.detected_encoding) if stored else None
        is_unchanged = last == (self._incoming.stored.digest, encodings.UTF_8)
        return KnownText(LotHash(self._key), _read(stored, self._key), is_unchanged)

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
        )


def _key(district: District, header: Header) -> bytes:
    """Return the key of the hashes; without it, nobody can find a row by trying."""
    try:
        secret = district_keys.get_or_create(district.pk, KeyPurpose.FILES).secret
    except DistrictKeyLost:
        secret = None
    key = RowFingerprinter(district.pk, header, file_rules(district), secret).key
    limits = json.dumps(astuple(file_limits()))
    return hashlib.blake2b(limits.encode(), key=key).digest()


def of_updates(update: UpdateJob, last_id: int) -> tuple[Lots, Lots] | None:
    """Return the lots of an update's file and of the last one; None if they can't be compared."""
    key = _key(update.district, update.parse_header())
    stored = FileLots.objects.filter(key=key_id(key))
    lots, known = (_read(stored.filter(pk=pk).first(), key) for pk in (update.pk, last_id))
    return (lots, known) if lots and known else None


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
    return lots.hashes, lots.firsts, lots.sizes, lots.records, lots.lines
