"""Names folded for matching: two spellings of one name give one key."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_TYPOGRAPHY = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-", "\u2013": "-"}
)


def name_key(first_name: str, last_name: str) -> str:
    """Both names without regard to case, composed or smart characters and doubled blanks."""
    return f"{_folded(first_name)}\x1f{_folded(last_name)}"


def name_and_dob(values: Mapping[str, str]) -> tuple[str, str]:
    """A student's name key and date of birth, which together are unique in a district."""
    return name_key(values["FIRST_NAME"], values["LAST_NAME"]), values["DOB"]


@lru_cache(maxsize=20_000)  # names come again: those of one file, and of one row at several places
def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).translate(_TYPOGRAPHY).casefold().split())
