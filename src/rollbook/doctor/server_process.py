"""Finds the ``rollbook serve`` that uses the data folder, with its address and certificate."""

import fcntl
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rollbook.environment import BEHIND_PROXY

_PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Server:
    """The running server.

    Attributes:
        pid: Its process id.
        said: Its command-line options; None if its process belongs to another account.
        environment: Its environment variables; None if its process belongs to another account.
        folder: Its working directory.
    """

    pid: int | None
    options: Namespace | None
    environment: dict[str, str] | None
    folder: Path | None

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """The files of its options --cert and --key."""
        if (
            self.options is None
            or self.folder is None
            or not (self.options.cert and self.options.key)
        ):
            return None
        return self.folder / self.options.cert, self.folder / self.options.key

    @property
    def socket(self) -> Path | None:
        """The path of its option --socket."""
        if self.options is None or self.folder is None or not self.options.socket:
            return None
        path: Path = self.options.socket
        return self.folder / path

    @property
    def behind_proxy(self) -> bool:
        """Whether it serves plain HTTP."""
        return self.options is not None and (
            self.options.behind_proxy or (self.environment or {}).get(BEHIND_PROXY.name) == "1"
        )


def find(data: Path) -> Server | None:
    """Return the server that holds the data folder's lock; None if the lock is free."""
    try:
        with (data / "serve.lock").open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            except BlockingIOError:
                return _read_process(file.read().strip())
    except (OSError, ValueError):
        return None


def _read_process(pid_text: str) -> Server:
    if not pid_text.isdecimal():
        return Server(None, None, None, None)
    process = _PROCESSES / pid_text
    words = _strings(process / "cmdline")
    # The process belongs to another account, or to another machine that shares the folder.
    if "serve" not in words:
        return Server(int(pid_text), None, None, None)
    environment = _strings(process / "environ")
    folder = None
    with suppress(OSError):
        folder = (process / "cwd").readlink()
    return Server(
        int(pid_text),
        _options(words),
        dict(each.partition("=")[::2] for each in environment) if environment else None,
        folder,
    )


def _strings(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _options(words: list[str]) -> Namespace:
    """Parse the options that matter to the checks, as ``cli/actions/serve.py`` defines them."""
    options = ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--host", default="localhost")
    options.add_argument("--port", type=int, default=8443)
    options.add_argument("--socket", type=Path)
    options.add_argument("--cert", type=Path)
    options.add_argument("--key", type=Path)
    options.add_argument("--behind-proxy", action="store_true")
    return options.parse_known_args(words[words.index("serve") + 1 :])[0]
