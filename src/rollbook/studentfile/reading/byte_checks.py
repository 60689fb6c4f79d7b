"""Check the bytes of a file before it is parsed: file type, size, encoding and NUL bytes."""

from pathlib import Path

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading import encodings, file_type


def check_type_and_size(path: Path, head: bytes, limits: Limits) -> Problem | None:
    """Return why the file can't be a CSV file of an acceptable size, or None.

    Args:
        path: The file.
        head: Its first bytes, SNIFFED_BYTES if it has so many.
        limits: The limits.
    """
    code = file_type.detect_non_csv(head)
    if code:
        return Problem(code)
    if path.stat().st_size > limits.bytes:
        return Problem(
            "too_large",
            hint=f"split the file by school into files of at most {limits.bytes:,} bytes",
        )
    return None


def check_encoding(path: Path, head: bytes, encoding: str) -> tuple[list[Problem], bool]:
    """Return the problems of the encoding, and whether the file can be parsed in spite of them.

    Args:
        path: The file.
        head: Its first bytes.
        encoding: Its encoding, as detect_encoding() returns it.
    """
    problems = [Problem("utf16_decoded")] if encoding == encodings.UTF_16 else []
    if encodings.count_boms(head) > 1:
        problems.append(Problem("double_bom", 1))
    bad_byte = encodings.first_bad_byte(path, encoding)
    if bad_byte and encoding != encodings.UTF_8:
        hint = _hint_for_other_encoding(bad_byte, encoding)
        return [*problems, Problem("wrong_encoding", bad_byte.line, hint=hint)], False
    if bad_byte:
        problems.append(Problem("not_utf8", bad_byte.line, hint=_hint_for_utf8(bad_byte)))
    nul_line = encodings.first_nul(path, encoding)
    if nul_line is None:
        return problems, True
    if encoding != encodings.UTF_16 and file_type.looks_like_utf16(head):
        hint = "the file looks like UTF-16; save it as CSV UTF-8"
        return [Problem("nul_bytes", nul_line, hint=hint)], False
    return [*problems, Problem("nul_bytes", nul_line)], True


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
