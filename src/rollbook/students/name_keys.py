"""Keys for matching names: two spellings of a name have the same key."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from rollbook.studentfile.values.names import MISSING_NAMES

_APOSTROPHES = "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u2032\u00b4\u0060\uff07"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2212"
_TYPOGRAPHY = str.maketrans({**dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_HYPHENS, "-")})
# Characters with a stroke and the like, which Unicode doesn't decompose; after casefold().
_PLAIN_CHARACTERS = str.maketrans(
    {
        "\u00f8": "o",
        "\u0142": "l",
        "\u0111": "d",
        "\u00f0": "d",
        "\u00fe": "th",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u0131": "i",
    }
)


def name_key(first_name: str, last_name: str) -> str:
    """Return one key for both names.

    Case, Unicode composition, typographic quotes and hyphens, and repeated spaces make no
    difference.
    """
    return f"{_fold(first_name)}\x1f{_fold(last_name)}"


def name_and_dob(values: Mapping[str, str]) -> tuple[str, str]:
    """Return the name key and date of birth by which a student without an ID is matched.

    All ways to write that a student has only one name are the same.
    """
    return without_missing_name(name_key(values["FIRST_NAME"], values["LAST_NAME"])), values["DOB"]


def without_missing_name(key: str) -> str:
    """Return a name key in which a missing name is empty."""
    return "\x1f".join("" if is_missing(name) else name for name in key.split("\x1f"))


def loose_key(values: Mapping[str, str]) -> int:
    """Return a 64-bit hash of the names and the date of birth for finding possible duplicates.

    It is the same if ``name_and_dob`` is the same. Accents, apostrophes, hyphens, spaces and the
    order of the two names make no difference, nor does the order of the digits within the year and
    within month and day.
    """
    return _loose_key(values["FIRST_NAME"], values["LAST_NAME"], values["DOB"])


@lru_cache(maxsize=10_000)  # a new student's is needed to match the row and to stage it
def _loose_key(first_name: str, last_name: str, dob: str) -> int:
    names = sorted((fold_loosely(first_name), fold_loosely(last_name)))
    text = f"{names[0]}\x1f{names[1]}\x1f{_sorted_digits(dob)}"
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def is_missing(name: str) -> bool:
    """Return whether a name stands for the one that a student with only one name doesn't have."""
    return name.casefold() in MISSING_NAMES


@lru_cache(maxsize=20_000)  # names recur: within a file, and in several steps for the same row
def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).translate(_TYPOGRAPHY).casefold().split())


@lru_cache(maxsize=20_000)
def fold_loosely(name: str) -> str:
    """Return a name without accents and punctuation; a missing name is empty."""
    if is_missing(name):
        return ""
    if name.isascii():
        return "".join(filter(str.isalnum, name.lower()))
    folded = unicodedata.normalize("NFC", name).translate(_TYPOGRAPHY).casefold()
    decomposed = unicodedata.normalize("NFKD", folded).translate(_PLAIN_CHARACTERS)
    return "".join(filter(_is_part_of_name, decomposed))


def _is_part_of_name(character: str) -> bool:
    """Return whether it belongs to a folded name; accents and punctuation don't."""
    return not "\u0300" <= character <= "\u036f" and unicodedata.category(character)[0] in "LMN"


@lru_cache(maxsize=20_000)
def _sorted_digits(dob: str) -> str:
    year, month_and_day = dob[:4], dob[5:7] + dob[8:]
    return "".join([*sorted(year), *sorted(month_and_day)])
