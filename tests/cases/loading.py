"""Load a case from its .toml file: the uploaded bytes and the expected result.

number, title                      its number and name
file                               the file name of the upload ("students.csv")
lines, ends, written_in            its text; the end of each line ("\\n"); its encoding ("utf-8")
hex | base64 | pieces              or its bytes; a piece is {text|hex, times}
[settings] encoding, limits        settings of the district and of the operator
[expect] refused, status, line     the file is refused with this code
[expect] accepted, rejected, warnings
                                   or the lines of accepted rows, [line, code] of every error in
                                   a row, and [line, code] of every warning about rows or the
                                   file (line 0: the warning has no line)
"""

import base64
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent

LineAndCode = tuple[int, str]


@dataclass(frozen=True)
class Case:
    """One upload and its result.

    `accepted`, `rejected` and `warnings` are empty if the file is refused.
    """

    path: Path
    number: str
    title: str
    file_name: str
    content: bytes
    encoding: str = "utf-8"
    limits: dict[str, int] = field(default_factory=dict)
    refused: str | None = None
    status: int = 200
    line: int | None = None
    accepted: tuple[int, ...] = ()
    rejected: tuple[LineAndCode, ...] = ()
    warnings: tuple[LineAndCode, ...] = ()

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


def all_cases() -> list[Case]:
    """Return all cases in the order of the catalog."""
    return [load(path) for path in sorted(CASES.glob("*/*.toml"))]


def load(path: Path) -> Case:
    """Return the case in this file."""
    definition = tomllib.loads(path.read_text(encoding="utf-8"))
    settings, expect = definition.get("settings", {}), definition["expect"]
    default_status = 422 if "refused" in expect else 200
    return Case(
        path,
        definition["number"],
        definition["title"],
        definition.get("file", "students.csv"),
        _content(definition),
        settings.get("encoding", "utf-8"),
        settings.get("limits", {}),
        expect.get("refused"),
        expect.get("status", default_status),
        expect.get("line"),
        tuple(expect.get("accepted", ())),
        _lines_and_codes(expect.get("rejected", ())),
        _lines_and_codes(expect.get("warnings", ())),
    )


def _lines_and_codes(pairs: Any) -> tuple[LineAndCode, ...]:
    return tuple((line, code) for line, code in pairs)


def _content(definition: dict[str, Any]) -> bytes:
    if "hex" in definition:
        return bytes.fromhex(definition["hex"])
    if "base64" in definition:
        return base64.b64decode(definition["base64"])
    encoding = definition.get("written_in", "utf-8")
    if "pieces" in definition:
        return b"".join(_piece(piece, encoding) for piece in definition["pieces"])
    ends = definition.get("ends", "\n")
    text: str = ends.join(definition["lines"]) + ends
    return text.encode(encoding)


def _piece(piece: dict[str, Any], encoding: str) -> bytes:
    times: int = piece.get("times", 1)
    if "hex" in piece:
        return bytes.fromhex(piece["hex"]) * times
    text: str = piece["text"]
    return text.encode(encoding) * times
