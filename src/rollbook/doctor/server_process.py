"""The ``rollbook serve`` that looks after the data folder, as the system knows it: its address, its certificate."""

import fcntl
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rollbook.environment import BEHIND_PROXY

_PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Server:
    """What can be seen of it; another account sees neither ``said`` (its options) nor its ``environment``."""

    pid: int | None
    said: Namespace | None
    environment: dict[str, str] | None
    folder: Path | None

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """The files it was given."""
        if self.said is None or self.folder is None or not (self.said.cert and self.said.key):
            return None
        return self.folder / self.said.cert, self.folder / self.said.key

    @property
    def behind_proxy(self) -> bool:
        """Whether it speaks plain HTTP."""
        return self.said is not None and (
            self.said.behind_proxy or (self.environment or {}).get(BEHIND_PROXY.name) == "1"
        )


def find(data: Path) -> Server | None:
    """Who holds the data folder's lock; None if nobody does."""
    try:
        with (data / "serve.lock").open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            except BlockingIOError:
                return _seen(file.read().strip())
    except (OSError, ValueError):
        return None


def _seen(written: str) -> Server:
    if not written.isdecimal():
        return Server(None, None, None, None)
    process = _PROCESSES / written
    words = _strings(process / "cmdline")
    if (
        "serve" not in words
    ):  # of another account; or, if machines share the folder, the number is of another machine
        return Server(int(written), None, None, None)
    environment = _strings(process / "environ")
    folder = None
    with suppress(OSError):
        folder = (process / "cwd").readlink()
    return Server(
        int(written),
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
    """Those that matter here, of the ones that cli/grammar.py defines."""
    options = ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--host", default="localhost")
    options.add_argument("--port", type=int, default=8443)
    options.add_argument("--cert", type=Path)
    options.add_argument("--key", type=Path)
    options.add_argument("--behind-proxy", action="store_true")
    return options.parse_known_args(words[words.index("serve") + 1 :])[0]
