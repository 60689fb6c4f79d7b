"""The account that the server runs as, and where it can create folders.

PostgreSQL refuses to run as root; then ``nobody`` is used.
"""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.postgres import PostgresProblem

IN_PLACE_OF_ROOT = "nobody"  # initdb wants an account that has a name
OPEN_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108


@dataclass(frozen=True)
class Account:
    """A user and a group of the machine."""

    uid: int
    gid: int

    @property
    def options(self) -> dict[str, Any]:
        """What makes ``subprocess`` run something as this account, with no other groups."""
        return (
            {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        )

    def take(self, path: Path) -> None:
        """Own this file or folder, and all that is in it."""
        if os.geteuid() == 0:
            for one in (path, *path.rglob("*")):
                os.chown(one, self.uid, self.gid, follow_symlinks=False)

    def can(self, *command: str | Path) -> bool:
        """Return whether this command succeeds; modes alone don't show access lists and mounts."""
        try:
            done = subprocess.run(
                command, cwd="/", check=False, capture_output=True, **self.options
            )
        except OSError:
            return False
        return done.returncode == 0


def of_the_server() -> Account:
    """Raises PostgresProblem if we are root on a machine that has nobody else."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        found = pwd.getpwnam(IN_PLACE_OF_ROOT)
    except KeyError:
        raise PostgresProblem(
            "PostgreSQL does not run as root, and this machine has no account "
            f"{IN_PLACE_OF_ROOT!r} to run it as; "
            "run the tests as another user than root"
        ) from None
    return Account(found.pw_uid, found.pw_gid)


def places() -> tuple[str, ...]:
    """Return where to try to create a folder: TMPDIR first, then folders open to everyone."""
    return (tempfile.gettempdir(), *OPEN_PLACES)


def own_folder(account: Account, parents: Iterable[str | Path], longest: int = 4096) -> Path:
    """Create a private folder for the account, whose path has at most this many characters.

    Raises PostgresProblem if there is none.
    """
    tried = list(dict.fromkeys(map(str, parents)))
    for parent in tried:
        try:
            folder = Path(tempfile.mkdtemp(prefix="rollbook-pg-", dir=parent))
        except OSError:
            continue
        account.take(folder)
        if len(str(folder)) <= longest and account.can("test", "-w", folder):
            return folder
        folder.rmdir()
    raise PostgresProblem(
        f"the PostgreSQL of the tests, which runs as user {account.uid}, "
        f"found no place it can write in: tried {', '.join(tried)}; "
        "name a folder that user can reach (see `namei -l FOLDER`), and whose path is short"
    )
