"""The limits of a student file, which the operator sets."""

from django.conf import settings

from rollbook.studentfile.limits import Limits


def file_limits() -> Limits:
    """Return them."""
    return Limits(rows=settings.MAX_ROWS, bytes=settings.MAX_UPLOAD_BYTES)
