"""Checks who owns the data folder, and that other accounts can't read it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.environment import DATA
from rollbook.system_accounts import account_name
from rollbook.text import count_of, join_words

PUBLIC_FILES = {"certificate.pem", "admin-certificate.pem"}  # clients need it
MAX_FILES = 100_000
MAX_SHOWN = 3


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check the folder itself, then its content."""
    data = installation.data
    if not data.is_dir():
        yield _missing(installation)
        return
    owner = data.stat().st_uid
    if installation.missing_requirement("folder"):
        yield error(f"this account cannot open {data}", f"`chmod 700 {data}`")
        return
    yield from _open_to_others(data)
    content = _content(data, owner)
    yield from content.findings(data, owner)
    if not content.is_bad:
        yield ok(
            f"{data} belongs to {account_name(owner)}; "
            f"only that account can read its {count_of(content.files, 'file')}"
        )


def _missing(installation: Installation) -> CheckResult:
    why = ""
    if DATA.name not in installation.variables.values:
        why = " (the default, because neither --data nor ROLLBOOK_DATA is set)"
    if installation.data.exists():
        return error(
            f"{installation.data} is not a folder{why}",
            "choose another with --data or ROLLBOOK_DATA",
        )
    return error(
        f"there is no data folder {installation.data}{why}",
        "choose yours with --data or ROLLBOOK_DATA, or create one with `rollbook district add`",
    )


def _open_to_others(data: Path) -> Iterator[CheckResult]:
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o022:
        yield error(
            f"others can change the content of {data} (mode {mode:04o})", f"`chmod 700 {data}`"
        )
    elif mode & 0o077:
        yield warning(
            f"others can list the content of {data} (mode {mode:04o})", f"`chmod 700 {data}`"
        )


@dataclass
class _Content:
    """The content of the folder, with what is wrong with it."""

    files: int = 0
    foreign: list[Path] = field(default_factory=list)
    readable: list[Path] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        return bool(self.foreign or self.readable or self.closed)

    def findings(self, data: Path, owner: int) -> Iterator[CheckResult]:
        """Yield what is wrong."""
        if self.closed:
            yield error(
                f"{join_words(self.closed[:MAX_SHOWN])} cannot be opened",
                "check who owns them: `ls -l`",
            )
        if self.foreign:
            name = account_name(owner)
            belong = "belong" if len(self.foreign) > 1 else "belongs"
            yield error(
                f"{_some(data, self.foreign)} {belong} to an account other than {name}",
                f"`chown -R {name} {data}`, and run every command as {name}",
            )
        if self.readable:
            yield error(
                f"others can read {_some(data, self.readable)}",
                f"`chmod -R go-rwx {data}`; the server can keep running",
            )


def _content(data: Path, owner: int) -> _Content:
    content = _Content()
    for folder, folders, files in os.walk(
        data, onerror=lambda fault: content.closed.append(str(fault.filename))
    ):
        for name in (*folders, *files):
            _check_file(Path(folder) / name, owner, content)
        content.files += len(files)
        if content.files > MAX_FILES:
            break
    return content


def _check_file(path: Path, owner: int, content: _Content) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:  # the server may have removed it meanwhile
        return
    if status.st_uid != owner:
        content.foreign.append(path)
    if (
        status.st_mode & 0o077
        and not stat.S_ISLNK(status.st_mode)
        and path.name not in PUBLIC_FILES
    ):
        content.readable.append(path)


def _some(data: Path, paths: list[Path]) -> str:
    names = [str(path.relative_to(data)) for path in sorted(paths)]
    more = len(names) - MAX_SHOWN
    return join_words(names) if more <= 0 else f"{', '.join(names[:MAX_SHOWN])} and {more:,} more"
