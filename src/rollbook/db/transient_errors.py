"""Which faults of the machine pass by themselves or with an operator's help, and which are mistakes of ours."""

import errno

from django.db import InterfaceError, OperationalError
from django.db.utils import Error

_SYSTEM_ERRORS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}
_SQLITE_ERRORS = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
)
_POSTGRESQL_ERRORS = (
    "08",  # the connection was lost
    "25006",  # only reading is allowed: a standby, or a disk that was made read-only
    "28",  # the password, or who may come in, is being changed
    "3D",  # the database is being restored
    "40",  # a deadlock, or two transactions that could not both be
    "53",  # no disk, memory or connection left
    "55",  # locked by somebody else
    "57",  # canceled, or the server is shutting down, starting, or was restarted after a crash
    "58",  # the server's own operating system
)


def is_transient(fault: BaseException) -> bool:
    """Whether the same work may well succeed later: the disk is full, the database is locked or cannot be reached.

    Both databases call a mistake in an SQL statement operational too; their own name for the error tells them apart.
    """
    if isinstance(fault, OSError):
        return fault.errno in _SYSTEM_ERRORS
    if not isinstance(fault, Error):
        return False
    cause = fault.__cause__
    if sqlite_name := getattr(cause, "sqlite_errorname", None):
        return isinstance(fault, OperationalError) and str(sqlite_name).startswith(_SQLITE_ERRORS)
    if sqlstate := getattr(cause, "sqlstate", None):
        return str(sqlstate).startswith(_POSTGRESQL_ERRORS)
    # Without a name for it, nobody was there to give one: the server cannot be reached or went away.
    return isinstance(fault, OperationalError | InterfaceError)
