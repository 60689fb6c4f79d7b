"""Checks the key files, without which stored passwords and sessions can't be used."""

from collections.abc import Iterator
from pathlib import Path

from rollbook.accounts import key_fingerprints, key_ring
from rollbook.accounts.key_fingerprints import KeyProblem, how_to_fix
from rollbook.accounts.key_ring import Versions
from rollbook.accounts.models import KeyState
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.secret_keys import file_name
from rollbook.text import join_words


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check which keys exist, are complete, and are missing (the data folder's check: modes)."""
    folder = installation.data / "keys"
    known: Versions = {}
    if installation.tables:
        known = key_ring.load_versions()
    problems = [
        *key_fingerprints.find_problems(folder, known),
        *key_fingerprints.find_problems_of_new_keys(folder, known),
    ]
    for problem in problems:
        yield _result(problem)
    for name in _removable(folder, known):
        yield warning(f"the key {name} is no longer needed", f"`rm {folder / name}`")
    if not problems:
        yield ok(_summary(folder, known))


def _result(problem: KeyProblem) -> CheckResult:
    if problem.is_staged:
        return warning(
            f"{problem.what}, and will be used after `rollbook keys activate {problem.name}`",
            "copy the file from the machine on which `rollbook keys rotate` was run",
        )
    return error(problem.what, how_to_fix([problem]))


def _removable(folder: Path, known: Versions) -> Iterator[str]:
    """Yield the files of versions that nothing needs any longer."""
    for name, versions in known.items():
        for version in versions:
            file = file_name(name, version.version)
            if version.state == KeyState.REMOVED and (folder / file).exists():
                yield file


def _summary(folder: Path, known: Versions) -> str:
    names = [name for name in key_ring.NAMES if name in known or (folder / name).exists()]
    if not names:
        return "there are none yet; they are created at first use"
    return f"{join_words(names)} {'is' if len(names) == 1 else 'are'} complete"
