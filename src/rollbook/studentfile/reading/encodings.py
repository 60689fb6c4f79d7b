"""Detect a file's encoding, find invalid bytes, and read the text as chunks of UTF-8."""

import codecs
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from rollbook.studentfile.reading.source import Source, size_of

UTF_8, UTF_16 = "utf-8", "utf-16"
CHUNK = 1 << 17
_BOM = codecs.BOM_UTF8
_MAX_BOMS = 2
_MAX_CUT_BYTES = 3
# In encodings that don't contain ASCII, the reader would not find quotes, commas and line ends.
_PROBE = bytes(range(128)) + rb"\u0041 \x41 \N{DASH} +AGE- ~{ &AGE-" + b"\x1b$B!!\x1b(B" + b".xn--a"
_MAX_DAMAGED_LINES = 10
_DAMAGED_SHARE = 0.01
_SMART_PUNCTUATION = b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99"


@dataclass(frozen=True, slots=True)
class BadByte:
    """A byte that is invalid in the encoding.

    Attributes:
        line: Its physical line, counted from 1.
        byte: Its position in the file, counted from 1.
        guess: The encoding that it probably has; empty if unknown.
        is_cut: Whether it begins a character within which the file ends.
    """

    line: int
    byte: int
    guess: str = ""
    is_cut: bool = False


def normalize_encoding_name(name: str) -> str:
    """Return the name of an encoding as Python spells it.

    Raises:
        ValueError: It is not a text encoding that contains ASCII, as utf-8, cp1252, latin-1 and
            mac-roman do. The message can be shown to users.
    """
    try:
        codec = codecs.lookup(name.strip())
        if _PROBE.decode(codec.name) != _PROBE.decode("ascii"):
            raise LookupError(name)
    except (LookupError, ValueError, TypeError, AttributeError):
        raise ValueError(
            f"'{name[:40]}' is not an encoding for student files; use utf-8, cp1252, latin-1 or "
            "mac-roman (UTF-16 with a byte order mark needs no setting)"
        ) from None
    return UTF_8 if codec.name == "utf-8-sig" else codec.name


def detect_encoding(head: bytes, default: str) -> str:
    """Return the encoding that a byte order mark indicates, or the default."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF_16
    return UTF_8 if head.startswith(_BOM) else default


def count_boms(head: bytes) -> int:
    """Return how many UTF-8 byte order marks a text begins with, at most two."""
    return next(count for count in range(_MAX_BOMS, -1, -1) if head.startswith(_BOM * count))


def has_bom(block: bytes) -> bool:
    """Return whether a byte order mark of UTF-8 is anywhere in a block."""
    return _BOM[:1] in block and _BOM in block  # a search for one byte is faster


def bytes_of_boms(file: io.BufferedReader) -> int:
    """Return the size of the byte order marks with which an open file in UTF-8 begins."""
    return count_boms(file.read(len(_BOM) * _MAX_BOMS)) * len(_BOM)


def utf8_chunks(source: Source, encoding: str, start: int = 0) -> Iterator[bytes]:
    """Yield the text as UTF-8.

    Invalid bytes in a UTF-8 file are passed through.

    Args:
        source: The file.
        encoding: Its encoding, as detect_encoding() returns it.
        start: The first byte, counted in UTF-8 after the byte order marks.

    Raises:
        UnicodeDecodeError: A file in another encoding contains invalid bytes.
    """
    with source.open("rb") as file:
        if encoding == UTF_8:
            file.seek(bytes_of_boms(file) + start)
            yield from iter(lambda: file.read(CHUNK), b"")
        else:
            yield from _skip_to(start, _transcoded(file, encoding))


def valid_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a text in UTF-8.

    Raises:
        UnicodeDecodeError: The next chunk has an invalid byte, or the text ends in a character.
    """
    decoder, pending = codecs.getincrementaldecoder(UTF_8)(), False
    for chunk in chunks:
        if pending or not chunk.isascii():
            decoder.decode(chunk)
            pending = bool(decoder.getstate()[0])
        yield chunk
    decoder.decode(b"", final=True)


def _transcoded(file: io.BufferedReader, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    chunk, is_first = file.read(CHUNK), True
    while chunk:
        following = file.read(CHUNK)
        text = decoder.decode(chunk, final=not following)
        yield (text.lstrip("\ufeff") if is_first else text).encode()
        chunk, is_first = following, False


def _skip_to(start: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if start < len(chunk):
            yield chunk[start:]
        start = max(0, start - len(chunk))


def _line_of(chunks: Iterable[bytes], offset: int, encoding: str) -> int:
    """Return the physical line that contains the byte at this offset, counted from 1."""
    lines = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)("replace"), translate=True
    )
    line = 1
    for chunk in chunks:
        line += lines.decode(chunk[:offset]).count("\n")
        offset -= len(chunk)
        if offset <= 0:
            break
    return line + lines.decode(b"", final=True).count("\n")


def first_bad_byte(source: Source, encoding: str) -> BadByte | None:
    """Return the first byte that is invalid in the encoding, or None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return _locate_bad_byte(source, encoding, offset - pending + error.start)
            offset += len(chunk)
    return _locate_cut(source, encoding, offset, decoder)


def first_byte_of_cut(source: Source) -> BadByte | None:
    """Return the first byte of a character in UTF-8 within which the file ends, or None.

    Bytes before it may be invalid.
    """
    decoder = codecs.getincrementaldecoder(UTF_8)("replace")
    size = size_of(source)
    with source.open("rb") as file:
        file.seek(max(0, size - _MAX_CUT_BYTES))
        decoder.decode(file.read())
    return _locate_cut(source, UTF_8, size, decoder)


def _locate_cut(
    source: Source, encoding: str, size: int, decoder: codecs.IncrementalDecoder
) -> BadByte | None:
    """Return the first byte of what the decoder has not decoded of the whole file, or None."""
    pending = len(decoder.getstate()[0])
    if not pending:
        return None
    return replace(_locate_bad_byte(source, encoding, size - pending), guess="", is_cut=True)


def has_multibyte_characters(source: Source) -> bool:
    """Return whether the file has bytes beyond ASCII, not counting a byte order mark."""
    with source.open("rb") as file:
        file.seek(bytes_of_boms(file))
        return any(not chunk.isascii() for chunk in iter(lambda: file.read(CHUNK), b""))


def is_damaged_utf8(source: Source) -> bool:
    """Return whether a file with invalid bytes is UTF-8 of which few lines are damaged.

    It is if at least as many lines have valid characters beyond ASCII as have invalid bytes, and if
    the latter are at most 10, or 1% of all lines. A byte order mark counts as one valid line. Text
    in another encoding practically never has a valid character of several bytes.
    """
    lines = valid = damaged = 0
    for block in _blocks_of_lines(source):
        if block.isascii():
            lines += block.count(b"\n") or block.count(b"\r")
            continue
        for line in block.splitlines():
            lines += 1
            if not line.isascii():
                is_valid = _is_utf8(line)
                valid += is_valid
                damaged += not is_valid
    return valid >= damaged and damaged <= max(_MAX_DAMAGED_LINES, int(lines * _DAMAGED_SHARE))


def _blocks_of_lines(source: Source) -> Iterator[bytes]:
    """Yield the bytes in blocks that end with a line break, if lines are not very long.

    A byte order mark is a line of its own.
    """
    with source.open("rb") as file:
        rest = file.read(len(_BOM))
        if rest == _BOM:
            rest += b"\n"
        while chunk := file.read(CHUNK):
            block = rest + chunk
            end = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1 or len(block)
            yield block[:end]
            rest = block[end:]
    yield rest


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _locate_bad_byte(source: Source, encoding: str, offset: int) -> BadByte:
    with source.open("rb") as file:
        line = _line_of(iter(lambda: file.read(CHUNK), b""), offset, encoding)
        file.seek(offset)
        rest = file.read(200)
    rest_of_line = rest.splitlines()[0] if rest.strip() else rest
    return BadByte(line, offset + 1, _guess_encoding(rest_of_line))


def _guess_encoding(line: bytes) -> str:
    """Return the most likely encoding of a line that begins with an invalid byte, or ""."""
    high_bytes = [byte for byte in line if byte >= 0x80]
    if any(first >= 0x80 and second >= 0x80 for first, second in pairwise(line)):
        return ""  # several in a row: an East Asian encoding, or damaged UTF-8
    if all(byte >= 0xC0 or byte in _SMART_PUNCTUATION for byte in high_bytes):
        return "Windows-1252"
    return "Mac Roman" if bytes(high_bytes).decode("mac-roman").isalpha() else ""
