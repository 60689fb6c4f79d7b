"""The data folder: whose it is, and that nobody else can look into it."""

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.environment import DATA
from rollbook.text import count_of, join_words

PUBLIC = {"certificate.pem"}  # clients need it
MAX_FILES = 100_000  # files looked at
MAX_SHOWN = 3


def check(here: Installation) -> Iterator[CheckResult]:
    """The folder itself, then all that is in it."""
    data = here.data
    if not data.is_dir():
        yield _missing(here)
        return
    owner = data.stat().st_uid
    yield from _whose(data, owner)
    if here.missing_requirement("folder"):
        return
    yield from _open_to_others(data)
    content = _content(data, owner)
    yield from content.findings(data, owner)
    if not content.is_bad:
        yield ok(
            f"{data} belongs to {_name(owner)}, with {count_of(content.files, 'file')} that nobody else can read"
        )


def _missing(here: Installation) -> CheckResult:
    named = DATA.name in here.variables.values
    why = (
        ""
        if named
        else " (neither --data nor ROLLBOOK_DATA is given, so it is `data` in the current folder)"
    )
    if here.data.exists():
        return error(
            f"{here.data} is not a folder{why}", "name another with --data or ROLLBOOK_DATA"
        )
    return error(
        f"there is no data folder {here.data}{why}",
        "name yours with --data or ROLLBOOK_DATA, or begin one with `rollbook district add`",
    )


def _whose(data: Path, owner: int) -> Iterator[CheckResult]:
    us = os.geteuid()
    if us == owner:
        return
    as_owner = f"run it as that account: `sudo -u {_name(owner)} rollbook doctor`"
    if us == 0:
        yield warning(
            f"{data} belongs to {_name(owner)}, and root sees and may do more than that account",
            as_owner,
        )
    else:
        yield error(
            f"{data} belongs to {_name(owner)}, and this command runs as {_name(us)}", as_owner
        )


def _open_to_others(data: Path) -> Iterator[CheckResult]:
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o022:
        yield error(f"others can change what is in {data} (mode {mode:04o})", f"`chmod 700 {data}`")
    elif mode & 0o077:
        yield warning(f"others can see what is in {data} (mode {mode:04o})", f"`chmod 700 {data}`")


@dataclass
class _Content:
    """What is in the folder, and what of it is not as it should be."""

    files: int = 0
    strangers: list[Path] = field(default_factory=list)
    readable: list[Path] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        return bool(self.strangers or self.readable or self.closed)

    def findings(self, data: Path, owner: int) -> Iterator[CheckResult]:
        """What is not as it should be."""
        if self.closed:
            yield error(
                f"{join_words(self.closed[:MAX_SHOWN])} cannot be looked into",
                "see whose they are: `ls -l`",
            )
        if self.strangers:
            name = _name(owner)
            what = f"{_some(data, self.strangers)} {_verb(self.strangers, 'belong')} to another account than {name}"
            yield error(what, f"`chown -R {name} {data}`, and run every command as {name}")
        if self.readable:
            yield error(
                f"others can read {_some(data, self.readable)}",
                f"`chmod -R go-rwx {data}`; the server may go on meanwhile",
            )


def _content(data: Path, owner: int) -> _Content:
    found = _Content()
    for folder, folders, files in os.walk(
        data, onerror=lambda fault: found.closed.append(str(fault.filename))
    ):
        for name in (*folders, *files):
            _look_at(Path(folder) / name, owner, found)
        found.files += len(files)
        if found.files > MAX_FILES:
            break
    return found


def _look_at(path: Path, owner: int, found: _Content) -> None:
    try:
        there = path.lstat()
    except FileNotFoundError:  # the server works meanwhile
        return
    if there.st_uid != owner:
        found.strangers.append(path)
    if there.st_mode & 0o077 and not stat.S_ISLNK(there.st_mode) and path.name not in PUBLIC:
        found.readable.append(path)


def _some(data: Path, paths: list[Path]) -> str:
    names = [str(path.relative_to(data)) for path in sorted(paths)]
    more = len(names) - MAX_SHOWN
    return join_words(names) if more <= 0 else f"{', '.join(names[:MAX_SHOWN])} and {more:,} more"


def _verb(paths: list[Path], verb: str) -> str:
    return verb if len(paths) > 1 else f"{verb}s"


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"account {number}"
