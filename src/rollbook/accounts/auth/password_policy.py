"""The password policy: a minimum length, and nothing that an attacker tries first.

Each reason says what is wrong with the password, then how to choose a better one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

MIN_CHARACTERS = 15
MAX_BYTES = 1024
MIN_DISTINCT_CHARACTERS = 5
MIN_WORD_LENGTH = 4
PRODUCT_WORDS = ("rollbook", "studentupdate")

MIN_GUESSES = 10**10
"""Guesses within which a password must not be found, as zxcvbn estimates them; its best score."""

MAX_ESTIMATED_CHARACTERS = 72
MIN_COMMON_PASSWORD_LENGTH = 10  # shorter ones are often words

PATTERNS = {
    "spatial": "a keyboard pattern, such as qwertyuiop",
    "sequence": "a sequence, such as abcdef or 123456",
    "repeat": "a repetition, such as aaaa or abcabc",
    "date": "a date",
    "common password": "a common password",
}
"""Patterns that zxcvbn finds, and what each is called."""


def normalize_password(password: str) -> str:
    """Return the password as it is hashed: in NFKC, without a line break at its end."""
    return unicodedata.normalize("NFKC", re.sub(r"\r?\n\Z", "", password))


def policy_violations(password: str, known_words: Iterable[str] = ()) -> list[str]:
    """Return every reason why the password isn't allowed.

    Args:
        password: The password, not normalized.
        known_words: Words that an attacker knows about the member, see ``guessable_words``.
    """
    normalized, words = normalize_password(password), tuple(known_words)
    reasons = [
        *_length(normalized),
        *_control_characters(normalized),
        *_monotony(normalized),
        *_common(normalized),
        *_guessable(normalized, words),
    ]
    return reasons or _patterns(normalized, words)


def guessable_words(login: str, first_name: str, last_name: str, district: str) -> tuple[str, ...]:
    """Return words that an attacker knows about a member, which a password must not contain."""
    return login, login.partition("@")[0], first_name, last_name, district


def _length(password: str) -> list[str]:
    size = len(password.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return [f"it is longer than {MAX_BYTES:,} bytes: use a shorter one"]
    if len(password) < MIN_CHARACTERS:
        return [
            f"it is shorter than {MIN_CHARACTERS} characters: a few words in a row are easy to"
            " remember"
        ]
    return []


def _control_characters(password: str) -> list[str]:
    """Reject characters that forms, shells and password managers may drop."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in password):
        return ["it contains line breaks or other control characters: leave them out"]
    return []


def _monotony(password: str) -> list[str]:
    if len(set(password.casefold())) < MIN_DISTINCT_CHARACTERS:
        return [
            f"it has fewer than {MIN_DISTINCT_CHARACTERS} different characters: use words that have"
            " nothing to do with each other"
        ]
    return []


def _common(password: str) -> list[str]:
    """Reject common and breached passwords, also if they are repeated."""
    period = (password + password).find(password, 1)
    if _is_common(password[:period]) or _is_common(password):
        return [
            "it is a common password that attackers try first: use a few words that nobody else"
            " would put together"
        ]
    return []


def _is_common(password: str) -> bool:
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        return True
    return password.casefold() in _breached_passwords()


@cache
def _breached_passwords() -> frozenset[str]:
    """Return passwords that have often been found in breaches."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def _patterns(password: str, known_words: Iterable[str]) -> list[str]:
    """Reject what is mostly a pattern, or can be guessed with few attempts for another reason.

    Long passwords are estimated by their beginning, which takes time that grows with the length.
    """
    # Its lists take 14 MB, and few processes ever check a new password.
    from zxcvbn import zxcvbn

    beginning = password[:MAX_ESTIMATED_CHARACTERS]
    estimate = zxcvbn(beginning, user_inputs=[*PRODUCT_WORDS, *known_words])
    sizes = Counter[str]()
    for part in estimate["sequence"]:
        sizes[_pattern_of(part)] += len(part["token"])
    for pattern, name in PATTERNS.items():
        if 2 * sizes[pattern] > len(beginning):
            return [f"most of it is {name}: use words that have nothing to do with each other"]
    if estimate["guesses"] < MIN_GUESSES:
        return [
            "it can be guessed with few attempts, because it consists of common words, names or"
            " dates: add one or two uncommon words"
        ]
    return []


def _pattern_of(part: Mapping[str, Any]) -> str:
    """Return the pattern of a part that zxcvbn has found."""
    is_listed = part.get("dictionary_name") == "passwords"
    if is_listed and len(part["token"]) >= MIN_COMMON_PASSWORD_LENGTH:
        return "common password"
    return str(part["pattern"])


def _guessable(password: str, known_words: Iterable[str]) -> list[str]:
    characters = _alphanumeric(password)
    words = dict.fromkeys((*PRODUCT_WORDS, *known_words))
    found = [word for word in words if _is_contained(word, characters)]
    return [f"it contains '{word}', which an attacker knows: leave that out" for word in found]


def _is_contained(word: str, characters: str) -> bool:
    searched = _alphanumeric(word)
    return len(searched) >= MIN_WORD_LENGTH and searched in characters


def _alphanumeric(text: str) -> str:
    """Return letters and digits in lower case, so that 'Maple-USD' is found in 'mapleusd2026'."""
    return "".join(char for char in text.casefold() if char.isalnum())
