"""What a member's password must be like when it is set: long, and not what a guesser tries first."""

import re
import unicodedata
from collections.abc import Iterable

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

FEWEST_CHARACTERS = 15
MOST_BYTES = 1024
FEWEST_DIFFERENT = 5
SHORTEST_GUESS = 4
PRODUCT_WORDS = ("rollbook", "studentupdate")


def normalize_password(password: str) -> str:
    """The password as it is hashed: one line break at the end belongs to the file it came from, not to it."""
    return unicodedata.normalize("NFKC", re.sub(r"\r?\n\Z", "", password))


def policy_violations(password: str, facts: Iterable[str] = ()) -> list[str]:
    """Why this cannot be a password, a reason each; none if it can. ``facts`` are names that a guesser knows."""
    typed = normalize_password(password)
    return [
        *_length(typed),
        *_control_characters(typed),
        *_monotony(typed),
        *_common(typed),
        *_guessable(typed, facts),
    ]


def facts_about(login: str, first_name: str, last_name: str, district: str) -> tuple[str, ...]:
    """What a guesser knows of a member."""
    return login, login.partition("@")[0], first_name, last_name, district


def _length(password: str) -> list[str]:
    size = len(password.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        return [f"it is longer than {MOST_BYTES:,} bytes"]
    if len(password) < FEWEST_CHARACTERS:
        return [
            f"it is shorter than {FEWEST_CHARACTERS} characters; a few words in a row are easy to remember"
        ]
    return []


def _control_characters(password: str) -> list[str]:
    """They get lost on the way through forms, shells and password managers."""
    broken = any(unicodedata.category(char) in {"Cc", "Cs"} for char in password)
    return ["it contains line breaks or other control characters"] if broken else []


def _monotony(password: str) -> list[str]:
    if len(set(password.casefold())) < FEWEST_DIFFERENT:
        return [f"it consists of fewer than {FEWEST_DIFFERENT} different characters"]
    return []


def _common(password: str) -> list[str]:
    """Also a common password several times over."""
    period = (password + password).find(password, 1)
    try:
        CommonPasswordValidator().validate(password[:period])
    except ValidationError:
        return ["it is one of the passwords that are tried first"]
    return []


def _guessable(password: str, facts: Iterable[str]) -> list[str]:
    squeezed = _squeeze(password)
    words = (word for word in (*PRODUCT_WORDS, *facts) if len(_squeeze(word)) >= SHORTEST_GUESS)
    return [f"it contains '{word}'" for word in dict.fromkeys(words) if _squeeze(word) in squeezed]


def _squeeze(text: str) -> str:
    """Letters and digits only, so that 'Maple-USD' is found in 'mapleusd2026'."""
    return "".join(char for char in text.casefold() if char.isalnum())
