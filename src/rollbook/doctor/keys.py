"""The keys beside the database: without them sealed passwords and sessions are of no use."""

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
OF_STUDENTS = ("student-passwords", "student-password-marks")
_RESTORE = "bring the folder `keys` back from your backup, or copy it from the machine that has it"


def check(here: Installation) -> Iterator[CheckResult]:
    """Which are there, whether they are whole, and which should be there. Their modes are the data folder's affair."""
    folder = here.data / "keys"
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    problems = [*_missing(folder, there, has_students=_has_students(here)), *_broken(folder, there)]
    if not problems and here.tables:
        problems += _strange(folder, there)
    yield from problems
    if not problems:
        are = "is there and whole" if len(there) == 1 else "are there and whole"
        yield ok(
            f"{join_words(there)} {are}"
            if there
            else "there are none yet; they are made at first use"
        )


def _has_students(here: Installation) -> bool:
    return here.tables and Student.objects.exists()


def _missing(folder: Path, there: list[str], *, has_students: bool) -> Iterator[CheckResult]:
    for name in OF_STUDENTS:
        if has_students and name not in there:
            yield error(
                f"{folder / name} is missing, so no student's password can be told to be right",
                _RESTORE,
            )
    if has_students and SESSION not in there:
        yield warning(
            f"{folder / SESSION} is missing, so that whoever is signed in must sign in again",
            f"{_RESTORE}; else the next start makes a new one",
        )


def _strange(folder: Path, there: list[str]) -> Iterator[CheckResult]:
    """Keys that are not those which the database has been used with."""
    for name, known in KeyFingerprint.objects.filter(name__in=there).values_list(
        "name", "fingerprint"
    ):
        if fingerprint((folder / name).read_bytes()) != known:
            yield error(
                f"{folder / name} is another key than the one the database has been used with",
                _RESTORE,
            )


def _broken(folder: Path, there: list[str]) -> Iterator[CheckResult]:
    for name in there:
        try:
            length = len((folder / name).read_bytes())
        except OSError as fault:
            yield error(
                f"{folder / name} cannot be read ({fault.strerror})", "see whose it is: `ls -l`"
            )
            continue
        if length != LENGTH and not name.startswith(
            "tmp"
        ):  # which a key has been called on its way to the disk
            yield error(f"{folder / name} has {length} bytes and not {LENGTH}", _RESTORE)
