"""Reads from /proc: process trees, peak memory, and how busy the cores are."""

import os
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Those that the process has started."""
    return [child for child, parent in _parents().items() if parent == pid]


def families(roots: Iterable[int]) -> list[list[int]]:
    """Each of these processes with all its descendants."""
    parents = _parents()
    found = [[root] for root in roots]
    for family in found:
        for one in family:
            family.extend(child for child, parent in parents.items() if parent == one)
    return found


def peak(pid: int) -> int:
    """The most memory it has had resident, in bytes; 0 if it has gone."""
    return _status(pid, "VmHWM")


def resident(pid: int) -> int:
    """The memory it has resident now, in bytes; 0 if it has gone."""
    return _status(pid, "VmRSS")


def proportional(pid: int) -> int:
    """Its proportional set size (PSS) now, in bytes; 0 if it has gone."""
    return _value(_PROC / str(pid) / "smaps_rollup", "Pss")


def forget_peak(pid: int) -> None:
    """Let the peak be counted anew from here."""
    (_PROC / str(pid) / "clear_refs").write_text("5", encoding="ascii")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, its descendants, and those of them that have ended."""
    (family,) = families([pid])
    return sum(map(_ticks, family)) / _TICKS_PER_S


def arguments(pid: int) -> list[str]:
    """Its command line; empty if it has gone."""
    try:
        return (
            (_PROC / str(pid) / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        )
    except OSError:
        return []


def busy() -> tuple[float, float]:
    """Ticks all cores have been busy, and ticks in all, since the machine began.

    Processes that only use idle cores, such as the upgrade of password hashes, don't count.
    """
    first = (_PROC / "stat").read_text(encoding="ascii").splitlines()[0]
    user, nice, system, idle, waiting, *others = (int(word) for word in first.split()[1:9])
    return user + system + sum(others), user + nice + system + idle + waiting + sum(others)


def file_system(folder: Path) -> str:
    """The kind of file system the folder is on, such as ext4."""
    mounts = [
        line.split()
        for line in (_PROC / "self" / "mounts").read_text(encoding="utf-8").splitlines()
    ]
    kinds = {words[1].encode().decode("unicode_escape"): words[2] for words in mounts}
    return next(kinds[str(path)] for path in (folder, *folder.parents) if str(path) in kinds)


def _parents() -> dict[int, int]:
    return {int(path.name): _parent(path) for path in _PROC.iterdir() if path.name.isdigit()}


def _parent(path: Path) -> int:
    try:
        return int(
            (path / "stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()[1]
        )
    except OSError:
        return 0


def _ticks(pid: int) -> int:
    """Return the ticks of a process and of the children it has waited for; 0 if it has gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return sum(map(int, text.rpartition(")")[2].split()[11:15]))


def _status(pid: int, name: str) -> int:
    return _value(_PROC / str(pid) / "status", name)


def _value(path: Path, name: str) -> int:
    """Return a size that the kernel gives in kB, in bytes; 0 if the process has gone."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    found = (line.split() for line in text.splitlines() if line.startswith(f"{name}:"))
    return next((int(words[1]) * 1024 for words in found), 0)
