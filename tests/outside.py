"""Refuse to open files outside the repository, so that a clone by itself passes every test.

The audit hook sees what this process opens, and the paths in the commands that it starts. Allowed
are the repository, Python and its packages, the system, and temporary folders. Not allowed is what
is beside the repository when the run begins, even where that is a temporary folder.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/nix", "/opt"),
    *("/proc", "/run", "/sbin", "/snap", "/sys", "/usr", "/var"),
)
KERNEL = ("/proc/", "/dev/")
TEMPORARY = ("pytest-of-", "rollbook-")
"""How the names of temporary folders begin that this or another test run makes."""

EVENTS = {"open", "os.listdir", "os.scandir", "sqlite3.connect", "subprocess.Popen"}


class OpenedOutside(AssertionError):
    """A test opened, or named to a process, a file that a clone by itself does not have."""


class StartedPython(AssertionError):
    """A test started a Python process without the mark ``process``."""


class Border:
    """Which paths belong to the repository, the machine and the test run.

    ``neighbors`` are the paths beside the repository that were there before the run.
    """

    def __init__(self, root: Path, neighbors: Iterable[Path], allowed: Iterable[Path]) -> None:
        self.root, self.home = _parts(root), _parts(Path.home())
        self.allowed = [_parts(path) for path in allowed]
        self.neighbors = [_parts(path) for path in neighbors]

    def is_outside(self, path: str) -> bool:
        """Whether nothing may open this path."""
        parts = _parts(Path(path))
        if _is_below(parts, [self.root]):
            return False
        if _is_below(parts, self.neighbors):
            return True
        return not (_is_below(parts, self.allowed) or self._is_hidden_at_home(parts))

    def _is_hidden_at_home(self, parts: tuple[str, ...]) -> bool:
        """Whether a program keeps its settings or caches there."""
        at = len(self.home)
        return _is_below(parts, [self.home]) and len(parts) > at and parts[at].startswith(".")


def border_of(root: Path) -> Border:
    """Return the border of a repository on this machine, as it is now."""
    python = [Path(path) for path in {sys.prefix, sys.base_prefix, *filter(None, sys.path)}]
    allowed = [*map(Path, SYSTEM), *python, Path(tempfile.gettempdir())]
    ours = [root, *allowed]
    return Border(
        root, [path for path in root.parent.iterdir() if not _leads_to(path, ours)], allowed
    )


def _leads_to(path: Path, ours: Iterable[Path]) -> bool:
    parts = _parts(path)
    if path.name.startswith((".", *TEMPORARY)):
        return True
    return any(_is_below(_parts(one), [parts]) for one in ours)


def _parts(path: Path) -> tuple[str, ...]:
    return Path(os.path.realpath(path)).parts


def _is_below(parts: tuple[str, ...], folders: Iterable[tuple[str, ...]]) -> bool:
    return any(parts[: len(folder)] == folder for folder in folders)


class Guard:
    """The audit hook.

    ``found`` collects what was refused, also where the code under test handled the exception.
    ``python_processes`` is whether the current test may start Python.
    """

    def __init__(self, border: Border) -> None:
        self.border = border
        self.python_processes = True
        self.found: list[str] = []
        self._known: set[str] = set()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Refuse what is outside; Python calls this for everything that it audits."""
        if event not in EVENTS:
            return
        if event == "subprocess.Popen" and not self.python_processes:
            self._look_at_program(str(arguments[0]))
        for path in _paths(event, arguments):
            if path not in self._known and not path.startswith(KERNEL):
                self._check_path(path, event)

    def taken(self) -> list[str]:
        """Return what was found, and forget it."""
        found, self.found = self.found, []
        return found

    def _look_at_program(self, program: str) -> None:
        if Path(program).name.startswith("python"):
            self.found.append(f"{program}: mark the test with `process`")
            raise StartedPython(f"{program} is started by a test that is not marked with `process`")

    def _check_path(self, path: str, event: str) -> None:
        if self.border.is_outside(path):
            self.found.append(f"{event}: {path}")
            raise OpenedOutside(f"{event} of {path}, which is outside the repository")
        if path.startswith("/"):
            self._known.add(path)


def _paths(event: str, arguments: tuple[object, ...]) -> Iterator[str]:
    if event == "subprocess.Popen":
        yield from _named_to_process(arguments)
        return
    path = arguments[0]
    if not isinstance(path, str | bytes | os.PathLike):
        return
    text = os.fsdecode(path)
    if event == "sqlite3.connect" and text.startswith((":", "file:")):
        return
    if _exists(text) or (event == "open" and _creates(arguments[2], text)):
        yield text


def _creates(flags: object, path: str) -> bool:
    """Whether a file that does not exist would be made here."""
    return isinstance(flags, int) and bool(flags & os.O_CREAT) and _exists(str(Path(path).parent))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # it is too long for a name, or has a NUL in it
        return False


def _named_to_process(arguments: tuple[object, ...]) -> Iterator[str]:
    """Yield the words of a command that name an existing path."""
    words = arguments[1]
    if not isinstance(words, list | tuple):
        return
    for word in words:
        path = os.fsdecode(word)
        if "/" in path and _exists(path):
            yield path
