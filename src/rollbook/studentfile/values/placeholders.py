"""Recognize texts that stand for no value, and passwords that an export has hidden."""

import re

PLACEHOLDERS = frozenset(
    {
        "null",
        "none",
        "n/a",
        "n/a.",
        "n.a",
        "n.a.",
        "na",
        "nan",
        "nil",
        "undefined",
        "dbnull",
        "system.dbnull",
        "no data",
        "no value",
        "not available",
        "not applicable",
        "tbd",
        "tba",
        "\\n",
        "\\\\n",
        "1.#qnan",
    }
)
"""Texts that exports write if there is no value, in lower case."""

_BRACKETED = PLACEHOLDERS | frozenset(
    {
        "blank",
        "empty",
        "missing",
        "unknown",
        "unset",
        "hidden",
        "masked",
        "redacted",
        "removed",
        "deleted",
        "not set",
        "no name",
        "not specified",
        "unspecified",
        "ref",
        "error",
    }
)
"""Texts that are placeholders in brackets; without them some are names."""

_BRACKETS = "()[]<>{}\"'*_-|\\/~` "
_ONLY_MARKS = re.compile(r"[-‐‑‒–—−_.…?*/\\|~ ]+")
_EXACT = frozenset({"NaT"})  # in other cases it is a name

_MASK = re.compile(r"(?i)([*•●∙·○◦■█▪xX.?#_-])\1+")
_PARTLY_MASKED = re.compile(r"\*{4}|[•●∙○◦■█▪]{3}")
_MIN_HASH_LENGTH = 11
_HASHED = re.compile(
    r"\$(?:1|2[abxy]?|5|6|7|y|argon2id?|scrypt|pbkdf2[a-z0-9-]*)\$.{8,}"
    r"|\{[A-Za-z0-9-]{2,12}\}[A-Za-z0-9+/=$.]{8,}"
    r"|(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})"
)
_HIDDEN = frozenset(
    {
        "hidden",
        "masked",
        "redacted",
        "encrypted",
        "protected",
        "removed",
        "private",
        "secret",
        "password",
        "set",
        "unchanged",
        "not shown",
    }
)


def is_placeholder(text: str) -> bool:
    """Return whether a trimmed text stands for no value, such as NULL, (blank) or n/a."""
    folded = text.casefold()
    if folded in PLACEHOLDERS or text in _EXACT:
        return True
    if text[:1].isalnum() and text[-1:].isalnum():
        return False
    if _ONLY_MARKS.fullmatch(text):
        return True
    inner = folded.strip(_BRACKETS)
    return inner != folded and inner in _BRACKETED


def is_masked(password: str) -> bool:
    """Return whether an export wrote this text, or a hash, to hide a password."""
    if len(password) > 2 and _MASK.fullmatch(password):
        return True
    if len(password) >= _MIN_HASH_LENGTH and _HASHED.fullmatch(password):
        return True
    if password.isalnum():
        return False
    if _PARTLY_MASKED.search(password):
        return True
    in_brackets = password[:1] in {*"([{<"} and password[-1:] in {*")]}>"}
    return in_brackets and password[1:-1].strip().casefold() in _HIDDEN
