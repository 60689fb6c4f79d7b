"""Usernames for students who came without one."""

import unicodedata
from collections.abc import Collection, Mapping
from itertools import count

from django.db import connection

from rollbook.studentfile.values.text_checks import PLACEHOLDERS


class Usernames:
    """Makes usernames that nobody in the district has and that a file may bring: first initial and last name, and a
    number if need be.
    """

    def __init__(self, district_id: int, reserved: Collection[str] = ()) -> None:
        self._district_id = district_id
        self._reserved = reserved
        self._taken: dict[str, set[str]] = {}

    def make(self, values: Mapping[str, str]) -> str:
        """A username for the student with these FIRST_NAME and LAST_NAME; no two calls give the same."""
        stem = (_letters(values["FIRST_NAME"])[:1] + _letters(values["LAST_NAME"]))[:40]
        stem = stem if len(stem) > 1 else "student"
        if stem not in self._taken:
            self._taken[stem] = self._beginning_with(stem).union(self._reserved, PLACEHOLDERS)
        taken = self._taken[stem]
        username = next(
            name
            for number in count(1)
            if (name := f"{stem}{number if number > 1 else ''}") not in taken
        )
        taken.add(username)
        return username

    def _beginning_with(self, stem: str) -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT username FROM students_student WHERE district_id = %s AND username >= %s AND username < %s",
                [self._district_id, stem, f"{stem}\U0010ffff"],
            )
            return {username for (username,) in cursor.fetchall()}


def _letters(name: str) -> str:
    """The name's letters that are in a to z, without their accents."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in plain if "a" <= char <= "z")
