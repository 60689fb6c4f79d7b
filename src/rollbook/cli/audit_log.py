"""Records in the audit log what an operator does with the command, where nobody signs in."""

from collections.abc import Collection, Iterable

from django.db import transaction

from rollbook.accounts.audit import log
from rollbook.accounts.audit.disclosures import CONFIDENTIAL_FIELDS
from rollbook.districts.models import District
from rollbook.system_accounts import command_agent


def record(
    action: str, district: District | None, detail: str = "", students: Iterable[int] = ()
) -> None:
    """Record an action as done, with the system user who runs the command.

    What shows students is recorded before it is printed.

    Args:
        action: The command, such as ``district add``, or the name of the exported file.
        district: The district it concerns; None: the whole installation.
        detail: What was changed or shown; names no student and contains no secret.
        students: The primary keys of the students whose names, IDs or data are shown.
    """
    log.record(
        action,
        "done",
        district=district,
        agent=command_agent(),
        detail=detail,
        students=students,
    )


def record_with_confidential(
    action: str, district: District, detail: str, students: Collection[int]
) -> None:
    """Record that students are shown with confidential fields, which is an event of its own."""
    with transaction.atomic():
        record(action, district, detail, students)
        if students:
            record(CONFIDENTIAL_FIELDS, district, f"{action}: {detail}", students)
