"""Find UTF-8 that was read as another encoding, as in JosÃ©, Jos√© and Jos├⌐ for José.

Such text contains a sequence of characters whose bytes in the other encoding are one character of
UTF-8. Correct text can contain such a sequence by accident, as in ONDRÚŠ. So it only counts as
damage if it stands for a letter or mark that is common in names, or if one of its characters is a
symbol, which no name contains.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from unicodedata import category

_CONTINUATIONS = range(0x80, 0xC0)
_LEADS = {2: range(0xC2, 0xE0), 3: range(0xE0, 0xF0), 4: range(0xF0, 0xF5)}
_CODECS: Mapping[str, tuple[str, ...]] = {
    "Windows-1252": ("cp1252", "latin-1"),
    "Mac Roman": ("mac-roman",),
    "a DOS code page": ("cp437",),
    "DOS code page 850": ("cp850",),
    "Windows-1250": ("cp1250",),
    "Windows-1251": ("cp1251",),
    "Windows-1254": ("cp1254",),
    "Latin-9": ("iso8859-15",),
}
"""Encodings by the name that messages use."""
_STRICT = frozenset({"Windows-1250", "Windows-1251", "Windows-1254"})
"""Encodings in which only a symbol proves damage, because correct names have the other characters
side by side.
"""

_NAME_PUNCTUATION = frozenset("'’‘´`ʻʼ-–—‐‑.,·“”„\"«»‹›()/…\u00a0\u00ad\u2028\u2029")
"""Punctuation that correct names and group names contain."""

_COMMON_CHARACTERS = frozenset(
    map(
        chr,
        chain(
            range(0x80, 0x180),  # Latin-1 with its controls, and Latin Extended-A
            (0x181, 0x18A, 0x18F, 0x198, 0x199),  # Hausa and Azerbaijani
            (0x186, 0x190, 0x254, 0x25B, 0x395, 0x3B5),  # Akan
            (0x1A0, 0x1A1, 0x1AF, 0x1B0),  # Vietnamese
            range(0x1CD, 0x1DD),  # pinyin
            (0x1E6, 0x1E7, 0x218, 0x219, 0x21A, 0x21B, 0x259),
            (0x2BB, 0x2BC),
            range(0x300, 0x305),  # combining accents
            (0x306, 0x307, 0x308, 0x309, 0x30A, 0x30B, 0x30C),
            (0x31B, 0x323, 0x326, 0x327, 0x328),
            range(0x1E00, 0x1F00),  # Latin Extended Additional
            range(0x2010, 0x2027),
            (0x192, 0x2032, 0x20AC, 0x2122, 0xFB01, 0xFB02, 0xFEFF, 0xFFFD),
            map(ord, "√∫∞≈∆∂∑∏≤≥≠◊⌐"),  # of a text that was damaged twice
            range(0x2500, 0x25A0),
        ),
    )
)
"""Characters that damaged names most often contained."""

_LONG_RUNS = re.compile(r"[^\x00-\x7f]{4,}|(?<!\w)[^\x00-\x7f]{3}(?!\w)")
"""Characters outside ASCII that can't all be UTF-8 of another alphabet by accident."""


class _Decoding:
    """The characters of one encoding that bytes of UTF-8 turn into."""

    def __init__(self, label: str, codecs: tuple[str, ...]) -> None:
        self.label = label
        self._is_strict = label in _STRICT
        self._bytes = dict(chain.from_iterable(map(_characters, codecs)))
        tail = self._class_of(_CONTINUATIONS)
        parts = (f"{self._class_of(lead)}{tail}{{{length - 1}}}" for length, lead in _LEADS.items())
        self._sequences = re.compile(f"(?=({'|'.join(parts)}))")

    def find(self, text: str) -> bool:
        """Return whether the text contains a sequence that is damage."""
        if any(map(self._is_damage, self._sequences.findall(text))):
            return True
        return not self._is_strict and any(map(self._decode, _LONG_RUNS.findall(text)))

    def _is_damage(self, sequence: str) -> bool:
        original = self._decode(sequence)
        if not original:
            return False
        if any(map(_is_symbol, sequence)):
            return True
        return original in _COMMON_CHARACTERS and not self._is_strict

    def _decode(self, sequence: str) -> str:
        """Return the text whose UTF-8 was read as the sequence, or an empty string."""
        try:
            return bytes(map(self._bytes.__getitem__, sequence)).decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            return ""

    def _class_of(self, wanted: range) -> str:
        characters = (char for char, byte in self._bytes.items() if byte in wanted)
        return f"[{re.escape(''.join(characters))}]"


def _characters(codec: str) -> Iterator[tuple[str, int]]:
    """Yield the characters of the bytes 0x80 to 0xFF with their bytes."""
    for byte in range(0x80, 0x100):
        character = bytes([byte]).decode(codec, "ignore")
        if character:
            yield character, byte


def _is_symbol(character: str) -> bool:
    """Return whether no correct name contains the character."""
    if character in _NAME_PUNCTUATION:
        return False
    return category(character)[0] not in "LMZ"


_DECODINGS = tuple(_Decoding(label, codecs) for label, codecs in _CODECS.items())
_A_WITH_TILDE_INSIDE = re.compile(r"[a-zß-öø-ÿ]Ã(?![A-Z])")


def find_wrong_encoding(text: str) -> str | None:
    """Return the name of the encoding as which UTF-8 was read, or None if nothing is damaged."""
    if text.isascii():
        return None
    for decoding in _DECODINGS:
        if decoding.find(text):
            return decoding.label
    # The second character is lost if it was a space or invisible: à became Ã and a no-break space.
    return "Windows-1252" if _A_WITH_TILDE_INSIDE.search(text) else None
