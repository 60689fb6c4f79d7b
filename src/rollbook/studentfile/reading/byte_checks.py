"""Check the bytes of a file before it is parsed: file type, size and encoding."""

from dataclasses import dataclass

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading import encodings, file_type
from rollbook.studentfile.reading.source import Source, size_of

_CUT_HINT = "it ends in the middle of a character: export it again and send the whole file"
_HINT_IF_COMPLETE = f"{_CUT_HINT}; if nothing is missing at its end, save it as CSV UTF-8"
"""For a file that has no other character beyond ASCII, so it need not be UTF-8."""


@dataclass(frozen=True, slots=True)
class EncodingCheck:
    """The encoding in which a file is read.

    Attributes:
        encoding: The encoding.
        problems: The problems of the encoding.
        is_readable: Whether the file can be parsed in spite of them.
    """

    encoding: str
    problems: tuple[Problem, ...] = ()
    is_readable: bool = True


def check_type_and_size(source: Source, head: bytes, limits: Limits) -> Problem | None:
    """Return why the file can't be a CSV file of an acceptable size, or None.

    Args:
        source: The file.
        head: Its first bytes, SNIFFED_BYTES if it has so many.
        limits: The limits.
    """
    code = file_type.detect_non_csv(head)
    if code:
        return Problem(code)
    if size_of(source) > limits.bytes:
        return Problem(
            "too_large",
            hint=f"split the file by school into files of at most {limits.bytes:,} bytes",
        )
    return None


def check_encoding(
    source: Source, head: bytes, configured: str, *, is_valid_utf8: bool = False
) -> EncodingCheck:
    """Decide in which encoding the file is read.

    Text in UTF-8 with characters beyond ASCII is read as UTF-8 whatever is configured. If few of
    its lines are damaged, those rows are rejected later.

    Args:
        source: The file.
        head: Its first bytes.
        configured: The encoding in the district's settings or in the request.
        is_valid_utf8: Whether the file is known to have no byte that is invalid in UTF-8.
    """
    encoding = encodings.detect_encoding(head, configured)
    if encoding == encodings.UTF_16:
        return _check_other_encoding(source, encoding, (Problem("utf16_decoded"),))
    if file_type.looks_like_utf16(head):
        hint = "the file looks like UTF-16; save it as CSV UTF-8"
        return EncodingCheck(encoding, (Problem("nul_bytes", 1, hint=hint),), is_readable=False)
    problems = (Problem("double_bom", 1),) if encodings.count_boms(head) > 1 else ()
    bad_byte = None if is_valid_utf8 else encodings.first_bad_byte(source, encodings.UTF_8)
    if bad_byte and not encodings.is_damaged_utf8(source):
        if encoding != encodings.UTF_8:
            return _check_other_encoding(source, encoding, problems)
        if bad_byte.is_cut:
            return _cut_off(encoding, problems, bad_byte, _HINT_IF_COMPLETE)
        not_utf8 = Problem("not_utf8", bad_byte.line, hint=_hint_for_utf8(bad_byte))
        return EncodingCheck(encoding, (*problems, not_utf8))
    if bad_byte and (cut := encodings.first_byte_of_cut(source)):
        return _cut_off(encodings.UTF_8, problems, cut)
    if encoding == encodings.UTF_8 or not encodings.has_multibyte_characters(source):
        return EncodingCheck(encoding, problems)
    ignored = Problem("encoding_ignored", found=encoding)
    return EncodingCheck(encodings.UTF_8, (*problems, ignored))


def _check_other_encoding(
    source: Source, encoding: str, problems: tuple[Problem, ...]
) -> EncodingCheck:
    bad_byte = encodings.first_bad_byte(source, encoding)
    if not bad_byte:
        return EncodingCheck(encoding, problems)
    if bad_byte.is_cut:
        return _cut_off(encoding, problems, bad_byte)
    hint = _hint_for_other_encoding(bad_byte, encoding)
    wrong = Problem("wrong_encoding", bad_byte.line, hint=hint)
    return EncodingCheck(encoding, (*problems, wrong), is_readable=False)


def _cut_off(
    encoding: str, problems: tuple[Problem, ...], cut: encodings.BadByte, hint: str = _CUT_HINT
) -> EncodingCheck:
    """Return the result for a file that ends within a character."""
    cut_off = Problem("cut_off", cut.line, hint=hint)
    return EncodingCheck(encoding, (*problems, cut_off), is_readable=False)


def _hint_for_utf8(bad_byte: encodings.BadByte) -> str:
    reason = f"looks like {bad_byte.guess}" if bad_byte.guess else "is the first invalid one"
    return f"{_position(bad_byte)} {reason}; save it as CSV UTF-8"


def _hint_for_other_encoding(bad_byte: encodings.BadByte, encoding: str) -> str:
    return (
        f"{_position(bad_byte)} is not {encoding}; save it as CSV UTF-8, or correct the encoding "
        "in the district settings"
    )


def _position(bad_byte: encodings.BadByte) -> str:
    return f"line {bad_byte.line:,}, byte {bad_byte.byte:,} of the file"
