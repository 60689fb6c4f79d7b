"""Tell transient errors, such as a full disk, from bugs."""

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
    "08",  # connection lost
    "25006",  # read-only: a standby, or a disk that was made read-only
    "28",  # login failed, while an operator changes the password or the permissions
    "3D",  # no such database, while it is restored
    "40",  # deadlock or serialization failure
    "53",  # out of disk space, memory or connections
    "55",  # locked
    "57",  # canceled; or the server is shutting down, starting, or was restarted after a crash
    "58",  # error of the server's operating system
)


def is_transient(error: BaseException) -> bool:
    """Return whether the same work may succeed later, without a change of our code.

    The disk may be full, for example, or the database locked or unreachable. Errors in SQL
    statements can be an OperationalError too, so the database's own error code decides.
    """
    if isinstance(error, OSError):
        return error.errno in _SYSTEM_ERRORS
    if not isinstance(error, Error):
        return False
    cause = error.__cause__
    if sqlite_name := getattr(cause, "sqlite_errorname", None):
        return isinstance(error, OperationalError) and str(sqlite_name).startswith(_SQLITE_ERRORS)
    if sqlstate := getattr(cause, "sqlstate", None):
        return str(sqlstate).startswith(_POSTGRESQL_ERRORS)
    # No code: there was no server to send one. It can't be reached, or closed the connection.
    return isinstance(error, OperationalError | InterfaceError)


def sqlstate_of(error: BaseException) -> str:
    """Return PostgreSQL's code of the error or of what caused it; empty if there is none."""
    cause: BaseException | None = error
    while cause is not None:
        if sqlstate := getattr(cause, "sqlstate", None):
            return str(sqlstate)
        cause = cause.__cause__ or cause.__context__  # Django's migrations don't set __cause__
    return ""
