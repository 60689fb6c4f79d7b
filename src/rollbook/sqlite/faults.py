"""Which faults of the machine pass by themselves or with an operator's help, and which are mistakes of ours."""

import errno

from django.db import InterfaceError, OperationalError

_OF_THE_SYSTEM = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}
_OF_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")


def is_passing(fault: BaseException) -> bool:
    """Whether the same work may well succeed later: the disk is full, the database is locked or cannot be reached.

    SQLite calls a mistake in an SQL statement operational too; its own name for the error tells the two apart.
    """
    if isinstance(fault, OSError):
        return fault.errno in _OF_THE_SYSTEM
    if isinstance(fault, OperationalError | InterfaceError):
        return getattr(fault.__cause__, "sqlite_errorname", "SQLITE_BUSY").startswith(_OF_SQLITE)
    return False
