"""Keys for matching names: two spellings of a name have the same key."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_TYPOGRAPHY = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-", "\u2013": "-"}
)


def name_key(first_name: str, last_name: str) -> str:
    """Return one key for both names.

    Case, Unicode composition, typographic quotes and hyphens, and repeated spaces make no
    difference.
    """
    return f"{_fold(first_name)}\x1f{_fold(last_name)}"


def name_and_dob(values: Mapping[str, str]) -> tuple[str, str]:
    """Return a student's name key and date of birth, which together are unique in a district."""
    return name_key(values["FIRST_NAME"], values["LAST_NAME"]), values["DOB"]


@lru_cache(maxsize=20_000)  # names recur: within a file, and in several steps for the same row
def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).translate(_TYPOGRAPHY).casefold().split())
