"""Certificates of destruction: what was removed, when, how much and by whom, with a signature.

A certificate is signed by Ed25519 with a key that is derived from a secret key of the installation,
and contains the public key. This installation also knows the public keys of all certificates that
it has issued, so a certificate stays valid after the secret key has been replaced.
"""

import hashlib
import json
import os
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rollbook.accounts import key_ring
from rollbook.operations.models import Destruction
from rollbook.text import count_of

FORMAT = "rollbook certificate of destruction 1"

_KINDS = {
    "students": "students",
    "history": "entries of students' history",
    "links": "groups and staff members of students",
    "transfers": "transfers",
    "updates": "updates",
    "rows": "rows of updates",
    "problems": "problems of updates",
    "keys": "keys of the district, which encrypted its uploaded files",
    "files": "uploaded files",
    "drafts": "drafts",
    "emails": "emails",
    "staff": "staff members",
    "credentials": "sessions, tokens and second factors",
    "audit events": "audit events",
    "roles": "roles",
    "groups": "groups",
    "schools": "schools",
    "districts": "districts",
}
"""What is counted, in the order of the certificate, and what it is called there."""


class Verdict(Enum):
    """The result of verifying a certificate."""

    VALID = "valid"
    FOREIGN = "signed by another installation"
    CHANGED = "changed after it was signed"


class NotACertificate(Exception):
    """The file isn't a certificate of destruction; the text says why."""


def issue(destruction: Destruction) -> dict[str, Any]:
    """Return the signed certificate of a destruction."""
    statement = _statement(destruction)
    key = _private_key()
    return {
        "statement": statement,
        "public_key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(_signed_bytes(statement)).hex(),
    }


def read(path: Path) -> dict[str, Any]:
    """Read a certificate from its JSON file.

    Raises:
        NotACertificate: It isn't one.
        OSError: The file can't be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        is_certificate = document["statement"]["format"] == FORMAT
        for name in ("public_key", "signature"):
            bytes.fromhex(document[name])
    except (UnicodeDecodeError, ValueError, TypeError, KeyError):
        is_certificate = False
    if not is_certificate:
        raise NotACertificate(
            f"{path} isn't a certificate of destruction; name the .json file, not the .txt file"
        )
    certificate: dict[str, Any] = document
    return certificate


def verify(certificate: Mapping[str, Any]) -> Verdict:
    """Verify the signature, and whether this installation has made it."""
    public_key = bytes.fromhex(certificate["public_key"])
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            bytes.fromhex(certificate["signature"]), _signed_bytes(certificate["statement"])
        )
    except (InvalidSignature, ValueError):
        return Verdict.CHANGED
    return Verdict.VALID if public_key.hex() in _own_public_keys() else Verdict.FOREIGN


def subject_digest(student_id: str) -> str:
    """Return a keyed digest of a STUDENT_ID, from which nobody can find the ID by trying."""
    key = key_ring.ring(key_ring.LOGINS).derive("erased students")
    return hashlib.blake2b(student_id.encode(), key=key, digest_size=32).hexdigest()


def to_json(certificate: Mapping[str, Any]) -> str:
    """Return the certificate as it is saved."""
    return json.dumps(certificate, ensure_ascii=False, indent=2) + "\n"


def to_text(certificate: Mapping[str, Any]) -> str:
    """Return the certificate for people, to be printed."""
    statement = certificate["statement"]
    lines = [
        "CERTIFICATE OF DESTRUCTION",
        "",
        f"Number:        {statement['number']}",
        f"Destroyed:     {statement['destroyed']}",
        f"District:      {statement['district']['name']} ({statement['district']['short_name']})",
        f"Started:       {statement['started_at']}",
        f"Finished:      {statement['finished_at']}",
        f"Requested by:  {_requested_by(statement)}",
        f"Export before: {statement['export_sha256'] or 'none'}",
        "",
        "Removed:",
        *_count_lines(statement["removed"]),
        *_key_lines(statement.get("keys", [])),
        "",
        "Remaining:",
        *(f"  {line}" for line in statement["remaining"]),
        "  backups and exports that were made before, and copies outside Rollbook",
        "",
        f"Public key:    {certificate['public_key']}",
        f"Signature:     {certificate['signature'][:64]}",
        f"               {certificate['signature'][64:]}",
        "",
        "Verify the .json file of this certificate with `rollbook certificate verify FILE`.",
    ]
    return "\n".join(lines) + "\n"


def write_files(destruction: Destruction, folder: Path) -> Iterator[Path]:
    """Write the certificate to the folder as JSON and as text; yield each path.

    Raises:
        OSError: The disk is full, or the folder can't be written to.
    """
    certificate = destruction.signed_certificate
    subject = "student" if destruction.student_key else destruction.district_slug
    if destruction.persons:
        subject = f"{subject}-{destruction.persons}"
    name = f"certificate-{destruction.pk}-{subject}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for suffix, text in ((".json", to_json(certificate)), (".txt", to_text(certificate))):
        path = folder / f"{name}{suffix}"
        _write(path, text)
        yield path


def _statement(destruction: Destruction) -> dict[str, Any]:
    statement = {
        "format": FORMAT,
        "number": destruction.pk,
        "destroyed": _subject(destruction),
        "district": {
            "name": destruction.district_name,
            "short_name": destruction.district_slug,
            "key": destruction.district_key,
        },
        "student_digest": destruction.subject_digest,
        "started_at": _utc(destruction.started_at),
        "finished_at": _utc(destruction.finished_at),
        "requested_by": destruction.requested_by,
        "export_sha256": destruction.export_digest,
        "remaining": destruction.remaining,
        "removed": {kind: destruction.counts.get(kind, 0) for kind in _KINDS},
    }
    if destruction.persons:
        statement["keys"] = destruction.person_keys
    return statement


def _subject(destruction: Destruction) -> str:
    count = len(destruction.person_keys)
    match destruction.what:
        case "students":
            return f"{count_of(count, 'student')} who left"
        case "staff":
            return f"names, emails and credentials of {count_of(count, 'former staff member')}"
        case "student":
            return f"one student, with the key {destruction.student_key}"
    return "a district with all its data"


def _requested_by(statement: Mapping[str, Any]) -> str:
    if "keys" in statement:
        return "the retention settings of the district"
    return f"{statement['requested_by']}, with the rollbook command"


def _key_lines(keys: Sequence[int]) -> Iterator[str]:
    """Yield the keys of the persons, if there are any."""
    if keys:
        yield "With the keys:"
        yield from textwrap.wrap(
            ", ".join(map(str, keys)), 80, initial_indent="  ", subsequent_indent="  "
        )


def _count_lines(removed: Mapping[str, int]) -> Iterator[str]:
    for kind, count in removed.items():
        if count:
            yield f"  {count:>12,}  {_KINDS.get(kind, kind)}"


def _utc(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else ""


def _signed_bytes(statement: Mapping[str, Any]) -> bytes:
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def _private_key() -> Ed25519PrivateKey:
    seed = key_ring.ring(key_ring.LOGINS).derive("certificates of destruction")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _own_public_keys() -> set[str]:
    """Return the present public key, and those of the certificates in the database."""
    issued = Destruction.objects.exclude(certificate=None)
    keys = set(issued.values_list("certificate__public_key", flat=True))
    return keys | {_private_key().public_key().public_bytes_raw().hex()}


def _write(path: Path, text: str) -> None:
    """Write the file so that it is complete or doesn't exist."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
