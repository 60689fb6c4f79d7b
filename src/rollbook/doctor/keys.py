"""Checks the key files, without which stored passwords and sessions can't be used."""

from collections.abc import Iterator
from pathlib import Path

from rollbook.accounts.key_fingerprints import fingerprint
from rollbook.accounts.models import KeyFingerprint
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.students.models import Student
from rollbook.text import join_words

LENGTH = 32
SESSION = "session"
STUDENT_KEYS = ("student-passwords", "student-password-marks")
_RESTORE = "restore the folder `keys` from your backup, or copy it from the machine that has it"


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check which keys exist, are complete, and are missing (the data folder's check: modes)."""
    folder = installation.data / "keys"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    problems = [
        *_missing(folder, names, has_students=_has_students(installation)),
        *_broken(folder, names),
    ]
    if not problems and installation.tables:
        problems += _mismatched(folder, names)
    yield from problems
    if not problems:
        yield ok(_summary(names))


def _summary(names: list[str]) -> str:
    if not names:
        return "there are none yet; they are created at first use"
    return f"{join_words(names)} {'is' if len(names) == 1 else 'are'} complete"


def _has_students(installation: Installation) -> bool:
    return installation.tables and Student.objects.exists()


def _missing(folder: Path, names: list[str], *, has_students: bool) -> Iterator[CheckResult]:
    for name in STUDENT_KEYS:
        if has_students and name not in names:
            yield error(
                f"{folder / name} is missing, so no student's password can be verified",
                _RESTORE,
            )
    if has_students and SESSION not in names:
        yield warning(
            f"{folder / SESSION} is missing, so everyone who is signed in has to sign in again",
            f"{_RESTORE}; otherwise the next start creates a new one",
        )


def _mismatched(folder: Path, names: list[str]) -> Iterator[CheckResult]:
    """Find keys that are not the ones the database has been used with."""
    for name, known in KeyFingerprint.objects.filter(name__in=names).values_list(
        "name", "fingerprint"
    ):
        if fingerprint((folder / name).read_bytes()) != known:
            yield error(
                f"{folder / name} is not the key that the database has been used with",
                _RESTORE,
            )


def _broken(folder: Path, names: list[str]) -> Iterator[CheckResult]:
    for name in names:
        try:
            length = len((folder / name).read_bytes())
        except OSError as fault:
            yield error(
                f"{folder / name} cannot be read ({fault.strerror})", "check who owns it: `ls -l`"
            )
            continue
        # A key is written to a file named tmp… first.
        if length != LENGTH and not name.startswith("tmp"):
            yield error(f"{folder / name} has {length} bytes instead of {LENGTH}", _RESTORE)
