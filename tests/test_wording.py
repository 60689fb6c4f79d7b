"""Phrases that give away a translation stay out of everything that people read."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLACES = (
    "src/rollbook/**/*",
    "docs/**/*.md",
    "examples/**/*",
    "README.md",
    "CONTRIBUTING.md",
)
TEXT_SUFFIXES = {
    "",
    ".cfg",
    ".cmd",
    ".css",
    ".html",
    ".js",
    ".md",
    ".ps1",
    ".py",
    ".service",
    ".sh",
    ".sql",
    ".timer",
    ".toml",
    ".txt",
}

# Between two words of a phrase: blanks, or a line break with the comment sign of the next line.
_GAP = r"\s+(?:(?:#|--|//)\s*)?"

GIVEAWAYS = {
    "mend (write: fix)": r"\bmend(?:s|ed|ing)?\b",
    "e-mail (write: email)": r"\be-mail(?:s|ed|ing)?\b",
    "whoever (write: anyone who, if you)": r"\bwhom?ever\b",
    "any more (write: no longer)": rf"\bany{_GAP}more\b",
    "letter (write: email)": r"\bletters?\b",
    "is told (write: gets an email, sees)": rf"\b(?:is|are|was|were|be|been|being){_GAP}told\b",
    "take home (write: download)": rf"\b(?:take|takes|taking|taken|took){_GAP}home\b",
    "stands in (write: is in, is stored in)": rf"\b(?:stand|stands|standing|stood){_GAP}in\b",
    "goes on (write: continues)": rf"\b(?:go|goes|going|gone|went){_GAP}on\b",
}

# Where a giveaway means something else. Keep this list short, and each entry as narrow as
# possible.
ALLOWED = {
    # Keys of the JSON that `rollbook update show --json` prints, which scripts read.
    "mend (write: fix)": r'["`]mend(?:s|ed_by)["`]',
    # Letters of the alphabet, by number or kind, and the standard term for undeliverable messages.
    "letter (write: email)": (
        r"\bletters? (?:and|or) digits?\b"
        r"|\b(?:one|single|two|four|eight|capital|plain|accented) letters?\b"
        r"|\bletters? of (?:the|other) alphabets?\b"
        r"|\bdead[- ]letters?\b"
    ),
    # Identifiers in HTML, which links from elsewhere may use.
    "e-mail (write: email)": r'\b(?:id|for)="[^"]*"',
}

# The rules for values of a student file are about characters of the alphabet throughout.
ABOUT_THE_ALPHABET = ("src/rollbook/studentfile/", "src/rollbook/format/", "docs/student-file.md")


def texts() -> Iterator[tuple[str, str]]:
    """Yield the path and content of each file that is checked."""
    for place in PLACES:
        for path in sorted(ROOT.glob(place)):
            if path.suffix in TEXT_SUFFIXES and path.is_file():
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def occurrences(giveaway: str, text: str) -> Iterator[str]:
    """Yield the line number and line of each occurrence that is not allowed."""
    lines = text.splitlines()
    if giveaway in ALLOWED:
        text = re.sub(ALLOWED[giveaway], _blanks, text, flags=re.IGNORECASE)
    for match in re.finditer(GIVEAWAYS[giveaway], text, re.IGNORECASE):
        number = text.count("\n", 0, match.start()) + 1
        yield f"{number}: {lines[number - 1].strip()}"


def _blanks(match: re.Match[str]) -> str:
    return " " * len(match[0])


@pytest.mark.parametrize("giveaway", GIVEAWAYS)
def test_no_giveaway_is_in_what_people_read(giveaway: str) -> None:
    found: list[str] = []
    for path, text in texts():
        if not is_exempt(giveaway, path):
            found += [f"{path}:{line}" for line in occurrences(giveaway, text)]
    assert not found, "\n".join(["", *found])


def is_exempt(giveaway: str, path: str) -> bool:
    """Whether the word means the alphabet in the whole file."""
    return giveaway.startswith("letter ") and path.startswith(ABOUT_THE_ALPHABET)


@pytest.mark.parametrize(
    "text",
    [
        "mended",
        "E-mail",
        "e-mailed",
        "Whoever",
        "whomever",
        "not any more",
        "any\n    # more",
        "a letter with a link",
        "are told",
        "taken home",
        "stood\nin",
        "went on",
    ],
)
def test_a_giveaway_is_found(text: str) -> None:
    assert found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "recommend, amend",
        "email, emails, emailed",
        'id="e-mail"',
        "letters and digits",
        "one letter",
        "a dead letter",
        "outstanding",
        "Anymore",
    ],
)
def test_what_only_looks_like_a_giveaway_is_allowed(text: str) -> None:
    assert not found_in(text)


def found_in(text: str) -> list[str]:
    """Return the occurrences of all giveaways."""
    found: list[str] = []
    for giveaway in GIVEAWAYS:
        found += occurrences(giveaway, text)
    return found
