"""Generate usernames for new students without one."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from itertools import count

from django.db import connection

from rollbook.studentfile.values.placeholders import PLACEHOLDERS
from rollbook.students.name_keys import is_missing

MAX_STEM_LENGTH = 40


class Usernames:
    """Generates usernames that are free in a district and valid in a student file.

    A username is the first initial and the last name, or the only name; followed by a number if
    needed.
    """

    def __init__(self, district_id: int, reserved: Collection[str] = ()) -> None:
        self._district_id = district_id
        self._reserved = reserved
        self._taken: dict[str, set[str]] = {}

    def make(self, values: Mapping[str, str]) -> str:
        """Return a new username for a student; no two calls return the same.

        Args:
            values: FIRST_NAME and LAST_NAME of the student.
        """
        first_name, last_name = values["FIRST_NAME"], values["LAST_NAME"]
        names = _ascii_letters(first_name)[:1] + _ascii_letters(last_name)
        if is_missing(last_name):
            names = _ascii_letters(first_name)
        elif is_missing(first_name):
            names = _ascii_letters(last_name)
        stem = names[:MAX_STEM_LENGTH]
        if len(stem) <= 1:
            stem = "student"
        if stem not in self._taken:
            existing = self._existing_usernames(stem)
            self._taken[stem] = existing.union(self._reserved, PLACEHOLDERS)
        taken = self._taken[stem]
        username = next(name for name in _candidates(stem) if name not in taken)
        taken.add(username)
        return username

    def _existing_usernames(self, stem: str) -> set[str]:
        """Return the district's usernames that start with the stem."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT username FROM students_student"
                " WHERE district_id = %s AND username >= %s AND username < %s",
                [self._district_id, stem, f"{stem}\U0010ffff"],
            )
            return {username for (username,) in cursor.fetchall()}


def _candidates(stem: str) -> Iterator[str]:
    """Yield the stem alone, then followed by 2, 3, 4 and so on."""
    yield stem
    for number in count(2):
        yield f"{stem}{number}"


def _ascii_letters(name: str) -> str:
    """Return the characters a to z of a name in lower case, without accents."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in plain if "a" <= char <= "z")
