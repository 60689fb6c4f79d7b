"""Checks that the database and the data folder belong together, and that both may be used."""

from collections.abc import Iterator

from rollbook.accounts import installation_id
from rollbook.accounts.installation_id import WrongDatabase
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok


def check(installation: Installation) -> Iterator[CheckResult]:
    """Compare their IDs; find a restore or a move that is not finished."""
    try:
        installation_id.require_finished_restore()
        installation_id.require_match()
    except WrongDatabase as problem:
        what, _, fix = str(problem).partition("; ")
        yield error(what, fix)
    else:
        yield ok(f"the database belongs to {installation.data}")
