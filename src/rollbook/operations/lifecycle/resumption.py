"""Continue destructions that were interrupted; a periodic task of the worker."""

import logging
from pathlib import Path

from rollbook.operations.lifecycle import deletion, erasure
from rollbook.operations.lifecycle import destruction as engine
from rollbook.operations.lifecycle.suspension import NotPossible
from rollbook.operations.models import Destruction

log = logging.getLogger(__name__)


def continue_unfinished() -> int:
    """Continue the oldest destruction by one batch, an erasure to its end.

    Returns:
        1, or 0 if there is nothing to do now.
    """
    for destruction in engine.unfinished():
        if destruction.student_key is None:
            if engine.advance(destruction.pk, deletion.remove_batch):
                save_or_log(destruction)
            return 1
        try:
            erasure.run(destruction, lambda removed: None)
        except NotPossible:  # an update is unfinished
            continue
        save_or_log(destruction)
        return 1
    return 0


def save_or_log(destruction: Destruction, folder: Path | None = None) -> None:
    """Save a certificate, or log that it has to be saved later; it is in the database, too."""
    destruction.refresh_from_db()
    try:
        list(engine.save_certificate(destruction, folder))
    except OSError as error:
        log.warning(
            "certificate %d can't be saved (%s); save it with `rollbook certificate save %d`",
            destruction.pk,
            error.strerror,
            destruction.pk,
        )
