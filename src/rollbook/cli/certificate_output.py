"""Save certificates for commands, and say where."""

import sys
from pathlib import Path

from rollbook.operations.lifecycle import destruction as engine
from rollbook.operations.models import Destruction


def save(destruction: Destruction, folder: Path | None) -> None:
    """Save the certificate of a finished destruction; it is in the database in any case."""
    try:
        for path in engine.save_certificate(destruction, folder):
            print(f"Certificate {destruction.pk}: {path}")
    except OSError as error:
        print(
            f"certificate {destruction.pk} could not be saved ({error.strerror}); "
            f"save it with `rollbook certificate save {destruction.pk}`",
            file=sys.stderr,
        )
