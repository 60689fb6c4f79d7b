"""The password policy: a minimum length, and nothing that an attacker tries first."""

import re
import unicodedata
from collections.abc import Iterable

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

MIN_CHARACTERS = 15
MAX_BYTES = 1024
MIN_DISTINCT_CHARACTERS = 5
MIN_WORD_LENGTH = 4
PRODUCT_WORDS = ("rollbook", "studentupdate")


def normalize_password(password: str) -> str:
    """Return the password as it is hashed: in NFKC, without a line break at its end."""
    return unicodedata.normalize("NFKC", re.sub(r"\r?\n\Z", "", password))


def policy_violations(password: str, known_words: Iterable[str] = ()) -> list[str]:
    """Return every reason why the password isn't allowed.

    Args:
        password: The password, not normalized.
        known_words: Words that an attacker knows about the member, see ``guessable_words``.
    """
    normalized = normalize_password(password)
    return [
        *_length(normalized),
        *_control_characters(normalized),
        *_monotony(normalized),
        *_common(normalized),
        *_guessable(normalized, known_words),
    ]


def guessable_words(login: str, first_name: str, last_name: str, district: str) -> tuple[str, ...]:
    """Return words that an attacker knows about a member, which a password must not contain."""
    return login, login.partition("@")[0], first_name, last_name, district


def _length(password: str) -> list[str]:
    size = len(password.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return [f"it is longer than {MAX_BYTES:,} bytes"]
    if len(password) < MIN_CHARACTERS:
        return [
            f"it is shorter than {MIN_CHARACTERS} characters; a few words in a row are easy to"
            " remember"
        ]
    return []


def _control_characters(password: str) -> list[str]:
    """Reject characters that forms, shells and password managers may drop."""
    has_any = any(unicodedata.category(char) in {"Cc", "Cs"} for char in password)
    return ["it contains line breaks or other control characters"] if has_any else []


def _monotony(password: str) -> list[str]:
    if len(set(password.casefold())) < MIN_DISTINCT_CHARACTERS:
        return [f"it has fewer than {MIN_DISTINCT_CHARACTERS} different characters"]
    return []


def _common(password: str) -> list[str]:
    """Reject common passwords, also if they are repeated."""
    period = (password + password).find(password, 1)
    try:
        CommonPasswordValidator().validate(password[:period])
    except ValidationError:
        return ["it is a common password that attackers try first"]
    return []


def _guessable(password: str, known_words: Iterable[str]) -> list[str]:
    characters = _alphanumeric(password)
    words = dict.fromkeys((*PRODUCT_WORDS, *known_words))
    return [f"it contains '{word}'" for word in words if _is_contained(word, characters)]


def _is_contained(word: str, characters: str) -> bool:
    searched = _alphanumeric(word)
    return len(searched) >= MIN_WORD_LENGTH and searched in characters


def _alphanumeric(text: str) -> str:
    """Return letters and digits in lower case, so that 'Maple-USD' is found in 'mapleusd2026'."""
    return "".join(char for char in text.casefold() if char.isalnum())
