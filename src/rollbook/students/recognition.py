"""Find the enrolled students whom rows and texts name, to record that they were shown.

A row is about a student if it has the student's ID or username, or else the name and date of
birth. The name alone may be that of somebody else.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from rollbook.students import snapshots
from rollbook.students.models import Student
from rollbook.students.name_keys import loose_key

_WORD = re.compile(r"[^\s\"'“”‘’(),;:]+")
_EDGES = ".!?…"
KEYS_PER_QUERY = 2000


def students_named(district: int, texts: Iterable[str]) -> set[int]:
    """Return the primary keys of the students whose ID or username is a word of these texts."""
    words: set[str] = set()
    for text in texts:
        found = _WORD.findall(text)
        words.update(found, (word.strip(_EDGES) for word in found))
    return holders(district, words, words)


def holders(
    district: int, student_ids: Collection[str], usernames: Collection[str] = ()
) -> set[int]:
    """Return the primary keys of the students with these IDs or usernames."""
    by_id = snapshots.find_key_holders(district, "STUDENT_ID", list(set(student_ids) - {""}))
    lower = {username.lower() for username in usernames} - {""}
    by_username = snapshots.find_key_holders(district, "USERNAME", list(lower))
    return {*by_id.values(), *by_username.values()}


def with_loose_keys(district: int, loose_keys: Collection[int]) -> set[int]:
    """Return the primary keys of the students with these keys of name and date of birth."""
    keys = sorted(set(loose_keys))
    found: set[int] = set()
    for start in range(0, len(keys), KEYS_PER_QUERY):
        page = keys[start : start + KEYS_PER_QUERY]
        students = Student.objects.filter(district=district, loose_key__in=page)
        found.update(students.values_list("pk", flat=True))
    return found


def in_rows(district: int, rows: Collection[Mapping[str, str]]) -> set[int]:
    """Return the primary keys of the students whom rows of a student file are about.

    Args:
        district: The district of the file.
        rows: Column to valid value.
    """
    ids = {row["STUDENT_ID"] for row in rows if row.get("STUDENT_ID")}
    usernames = {row["USERNAME"] for row in rows if row.get("USERNAME")}
    return holders(district, ids, usernames) | with_loose_keys(district, set(_loose_keys(rows)))


def _loose_keys(rows: Iterable[Mapping[str, str]]) -> Iterator[int]:
    for row in rows:
        if row.get("DOB") and (row.get("FIRST_NAME") or row.get("LAST_NAME")):
            yield loose_key({"FIRST_NAME": "", "LAST_NAME": "", **row})
