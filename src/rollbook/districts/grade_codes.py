"""A district's own codes for grades: read from text, checked, and written as text."""

import re
from collections.abc import Mapping

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.values.choices import GRADE_HINT, GRADES, REDEFINABLE_GRADES
from rollbook.text import join_words, printable

MAX_CODES = 40
MAX_CODE_LENGTH = 20

_ENTRY_ENDS = re.compile(r"[\r\n,;]+")
_MAX_EXCERPT_LENGTH = 40
_OUR_GRADES = frozenset(GRADES.values())
_FIXED_GRADES = _OUR_GRADES - REDEFINABLE_GRADES


def parse_grade_codes(text: str) -> dict[str, str]:
    """Return the grade of each code, case-folded.

    Args:
        text: Entries such as ``-1 = PK``, one per line or separated by commas.

    Raises:
        ValueError: An entry is not valid; the message says why, and ends without a period.
    """
    codes: dict[str, str] = {}
    for entry in filter(None, map(str.strip, _ENTRY_ENDS.split(text))):
        code, equals, grade = (part.strip() for part in entry.rpartition("="))
        if not (code and equals and grade):
            raise ValueError(f"'{_excerpt(entry)}' isn't a code and a grade, such as -1 = PK")
        canonical = BY_NAME["GRADE"].rule(grade)
        if not isinstance(canonical, str):
            raise ValueError(f"'{_excerpt(grade)}' isn't a grade; {GRADE_HINT}")
        if codes.setdefault(code.casefold(), canonical) != canonical:
            raise ValueError(f"the code '{_excerpt(code)}' has two grades; keep one of them")
    check_grade_codes(codes)
    return codes


def check_grade_codes(codes: Mapping[str, str]) -> None:
    """Check codes before they are stored.

    Raises:
        ValueError: They are not valid; the message says why, and ends without a period.
    """
    if len(codes) > MAX_CODES:
        raise ValueError(f"at most {MAX_CODES} codes are allowed, and these are {len(codes)}")
    for code, grade in codes.items():
        excerpt = _excerpt(code)
        if not (0 < len(code) <= MAX_CODE_LENGTH and code.isprintable()):
            raise ValueError(
                f"the code '{excerpt}' isn't valid; use 1 to {MAX_CODE_LENGTH} printable characters"
            )
        if code != code.strip().casefold() or grade not in _OUR_GRADES:
            raise ValueError(f"'{excerpt}' and '{_excerpt(grade)}' aren't a code and a grade")
        if code in _FIXED_GRADES and code != grade:
            raise ValueError(
                f"the code '{excerpt}' is a grade itself and can't mean another one; remove it"
            )
        if codes.get(grade, grade) != grade:
            raise ValueError(
                f"the code '{excerpt}' means {grade}, and {grade} means {codes[grade]}; "
                f"write {excerpt} = {codes[grade]}"
            )


def format_grade_codes(codes: Mapping[str, str]) -> list[str]:
    """Return the codes as sorted entries that ``parse_grade_codes`` reads."""
    return [f"{code} = {grade}" for code, grade in sorted(codes.items())]


def describe_grade_codes(codes: Mapping[str, str]) -> str:
    """Return the codes in one line."""
    return join_words(format_grade_codes(codes)) if codes else "none"


def _excerpt(text: str) -> str:
    return printable(text, _MAX_EXCERPT_LENGTH)
