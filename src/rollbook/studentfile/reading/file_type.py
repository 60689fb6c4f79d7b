"""Detect files that are not CSV by their first bytes."""

import codecs
import re

SNIFFED_BYTES = 4096
"""How many of a file's first bytes are examined."""

_WORKBOOK_INSIDE = re.compile(rb"\[Content_Types\]\.xml|xl/|application/vnd\.oasis|_rels/")
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (_OLE, "spreadsheet_not_csv"),
    (b"PK\x05\x06", "archive_not_csv"),
    (b"PK\x07\x08", "archive_not_csv"),
    (b"\x1f\x8b", "archive_not_csv"),
    (b"7z\xbc\xaf\x27\x1c", "archive_not_csv"),
    (b"Rar!\x1a\x07", "archive_not_csv"),
    (b"BZh9", "archive_not_csv"),
    (b"\xfd7zXZ\x00", "archive_not_csv"),
    (b"\x28\xb5\x2f\xfd", "archive_not_csv"),
    (b"%PDF-", "document_not_csv"),
    (b"%!PS", "document_not_csv"),
    (b"{\\rtf", "document_not_csv"),
    (b"\x89PNG\r\n", "binary_not_csv"),
    (b"GIF87a", "binary_not_csv"),
    (b"GIF89a", "binary_not_csv"),
    (b"\xff\xd8\xff", "binary_not_csv"),
    (b"\x7fELF", "binary_not_csv"),
    (b"SQLite format 3\x00", "binary_not_csv"),
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|!--)", re.IGNORECASE)
_BRACKETED_NAME = re.compile(
    rb"\[\s*(?!(?:true|false|null)\b)[a-z_][^][{}\"\r\n]*\]"
    rb"|<\s*[a-z_][^<>\"=/\r\n]*>\s*[,;\t|]"
    rb"|\{\s*[a-z_][^{}\":\r\n]*\}\s*[,;\t|]",
    re.IGNORECASE,
)
"""A column name in brackets: a bare word is no value of JSON, and no comma follows a tag."""
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")
_MAX_CONTROL_SHARE = 0.05  # with more control bytes, it is not text in any encoding


def detect_non_csv(head: bytes) -> str | None:
    """Return the problem code for a file that begins with these bytes, or None for text.

    Workbooks with students are converted before; see ``conversion/``.
    """
    if head.startswith(_ZIP):
        return "spreadsheet_not_csv" if _WORKBOOK_INSIDE.search(head) else "archive_not_csv"
    for magic, code in _MAGIC:
        if head.startswith(magic):
            return code
    structured = _structured_text(head)
    if structured is None and _is_binary(head):
        return "binary_not_csv"
    return structured


def is_zip(head: bytes) -> bool:
    """Return whether a file is a zip file, as workbooks are."""
    return head.startswith(_ZIP)


def is_ole(head: bytes) -> bool:
    """Return whether a file was written by an old Office program, or is an encrypted workbook."""
    return head.startswith(_OLE)


def looks_like_utf16(head: bytes) -> bool:
    """Return whether every other byte is NUL, as in UTF-16 without a byte order mark."""
    few, many = sorted((head[::2].count(0), head[1::2].count(0)))
    half = len(head) // 4
    return few <= half < many


def _structured_text(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _BRACKETED_NAME.match(text):
        return None
    if text.startswith(b"<"):
        is_html = _HTML.match(text) or b"<html" in text.lower()
        return "web_page_not_csv" if is_html else "data_not_csv"
    return "data_not_csv" if text[:1] in (b"{", b"[") else None


def _is_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or looks_like_utf16(head):
        return False
    controls = len(head) - len(head.translate(None, bytes(_CONTROLS)))
    if controls <= len(head) * _MAX_CONTROL_SHARE or _is_utf8(head):
        return False
    return not _is_text_with_nul_bytes(head)


def _is_text_with_nul_bytes(head: bytes) -> bool:
    """Return whether the head is text but for NUL bytes, with which some programs fill up values.

    The rows with such values are rejected.
    """
    text = head.replace(b"\0", b"")
    return b"," in text and _is_utf8(text) and _CONTROLS.isdisjoint(text)


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head
