"""A file's bytes as UTF-8 text: which encoding it is in, whether every byte belongs to it, and the text in chunks."""

import codecs
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

UTF_8, UTF_16 = "utf-8", "utf-16"
CHUNK = 1 << 17
_BOM = codecs.BOM_UTF8
_MAX_BOMS = 2
# Encodings in which ASCII text is not its own bytes would hide quotes, commas and line ends from the reader.
_PROBE = bytes(range(128)) + rb"\u0041 \x41 \N{DASH} +AGE- ~{ &AGE-" + b"\x1b$B!!\x1b(B" + b".xn--a"
_SMART_PUNCTUATION = b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99"


@dataclass(frozen=True, slots=True)
class BadByte:
    """A byte that does not belong to the encoding: physical line and byte of the file, both counted from 1."""

    line: int
    byte: int
    guess: str = ""


def normalize_encoding_name(name: str) -> str:
    """The name of an encoding as Python spells it. Raises ValueError, with a message for people, for all but text
    encodings in which ASCII characters are their own bytes, such as utf-8, cp1252, latin-1 and mac-roman.
    """
    try:
        codec = codecs.lookup(name.strip())
        if _PROBE.decode(codec.name) != _PROBE.decode("ascii"):
            raise LookupError(name)
    except (LookupError, ValueError, TypeError, AttributeError):
        raise ValueError(
            f"'{name[:40]}' is not an encoding student files can have; write utf-8, cp1252, latin-1 or mac-roman "
            "(UTF-16 with a byte order mark needs no setting)"
        ) from None
    return UTF_8 if codec.name == "utf-8-sig" else codec.name


def detect_encoding(head: bytes, otherwise: str) -> str:
    """What a byte order mark at the beginning says, else the encoding that was named."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF_16
    return UTF_8 if head.startswith(_BOM) else otherwise


def count_boms(head: bytes) -> int:
    """How many UTF-8 byte order marks a text begins with; more than two are not a mistake anyone makes."""
    return next(count for count in range(_MAX_BOMS, -1, -1) if head.startswith(_BOM * count))


def utf8_chunks(path: Path, encoding: str, start: int = 0) -> Iterator[bytes]:
    """The text as UTF-8 from byte `start` on, counted behind the byte order marks. Bytes that are not UTF-8 in a UTF-8
    file come through as they are; in other encodings they raise UnicodeDecodeError.
    """
    with path.open("rb") as file:
        if encoding == UTF_8:
            file.seek(count_boms(file.read(len(_BOM) * _MAX_BOMS)) * len(_BOM) + start)
            yield from iter(lambda: file.read(CHUNK), b"")
        else:
            yield from _skip_to(start, _transcoded(file, encoding))


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


def first_nul(path: Path, encoding: str) -> int | None:
    """The line of the first NUL character, else None. UTF-16 is decoded first: half of its bytes are NUL."""
    offset = 0
    for chunk in _chunks(path, encoding):
        if (at := chunk.find(b"\0")) >= 0:
            return _line_of(_chunks(path, encoding), offset + at)
        offset += len(chunk)
    return None


def _chunks(path: Path, encoding: str) -> Iterator[bytes]:
    """The file's bytes as they are; only UTF-16 becomes UTF-8."""
    if encoding == UTF_16:
        yield from utf8_chunks(path, encoding)
        return
    with path.open("rb") as file:
        yield from iter(lambda: file.read(CHUNK), b"")


def _line_of(chunks: Iterable[bytes], offset: int, encoding: str = "latin-1") -> int:
    """The physical line in which this byte stands, counted from 1."""
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


def first_bad_byte(path: Path, encoding: str) -> BadByte | None:
    """The first byte that does not belong to the encoding, else None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    with path.open("rb") as file:
        chunk = file.read(CHUNK)
        while chunk:
            following = file.read(CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not following)
            except UnicodeDecodeError as error:
                return _locate_bad_byte(path, encoding, offset - pending + error.start)
            offset += len(chunk)
            chunk = following
    return None


def _locate_bad_byte(path: Path, encoding: str, offset: int) -> BadByte:
    with path.open("rb") as file:
        line = _line_of(iter(lambda: file.read(CHUNK), b""), offset, encoding)
        file.seek(offset)
        around = file.read(200)
    return BadByte(
        line, offset + 1, _guess_encoding(around.splitlines()[0] if around.strip() else around)
    )


def _guess_encoding(line: bytes) -> str:
    """Which encoding a bad byte and what follows it on the line most likely come from."""
    high = [letter for letter in line if letter >= 0x80]
    if any(line[at] >= 0x80 and line[at + 1] >= 0x80 for at in range(len(line) - 1)):
        return ""  # several in a row: an encoding of East Asia, or UTF-8 that is damaged
    if all(letter >= 0xC0 or letter in _SMART_PUNCTUATION for letter in high):
        return "Windows-1252"
    return (
        "Mac Roman" if all(bytes([letter]).decode("mac-roman").isalpha() for letter in high) else ""
    )
