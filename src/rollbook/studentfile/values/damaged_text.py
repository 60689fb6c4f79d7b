"""Find text that was damaged in transit: missing characters, wrong encodings, leftover codes.

Damaged text never replaces stored text: ``find_damage`` checks every name, group name, username,
password and free text, and IDs that aren't valid.
"""

import html.entities
import re
from collections.abc import Iterator
from enum import Enum, auto

from rollbook.studentfile.values.mojibake import find_wrong_encoding


class TextKind(Enum):
    """What a text is, which decides what can't be part of it."""

    NAME = auto()
    """A name: no question marks, backslashes or codes of any kind."""
    USERNAME = auto()
    """A username or an ID: no question marks, but perhaps a domain or an address with a plus."""
    GROUP = auto()
    """A group name: a question mark may end it, and a single backslash or % may be meant."""
    TEXT = auto()
    """Free text, which can contain questions, addresses of web pages and names of files."""
    PASSWORD = auto()
    """A password: any characters, but no HTML codes and no wrong encoding."""


_LOST_HINT = (
    "export the file as UTF-8 (Export-Csv needs -Encoding UTF8): {mark} stands for a letter that "
    "was lost"
)
_ENCODING_HINT = (
    "export the file as UTF-8 and don't open or convert it on the way: its UTF-8 was read as "
    "{encoding}"
)
_CODE_HINT = "export the plain text, without {codes}"

_LOST_MARKS = "\ufffd\x1a□▯"
_QUESTION_IN_NAME = re.compile(r"[?¿]")
_QUESTION_IN_WORD = re.compile(r"[^\W\d_][?¿]+[^\W\d_]|(?<!\S)\?+[^\W\d_]")
_SYMBOL_BESIDE_LETTER = re.compile(
    r"[^\W\d_][─-▟√≈∆◊∂∑∏∫∞≤≥≠±¬¤¶§¦‰†‡¢£¥¾]|[─-▟√≈∆◊∂∑∏∫∞≤≥≠±¬¤¶§¦‰†‡¢£¥¾][^\W\d_]"
    r"|\s[ªº][^\W\d_]"
    # What é, ä, ê, ÿ, ï, ò, í and à, ô, ö of DOS code pages are in Windows-1252.
    r"|[^\W\d_][‚„ˆ˜‹•¡]|[^\W\d_][…“”][^\W\d_]"
)
_CAPITAL_AT_THE_END = re.compile(r"[a-z][À-ÖØ-Þ](?!\w)")
_GREEK_IN_LATIN_WORD = re.compile(r"[a-zA-Z][αΓπΣστΦΘΩδφ]|[αΓπΣστΦΘΩδφ][a-zA-Z]")

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
_OPEN_ENTITY = re.compile(
    r"&(?:[AEIOUYaeiouy]acute|[AEIOUaeiou](?:grave|circ(?!l|u))|[AEIOUaeiouy]uml|[ANOano]tilde"
    r"|[Cc]cedil|[Aa]ring|[Oo]slash|(?:AE|ae|sz)lig"
    r"|(?:amp|quot|apos|nbsp)(?![A-Za-z0-9])|(?:#0?3[489]|#x2[267]|#1[69][0-9]|#2[0-5][0-9])"
    r"(?![0-9]))"
)
_PERCENT = re.compile(r"%u?[0-9A-Fa-f]{2}")
_SURE_PERCENT = re.compile(
    r"%(?:2[0-9A-Fa-f]|3[A-Fa-f]|40|5[BbDd]|7[BbDd]|[C-Fc-f][0-9A-Fa-f]%[89ABab][0-9A-Fa-f])"
    r"|%u[0-9A-Fa-f]{4}"
)
_PLUS_FOR_SPACE = re.compile(r"[^\W\d_]\+[^\W\d_]")
_QUOTED_PRINTABLE = re.compile(r"=[C-F][0-9A-F]=[89AB][0-9A-F]|[^\W\d_]=(?:[8-9A-F][0-9A-F]|20|27)")
_SURE_BACKSLASH = re.compile(
    r"\\['\"`\\]|\\u[0-9A-Fa-f]{4}|\\[xX]\{?[0-9A-Fa-f]{2}|\\[0-7]{3}|\\[Nnrt](?![A-Za-z])"
)
_BARE_UNICODE = re.compile(r"u00[c-fC-F][0-9a-fA-F]|[<{(]?U\+[0-9A-Fa-f]{4,6}[>})]?")
_WORKBOOK_CODE = re.compile(r"_x[0-9A-Fa-f]{4}_")
_DOUBLED_QUOTE = re.compile(r"[^\W\d_]''[^\W\d_]|\"\"")

_SUSPICIOUS = re.compile(r"[?&%+=\\\"\x1a]|''|_x|u00")
"""What all damage in ASCII text contains."""


def find_damage(text: str, kind: TextKind) -> str | None:
    """Return how to fix the export that damaged a text, or None if the text is not damaged.

    Args:
        text: The trimmed text.
        kind: What the text is.
    """
    if text.isascii() and not _SUSPICIOUS.search(text):
        return None
    return next(_hints(text, kind), None)


def _hints(text: str, kind: TextKind) -> Iterator[str]:
    """Yield a hint for each kind of damage, the most certain first."""
    encoding = find_wrong_encoding(text)
    if encoding:
        yield _ENCODING_HINT.format(encoding=encoding)
    for mark in _LOST_MARKS:
        if mark in text:
            yield _LOST_HINT.format(mark=mark if mark in "□▯" else "a replacement character")
    if _has_entity(text):
        yield _CODE_HINT.format(codes="HTML codes")
    if kind is TextKind.PASSWORD:
        return
    if _WORKBOOK_CODE.search(text):
        yield _CODE_HINT.format(codes="the codes of a workbook such as _x000D_")
    if kind is not TextKind.TEXT:
        yield from _hints_for_labels(text)
    if kind in {TextKind.NAME, TextKind.USERNAME} and _QUESTION_IN_NAME.search(text):
        yield _LOST_HINT.format(mark="?")
    if kind is TextKind.NAME:
        yield from _hints_for_names(text)


def _has_entity(text: str) -> bool:
    if "&" not in text:
        return False
    if _OPEN_ENTITY.search(text):
        return True
    names = (match.group(1) for match in _ENTITY.finditer(text))
    return any(name is None or f"{name};" in html.entities.html5 for name in names)


def _hints_for_labels(text: str) -> Iterator[str]:
    """Yield a hint for each kind of damage of names and group names."""
    if _QUESTION_IN_WORD.search(text):
        yield _LOST_HINT.format(mark="?")
    if _SURE_PERCENT.search(text):
        yield _CODE_HINT.format(codes="the codes of web addresses such as %27")
    if _SURE_BACKSLASH.search(text):
        yield _CODE_HINT.format(codes="escapes such as \\' and \\u00e9")
    if _QUOTED_PRINTABLE.search(text):
        yield _CODE_HINT.format(codes="the codes of emails such as =C3=A9")
    if not text.isascii() and _GREEK_IN_LATIN_WORD.search(text):
        yield _ENCODING_HINT.replace("its UTF-8", "its text").format(encoding="a DOS code page")


def _hints_for_names(text: str) -> Iterator[str]:
    """Yield a hint for each kind of damage that is certain in names only."""
    if _PERCENT.search(text) or _PLUS_FOR_SPACE.search(text):
        yield _CODE_HINT.format(codes="the codes of web addresses such as %27 and +")
    if "\\" in text or _DOUBLED_QUOTE.search(text):
        yield _CODE_HINT.format(codes="escapes such as \\' and ''")
    if _BARE_UNICODE.search(text):
        yield _CODE_HINT.format(codes="Unicode numbers such as u00e9")
    if text.isascii():
        return
    if _SYMBOL_BESIDE_LETTER.search(text) or _CAPITAL_AT_THE_END.search(text):
        yield _ENCODING_HINT.replace("its UTF-8", "its text").format(encoding="another encoding")
