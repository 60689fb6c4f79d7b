"""Records in the audit log what an operator does with the command, where nobody signs in."""

from rollbook.accounts.audit import log
from rollbook.districts.models import District


def record(action: str, district: District | None, detail: str = "") -> None:
    """Record an action as done.

    Args:
        action: The command, such as ``district add``, or the name of the exported file.
        district: The district it concerns; None: the whole installation.
        detail: What was changed or shown; names no student and contains no secret.
    """
    log.record(action, "done", district=district, agent="rollbook command", detail=detail)
