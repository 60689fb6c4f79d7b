"""Decide whether a row can be about the student that its ID or username belongs to (pure).

If two of first name, last name and date of birth differ, it is probably somebody else. One of the
names may differ as nicknames and typing mistakes do, and all of them may if the date of birth
differs no more than that.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import lru_cache

from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.spelling import edit_distance
from rollbook.students.name_keys import fold_loosely, is_missing

Values = Mapping[str, str]

NAMES = ("FIRST_NAME", "LAST_NAME")
_COMPARED = (*NAMES, "DOB")

_MAX_DIFFERENCES = 1
_MIN_TYPO_LENGTH = 4  # Tim and Tom are two names, Jon and John may be one
_MIN_PART_LENGTH = 3  # characters of a nickname within the name, as in Liz and Elizabeth
_MIN_STEM_LENGTH = 3  # characters before the ending of a pet name, as in Jenny and Jennifer
_WORD_BREAKS = re.compile(r"[\s,/()\-\u2010-\u2015\u2212]+")
_SUFFIXES = frozenset(
    ["jr", "sr", "junior", "senior", "ii", "iii", "iv", "v", "vi", "2nd", "3rd", "4th"]
)
_PET_NAME_ENDINGS = ("ie", "ey", "y", "i")
_NICKNAMES: Mapping[str, tuple[str, ...]] = {
    "bill": ("william",),
    "billy": ("william",),
    "bob": ("robert",),
    "bobby": ("robert",),
    "chuck": ("charles",),
    "dick": ("richard",),
    "hank": ("henry",),
    "jack": ("john", "jackson"),
    "jim": ("james",),
    "jimmy": ("james",),
    "kate": ("katherine", "kathryn", "catherine"),
    "lupe": ("guadalupe",),
    "meg": ("margaret",),
    "mike": ("michael", "miguel"),
    "molly": ("mary",),
    "nick": ("nicholas", "nicolas"),
    "paco": ("francisco",),
    "peggy": ("margaret",),
    "pepe": ("jose",),
    "polly": ("mary",),
    "rick": ("richard", "ricardo"),
    "rob": ("robert",),
    "sally": ("sarah",),
    "ted": ("theodore", "edward"),
    "tom": ("thomas", "tomas"),
    "tommy": ("thomas", "tomas"),
    "tony": ("anthony", "antonio"),
    "will": ("william",),
}
"""Common nicknames that are no part of the name, or not of its beginning."""


class Difference(IntEnum):
    """How much two names differ."""

    NONE = 0
    MINOR = 1
    MAJOR = 2


def find_contradiction(line: int, stored: Values, values: Values, column: str) -> Problem | None:
    """Return why a row can't be applied to the student with its ID or username, or None.

    Args:
        line: The line of the row.
        stored: Column to value of the student.
        values: Column to value of the row, without those that it doesn't give.
        column: STUDENT_ID or USERNAME, by which the student was found.
    """
    changed = [name for name in _COMPARED if values.get(name) and values[name] != stored[name]]
    if not changed:
        return None
    for name in changed:
        if name != "DOB" and is_missing(values[name]) and not is_missing(stored[name]):
            return Problem("placeholder", line, name, printable_excerpt(values[name]))
    if are_exchanged(stored, values):
        return Problem("names_exchanged", line, column, values[column])
    if _count_differences(stored, values, changed) > _MAX_DIFFERENCES:
        return Problem("identity_mismatch", line, column, values[column])
    return None


def are_exchanged(stored: Values, values: Values) -> bool:
    """Return whether the first name of each is the last name of the other."""
    if any(name not in values for name in NAMES):
        return False
    first, last = (fold_loosely(values[name]) for name in NAMES)
    return first != last and (last, first) == tuple(fold_loosely(stored[name]) for name in NAMES)


def compare_names(one: str, other: str) -> Difference:
    """Return how much two names differ.

    A suffix, hyphen, accent or apostrophe makes no difference, nor does a second first or last
    name that is added or left out. A nickname or a typing mistake makes a minor difference.
    """
    words, other_words = _words(one), _words(other)
    joined, other_joined = "".join(words), "".join(other_words)
    if joined == other_joined or not {*words} - {*other_words} or not {*other_words} - {*words}:
        return Difference.NONE
    if _is_variant(joined, other_joined) or _is_variant(words[0], other_words[0]):
        return Difference.MINOR
    return Difference.MAJOR


def compare_birth_dates(one: str, other: str) -> Difference:
    """Return how much two dates as 'yyyy-mm-dd' differ: in one digit, or in their order, a bit."""
    if one == other:
        return Difference.NONE
    year, month, day = one.split("-")
    is_swapped = other == f"{year}-{day}-{month}"
    is_typo = sum(map(str.__ne__, one, other)) == 1
    return Difference.MINOR if is_swapped or is_typo else Difference.MAJOR


def _count_differences(stored: Values, values: Values, changed: list[str]) -> int:
    """Return how many of the changed values differ; minor ones count beside a major one only."""
    if len(changed) <= _MAX_DIFFERENCES:
        return 0
    differences = []
    for name in changed:
        compare = compare_birth_dates if name == "DOB" else compare_names
        differences.append(compare(stored[name], values[name]))
    major, minor = differences.count(Difference.MAJOR), differences.count(Difference.MINOR)
    if not major and "DOB" in changed:
        return 0
    return major + max(0, minor - 1)


@lru_cache(maxsize=20_000)
def _words(name: str) -> list[str]:
    """Return the words of a name, folded; without suffixes unless there is nothing else."""
    composed = unicodedata.normalize("NFC", name)
    words = [fold_loosely(word) for word in _WORD_BREAKS.split(composed)]
    words = [word for word in words if word]
    return [word for word in words if word not in _SUFFIXES] or words


def _is_variant(one: str, other: str) -> bool:
    """Return whether one word may be a nickname of the other, or either a typing mistake."""
    shorter, longer = sorted((one, other), key=len)
    if longer.startswith(shorter) or (len(shorter) >= _MIN_PART_LENGTH and shorter in longer):
        return True
    if one in _NICKNAMES.get(other, ()) or other in _NICKNAMES.get(one, ()):
        return True
    if any(map(longer.startswith, _stems(shorter))):
        return True
    is_typo_possible = len(longer) >= _MIN_TYPO_LENGTH and len(longer) - len(shorter) <= 1
    return is_typo_possible and edit_distance(one, other) == 1


def _stems(pet_name: str) -> Iterator[str]:
    """Yield the beginnings of names that a pet name may come from: of Danny, Dann and Dan."""
    for ending in _PET_NAME_ENDINGS:
        stem = pet_name.removesuffix(ending)
        if _MIN_STEM_LENGTH <= len(stem) < len(pet_name):
            yield stem
            if stem[-1] == stem[-2]:
                yield stem[:-1]
