"""Emails that were saved as files because no mail server was configured."""

from contextlib import suppress
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from pathlib import Path

from django.conf import settings

from rollbook.operations import durable

_END = b"-" * 79 + b"\n"
"""What Django writes after each email."""


def remove_saved_emails(addresses: set[str]) -> None:
    """Remove the emails to these addresses.

    Several emails that are sent in the same second can be in one file.
    """
    for path in sorted(Path(settings.MAIL_FOLDER).glob("*")) if addresses else ():
        with suppress(FileNotFoundError):
            _remove_from(path, addresses)


def _remove_from(path: Path, addresses: set[str]) -> None:
    emails = path.read_bytes().split(_END)
    kept = [email for email in emails if not _recipients(email) & addresses]
    if len(kept) == len(emails):
        return
    if any(kept):
        durable.write_file(path, _END.join(kept))
    else:
        path.unlink()


def _recipients(email: bytes) -> set[str]:
    headers = BytesHeaderParser().parsebytes(email)
    return {address.casefold() for _, address in getaddresses(headers.get_all("To", []))}
